//! What a dry run says is what the run does: every task in worlds that others have changed in every way.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::LazyLock,
};

use arm_core::{ArmClient, ArmOptions, Mode};
use contract_tests::{
    shown::tree,
    tasks::{
        TASKS, TaskCase, automation, group, resource, rule, secrets, subscription, vault, vault_spec,
        workspace,
    },
};
use defender_alerts::{AlertAction, AlertsClient};
use defender_automation::AutomationsClient;
use defender_pricing::{PlanName, PricingClient};
use futures::{TryStreamExt as _, future::BoxFuture};
use keyvault_ops::VaultsClient;
use mock_azure::{MockAzure, Recorded, Seed};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRulesClient, SentinelClient, WorkspaceSpec,
    WorkspacesClient,
};
use regex::Regex;
use resource_ops::{
    ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId, VirtualMachinesClient,
};
use serde_json::Value;

const WORLDS: u64 = 30;

/// What the service adds by itself to what is written. What a dry run says of these must be true; it may say nothing.
const OF_THE_SERVICE: &[&str] = &[
    "coverage",
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
    "tenant_id",
    "unknown",
    "updated_by",
    "updated_on",
    "vault_uri",
    "workspace_capping",
    "UnknownFields",
];

/// What is measured while it is done, what says that it was not, and what only the write finds out: whether the tables
/// of a query are there.
const MEASURED: &[&str] = &["days_left", "dry_run", "elapsed", "most_in_window", "skip_query_validation"];

/// Whether something happened in a world.
fn chance(world: u64, what: &str) -> bool {
    random(world, what).is_multiple_of(2)
}

fn random(world: u64, what: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (world, what).hash(&mut hasher);
    hasher.finish()
}

/// What stands in the world from the beginning.
fn seed(world: u64) -> Seed {
    mock_azure::fast_forward();
    let sub = subscription();
    let base = MockAzure::seed()
        .workspace(&sub, "rg-sec", "law-sec")
        .vault(&sub, "rg-sec", "kv-prod")
        .vault(&sub, "rg-sec", "kv-other")
        .virtual_machine(&sub, "rg-sec", "vm-app")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .secret_versions("kv-prod", "db", 3)
        .secret_versions("kv-prod", "api-key", 4)
        .deleted_secret("kv-prod", "gone", "value");
    let machine = resource("Microsoft.Compute/virtualMachines/vm-app");
    type Add = (&'static str, Box<dyn FnOnce(Seed) -> Seed>);
    let more: Vec<Add> = vec![
        (
            "kv-old",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.vault(&sub, "rg-sec", "kv-old")
            }),
        ),
        (
            "kv-old is protected",
            Box::new(|seed| seed.vault_property("kv-old", "enablePurgeProtection", true)),
        ),
        (
            "kv-new is deleted",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.deleted_vault(&sub, "rg-sec", "kv-new")
            }),
        ),
        (
            "the plan for machines",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.plan(&sub, "VirtualMachines", "Standard")
            }),
        ),
        (
            "the plan for vaults",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.plan(&sub, "KeyVaults", "Standard")
            }),
        ),
        (
            "an extension",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.plan_extension(&sub, "VirtualMachines", "AgentlessVmScanning", true)
            }),
        ),
        (
            "a provider is missing",
            Box::new({
                let sub = sub.clone();
                move |seed| seed.unregistered(&sub, "Microsoft.EventGrid")
            }),
        ),
        ("alerts", Box::new(|seed| seed.key_vault_alerts(resource("Microsoft.KeyVault/vaults/kv-prod")))),
        (
            "an identity of the user",
            Box::new({
                let machine = machine.clone();
                move |seed| seed.vm_user_identity(&machine, "id-app")
            }),
        ),
        ("Sentinel", Box::new(|seed| seed.sentinel(&workspace("law-sec").to_string()))),
        (
            "the connector of the tenant",
            Box::new(|seed| {
                seed.sentinel(&workspace("law-sec").to_string())
                    .defender_tenant_connector(&workspace("law-sec").to_string())
            }),
        ),
        ("a deleted secret", Box::new(|seed| seed.deleted_secret("kv-prod", "lab-2", "value"))),
        ("a disabled secret", Box::new(|seed| seed.disabled_secret("kv-prod", "lab-3", "value"))),
        ("a managed secret", Box::new(|seed| seed.managed_secret("kv-prod", "cert"))),
    ];
    more.into_iter().filter(|(what, _)| chance(world, what)).fold(base, |seed, (_, add)| add(seed))
}

type Act = fn(ArmClient) -> BoxFuture<'static, azure_core::Result<()>>;

/// What others did before.
const OTHERS: &[(&str, Act)] = &[
    ("a vault of other settings", |arm| {
        Box::pin(async move {
            let mut spec = vault_spec();
            spec.tags.insert("team".to_owned(), "soc".to_owned());
            spec.network_acls = None;
            VaultsClient::new(&arm).ensure(&vault("kv-new"), spec).await.map(drop)
        })
    }),
    ("a vault removed", |arm| {
        Box::pin(async move { VaultsClient::new(&arm).remove(&vault("kv-old")).await.map(drop) })
    }),
    ("a workspace", |arm| {
        Box::pin(async move {
            let spec = WorkspaceSpec::builder().location("westeurope").retention_in_days(30).build();
            WorkspacesClient::new(&arm).ensure(&workspace("law-new"), &spec).await.map(drop)
        })
    }),
    ("a workspace deleted", |arm| {
        Box::pin(async move { WorkspacesClient::new(&arm).delete(&workspace("law-new")).await.map(drop) })
    }),
    ("a plan turned off", |arm| {
        Box::pin(async move {
            PricingClient::new(&arm).disable(subscription(), &PlanName::VirtualMachines).await.map(drop)
        })
    }),
    ("another mail group", |arm| {
        Box::pin(async move {
            let address = ["OnCall@contoso.example".parse()?, "other@contoso.example".parse()?];
            ActionGroupsClient::new(&arm)
                .ensure_mail(&group(), &"ag-soc".parse()?, "other", &address)
                .await
                .map(drop)
        })
    }),
    ("another rule", |arm| {
        Box::pin(async move {
            let mut rule = rule();
            rule.properties.enabled = Some(false);
            rule.properties.severity = Some(4);
            QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse()?, &rule).await.map(drop)
        })
    }),
    ("another automation", |arm| {
        Box::pin(async move {
            let mut other = automation();
            other.description = Some("another".to_owned());
            other.tags.insert("team".to_owned(), "soc".to_owned());
            AutomationsClient::new(&arm).ensure(&group(), &"kv".parse()?, &other).await.map(drop)
        })
    }),
    ("a role", |arm| {
        Box::pin(async move {
            let principal = "00000000-0000-0000-0000-0000000000b1".parse()?;
            let roles = RoleAssignmentsClient::new(&arm);
            roles.ensure(group(), RoleId::KEY_VAULT_SECRETS_USER, principal).await.map(drop)
        })
    }),
    ("an identity", |arm| {
        Box::pin(async move {
            let machine = resource("Microsoft.Compute/virtualMachines/vm-app").to_string().parse()?;
            VirtualMachinesClient::new(&arm).enable_system_identity(&machine).await.map(drop)
        })
    }),
    ("a group", |arm| {
        Box::pin(async move {
            let spec = ResourceGroupSpec::new("westeurope").tag("team", "soc");
            ResourceGroupsClient::new(&arm)
                .ensure(&subscription().resource_group("rg-new")?, spec)
                .await
                .map(drop)
        })
    }),
    ("a diagnostic setting", |arm| {
        Box::pin(async move {
            let spec = DiagnosticSpec::audit_to(&workspace("law-sec"))?;
            DiagnosticsClient::new(&arm)
                .ensure(&resource("Microsoft.KeyVault/vaults/kv-other"), &spec)
                .await
                .map(drop)
        })
    }),
    ("an alert taken up", |arm| {
        Box::pin(async move {
            let alerts = AlertsClient::new(&arm);
            let first = alerts.list(&subscription()).try_next().await?;
            alerts.set_status(first.map(|alert| alert.id), AlertAction::Dismiss).await.map(drop)
        })
    }),
    ("a connector", |arm| {
        Box::pin(async move {
            SentinelClient::new(&arm).connect_defender(&workspace("law-sec"), &subscription()).await.map(drop)
        })
    }),
    ("a secret seeded", |arm| Box::pin(async move { secrets(&arm).seed("lab", 1).await.map(drop) })),
    ("a version disabled", |arm| {
        Box::pin(async move {
            let name = "db".parse()?;
            let current = secrets(&arm).get(&name).await?.properties.id.version;
            let versions: Vec<_> = secrets(&arm).list_versions(&name).try_collect().await?;
            let mut others =
                versions.iter().map(|version| version.version()).filter(|it| *it != current.as_ref());
            let Some(version) = others.next().flatten() else { return Ok(()) };
            secrets(&arm).update(&name, version).disable().await.map(drop)
        })
    }),
];

async fn world(number: u64) -> (MockAzure, ArmClient) {
    let azure = seed(number).start().await;
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    for (what, act) in OTHERS {
        if chance(number, what) {
            // In some worlds it is refused: then it did not happen.
            let _ = act(arm.clone()).await;
        }
    }
    azure.clear_requests();
    (azure, arm)
}

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
