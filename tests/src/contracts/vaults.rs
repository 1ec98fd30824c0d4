//! Vaults.

use crate::{Contract, all, delete, done, get, one, patch, post, put};
use arm_core::ArmClient;
use keyvault_ops::{
    AccessPolicy, AccessPolicyUpdateKind, NetworkRules, Permissions, SecretPermission, VaultId, VaultName,
    VaultPatch, VaultPatchProperties, VaultSpec, VaultsClient,
};
use serde_json::json;

use super::common::{GROUP, SUBSCRIPTION, VAULT, group, subscription};

const VERSION: &str = "2026-02-01";
/// Sku families are `A` and no other; an unknown provisioning state means that it goes on.
const FIXED: &[&str] = &["family", "provisioningState"];
const TENANT: &str = "00000000-0000-0000-0000-000000000002";

fn id() -> VaultId {
    VAULT.parse().unwrap()
}

fn name(text: &str) -> VaultName {
    text.parse().unwrap()
}

fn vaults(arm: &ArmClient) -> VaultsClient {
    VaultsClient::new(arm)
}

pub(super) fn contracts() -> Vec<Contract> {
    [live(), deleted()].concat()
}

fn live() -> Vec<Contract> {
    let list =
        |contract: Contract| contract.answers("vaults/list.json").pages().model("Vault").fixed_words(FIXED);
    let vault = |contract: Contract| contract.answers("vaults/get.json").model("Vault").fixed_words(FIXED);
    let provider = "/providers/Microsoft.KeyVault";
    let resources = "resources?$filter=resourceType eq 'Microsoft.KeyVault/vaults'";
    let policy = json!({
        "tenantId": TENANT,
        "objectId": "00000000-0000-0000-0000-000000000003",
        "permissions": { "secrets": ["get", "list"] },
    });
    vec![
        list(get("Vaults_ListByResourceGroup", format!("{GROUP}{provider}/vaults"), VERSION))
            .call(|arm| all(vaults(&arm).list_by_resource_group(&group()))),
        list(get("Vaults_ListBySubscription", format!("{SUBSCRIPTION}{provider}/vaults?$top=7"), VERSION))
            .call(|arm| all(vaults(&arm).with_page_size(7).list(&subscription()))),
        get("Vaults_List", format!("{SUBSCRIPTION}/{resources}"), "2015-11-01")
            .answers("vaults/list_resources.json")
            .model("VaultResource")
            .pages()
            .call(|arm| all(vaults(&arm).list_resources(&subscription()))),
        vault(get("Vaults_Get", VAULT, VERSION))
            .call(|arm| one(async move { vaults(&arm).get(&id()).await })),
        vault(put("Vaults_CreateOrUpdate", VAULT, VERSION))
            .sends(json!({
                "location": "westeurope",
                "tags": {},
                "properties": {
                    "tenantId": TENANT,
                    "sku": { "family": "A", "name": "standard" },
                    "accessPolicies": [],
                    "enableRbacAuthorization": true,
                    "softDeleteRetentionInDays": 7,
                    "networkAcls": {
                        "bypass": "AzureServices",
                        "defaultAction": "Deny",
                        "ipRules": [{ "value": "192.0.2.0/24" }],
                        "virtualNetworkRules": [],
                    },
                },
            }))
            .long_running()
            .call(|arm| {
                let spec = VaultSpec::builder()
                    .location("westeurope")
                    .tenant_id(TENANT)
                    .soft_delete_retention_in_days(7_u16)
                    .network_acls(NetworkRules::only(["192.0.2.0/24"]))
                    .build();
                done(vaults(&arm).create_or_update(&id(), &spec))
            }),
        vault(patch("Vaults_Update", VAULT, VERSION))
            .statuses(&[200, 201])
            .sends(json!({ "properties": { "enablePurgeProtection": true } }))
            .call(|arm| {
                let properties = VaultPatchProperties::builder().enable_purge_protection(true).build();
                let patch = VaultPatch::builder().properties(properties).build();
                one(async move { vaults(&arm).update(&id(), &patch).await })
            }),
        delete("Vaults_Delete", VAULT, VERSION)
            .call(|arm| one(async move { vaults(&arm).delete(&id()).await })),
        put("Vaults_UpdateAccessPolicy", format!("{VAULT}/accessPolicies/add"), VERSION)
            .sends(json!({ "properties": { "accessPolicies": [policy] } }))
            .answers("vaults/access_policies.json")
            .call(|arm| {
                let permissions = Permissions::on_secrets([SecretPermission::Get, SecretPermission::List]);
                let policy = AccessPolicy::builder()
                    .tenant_id(TENANT)
                    .object_id("00000000-0000-0000-0000-000000000003")
                    .permissions(permissions)
                    .build();
                one(async move {
                    vaults(&arm).update_access_policy(&id(), &AccessPolicyUpdateKind::Add, &[policy]).await
                })
            }),
        post(
            "Vaults_CheckNameAvailability",
            format!("{SUBSCRIPTION}{provider}/checkNameAvailability"),
            VERSION,
        )
        .sends(json!({ "name": "kv-prod", "type": "Microsoft.KeyVault/vaults" }))
        .answers("vaults/name_taken.json")
        .call(|arm| {
            one(async move { vaults(&arm).check_name_availability(&subscription(), &name("kv-prod")).await })
        }),
    ]
}

fn deleted() -> Vec<Contract> {
    let provider = format!("{SUBSCRIPTION}/providers/Microsoft.KeyVault");
    let gone = format!("{provider}/locations/westeurope/deletedVaults/kv-gone");
    vec![
        get("Vaults_ListDeleted", format!("{provider}/deletedVaults"), VERSION)
            .answers("vaults/list_deleted.json")
            .pages()
            .model("DeletedVault")
            .call(|arm| all(vaults(&arm).list_deleted(&subscription()))),
        get("Vaults_GetDeleted", &gone, VERSION)
            .answers("vaults/get_deleted.json")
            .model("DeletedVault")
            .call(|arm| {
                one(async move { vaults(&arm).get_deleted(&subscription(), "westeurope", &name("kv-gone")).await })
            }),
        post("Vaults_PurgeDeleted", format!("{gone}/purge"), VERSION)
            .long_running()
            .call(|arm| done(vaults(&arm).purge_deleted(&subscription(), "westeurope", &name("kv-gone")))),
    ]
}
