//! 500 worlds that others have changed before: what a plan says is what is done, the next plan is empty, and after a
//! foreign change nothing is done.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arm_core::ArmClient;
use azure_core::Result;
use boon::{Compiler, SchemaIndex, Schemas};
use defender_alerts::{AlertAction, AlertsClient};
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use defender_playbooks::{
    CoverageClient,
    plan::{Plan, Planner, SCHEMA},
};
use defender_pricing::{ExtensionName, PlanName, PricingClient, SubPlan};
use futures::{TryStreamExt as _, future::BoxFuture};
use keyvault_ops::{SecretsClient, VaultId, VaultSpec, VaultsClient};
use mock_azure::{DEFAULT_TENANT, MockAzure, Recorded, Seed};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRule, QueryRulesClient, SentinelClient,
    WorkspaceId, WorkspaceSpec, WorkspacesClient,
};
use resource_ops::{
    ProvidersClient, ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId,
    VirtualMachinesClient,
};

use serde_json::{Value, json};

use super::lab::{arm, group, subscription, vault_named, workspace};

const WORLDS: u64 = 500;

/// What somebody else does meanwhile.
type Other = fn(ArmClient) -> BoxFuture<'static, Result<()>>;

/// One thing that is planned, and what others do to the same thing.
struct Case {
    name: &'static str,
    /// What it touches: cases that touch the same are not in one plan.
    touches: &'static str,
    plan: for<'a> fn(&'a Planner, &'a str, ArmClient) -> BoxFuture<'a, Result<()>>,
    others: &'static [Other],
}

macro_rules! cases {
    ($($name:literal touches $touches:literal: |$arm:ident| $task:expr; others: [$($other:expr),*];)+) => {
        const CASES: &[Case] = &[$(Case {
            name: $name,
            touches: $touches,
            plan: |planner, step, $arm| Box::pin(async move { planner.run(step, || $task).await.map(drop) }),
            others: &[$(|$arm: ArmClient| Box::pin(async move { $other.await.map(drop) })),*],
        }),+];
    };
}

cases! {
    "a group" touches "rg-new": |arm| ResourceGroupsClient::new(&arm)
        .ensure(&subscription().resource_group("rg-new").unwrap(), ResourceGroupSpec::new("westeurope").tag("team", "soc"));
    others: [
        ResourceGroupsClient::new(&arm).ensure(
            &subscription().resource_group("rg-new").unwrap(),
            ResourceGroupSpec::new("westeurope").tag("team", "payments").tag("cost", "7"),
        )
    ];
    "a plan" touches "VirtualMachines": |arm| PricingClient::new(&arm)
        .enable(subscription(), &PlanName::VirtualMachines)
        .sub_plan(SubPlan::P2)
        .extension(ExtensionName::AgentlessVmScanning);
    others: [
        PricingClient::new(&arm).enable(subscription(), &PlanName::VirtualMachines).sub_plan(SubPlan::P1),
        PricingClient::new(&arm).disable(subscription(), &PlanName::VirtualMachines)
    ];
    "a plan off" touches "Arm": |arm| PricingClient::new(&arm).disable(subscription(), &PlanName::Arm);
    others: [PricingClient::new(&arm).enable(subscription(), &PlanName::Arm)];
    "a vault" touches "logs": |arm| VaultsClient::new(&arm).ensure(&new_vault(), vault_spec("soc"));
    others: [VaultsClient::new(&arm).ensure(&new_vault(), vault_spec("payments"))];
    "a workspace" touches "law-new": |arm| WorkspacesClient::new(&arm).ensure(
        &WorkspaceId::new(&group(), "law-new").unwrap(),
        &WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build(),
    );
    others: [
        WorkspacesClient::new(&arm).ensure(
            &WorkspaceId::new(&group(), "law-new").unwrap(),
            &WorkspaceSpec::builder().location("westeurope").retention_in_days(30).build(),
        )
    ];
    "mail" touches "ag-soc": |arm| ActionGroupsClient::new(&arm)
        .ensure_mail(&group(), &"ag-soc".parse().unwrap(), "soc", &["soc@contoso.example".parse().unwrap()]);
    others: [
        ActionGroupsClient::new(&arm)
            .ensure_mail(&group(), &"ag-soc".parse()?, "other", &["other@contoso.example".parse()?])
    ];
    "a rule" touches "mass": |arm| QueryRulesClient::new(&arm)
        .ensure(&group(), &"mass".parse().unwrap(), &rule(true));
    others: [QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse()?, &rule(false))];
    "an automation" touches "kv": |arm| AutomationsClient::new(&arm)
        .ensure(&group(), &"kv".parse().unwrap(), &automation("soc"));
    others: [AutomationsClient::new(&arm).ensure(&group(), &"kv".parse()?, &automation("payments"))];
    "a role" touches "role": |arm| RoleAssignmentsClient::new(&arm)
        .ensure(group(), RoleId::KEY_VAULT_SECRETS_USER, "00000000-0000-0000-0000-0000000000b1".parse().unwrap());
    others: [];
    "logs" touches "logs": |arm| DiagnosticsClient::new(&arm)
        .ensure(&vault_named("kv-prod"), &DiagnosticSpec::audit_to(&workspace()).unwrap());
    others: [];
    "logs of all" touches "logs": |arm| CoverageClient::new(&arm)
        .fix(&subscription(), &DiagnosticSpec::audit_to(&workspace()).unwrap());
    others: [
        DiagnosticsClient::new(&arm).ensure(&vault_named("kv-prod"), &DiagnosticSpec::audit_to(&workspace())?),
        PricingClient::new(&arm).enable(subscription(), &PlanName::KeyVaults)
    ];
    "an identity" touches "vm-app": |arm| VirtualMachinesClient::new(&arm).enable_system_identity(
        &format!("{}/providers/Microsoft.Compute/virtualMachines/vm-app", group()).parse().unwrap(),
    );
    others: [];
    "a provider" touches "EventGrid": |arm| ProvidersClient::new(&arm)
        .ensure_registered(&subscription(), &"Microsoft.EventGrid".parse().unwrap());
    others: [];
    "Sentinel" touches "onboarding": |arm| SentinelClient::new(&arm).onboard(&workspace());
    others: [];
    "secrets" touches "lab-": |arm| secrets(&arm).seed("lab", 2);
    others: [secrets(&arm).seed("lab", 1)];
    "old versions" touches "one": |arm| secrets(&arm).retire_old_versions(&"one".parse().unwrap());
    others: [
        secrets(&arm).set(&"one".parse()?, "REDACTED".into()),
        secrets(&arm).set(&"one".parse()?, "REDACTED".into())
    ];
    "secrets that go" touches "gone": |arm| secrets(&arm).clean_up(["gone".parse().unwrap()]);
    others: [secrets(&arm).set(&"gone".parse()?, "REDACTED".into())];
    "a vault that goes" touches "logs": |arm| VaultsClient::new(&arm).remove(&gone_vault());
    others: [VaultsClient::new(&arm).ensure(&gone_vault(), vault_spec("payments"))];
    "an alert" touches "alerts": |arm| {
        let alerts = AlertsClient::new(&arm);
        arm_core::Task::new(move |mode| async move {
            let all: Vec<_> = alerts.list(&subscription()).try_collect().await?;
            alerts.set_status(all.into_iter().take(2).map(|alert| alert.id), AlertAction::Resolve).in_mode(mode).await
        })
    };
    others: [async {
        let alerts = AlertsClient::new(&arm);
        let first = alerts.list(&subscription()).try_next().await?;
        alerts.set_status(first.map(|alert| alert.id), AlertAction::Dismiss).await
    }];
}

fn new_vault() -> VaultId {
    VaultId::new(&group(), &"kv-new".parse().unwrap()).unwrap()
}

fn gone_vault() -> VaultId {
    VaultId::new(&group(), &"kv-gone".parse().unwrap()).unwrap()
}

fn secrets(arm: &ArmClient) -> SecretsClient {
    SecretsClient::new(arm, &"kv-prod".parse().unwrap()).unwrap()
}

fn vault_spec(team: &str) -> VaultSpec {
    let tags = [("team".to_owned(), team.to_owned())];
    VaultSpec::builder().location("westeurope").tenant_id(DEFAULT_TENANT).tags(tags).build()
}

fn rule(wanted: bool) -> QueryRule {
    let groups = [format!("{}/providers/Microsoft.Insights/actionGroups/ag-soc", group()).parse().unwrap()];
    let mut rule = QueryRule::mass_secret_reading(&workspace(), "westeurope", 10).notifying(&groups);
    if !wanted {
        (rule.properties.enabled, rule.properties.severity) = (Some(false), Some(4));
    }
    rule
}

fn automation(team: &str) -> AutomationSpec {
    let flow = format!("{}/providers/Microsoft.Logic/workflows/flow", group()).parse().unwrap();
    let action = Action::logic_app(&flow, "https://flow.example/x");
    let mut spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [action]);
    spec.tags.insert("team".to_owned(), team.to_owned());
    spec
}

fn random(world: u64, what: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (world, what).hash(&mut hasher);
    hasher.finish()
}

/// What stands in a world from the beginning.
fn seed(world: u64) -> Seed {
    let sub = subscription();
    let chance = |what: &str| random(world, what).is_multiple_of(2);
    let seed = MockAzure::seed()
        .workspace(&sub, "rg-sec", "law-sec")
        .vault(&sub, "rg-sec", "kv-prod")
        .vault(&sub, "rg-sec", "kv-gone")
        .secret("kv-prod", "one", "REDACTED")
        .secret("kv-prod", "gone", "REDACTED")
        .virtual_machine(&sub, "rg-sec", "vm-app")
        .vault_role("kv-prod", "Key Vault Secrets Officer");
    let seed = if chance("another vault") { seed.vault(&sub, "rg-sec", "kv-other") } else { seed };
    let seed = if chance("the plan for vaults") { seed.plan(&sub, "KeyVaults", "Standard") } else { seed };
    let seed =
        if chance("the plan for machines") { seed.plan(&sub, "VirtualMachines", "Standard") } else { seed };
    let seed =
        if chance("a provider is missing") { seed.unregistered(&sub, "Microsoft.EventGrid") } else { seed };
    let seed = if chance("Sentinel") { seed.sentinel(&workspace().to_string()) } else { seed };
    if chance("alerts") { seed.key_vault_alerts(vault_named("kv-prod")) } else { seed }
}

/// A world, and one or two cases that do not touch the same.
async fn world(number: u64) -> (MockAzure, ArmClient, Vec<&'static Case>) {
    let azure = seed(number).start().await;
    let arm = arm(&azure);
    let mut cases: Vec<&Case> = CASES.iter().collect();
    cases.sort_by_key(|case| random(number, case.name));
    let mut touched = BTreeSet::new();
    cases.retain(|case| touched.insert(case.touches));
    cases.truncate(1 + random(number, "how many") as usize % 2);
    for case in &cases {
        // Absent, as wanted, or as others want it.
        let was = random(number, &format!("{} before", case.name)) as usize % (case.others.len() + 3);
        match was.checked_sub(3) {
            Some(other) => (case.others[other])(arm.clone()).await.unwrap(),
            None if was == 2 => as_wanted(case, &arm).await,
            None => {}
        }
    }
    azure.clear_requests();
    (azure, arm, cases)
}

/// Somebody else does the same.
async fn as_wanted(case: &Case, arm: &ArmClient) {
    let planner = Planner::new();
    (case.plan)(&planner, case.name, arm.clone()).await.unwrap();
    let plan = planner.plan();
    (case.plan)(&plan.begin(&plan).unwrap(), case.name, arm.clone()).await.unwrap();
}

async fn work(planner: &Planner, cases: &[&Case], arm: &ArmClient) {
    for case in cases {
        (case.plan)(planner, case.name, arm.clone()).await.unwrap();
    }
}

async fn planned(cases: &[&Case], arm: &ArmClient) -> Plan {
    let planner = Planner::new();
    work(&planner, cases, arm).await;
    planner.plan()
}

/// What was written: where.
fn writes(azure: &MockAzure) -> BTreeSet<String> {
    let place = |request: Recorded| match request.host.as_str() {
        "management.azure.com" => request.path.to_ascii_lowercase(),
        host => format!("https://{host}{}", request.path).to_ascii_lowercase(),
    };
    azure.writes().into_iter().map(place).collect()
}

/// What of the writes was not planned, and what of the plan was not written.
fn beside(plan: &Plan, writes: &BTreeSet<String>) -> Vec<String> {
    let changes: Vec<String> = plan
        .changes
        .iter()
        .filter(|change| change.is_change())
        .map(|it| it.id.to_ascii_lowercase())
        .collect();
    let is_of = |write: &String, id: &String| {
        let id = id.split("(known").next().unwrap_or_default();
        write
            .strip_prefix(id)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || id.ends_with('/'))
    };
    let unplanned = writes.iter().filter(|write| !changes.iter().any(|id| is_of(write, id)));
    let undone = changes.iter().filter(|id| !writes.iter().any(|write| is_of(write, id)));
    let unplanned = unplanned.map(|write| format!("not planned: {write}"));
    unplanned.chain(undone.map(|id| format!("not written: {id}"))).collect()
}

/// The schema of plans.
struct Schema(Schemas, SchemaIndex);

impl Schema {
    fn of_plans() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        compiler.enable_format_assertions();
        let place = "https://plan.example/plan.schema.json";
        compiler.add_resource(place, serde_json::from_str(SCHEMA).unwrap()).unwrap();
        let index = compiler.compile(place, &mut schemas).unwrap();
        Self(schemas, index)
    }

    fn faults(&self, value: &Value) -> String {
        self.0.validate(value, self.1).err().map(|fault| format!("{fault:#}")).unwrap_or_default()
    }
}

#[test]
fn what_is_not_as_the_schema_of_plans_says_is_seen() {
    let (schema, planner) = (Schema::of_plans(), Planner::new());
    planner.decide_at_apply("the rest", "alerts are resolved");
    let right: Value = serde_json::from_str(&planner.plan().to_json().unwrap()).unwrap();
    assert_eq!(schema.faults(&right), "");
    for (place, wrong) in [
        ("/version", json!(2)),
        ("/madeAt", json!("yesterday")),
        ("/count/create", json!(-1)),
        ("/decidedAtApply", json!([])),
        (
            "/changes",
            json!([{ "step": "a", "action": "purge", "id": "/x", "role": "r", "permission": "a/b" }]),
        ),
    ] {
        let mut value = right.clone();
        *value.pointer_mut(place).unwrap() = wrong;
        assert_ne!(schema.faults(&value), "", "{place}");
    }
}

/// What the worlds have shown, by case.
#[derive(Debug, Default)]
struct Shown {
    wrong: Vec<String>,
    done: BTreeMap<&'static str, u64>,
    refused: BTreeMap<&'static str, u64>,
}

async fn judge(number: u64, schema: &Schema) -> Shown {
    let mut shown = Shown::default();
    let mut wrong = |what: String| shown.wrong.push(format!("world {number}: {what}"));
    let (azure, arm, cases) = world(number).await;
    let kept = planned(&cases, &arm).await.to_json().unwrap();
    let faults = schema.faults(&serde_json::from_str(&kept).unwrap());
    if !faults.is_empty() {
        wrong(format!("not as the schema says: {faults}"));
    }
    let mut plan = Plan::from_json(&kept).unwrap();
    if !writes(&azure).is_empty() {
        wrong(format!("the plan wrote: {:?}", writes(&azure)));
    }
    // Somebody changes what the plan changes: another wish, or the same.
    let target = cases[random(number, "who") as usize % cases.len()];
    let is_changed = plan.changes.iter().any(|change| change.step == target.name && change.is_change());
    if is_changed && !random(number, "whether").is_multiple_of(3) {
        let how = random(number, "how") as usize % (target.others.len() + 1);
        match how.checked_sub(1) {
            // An other's wish may be refused here, or be what is there.
            Some(other) => drop((target.others[other])(arm.clone()).await),
            None => as_wanted(target, &arm).await,
        }
        let moved = !writes(&azure).is_empty();
        azure.clear_requests();
        let now = planned(&cases, &arm).await;
        match plan.begin(&now) {
            Err(_) if moved => *shown.refused.entry(target.name).or_default() += 1,
            Ok(_) if moved => wrong(format!("not refused after '{}' moved, way {how}", target.name)),
            Err(refused) => wrong(format!("refused, and nothing moved: {refused}")),
            Ok(_) => {}
        }
        if !writes(&azure).is_empty() {
            wrong(format!("the refusal wrote: {:?}", writes(&azure)));
        }
        plan = Plan::from_json(&now.to_json().unwrap()).unwrap();
    }
    azure.clear_requests();
    let applying = plan.begin(&plan).unwrap();
    work(&applying, &cases, &arm).await;
    if !applying.applied().is_complete() {
        wrong(format!("not all was done as planned: {:?}", applying.applied()));
    }
    beside(&plan, &writes(&azure)).into_iter().for_each(&mut wrong);
    let next = planned(&cases, &arm).await;
    if !next.is_empty() {
        wrong(format!("the next plan is not empty: {next}"));
    }
    for case in cases {
        let changed = plan.changes.iter().any(|change| change.step == case.name && change.is_change());
        *shown.done.entry(case.name).or_default() += u64::from(changed);
    }
    shown
}

#[tokio::test(flavor = "multi_thread")]
async fn in_500_worlds_a_plan_is_done_exactly_the_next_is_empty_and_a_foreign_change_is_refused() {
    mock_azure::fast_forward();
    let next = Arc::new(AtomicU64::new(0));
    let work = |next: Arc<AtomicU64>| async move {
        let (schema, mut all) = (Schema::of_plans(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= WORLDS {
                return all;
            }
            all.push(judge(number, &schema).await);
        }
    };
    let workers: Vec<_> = (0..4).map(|_| tokio::spawn(work(next.clone()))).collect();
    let mut all = Shown::default();
    let mut worlds = 0;
    for worker in workers {
        for shown in worker.await.unwrap() {
            worlds += 1;
            all.wrong.extend(shown.wrong);
            shown.done.into_iter().for_each(|(name, count)| *all.done.entry(name).or_default() += count);
            shown
                .refused
                .into_iter()
                .for_each(|(name, count)| *all.refused.entry(name).or_default() += count);
        }
    }
    assert!(all.wrong.is_empty(), "{} of\n{}", all.wrong.len(), all.wrong.join("\n"));
    assert_eq!(worlds, WORLDS);
    for case in CASES {
        let (done, refused) = (all.done.get(case.name), all.refused.get(case.name));
        assert!(done.is_some_and(|done| *done >= 5), "{} was hardly ever changed: {:?}", case.name, all.done);
        assert!(refused.is_some_and(|it| *it > 1), "{} hardly ever moved: {:?}", case.name, all.refused);
    }
}
