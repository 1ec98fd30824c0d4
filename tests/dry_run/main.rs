//! What a dry run says is what the run does: every task in worlds that others have changed in every way.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

mod worlds;

use std::{
    collections::BTreeSet,
    sync::{Arc, LazyLock, Mutex},
};

use arm_core::{ArmClient, Mode};
use contract_tests::{
    shown::tree,
    tasks::{TASKS, TaskCase, declared},
};
use mock_azure::{MockAzure, Recorded};
use regex::Regex;
use serde_json::Value;
use test_kit::overheard::Overheard;

use crate::worlds::{random, untouched, world};

const WORLDS: u64 = 30;

/// What the service adds by itself to what is written. What a dry run says of these must be true; it may say nothing.
const OF_THE_SERVICE: &[&str] = &[
    "coverage",
    "created",
    "created_by",
    "created_on",
    "created_date",
    "current",
    "customer_id",
    "deletion_date",
    "enable_soft_delete",
    "enabled_at",
    "enabled_for_deployment",
    "enforce",
    "etag",
    "features",
    "kind",
    "last_sku_update",
    "metadata",
    "modified_date",
    "operation_status",
    "principal_id",
    "public_network_access",
    "scheduled_purge_date",
    "soft_delete_retention_in_days",
    "status",
    "system_data",
    "provisioning_state",
    "public_network_access_for_ingestion",
    "public_network_access_for_query",
    "retention_in_days",
    "revoked",
    "tenant_id",
    "unknown",
    "updated_by",
    "updated_on",
    "vault_uri",
    "workspace_capping",
    "UnknownFields",
];

/// What is measured while it is done, what says that it was not, and what only the write finds out: whether the tables
/// of a query are there, whether a new credential works.
const MEASURED: &[&str] =
    &["days_left", "dry_run", "elapsed", "most_in_window", "skip_query_validation", "verified"];

/// The requests that changed something: the service took them, and there was something to delete.
fn writes(azure: &MockAzure) -> Vec<String> {
    let taken = |request: &Recorded| match request.status {
        Some(204) => request.method != "DELETE",
        status => status.is_some_and(|status| status < 300),
    };
    azure
        .writes()
        .into_iter()
        .filter(taken)
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

/// Without what chance makes: ids, versions, times.
fn steady(text: &str) -> String {
    static CHANCE: LazyLock<Regex> = LazyLock::new(|| {
        let (guid, version) = ("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", r"\b[0-9a-f]{32}\b");
        let time = r"\d{4}-\d{2}-\d{2}[ T]\d+:\d{2}:\d{2}(\.\d+)?(Z| \+00:00:00)?";
        Regex::new(&format!("{guid}|{version}|{time}")).unwrap()
    });
    CHANCE.replace_all(text, "~").into_owned()
}

/// Where what came of it is not what was said.
fn differences(said: &Value, is: &Value, at: &str, all: &mut Vec<String>) {
    let member = at.rsplit('/').find(|name| name.parse::<usize>().is_err()).unwrap_or_default();
    let same = |said: &Value, is: &Value| match (said, is) {
        (Value::String(said), Value::String(is)) if member == "id" => said.eq_ignore_ascii_case(is),
        // An address of a firewall, which the service writes as a range.
        (Value::String(said), Value::String(is)) if member == "value" => {
            is.strip_suffix("/32") == Some(said.as_str())
        }
        _ => false,
    };
    if said == is
        || MEASURED.contains(&member)
        || same(said, is)
        || (is_nothing(said) && OF_THE_SERVICE.contains(&member))
    {
        return;
    }
    match (said, is) {
        // One of many that was refused: why is in its causes, which differ in what chance makes.
        (said, is) if member == "Err" && !said.is_null() && !is.is_null() => {}
        (Value::Object(said), Value::Object(is)) => {
            let names: BTreeSet<&String> = said.keys().chain(is.keys()).collect();
            for name in names {
                let part = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                differences(&part(said), &part(is), &format!("{at}/{name}"), all);
            }
        }
        (Value::Array(said), Value::Array(is)) if said.len() == is.len() => {
            for (place, (said, is)) in said.iter().zip(is).enumerate() {
                differences(said, is, &format!("{at}/{place}"), all);
            }
        }
        _ => all.push(format!("{at}: said {said}, is {is}")),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    }
}

/// Runs a task dry, for real, and again: whether it wrote, and what is wrong.
async fn judge(case: &TaskCase, azure: &MockAzure, arm: &ArmClient) -> (bool, Vec<String>) {
    let mut wrong = Vec::new();
    azure.clear_requests();
    let said = (case.run)(arm.clone(), Mode::DryRun).await;
    wrong.extend(writes(azure).into_iter().map(|write| format!("the dry run wrote: {write}")));
    let done = (case.run)(arm.clone(), Mode::Write).await;
    match (&said, &done) {
        (Ok(said), Ok(done)) => {
            differences(&tree(&steady(&said.result)), &tree(&steady(&done.result)), "", &mut wrong);
        }
        (Err(said), Err(done)) if steady(said) == steady(done) => {}
        (Err(said), Err(done)) => wrong.push(format!("refused as '{said}', was '{done}'")),
        (Ok(said), Err(done)) => wrong.push(format!("said {}, was refused: {done}", said.result)),
        (Err(said), Ok(done)) => wrong.push(format!("was to be refused: {said}; did {}", done.result)),
    }
    let wrote = !writes(azure).is_empty();
    azure.clear_requests();
    let again = (case.run)(arm.clone(), Mode::Write).await;
    wrong.extend(writes(azure).into_iter().map(|write| format!("the second run wrote: {write}")));
    if done.is_ok() != again.is_ok() {
        wrong.push(format!("the second run: {again:?}"));
    }
    (wrote, wrong)
}

/// Judges every task in a world: those that wrote, and what is wrong.
async fn judge_all(number: u64) -> (BTreeSet<&'static str>, Vec<String>) {
    let (mut wrote, mut wrong) = (BTreeSet::new(), Vec::new());
    let (azure, arm) = world(number).await;
    // What one task did is the next one's world.
    let mut tasks: Vec<&TaskCase> = TASKS.iter().collect();
    tasks.sort_by_key(|case| random(number, case.name));
    for case in tasks {
        let (did_write, found) = judge(case, &azure, &arm).await;
        wrote.extend(did_write.then_some(case.name));
        wrong.extend(found.into_iter().map(|found| format!("{}: world {number}: {found}", case.name)));
    }
    (wrote, wrong)
}

#[test]
fn a_dry_run_says_what_the_run_does_and_the_second_run_changes_nothing() {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    // Each thread has every so many-th world.
    let share = |first: usize| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let worlds = (0..WORLDS).skip(first).step_by(threads);
        worlds.map(|number| runtime.block_on(judge_all(number))).collect::<Vec<_>>()
    };
    let judged: Vec<_> = std::thread::scope(|scope| {
        let shares: Vec<_> = (0..threads).map(|first| scope.spawn(move || share(first))).collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    });
    assert_eq!(judged.len() as u64, WORLDS);
    let (wrote, wrong): (Vec<_>, Vec<_>) = judged.into_iter().unzip();
    let (wrote, wrong): (BTreeSet<&str>, Vec<String>) =
        (wrote.into_iter().flatten().collect(), wrong.into_iter().flatten().collect());
    let idle: Vec<&str> = TASKS.iter().map(|case| case.name).filter(|name| !wrote.contains(name)).collect();
    assert_eq!(idle, ["secrets are swept"], "these never wrote anything, in any world");
    assert!(wrong.is_empty(), "{} of\n{}", wrong.len(), wrong.join("\n"));
}

/// Looks into values and writes nothing.
const READS: &str = "defender_playbooks::MatchLeaks";

#[tokio::test]
async fn every_task_of_every_crate_is_among_them() {
    let (_azure, arm) = untouched(|_| true).await;
    let mut among = BTreeSet::from([READS.to_owned()]);
    // A subscriber that is set while another thread registers the span's callsite would miss its first spans.
    if let Some(first) = TASKS.first() {
        let _ = (first.run)(arm.clone(), Mode::DryRun).await;
    }
    for case in TASKS {
        // A task may be made of others: the first span is its own.
        let own = Arc::new(Mutex::new(None));
        let hear = own.clone();
        let _guard = tracing::subscriber::set_default(Overheard(move |line: &str| {
            let name =
                line.strip_prefix("arm_core::task task name=\"").and_then(|rest| rest.split('"').next());
            if let Some(name) = name {
                hear.lock().unwrap().get_or_insert(name.to_owned());
            }
        }));
        let _ = (case.run)(arm.clone(), Mode::DryRun).await;
        among.extend(own.lock().unwrap().take());
    }
    among.retain(|name| !name.starts_with("contract_tests::"));
    assert_eq!(declared(), among, "declared in a crate on the left, among `TASKS` on the right");
}
