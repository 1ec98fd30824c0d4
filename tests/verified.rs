//! A service can take a write and ignore part of it. For every task and every member that it writes: the
//! member is taken out of the request on its way, and a task that then reports success must be right.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use arm_core::{ArmClient, ArmOptions, Mode, Scope, Wish};
use async_trait::async_trait;
use azure_core::http::{
    Body, Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use contract_tests::tasks::{Done, Run, TASKS, exposed, furnish, furnished, judged, subscription, workspace};
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};

/// A part of what is written: the path of the resource, and the member of its body.
type Part = (String, String);

/// Takes a member out of the bodies of PUT and PATCH of a resource, and keeps all bodies as they were meant, by the
/// resource's path.
#[derive(Debug, Default)]
struct Ignoring {
    part: Option<Part>,
    meant: Mutex<BTreeMap<String, Value>>,
}

#[async_trait]
impl Policy for Ignoring {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let of_arm = request.url().host_str().is_some_and(|host| host.starts_with("management."));
        if let (true, Method::Put | Method::Patch, Body::Bytes(bytes)) =
            (of_arm, request.method(), request.body())
            && let Ok(mut body) = serde_json::from_slice::<Value>(bytes)
        {
            let written = request.url().path().to_owned();
            self.meant.lock().unwrap().insert(written.clone(), body.clone());
            if let Some((path, member)) = &self.part
                && *path == written
                && remove(&mut body, member)
            {
                request.set_body(body.to_string());
            }
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

fn remove(body: &mut Value, pointer: &str) -> bool {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    match body.pointer_mut(parent) {
        Some(Value::Object(members)) => members.remove(name).is_some(),
        Some(Value::Array(items)) => name.parse().is_ok_and(|at: usize| {
            at < items.len() && {
                items.remove(at);
                true
            }
        }),
        _ => false,
    }
}

/// Every member of a body, whole ones and their parts.
fn members(body: &Value, at: &str, all: &mut Vec<String>) {
    let mut each = |name: String, value: &Value| {
        let pointer = format!("{at}/{name}");
        members(value, &pointer, all);
        all.push(pointer);
    };
    match body {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| each(name.clone(), value)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, value)| each(at.to_string(), value));
        }
        _ => {}
    }
}

fn seed(task: &str) -> Seed {
    mock_azure::fast_forward();
    let seed = MockAzure::seed()
        .workspace(subscription(), "rg-sec", "law-sec")
        .vault(subscription(), "rg-sec", "kv-prod")
        .vault(subscription(), "rg-sec", "kv-other")
        .vault(subscription(), "rg-sec", "kv-old")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .secret_versions("kv-prod", "db", 2)
        .secret_versions("kv-prod", "api-key", 2)
        .virtual_machine(subscription(), "rg-sec", "vm-app")
        .plan(subscription(), "KeyVaults", "Standard");
    let seed = judged(exposed(furnished(seed)));
    if task == "Sentinel is onboarded" { seed } else { seed.sentinel(&workspace("law-sec").to_string()) }
}

async fn world(task: &str) -> MockAzure {
    let azure = seed(task).start().await;
    furnish(&azure).await;
    azure
}

/// Runs a task against a service that ignores a part of what is written; what it meant to write, and what it says.
async fn run(
    azure: &MockAzure,
    task: Run,
    part: Option<Part>,
) -> (BTreeMap<String, Value>, Result<Done, String>) {
    let ignoring = Arc::new(Ignoring { part, meant: Mutex::default() });
    let mut options = azure.client_options();
    options.per_try_policies.push(ignoring.clone());
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(options)).unwrap();
    let outcome = task(arm, Mode::Write).await;
    let meant = ignoring.meant.lock().unwrap().clone();
    (meant, outcome)
}

/// What is stored at a path, by the api-version of the request that wrote it.
async fn stored(azure: &MockAzure, path: &str) -> Value {
    let version = azure
        .requests()
        .into_iter()
        .rev()
        .find(|request| request.path == path && matches!(request.method.as_str(), "PUT" | "PATCH"))
        .and_then(|request| request.query("api-version").map(str::to_owned))
        .unwrap();
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    let id: Scope = path.parse().unwrap();
    arm.get(&id, String::leak(version) as &'static str).json().await.unwrap()
}

#[tokio::test]
async fn a_task_reports_no_success_when_the_service_ignored_what_it_wrote() {
    let (mut found_out, mut unnoticed, mut failed) = (0, Vec::new(), Vec::new());
    let mut bodiless = BTreeSet::new();
    for case in TASKS {
        let azure = world(case.name).await;
        let (meant, outcome) = run(&azure, case.run, None).await;
        if meant.is_empty() && outcome.is_ok() {
            bodiless.insert(case.name);
            continue;
        }
        if !outcome.as_ref().is_ok_and(|done| done.complete) {
            failed.push(format!("{}: {outcome:?}", case.name));
            continue;
        }
        for (path, body) in meant {
            let whole = stored(&azure, &path).await;
            let mut all = Vec::new();
            members(&body, "", &mut all);
            assert!(!all.is_empty());
            for member in all {
                let azure = world(case.name).await;
                let (_, outcome) = run(&azure, case.run, Some((path.clone(), member.clone()))).await;
                if !outcome.is_ok_and(|done| done.complete) {
                    found_out += 1;
                    continue;
                }
                // It says that all is done: then all must be as without the accident, where the task had a say.
                let now = stored(&azure, &path).await;
                let wished = pick(&body, &member);
                let (expected, found) = (said(&whole, &wished), said(&now, &wished));
                let differs = Wish::new().unmet(&expected, &found);
                if !differs.is_empty() {
                    unnoticed.push(format!("{}: {path}: {member}: {differs:?}", case.name));
                }
            }
        }
    }
    assert!(failed.is_empty(), "without any accident:\n{}", failed.join("\n"));
    // Deletions and POSTs carry nothing that could be ignored in part; vaults take and show secrets elsewhere.
    let expected = [
        "a provider is registered",
        "a vault is removed",
        "a vault is removed for good",
        "alerts are resolved",
    ];
    let rest = bodiless.iter().filter(|name| !name.contains("secret") && !name.contains("versions"));
    assert_eq!(rest.copied().collect::<Vec<_>>(), expected);
    assert!(unnoticed.is_empty(), "ignored, and called done:\n{}", unnoticed.join("\n"));
    assert!(found_out > 100, "only {found_out} accidents were found out");
}

/// The member alone, in its place.
fn pick(body: &Value, pointer: &str) -> Value {
    let mut names = pointer.split('/').skip(1).collect::<Vec<_>>();
    // Items of a list are judged with their list.
    if let Some(at) = names.iter().position(|name| name.parse::<usize>().is_ok()) {
        names.truncate(at);
    }
    let value = body.pointer(&format!("/{}", names.join("/"))).cloned().unwrap_or_default();
    names.iter().rev().fold(value, |value, name| json!({ *name: value }))
}

/// The part of a resource that a wish speaks of.
fn said(resource: &Value, wish: &Value) -> Value {
    match (resource, wish) {
        (Value::Object(fields), Value::Object(wish)) => {
            let part = |(name, wish): (&String, &Value)| Some((name.clone(), said(fields.get(name)?, wish)));
            Value::Object(wish.iter().filter_map(part).collect())
        }
        (resource, _) => resource.clone(),
    }
}
