//! Every task that writes or deletes, as data: how it is asked for, and what its result says.

use arm_core::{ArmClient, Mode, ResourceGroupId, ResourceId, SubscriptionId, Task};
use defender_alerts::{AlertAction, AlertsClient};
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use defender_playbooks::CoverageClient;
use defender_pricing::{ExtensionName, PlanName, Pricing, PricingClient, SubPlan};
use futures::{TryStreamExt as _, future::BoxFuture};
use keyvault_ops::{AlertsExpected, NetworkRules, SecretsClient, VaultId, VaultSpec, VaultsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT};
use monitor_ops::{
    ActionGroupsClient, DiagnosticSpec, DiagnosticsClient, QueryRule, QueryRulesClient, SentinelClient,
    WorkspaceId, WorkspaceSpec, WorkspacesClient,
};
use resource_ops::{
    PrincipalType, ProvidersClient, ResourceGroupSpec, ResourceGroupsClient, RoleAssignmentsClient, RoleId,
    VirtualMachinesClient,
};
use serde_json::json;

/// What a task says that it did, or would do.
#[derive(Debug, Clone)]
pub struct Done {
    /// Whether all that was asked for is done.
    pub complete: bool,
    /// The whole result, by its `Debug`.
    pub result: String,
}

/// Runs a task in a mode; a refusal or failure as its text.
pub type Run = fn(ArmClient, Mode) -> BoxFuture<'static, Result<Done, String>>;

/// A task.
#[derive(Debug, Clone, Copy)]
pub struct TaskCase {
    /// What it does, as a clause.
    pub name: &'static str,
    /// Asks for it and runs it.
    pub run: Run,
}

/// The subscription that all is in.
pub fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

/// The resource group that all is in.
pub fn group() -> ResourceGroupId {
    subscription().resource_group("rg-sec").unwrap()
}

/// A resource of the group, such as `Microsoft.KeyVault/vaults/kv-prod`.
pub fn resource(text: &str) -> ResourceId {
    format!("{}/providers/{text}", group()).parse().unwrap()
}

/// A workspace of the group.
pub fn workspace(name: &str) -> WorkspaceId {
    WorkspaceId::new(&group(), name).unwrap()
}

/// A vault of the group.
pub fn vault(name: &str) -> VaultId {
    VaultId::new(&group(), &name.parse().unwrap()).unwrap()
}

/// The secrets of `kv-prod`.
pub fn secrets(arm: &ArmClient) -> SecretsClient {
    SecretsClient::new(arm, &"kv-prod".parse().unwrap()).unwrap()
}

/// A vault that is asked for.
pub fn vault_spec() -> VaultSpec {
    VaultSpec::builder()
        .location("westeurope")
        .tenant_id(DEFAULT_TENANT)
        .soft_delete_retention_in_days(7_u16)
        .enable_purge_protection(true)
        .network_acls(NetworkRules::only(["203.0.113.7"]))
        .tags([("purpose".to_owned(), "lab".to_owned())])
        .build()
}

/// The same, for a vault that may be there with another retention.
fn vault_spec_of_any_retention() -> VaultSpec {
    let mut spec = vault_spec();
    spec.soft_delete_retention_in_days = None;
    spec
}

/// An automation that is asked for.
pub fn automation() -> AutomationSpec {
    let flow = Action::logic_app(&resource("Microsoft.Logic/workflows/flow"), "https://flow.example/x");
    let mut spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [flow]);
    spec.description = Some("answers Key Vault alerts".to_owned());
    spec.tags.insert("purpose".to_owned(), "lab".to_owned());
    spec
}

/// A rule that is asked for.
pub fn rule() -> QueryRule {
    let groups = [resource("Microsoft.Insights/actionGroups/ag-soc")];
    QueryRule::mass_secret_reading(&workspace("law-sec"), "westeurope", 10).notifying(&groups)
}

/// The plan for machines as it was, to be restored.
fn plan_before() -> Pricing {
    serde_json::from_value(json!({
        "id": format!("{}/providers/Microsoft.Security/pricings/VirtualMachines", subscription()),
        "name": "VirtualMachines",
        "type": "Microsoft.Security/pricings",
        "properties": { "pricingTier": "Standard", "subPlan": "P1" },
    }))
    .unwrap()
}

async fn run<T, E>(
    task: impl Into<Task<T, E>>,
    mode: Mode,
    complete: impl FnOnce(&T) -> bool,
) -> Result<Done, String>
where
    T: std::fmt::Debug,
    E: std::fmt::Display,
{
    let result = task.into().in_mode(mode).await.map_err(|error| error.to_string())?;
    Ok(Done { complete: complete(&result), result: format!("{result:?}") })
}

fn yes<T>(_: &T) -> bool {
    true
}

macro_rules! cases {
    ($($name:literal: |$arm:ident, $mode:ident| $run:expr;)+) => {
        /// All of them.
        pub const TASKS: &[TaskCase] =
            &[$(TaskCase { name: $name, run: |$arm, $mode| Box::pin(async move { $run.await }) }),+];
    };
}

cases! {
    "a plan is turned on": |arm, mode| run(
        PricingClient::new(&arm)
            .enable(subscription(), &PlanName::VirtualMachines)
            .sub_plan(SubPlan::P2)
            .extension_with(
                ExtensionName::AgentlessVmScanning,
                json!({ "ExclusionTags": "[]" }).as_object().unwrap().clone(),
            ),
        mode,
        |done| done.is_complete(),
    );
    "a plan is turned off": |arm, mode| run(
        PricingClient::new(&arm).disable(subscription(), &PlanName::KeyVaults), mode, |done| done.is_complete(),
    );
    "a plan is put back": |arm, mode| run(
        PricingClient::new(&arm).restore(subscription(), &plan_before()), mode, |done| done.is_complete(),
    );
    "an automation is made": |arm, mode| run(
        AutomationsClient::new(&arm).ensure(&group(), &"kv".parse().unwrap(), &automation()), mode, yes,
    );
    "a rule is made": |arm, mode| run(
        QueryRulesClient::new(&arm).ensure(&group(), &"mass".parse().unwrap(), &rule()), mode, yes,
    );
    "people are told by mail": |arm, mode| run(
        ActionGroupsClient::new(&arm).ensure_mail(
            &group(),
            &"ag-soc".parse().unwrap(),
            "soc",
            &["soc@contoso.example".parse().unwrap(), "oncall@contoso.example".parse().unwrap()],
        ),
        mode,
        yes,
    );
    "a vault sends its audit log": |arm, mode| run(
        DiagnosticsClient::new(&arm).ensure(
            &resource("Microsoft.KeyVault/vaults/kv-prod"),
            &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap(),
        ),
        mode,
        yes,
    );
    "many vaults send their audit logs": |arm, mode| run(
        DiagnosticsClient::new(&arm).ensure_many(
            ["kv-prod", "kv-other", "kv-old"].map(|name| resource(&format!("Microsoft.KeyVault/vaults/{name}"))),
            &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap(),
        ),
        mode,
        |outcomes| outcomes.iter().all(|outcome| outcome.result.is_ok()),
    );
    "the coverage of vaults is mended": |arm, mode| run(
        CoverageClient::new(&arm).fix(&subscription(), &DiagnosticSpec::audit_to(&workspace("law-sec")).unwrap()),
        mode,
        |done| done.is_complete(),
    );
    "a vault is made": |arm, mode| run(VaultsClient::new(&arm).ensure(&vault("kv-new"), vault_spec()), mode, yes);
    "a vault is made or brought back": |arm, mode| run(
        VaultsClient::new(&arm)
.ensure(&vault("kv-new"), vault_spec_of_any_retention())
.recover_deleted(),
mode,
yes,
    );
    "a vault is removed": |arm, mode| run(VaultsClient::new(&arm).remove(&vault("kv-old")), mode, yes);
    "a vault is removed for good": |arm, mode| run(
        VaultsClient::new(&arm).remove(&vault("kv-old")).purge(), mode, yes,
    );
    "a workspace is made": |arm, mode| run(
        WorkspacesClient::new(&arm).ensure(
            &workspace("law-new"),
            &WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build(),
        ),
        mode,
        yes,
    );
    "a workspace is made or brought back": |arm, mode| run(
        WorkspacesClient::new(&arm)
            .ensure(&workspace("law-new"), &WorkspaceSpec::builder().location("westeurope").build())
            .recover_deleted(),
        mode,
        yes,
    );
    "a role is assigned": |arm, mode| run(
        RoleAssignmentsClient::new(&arm)
            .ensure(
                group(),
                RoleId::KEY_VAULT_SECRETS_USER,
                "00000000-0000-0000-0000-0000000000b1".parse().unwrap(),
            )
            .principal_type(PrincipalType::User)
            .description("for the lab"),
        mode,
        yes,
    );
    "a group is made": |arm, mode| run(
        ResourceGroupsClient::new(&arm).ensure(
            &subscription().resource_group("rg-new").unwrap(),
            ResourceGroupSpec::new("westeurope").tag("purpose", "lab"),
        ),
        mode,
        yes,
    );
    "a machine gets an identity": |arm, mode| run(
        VirtualMachinesClient::new(&arm).enable_system_identity(
            &resource("Microsoft.Compute/virtualMachines/vm-app").to_string().parse().unwrap(),
        ),
        mode,
        yes,
    );
    "a provider is registered": |arm, mode| run(
        ProvidersClient::new(&arm).ensure_registered(&subscription(), &"Microsoft.EventGrid".parse().unwrap()),
        mode,
        yes,
    );
    "alerts are resolved": |arm, mode| async move {
        let alerts = AlertsClient::new(&arm);
        let found = alerts.list(&subscription()).try_collect::<Vec<_>>().await.map_err(|error| error.to_string())?;
        let ids = found.into_iter().map(|alert| alert.id);
        run(alerts.set_status(ids, AlertAction::Resolve), mode, |report| report.is_complete()).await
    };
    "Sentinel is onboarded": |arm, mode| run(SentinelClient::new(&arm).onboard(&workspace("law-sec")), mode, yes);
    "Sentinel gets the alerts": |arm, mode| run(
        SentinelClient::new(&arm).connect_defender(&workspace("law-sec"), &subscription()), mode, yes,
    );
    "Sentinel gets rules for vaults": |arm, mode| run(
        SentinelClient::new(&arm).install_vault_rules(&workspace("law-sec")), mode, yes,
    );
    "secrets are seeded": |arm, mode| run(secrets(&arm).seed("lab", 3), mode, |report| report.is_complete());
    "secrets are swept": |arm, mode| run(
        secrets(&arm).sweep(AlertsExpected::confirmed()).listings(1).reads(2), mode, yes,
    );
    "secrets are cleaned up": |arm, mode| run(
        secrets(&arm).clean_up(["lab-1", "lab-2", "none"].map(|name| name.parse().unwrap())),
        mode,
        |report| report.is_complete(),
    );
    "secrets are cleaned up for good": |arm, mode| run(
        secrets(&arm).clean_up(["lab-1", "gone"].map(|name| name.parse().unwrap())).purge(),
        mode,
        |report| report.is_complete(),
    );
    "a secret is rotated": |arm, mode| run(
        secrets(&arm).rotate(&"db".parse().unwrap()).id("r-1").reason("a test"), mode, yes,
    );
    "old versions are disabled": |arm, mode| run(
        secrets(&arm).retire_old_versions(&"api-key".parse().unwrap()), mode, yes,
    );
}
