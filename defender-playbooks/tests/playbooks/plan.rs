//! A selection of tasks is planned, kept, and done exactly as planned, or not at all.

use arm_core::{ArmClient, ArmErrorExt as _};
use defender_alerts::{AlertAction, AlertsClient};
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use defender_playbooks::plan::{Plan, PlanAction, PlannedChange, PlannedSecret, Planner, Step};
use defender_pricing::{PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_ops::{SecretsClient, Vault, VaultId, VaultSpec, VaultsClient};
use mock_azure::{DEFAULT_TENANT, Fault, MockAzure};
use resource_ops::{
    DirectoryClient, PrincipalType, ResourceGroupSpec, ResourceGroupsClient, RoleAssignment,
    RoleAssignmentsClient, RoleId,
};
use serde_json::json;

use super::lab::{arm, group, subscription, writes};

const VAULT: &str = "kv-planned";

fn vault_id() -> VaultId {
    VaultId::new(&group(), &VAULT.parse().unwrap()).unwrap()
}

/// A group, a plan, a vault in the group, a role at the vault, and secrets in it.
async fn work(planner: &Planner, arm: &ArmClient) -> azure_core::Result<()> {
    let (groups, pricing, vaults) =
        (ResourceGroupsClient::new(arm), PricingClient::new(arm), VaultsClient::new(arm));
    planner
        .run("the group", || groups.ensure(&group(), ResourceGroupSpec::new("westeurope").tag("team", "soc")))
        .await?;
    planner.run("the plan", || pricing.enable(subscription(), &PlanName::KeyVaults)).await?;
    let spec = VaultSpec::builder().location("westeurope").tenant_id(DEFAULT_TENANT).build();
    planner.run("the vault", || vaults.ensure(&vault_id(), spec.clone())).await?;
    let (roles, me) = (RoleAssignmentsClient::new(arm), DirectoryClient::new(arm).signed_in().await?.id);
    let below = format!("{}/providers/Microsoft.Authorization/roleAssignments", vault_id());
    let role =
        Step::new("the role").after("the vault", [PlannedChange::create_below::<RoleAssignment>(below)]);
    let assign = || {
        let role = roles.ensure(vault_id().resource_id(), RoleId::KEY_VAULT_SECRETS_OFFICER, me);
        role.principal_type(PrincipalType::User)
    };
    planner.run(role, assign).await?;
    let secrets = SecretsClient::new(arm, &VAULT.parse()?)?;
    let to_come = [1, 2].map(|number| {
        let name = format!("lab-{number}").parse().unwrap();
        let id = PlannedSecret::id_in(&format!("{VAULT}.vault.azure.net"), &name);
        PlannedChange::of::<PlannedSecret>(PlanAction::Create, id).made_at_apply("value")
    });
    let step = Step::new("the secrets").after("the vault", to_come);
    planner.run(step, || secrets.seed("lab", 2)).await?;
    Ok(())
}

async fn planned(azure: &MockAzure) -> Plan {
    let planner = Planner::new();
    work(&planner, &arm(azure)).await.unwrap();
    planner.plan()
}

async fn empty() -> MockAzure {
    mock_azure::fast_forward();
    MockAzure::seed().subscription(subscription()).start().await
}

fn actions(plan: &Plan) -> Vec<(&str, PlanAction)> {
    plan.changes.iter().map(|change| (change.step.as_str(), change.action)).collect()
}

#[tokio::test]
async fn a_plan_tells_each_change_by_its_id_and_member_by_member_and_writes_nothing() {
    let azure = empty().await;
    let plan = planned(&azure).await;
    assert!(writes(&azure).is_empty());
    assert_eq!(
        actions(&plan),
        [
            ("the group", PlanAction::Create),
            ("the plan", PlanAction::Update),
            ("the vault", PlanAction::Create),
            ("the role", PlanAction::Create),
            ("the secrets", PlanAction::Create),
            ("the secrets", PlanAction::Create),
        ]
    );
    let shown = plan.to_string();
    let sub = subscription();
    for line in [
        format!("  ~ update /subscriptions/{sub}/providers/Microsoft.Security/pricings/KeyVaults"),
        "      properties.pricingTier: \"Free\" -> \"Standard\"".to_owned(),
        "      properties.subPlan: \"PerKeyVault\"".to_owned(),
        "      needs Security Admin (Microsoft.Security/pricings/write); billed by what the plan covers"
            .to_owned(),
        "      tags.team: \"soc\"".to_owned(),
        format!("  + create https://{VAULT}.vault.azure.net/secrets/lab-1"),
        "      value: (known after apply)".to_owned(),
        "Plan: 5 to create, 1 to update, 0 to delete, 0 unchanged".to_owned(),
    ] {
        assert!(shown.lines().any(|it| it == line), "{line}\n{shown}");
    }
}

#[tokio::test]
async fn a_plan_that_was_kept_is_done_exactly_and_the_next_plan_is_empty() {
    let azure = empty().await;
    let kept = planned(&azure).await.to_json().unwrap();
    let count = json!({ "create": 5, "update": 1, "delete": 0, "noChange": 0 });
    let stored: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(stored["count"], count, "reads are only counted where there are some");
    let plan = Plan::from_json(&kept).unwrap();
    let applying = plan.begin(&planned(&azure).await).unwrap();
    work(&applying, &arm(&azure)).await.unwrap();
    let applied = applying.applied();
    assert!(applied.is_complete());
    assert_eq!(applied.to_string(), "5 done, 0 failed, 0 not tried");
    let next = planned(&azure).await;
    assert!(next.is_empty(), "{next}");
    assert_eq!(next.count().no_change, 6);
}

#[tokio::test]
async fn a_plan_is_refused_when_somebody_changed_what_it_changes_and_what_moved_is_named() {
    let azure = empty().await;
    let plan = planned(&azure).await;
    let pricing = PricingClient::new(&arm(&azure));
    let _ = pricing.enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    azure.clear_requests();
    let refused = plan.begin(&planned(&azure).await).unwrap_err();
    assert!(writes(&azure).is_empty());
    let [line] = refused.moved.as_slice() else { panic!("{refused}") };
    assert!(
        line.starts_with("the plan: ") && line.contains("pricings/KeyVaults: update was planned"),
        "{line}"
    );
}

#[tokio::test]
async fn a_plan_is_refused_when_somebody_changed_a_member_that_it_leaves_alone() {
    let azure = MockAzure::seed().vault(subscription(), "rg-sec", VAULT).start().await;
    let arm = arm(&azure);
    let vaults = VaultsClient::new(&arm);
    let spec = |tag: &str| {
        let tags = [(tag.to_owned(), "soc".to_owned())];
        VaultSpec::builder().location("westeurope").tenant_id(DEFAULT_TENANT).tags(tags).build()
    };
    let protect = async |planner: &Planner| {
        let mut spec = spec("mine");
        spec.enable_purge_protection = true;
        planner.run("the vault", || vaults.ensure(&vault_id(), spec.clone())).await.map(drop)
    };
    let planner = Planner::new();
    protect(&planner).await.unwrap();
    vaults.ensure(&vault_id(), spec("theirs")).await.unwrap();
    let now = Planner::new();
    protect(&now).await.unwrap();
    let refused = planner.plan().begin(&now.plan()).unwrap_err();
    assert!(refused.to_string().contains("a member that the plan does not touch"), "{refused}");
}

#[tokio::test]
async fn what_moves_while_a_plan_is_applied_stops_its_step_before_the_write() {
    let azure = empty().await;
    let plan = planned(&azure).await;
    let applying = plan.begin(&plan).unwrap();
    let pricing = PricingClient::new(&arm(&azure));
    let _ = pricing.enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    azure.clear_requests();
    let error = work(&applying, &arm(&azure)).await.unwrap_err();
    assert!(error.to_string().contains("the plan is out of date"), "{error}");
    let written: Vec<String> = writes(&azure).into_iter().map(|write| write.path).collect();
    assert!(written.iter().all(|path| !path.contains("pricings")), "{written:?}");
    let applied = applying.applied();
    assert_eq!(applied.to_string(), "1 done, 1 failed, 3 not tried");
    assert_eq!(applied.not_tried, ["the vault", "the role", "the secrets"]);
}

#[tokio::test]
async fn a_step_onto_what_an_earlier_one_changes_is_planned_onto_what_that_leaves() {
    let azure = empty().await;
    let twice = async |planner: &Planner| {
        let pricing = PricingClient::new(&arm(&azure));
        let enable = || pricing.enable(subscription(), &PlanName::CloudPosture);
        planner.run("the plan", &enable).await?;
        let extension = defender_pricing::ExtensionName::AgentlessVmScanning;
        planner.run("the extension", || enable().extension(extension.clone())).await?;
        planner.run("once more", enable).await.map(drop)
    };
    let planner = Planner::new();
    twice(&planner).await.unwrap();
    let plan = planner.plan();
    assert_eq!(
        actions(&plan),
        [
            ("the plan", PlanAction::Update),
            ("the extension", PlanAction::Update),
            ("once more", PlanAction::NoChange),
        ]
    );
    let members: Vec<&str> = plan.changes[1].members.iter().map(|member| member.member.as_str()).collect();
    assert_eq!(members, ["properties.extensions[AgentlessVmScanning].isEnabled"]);
    assert_eq!(plan.changes[1].after, ["the plan"]);
    let applying = plan.begin(&plan).unwrap();
    twice(&applying).await.unwrap();
    assert!(applying.applied().is_complete());
}

#[tokio::test]
async fn the_status_of_an_alert_is_planned_with_the_action_that_sets_it() {
    let seed = MockAzure::seed().vault(subscription(), "rg-sec", VAULT);
    let azure = seed.key_vault_alerts(vault_id()).start().await;
    let alerts = AlertsClient::new(&arm(&azure));
    let alert = alerts.list(&subscription()).try_next().await.unwrap().unwrap();
    for (action, verb) in [
        (AlertAction::Resolve, "resolve"),
        (AlertAction::Dismiss, "dismiss"),
        (AlertAction::StartProgress, "inProgress"),
    ] {
        let planner = Planner::new();
        planner.run("the alert", || alerts.set_status([alert.id.clone()], action)).await.unwrap();
        let plan = planner.plan();
        let permission = format!("Microsoft.Security/locations/alerts/{verb}/action");
        assert_eq!(plan.changes[0].permission, permission);
    }
}

#[tokio::test]
async fn no_secret_stands_in_a_plan() {
    let azure = MockAzure::seed().start().await;
    let app = format!("{}/providers/Microsoft.Logic/workflows/flow", group());
    let url = "https://flow.example/triggers/x?sp=run&sig=PLAINTEXT";
    let action = Action::logic_app(&app.parse().unwrap(), url);
    let spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [action]);
    let arm = arm(&azure);
    let groups = ResourceGroupsClient::new(&arm);
    groups.ensure(&group(), ResourceGroupSpec::new("westeurope")).await.unwrap();
    let client = AutomationsClient::new(&arm);
    let planner = Planner::new();
    planner.run("the automation", || client.ensure(&group(), &"kv".parse().unwrap(), &spec)).await.unwrap();
    let plan = planner.plan();
    assert_eq!(plan.count().create, 1);
    for text in [plan.to_json().unwrap(), plan.to_string(), format!("{plan:?}")] {
        assert!(!text.contains("PLAINTEXT") && !text.contains("flow.example"), "{text}");
    }
    let declared = PlannedChange::of::<Vault>(PlanAction::Update, "/x").with(&json!({ "uri": url })).unwrap();
    assert!(!format!("{declared:?}").contains("PLAINTEXT"));
}

#[tokio::test]
async fn a_refused_task_is_refused_in_the_plan_with_the_same_words() {
    let azure = empty().await;
    azure.inject(Fault::status(403).code("AuthorizationFailed").on("GET", "/pricings/").always());
    let error = work(&Planner::new(), &arm(&azure)).await.unwrap_err();
    assert!(error.is_role_missing(), "{error}");
}

#[test]
fn an_invalid_or_newer_plan_is_one_clear_error() {
    let error = Plan::from_json("{}").unwrap_err().to_string();
    assert!(error.starts_with("not a plan: missing field `version`"), "{error}");
    let error = Plan::from_json(r#"{"version":2,"more":1}"#).unwrap_err().to_string();
    assert!(error.contains("version 2") && error.contains("make a new one"), "{error}");
}
