//! What the tasks are asked for, and the world that they are asked in.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, ResourceGroupId, ResourceId, Secret, SubscriptionId};
use azure_core::time::OffsetDateTime;
use defender_alerts::{AssessmentId, ExemptionReason, SecretFindings, SecretFindingsClient};
use defender_automation::{Action, AutomationSpec};
use defender_playbooks::containment::ContainmentPlan;
use defender_pricing::Pricing;
use futures::TryStreamExt as _;
use keyvault_issuers::ResourceKeyIssuer;
use keyvault_ops::{Issuer, NetworkRules, SecretName, SecretVersion, SecretsClient, VaultId, VaultSpec};
use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure, Seed};
use monitor_ops::{QueryRule, WorkspaceId};
use resource_ops::{ExemptionCategory, RoleAssignmentId, RoleId};
use serde_json::{Value, json};
use time::macros::datetime;

/// Somebody in the directory.
pub const PERSON: &str = "00000000-0000-0000-0000-0000000000e1";

/// A recommendation that a policy stands behind.
const FIREWALL: &str = "52f7826a-ace7-3107-dd0d-4875853c1576";

/// That policy.
const FIREWALL_POLICY: &str =
    "/providers/Microsoft.Authorization/policyDefinitions/55615ac9-af46-4a59-874e-391cc3dfb490";

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
pub(super) fn vault_spec_of_any_retention() -> VaultSpec {
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
pub(super) fn plan_before() -> Pricing {
    serde_json::from_value(json!({
        "id": format!("{}/providers/Microsoft.Security/pricings/VirtualMachines", subscription()),
        "name": "VirtualMachines",
        "type": "Microsoft.Security/pricings",
        "properties": { "pricingTier": "Standard", "subPlan": "P1" },
    }))
    .unwrap()
}

/// Beside what each test seeds: what the tasks about findings, keys and people work on.
pub fn furnished(seed: Seed) -> Seed {
    seed.plan(subscription(), "CloudPosture", "Standard")
        .plan_extension(subscription(), "CloudPosture", "AgentlessVmScanning", true)
        .storage_account(subscription(), "rg-sec", "stprod")
        .secret_versions("kv-prod", "extra", 2)
        .user(PERSON, "person@contoso.example")
}

/// A secret in plain text on the machine.
pub fn exposed(seed: Seed) -> Seed {
    seed.exposed_secret(resource("Microsoft.Compute/virtualMachines/vm-app"), "password")
}

/// A vault without firewall, in the eyes of a policy.
pub fn judged(seed: Seed) -> Seed {
    seed.assessment(vault("kv-other"), FIREWALL, "Unhealthy")
}

/// What can only be made on a running double: the assignment of the policy, and a secret whose versions are keys.
pub async fn furnish(azure: &MockAzure) {
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    let body = json!({ "properties": { "policyDefinitionId": FIREWALL_POLICY } });
    arm.put(&policy_assignment(), "2023-04-01").body(&body).send_empty().await.unwrap();
    for key in ["key1", "key2"] {
        let key = azure.resource_key(storage().as_str(), key).unwrap();
        secrets(&arm).set(&"storage".parse().unwrap(), Secret::new(key)).await.unwrap();
    }
}

pub(super) fn policy_assignment() -> ResourceId {
    let name = "Microsoft.Authorization/policyAssignments/audit";
    format!("{}/providers/{name}", subscription().to_path()).parse().unwrap()
}

fn storage() -> ResourceId {
    resource("Microsoft.Storage/storageAccounts/stprod")
}

/// The issuer of what the secret `storage` holds.
pub(super) fn issuer(arm: &ArmClient) -> Arc<dyn Issuer> {
    Arc::new(ResourceKeyIssuer::new(arm, storage()).unwrap())
}

pub(super) async fn old_versions(
    client: &SecretsClient,
    name: &SecretName,
) -> Result<Vec<SecretVersion>, String> {
    let current = client.get(name).await.map_err(|error| error.to_string())?;
    let all: Vec<_> = client.list_versions(name).try_collect().await.map_err(|error| error.to_string())?;
    let versions = all.iter().filter_map(|found| found.version().cloned());
    let mut old: Vec<_> = versions.filter(|it| current.properties.version() != Some(it)).collect();
    old.sort();
    Ok(old)
}

pub(super) async fn secret_findings(arm: &ArmClient) -> Result<SecretFindings, String> {
    SecretFindingsClient::new(arm).find(&subscription()).await.map_err(|error| error.to_string())
}

/// The finding of the exposed secret.
pub(super) async fn exposed_secret(arm: &ArmClient) -> Result<AssessmentId, String> {
    let found = secret_findings(arm).await?;
    let first = found.findings.first().or(found.exempt.first()).ok_or("no secret was found")?;
    first.id.parse().map_err(|error| format!("{error}"))
}

pub(super) fn firewall_finding() -> AssessmentId {
    AssessmentId::new(vault("kv-other").resource_id().clone(), FIREWALL.parse().unwrap())
}

/// A day to come.
pub(super) fn due() -> OffsetDateTime {
    datetime!(2099-01-01 12:00 UTC)
}

pub(super) fn reason() -> ExemptionReason {
    ExemptionReason::builder()
        .category(ExemptionCategory::Waiver)
        .reason("a test, which opens nothing")
        .until(due())
        .ticket("SEC-7")
        .build()
}

/// The record of a containment: what was, and what is to be.
pub(super) fn containment() -> ContainmentPlan {
    let rules = |action: &str, addresses: &[&str]| {
        let addresses: Vec<Value> = addresses.iter().map(|address| json!({ "value": address })).collect();
        json!({ "bypass": "AzureServices", "defaultAction": action, "ipRules": addresses, "virtualNetworkRules": [] })
    };
    let (vault, role) = (vault("kv-prod"), RoleId::KEY_VAULT_SECRETS_USER);
    let id = RoleAssignmentId::of(&(&vault).into(), role, PERSON.parse().unwrap()).unwrap();
    let plan = json!({
        "vault": vault,
        "network": {
            "before": rules("Allow", &[]),
            "contained": rules("Deny", &["198.51.100.0/24", "203.0.113.7/32"]),
        },
        "roles": [{
            "id": id, "scope": vault, "role": role, "principal": PERSON, "principalType": "User",
            "description": "for a test", "condition": null, "delegatedManagedIdentityResourceId": null,
        }],
        "policies": [],
        "signIn": { "principal": PERSON, "principalType": "User", "disable": true, "revokeSessions": true },
        "secrets": [],
        "lock": { "name": "containment-1", "notes": "for a test" },
        "stays": [],
    });
    serde_json::from_value(plan).unwrap()
}
