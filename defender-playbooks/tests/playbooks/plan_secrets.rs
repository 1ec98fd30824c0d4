//! What is deleted, disabled or read is planned by its full id, and refused when that set has moved.

use arm_core::ArmClient;
use defender_playbooks::{
    CoverageClient,
    plan::{Plan, PlanAction, PlannedChange, PlannedSecret, Planner, Step},
};
use keyvault_ops::{
    AlertsExpected, SecretName, SecretsClient, VaultId, VaultSpec, VaultsClient, WhenDeleted,
};
use mock_azure::{DEFAULT_TENANT, MockAzure, Seed};
use monitor_ops::{DiagnosticSetting, DiagnosticSpec};
use serde_json::json;

use super::lab::{arm, group, subscription, workspace, writes};

const VAULT: &str = "kv-planned";

fn vault_id() -> VaultId {
    VaultId::new(&group(), &VAULT.parse().unwrap()).unwrap()
}

fn secret(name: &str) -> SecretName {
    name.parse().unwrap()
}

fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
        .vault(subscription(), "rg-sec", VAULT)
        .vault_role(VAULT, "Key Vault Secrets Officer")
        .secret(VAULT, "one", "REDACTED")
        .secret(VAULT, "two", "REDACTED")
}

fn secrets(arm: &ArmClient) -> SecretsClient {
    SecretsClient::new(arm, &VAULT.parse().unwrap()).unwrap()
}

/// The work, planned.
async fn planned(work: impl AsyncFn(&Planner) -> azure_core::Result<()>) -> Plan {
    let planner = Planner::new();
    work(&planner).await.unwrap();
    planner.plan()
}

fn told(plan: &Plan) -> Vec<(PlanAction, &str)> {
    plan.changes.iter().map(|change| (change.action, change.id.as_str())).collect()
}

/// Plans, kept as JSON; does exactly that; the next plan has nothing left of it.
async fn is_done_exactly(work: impl AsyncFn(&Planner) -> azure_core::Result<()>) {
    let plan = Plan::from_json(&planned(&work).await.to_json().unwrap()).unwrap();
    let applying = plan.begin(&planned(&work).await).unwrap();
    work(&applying).await.unwrap();
    let applied = applying.applied();
    assert!(applied.is_complete(), "{applied:?}");
}

#[tokio::test]
async fn secrets_that_go_are_planned_by_id_and_a_new_version_refuses_the_plan() {
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    let names = ["one", "two", "three"].map(secret);
    let work = async |planner: &Planner| {
        planner.run("clean up", || client.clean_up(names.clone()).purge()).await.map(drop)
    };
    let plan = planned(&work).await;
    let host = format!("https://{VAULT}.vault.azure.net");
    let ids = ["secrets/one", "deletedsecrets/one", "secrets/three", "secrets/two", "deletedsecrets/two"];
    let ids = ids.map(|id| format!("{host}/{id}"));
    let [one, purged, three, two, purged_two] = ids.each_ref().map(String::as_str);
    use PlanAction::{Delete, NoChange};
    assert_eq!(
        told(&plan),
        [(Delete, one), (Delete, purged), (NoChange, three), (Delete, two), (Delete, purged_two)]
    );
    assert_eq!(plan.count().delete, 4);
    assert!(writes(&azure).is_empty());

    client.set(&secret("two"), "REDACTED".into()).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err();
    let [line] = refused.moved.as_slice() else { panic!("{refused}") };
    assert!(line.contains("secrets/two: somebody changed it since it was planned to be deleted"), "{line}");
    client.set(&secret("three"), "REDACTED".into()).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err().to_string();
    assert!(
        refused.contains("secrets/three: no change was planned, but it would now be delete"),
        "{refused}"
    );

    is_done_exactly(&work).await;
    assert!(planned(&work).await.is_empty());
}

#[tokio::test]
async fn versions_that_are_disabled_are_planned_by_id_and_another_one_refuses_the_plan() {
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    client.set(&secret("one"), "REDACTED".into()).await.unwrap();
    client.set(&secret("one"), "REDACTED".into()).await.unwrap();
    let work = async |planner: &Planner| {
        planner.run("retire", || client.retire_old_versions(&secret("one"))).await.map(drop)
    };
    let plan = planned(&work).await;
    assert_eq!(plan.count().update, 2);
    for change in &plan.changes {
        let (before, version) = change.id.rsplit_once('/').unwrap();
        assert_eq!(before, format!("https://{VAULT}.vault.azure.net/secrets/one"));
        assert_eq!(version.len(), 32, "{version}");
        let member = &change.members[0];
        assert_eq!((&member.before, &member.after), (&Some(json!(true)), &Some(json!(false))));
    }
    client.set(&secret("one"), "REDACTED".into()).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err();
    assert_eq!(refused.moved.len(), 1, "the version that was current is one of them now: {refused}");
    is_done_exactly(&work).await;
    assert!(planned(&work).await.is_empty());
}

#[tokio::test]
async fn a_rotation_is_planned_by_the_versions_that_it_disables_and_another_one_refuses_the_plan() {
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    let work =
        async |planner: &Planner| planner.run("rotate", || client.rotate(&secret("one"))).await.map(drop);
    let plan = planned(&work).await;
    let [made, disabled] = plan.changes.as_slice() else { panic!("{plan}") };
    assert_eq!(made.id, format!("https://{VAULT}.vault.azure.net/secrets/one/(known after apply)"));
    assert_eq!((made.action, disabled.action), (PlanAction::Create, PlanAction::Update));
    assert_eq!(disabled.permission, "Microsoft.KeyVault/vaults/secrets/update/action");
    client.set(&secret("one"), "REDACTED".into()).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err();
    assert_eq!(refused.moved.len(), 1, "the version that was just set would be disabled too: {refused}");
    assert!(refused.moved[0].ends_with(": update was not planned"), "{refused}");
    is_done_exactly(&work).await;
}

#[tokio::test]
async fn a_deleted_secret_is_planned_with_the_actions_that_getting_it_back_or_replacing_it_needs() {
    use PlanAction::{Create, Delete};
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    client.seed("lab", 1).await.unwrap();
    client.clean_up([secret("lab-1")]).await.unwrap();
    for (when, told) in [
        (WhenDeleted::Recover, vec![(Create, "recover/action")]),
        (WhenDeleted::Purge, vec![(Delete, "purge/action"), (Create, "setSecret/action")]),
    ] {
        let work = async |planner: &Planner| {
            planner.run("set", || client.seed("lab", 1).when_deleted(when)).await.map(drop)
        };
        let plan = planned(work).await;
        let action = |change: &PlannedChange| change.permission.rsplit_once("secrets/").unwrap().1.to_owned();
        let of: Vec<_> = plan.changes.iter().map(|change| (change.action, action(change))).collect();
        let told: Vec<_> = told.into_iter().map(|(what, action)| (what, action.to_owned())).collect();
        assert_eq!(of, told);
    }
}

/// Secrets are set, read as an attacker would, and one of them is rotated.
async fn set_read_and_rotate(planner: &Planner, client: &SecretsClient) -> azure_core::Result<()> {
    let host = client.host();
    let set = planner.run("set", || client.seed("lab", 2)).await?;
    let created: Vec<SecretName> = set.iter().flat_map(|report| report.created().cloned()).collect();
    let reads = created.iter().map(|name| PlannedSecret::read_in(host, name));
    let step = Step::new("sweep").also_after("set", reads);
    let names = ["lab-1", "lab-2"].map(secret);
    planner.run(step, || client.sweep(AlertsExpected::confirmed()).only(names.clone())).await?;
    let step = Step::new("rotate").after("set", PlannedSecret::rotation_in(host, &names[0]));
    planner.run(step, || client.rotate(&names[0])).await.map(drop)
}

#[tokio::test]
async fn secrets_that_the_plan_itself_sets_are_read_and_rotated_in_the_same_plan() {
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    let work = async |planner: &Planner| set_read_and_rotate(planner, &client).await;
    let plan = planned(&work).await;
    assert_eq!((plan.count().create, plan.count().update, plan.count().read), (3, 1, 2), "{plan}");
    assert!(writes(&azure).is_empty());
    let once = |line: &str| plan.to_string().matches(line).count();
    assert_eq!(once("getSecret/action"), 1, "what happens to several is said once: {plan}");
    is_done_exactly(&work).await;
    let next = planned(&work).await;
    assert_eq!((next.count().no_change, next.count().create, next.count().read), (2, 1, 2), "{next}");
}

#[tokio::test]
async fn a_vault_that_goes_is_planned_by_id_and_refused_when_somebody_has_changed_it() {
    let azure = seed().start().await;
    let arm = arm(&azure);
    let vaults = VaultsClient::new(&arm);
    let work = async |planner: &Planner| {
        planner.run("the vault", || vaults.remove(&vault_id()).purge()).await.map(drop)
    };
    let plan = planned(&work).await;
    assert_eq!(plan.count().delete, 2);
    assert_eq!(plan.changes[0].id, vault_id().to_string());
    assert!(plan.changes[1].id.ends_with(&format!("/deletedVaults/{VAULT}")), "{}", plan.changes[1].id);
    let tags = [("owner".to_owned(), "payments".to_owned())];
    let theirs = VaultSpec::builder().location("westeurope").tenant_id(DEFAULT_TENANT).tags(tags).build();
    vaults.ensure(&vault_id(), theirs).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err().to_string();
    assert!(refused.contains("somebody changed it since it was planned to be deleted"), "{refused}");
    is_done_exactly(&work).await;
    assert!(planned(&work).await.is_empty());
}

#[tokio::test]
async fn a_sweep_names_each_secret_that_it_reads_and_is_carried_out_only_so() {
    let azure = seed().start().await;
    let client = secrets(&arm(&azure));
    let work = async |planner: &Planner| {
        planner.run("sweep", || client.sweep(AlertsExpected::confirmed())).await.map(drop)
    };
    let reads = || azure.audit_events().iter().filter(|event| event.operation == "SecretGet").count();
    let plan = planned(&work).await;
    assert_eq!((plan.count().read, plan.is_empty(), reads()), (2, false, 0));
    for change in &plan.changes {
        assert_eq!(change.role, "Key Vault Secrets User");
        assert_eq!(change.permission, "Microsoft.KeyVault/vaults/secrets/getSecret/action");
    }
    let kept: serde_json::Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
    let count = json!({ "create": 0, "update": 0, "delete": 0, "noChange": 0, "read": 2 });
    assert_eq!(kept["count"], count);
    assert!(
        plan.to_string().contains(&format!("  > read https://{VAULT}.vault.azure.net/secrets/one")),
        "{plan}"
    );
    assert!(plan.to_string().ends_with("0 unchanged, 2 to read"), "{plan}");
    client.set(&secret("three"), "REDACTED".into()).await.unwrap();
    let refused = plan.begin(&planned(&work).await).unwrap_err().to_string();
    assert!(refused.contains("secrets/three: read was not planned"), "{refused}");
    is_done_exactly(&work).await;
    assert_eq!(reads(), 3);
}

/// A vault, and then the logs of all vaults of the subscription.
async fn vault_and_logs(planner: &Planner, arm: &ArmClient, declared: bool) -> azure_core::Result<()> {
    let vaults = VaultsClient::new(arm);
    let new = VaultId::new(&group(), &"kv-second".parse()?)?;
    let spec = VaultSpec::builder().location("westeurope").tenant_id(DEFAULT_TENANT).build();
    planner.run("a vault", || vaults.ensure(&new, spec.clone())).await?;
    let setting = DiagnosticSpec::audit_to(&workspace())?;
    let mut step = Step::new("the logs of all vaults");
    if declared {
        let id = format!("{new}/providers/Microsoft.Insights/diagnosticSettings/audit-to-log-analytics");
        step = step.also_after("a vault", [PlannedChange::of::<DiagnosticSetting>(PlanAction::Create, id)]);
    }
    let coverage = CoverageClient::new(arm);
    planner.run(step, || coverage.fix(&subscription(), &setting)).await.map(drop)
}

#[tokio::test]
async fn a_step_over_all_vaults_beside_one_that_makes_a_vault_says_what_to_do_or_is_declared() {
    for declared in [false, true] {
        let azure = seed().workspace(subscription(), "rg-sec", "law-sec").start().await;
        let arm = arm(&azure);
        let work = async |planner: &Planner| vault_and_logs(planner, &arm, declared).await;
        let plan = planned(&work).await;
        let applying = plan.begin(&planned(&work).await).unwrap();
        let done = work(&applying).await;
        if declared {
            done.unwrap();
            assert!(applying.applied().is_complete(), "{:?}", applying.applied());
            assert!(planned(&work).await.is_empty());
            continue;
        }
        let error = done.unwrap_err().to_string();
        for words in
            ["the step 'a vault' of this plan creates", "plan this step separately", "Step::also_after"]
        {
            assert!(error.contains(words), "{error}");
        }
        let logged = writes(&azure).iter().filter(|it| it.path.contains("diagnosticSettings")).count();
        assert_eq!(logged, 0, "nothing of the step was written");
    }
}
