//! The control plane of key vaults.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{Answer, SUB};

const VERSION: &str = "2026-02-01";

struct Arm(MockAzure);

impl Arm {
    async fn send(&self, method: Method, path: &str, body: Value) -> Answer {
        self.send_as_of(VERSION, method, path, body).await
    }

    async fn send_as_of(&self, version: &str, method: Method, path: &str, body: Value) -> Answer {
        let mark = if path.contains('?') { '&' } else { '?' };
        let url = format!("https://management.azure.com{path}{mark}api-version={version}");
        support::send(&self.0, method, &url, body).await
    }
}

async fn empty() -> Arm {
    Arm(MockAzure::seed().resource_group(SUB, "rg", "westeurope").start().await)
}

fn vault(name: &str) -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}")
}

fn body() -> Value {
    json!({
        "location": "West Europe",
        "properties": {
            "tenantId": mock_azure::DEFAULT_TENANT,
            "sku": { "family": "A", "name": "standard" },
            "accessPolicies": [],
            "futureSetting": { "kept": true },
        },
    })
}

#[tokio::test]
async fn a_new_vault_registers_its_name_before_it_succeeds() {
    let arm = empty().await;
    let made = arm.send(Put, &vault("kv-new"), body()).await;
    assert_eq!(made.status, 200, "the service says 200 of a new vault too");
    assert_eq!(made.body["properties"]["provisioningState"], "RegisteringDns");
    assert_eq!(made.body["properties"]["vaultUri"], "https://kv-new.vault.azure.net/");
    assert_eq!(made.body["location"], "westeurope");
    arm.send(Get, &vault("kv-new"), Value::Null).await;
    let read = arm.send(Get, &vault("KV-NEW"), Value::Null).await;
    assert_eq!(read.body["properties"]["provisioningState"], "Succeeded");
    assert_eq!(read.body["properties"]["futureSetting"], json!({ "kept": true }));
}

#[tokio::test]
async fn the_permission_model_defaults_by_api_version_and_an_update_keeps_it() {
    let arm = empty().await;
    let new = arm.send(Put, &vault("kv-new"), body()).await;
    let old = arm.send_as_of("2023-07-01", Put, &vault("kv-old"), body()).await;
    assert_eq!(new.body["properties"]["enableRbacAuthorization"], true);
    assert!(
        old.body["properties"]["enableRbacAuthorization"].is_null(),
        "the service does not say what was not said"
    );
    let updated = arm.send(Put, &vault("kv-old"), body()).await;
    assert_eq!(updated.status, 200);
    assert_eq!(updated.body["properties"]["enableRbacAuthorization"], false);
}

#[tokio::test]
async fn what_is_missing_or_may_not_change_is_refused_and_nothing_changes() {
    let arm = empty().await;
    for (name, change, code) in [
        ("kv-contoso-defended-0123abcd", json!({}), "VaultNameNotValid"),
        ("kv--twice", json!({}), "VaultNameNotValid"),
        ("kv-a", json!({ "accessPolicies": null }), "BadRequest"),
        ("kv-a", json!({ "sku": null }), "BadRequest"),
        ("kv-a", json!({ "softDeleteRetentionInDays": 6 }), "BadRequest"),
        ("kv-a", json!({ "enablePurgeProtection": false }), "BadRequest"),
    ] {
        let mut body = body();
        for (key, value) in change.as_object().unwrap() {
            body["properties"][key] = value.clone();
        }
        let refused = arm.send(Put, &vault(name), body).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{name} {change}");
    }
    assert_eq!(arm.send(Get, &vault("kv-a"), Value::Null).await.status, 404);
    arm.send(Put, &vault("kv-a"), body()).await;
    let retention = json!({ "properties": { "softDeleteRetentionInDays": 30 } });
    assert_eq!(arm.send(Patch, &vault("kv-a"), retention).await.status, 400);
    let mut elsewhere = body();
    elsewhere["location"] = json!("eastus");
    assert_eq!(arm.send(Put, &vault("kv-a"), elsewhere).await.code(), "InvalidResourceLocation");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_keeps_the_rest() {
    let arm = empty().await;
    arm.send(Put, &vault("kv-a"), body()).await;
    let change = json!({ "tags": { "team": "sec" }, "properties": { "publicNetworkAccess": "Disabled" } });
    let changed = arm.send(Patch, &vault("kv-a"), change).await;
    assert_eq!(changed.status, 200);
    assert_eq!(changed.body["tags"]["team"], "sec");
    assert_eq!(changed.body["properties"]["publicNetworkAccess"], "Disabled");
    assert_eq!(changed.body["properties"]["futureSetting"], json!({ "kept": true }));
}

#[tokio::test]
async fn a_contributor_may_not_change_the_permission_model() {
    let seed = MockAzure::seed().signed_in_role("Contributor").vault(SUB, "rg", "kv-a");
    let arm = Arm(seed.start().await);
    let change = json!({ "properties": { "enableRbacAuthorization": false } });
    assert_eq!(arm.send(Patch, &vault("kv-a"), change).await.status, 403);
}

#[tokio::test]
async fn a_deleted_vault_keeps_its_name_until_it_is_purged() {
    let arm = Arm(MockAzure::seed().vault(SUB, "rg", "kv-a").start().await);
    assert_eq!(arm.send(Delete, &vault("kv-a"), Value::Null).await.status, 200);
    assert_eq!(arm.send(Delete, &vault("kv-a"), Value::Null).await.status, 204);
    let again = arm.send(Put, &vault("kv-a"), body()).await;
    assert_eq!((again.status, again.code()), (409, "ConflictError"));
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault");
    let asked = json!({ "name": "kv-a", "type": "Microsoft.KeyVault/vaults" });
    let free = arm.send(Post, &format!("{provider}/checkNameAvailability"), asked).await;
    assert_eq!((&free.body["nameAvailable"], &free.body["reason"]), (&json!(false), &json!("AlreadyExists")));

    let list = arm.send(Get, &format!("{provider}/deletedVaults"), Value::Null).await;
    assert_eq!(list.body["value"][0]["properties"]["vaultId"], vault("kv-a"));
    let deleted = format!("{provider}/locations/westeurope/deletedVaults/kv-a");
    assert_eq!(arm.send(Get, &deleted, Value::Null).await.status, 200);
    let purge = arm.send(Post, &format!("{deleted}/purge"), Value::Null).await;
    assert_eq!(purge.status, 202);
    let location = purge.header("location").to_owned();
    assert_eq!(support::send(&arm.0, Get, &location, Value::Null).await.status, 202);
    assert_eq!(support::send(&arm.0, Get, &location, Value::Null).await.status, 200);
    assert_eq!(arm.send(Get, &deleted, Value::Null).await.code(), "DeletedVaultNotFound");
    assert_eq!(arm.send(Put, &vault("kv-a"), body()).await.status, 200);
}

#[tokio::test]
async fn names_are_unique_in_the_whole_cloud() {
    let other = "00000000-0000-0000-0000-000000000002";
    let seed =
        MockAzure::seed().subscription(SUB).subscription(other).resource_group(SUB, "rg", "westeurope");
    let arm = Arm(seed.vault_name_taken("kv-theirs").deleted_vault(other, "rg", "kv-gone").start().await);
    for name in ["kv-theirs", "kv-gone"] {
        let refused = arm.send(Put, &vault(name), body()).await;
        assert_eq!((refused.status, refused.code()), (409, "VaultAlreadyExists"), "{name}");
    }
}

#[tokio::test]
async fn recovery_brings_the_secrets_back_but_not_the_role_assignments() {
    let seed = MockAzure::seed().vault(SUB, "rg", "kv-a").secret("kv-a", "db", "one");
    let arm = Arm(seed.vault_role("kv-a", "Key Vault Secrets Officer").start().await);
    let read = "https://kv-a.vault.azure.net/secrets/db?api-version=7.5";
    assert_eq!(support::send(&arm.0, Get, read, Value::Null).await.status, 200);
    arm.send(Delete, &vault("kv-a"), Value::Null).await;
    let mut recover = body();
    recover["properties"] = json!({ "createMode": "recover", "tenantId": mock_azure::DEFAULT_TENANT });
    assert_eq!(arm.send(Put, &vault("kv-a"), recover).await.status, 200);
    arm.send(Get, &vault("kv-a"), Value::Null).await;
    arm.send(Get, &vault("kv-a"), Value::Null).await;
    let refused = support::send(&arm.0, Get, read, Value::Null).await;
    assert_eq!((refused.status, refused.inner_code()), (403, "ForbiddenByRbac"));
    assert_eq!(arm.0.secret_versions("kv-a", "db").len(), 1);
}

#[tokio::test]
async fn purge_protection_outlives_every_purge() {
    let seed =
        MockAzure::seed().vault(SUB, "rg", "kv-a").vault_property("kv-a", "enablePurgeProtection", true);
    let arm = Arm(seed.start().await);
    arm.send(Delete, &vault("kv-a"), Value::Null).await;
    let purge = format!(
        "/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-a/purge"
    );
    assert_eq!(arm.send(Post, &purge, Value::Null).await.code(), "MethodNotAllowed");
}

#[tokio::test]
async fn deleting_the_group_soft_deletes_its_vaults() {
    let arm = Arm(MockAzure::seed().operation_polls(0).vault(SUB, "rg", "kv-a").start().await);
    let group = format!("/subscriptions/{SUB}/resourceGroups/rg");
    let gone = arm.send_as_of("2024-03-01", Delete, &group, Value::Null).await;
    support::send(&arm.0, Get, gone.header("location"), Value::Null).await;
    let list = arm
        .send(Get, &format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults"), Value::Null)
        .await;
    assert_eq!(list.body["value"][0]["name"], "kv-a");
}

#[tokio::test]
async fn lists_come_in_pages_of_the_size_asked_for() {
    let seed =
        MockAzure::seed().vault(SUB, "rg", "kv-a").vault(SUB, "rg", "kv-b").vault(SUB, "other", "kv-c");
    let arm = Arm(seed.start().await);
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults");
    let first = arm.send(Get, &format!("{provider}?$top=2"), Value::Null).await;
    assert_eq!(first.body["value"].as_array().unwrap().len(), 2);
    let next = first.body["nextLink"].as_str().unwrap().to_owned();
    let second = support::send(&arm.0, Get, &next, Value::Null).await;
    assert_eq!(second.body["value"].as_array().unwrap().len(), 1);
    let last = support::send(&arm.0, Get, second.body["nextLink"].as_str().unwrap(), Value::Null).await;
    assert_eq!(last.body, json!({ "value": [] }), "the last page is an empty one");
    let filter = "$filter=resourceType%20eq%20'Microsoft.KeyVault/vaults'";
    let resources = format!("/subscriptions/{SUB}/resources?{filter}");
    let all = arm.send_as_of("2015-11-01", Get, &resources, Value::Null).await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 3);
    let group = format!("/subscriptions/{SUB}/resourceGroups/other/providers/Microsoft.KeyVault/vaults");
    assert_eq!(arm.send(Get, &group, Value::Null).await.body["value"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn access_policies_are_added_replaced_and_removed_one_principal_at_a_time() {
    let seed = MockAzure::seed().vault(SUB, "rg", "kv-a").access_policy("kv-a", &["get"]);
    let arm = Arm(seed.start().await);
    let me = arm.0.signed_in().to_owned();
    let policy = |permissions: &[&str]| {
        json!({ "properties": { "accessPolicies": [{
            "tenantId": mock_azure::DEFAULT_TENANT, "objectId": me, "permissions": { "secrets": permissions },
        }] } })
    };
    let held = |answer: &Answer| answer.body["properties"]["accessPolicies"].clone();
    let path = |kind: &str| format!("{}/accessPolicies/{kind}", vault("kv-a"));
    let added = arm.send(Put, &path("add"), policy(&["list"])).await;
    assert_eq!(held(&added)[0]["permissions"]["secrets"], json!(["get", "list"]));
    let replaced = arm.send(Put, &path("replace"), policy(&["set"])).await;
    assert_eq!(held(&replaced)[0]["permissions"]["secrets"], json!(["set"]));
    let removed = arm.send(Put, &path("remove"), policy(&["set"])).await;
    assert_eq!(held(&removed), json!([]));
    assert_eq!(arm.send(Put, &path("toggle"), policy(&["set"])).await.status, 501);
}

#[tokio::test]
async fn a_vault_by_roles_needs_no_access_policies_and_one_by_policies_does() {
    let azure = empty().await;
    let url = |name: &str| {
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{name}")
    };
    let mut body = json!({ "location": "westeurope", "properties": {
        "tenantId": mock_azure::DEFAULT_TENANT, "sku": { "family": "A", "name": "standard" },
        "enableRbacAuthorization": true,
    } });
    let made = azure.send_as_of("2023-07-01", Put, &url("kv-by-roles"), body.clone()).await;
    assert_eq!((made.status, &made.body["properties"]["accessPolicies"]), (200, &json!([])), "{}", made.body);
    body["properties"]["enableRbacAuthorization"] = json!(false);
    assert_eq!(azure.send_as_of("2023-07-01", Put, &url("kv-by-policies"), body).await.status, 400);
}

#[tokio::test]
async fn what_is_done_to_a_vault_is_in_its_log() {
    let arm = empty().await;
    let mut recover = body();
    recover["properties"] = json!({ "createMode": "recover", "tenantId": mock_azure::DEFAULT_TENANT });
    let policies = json!({ "properties": { "accessPolicies": [] } });
    let add = format!("{}/accessPolicies/add", vault("kv-a"));
    for (method, path, body, operation) in [
        (Put, vault("kv-a"), body(), "VaultPut"),
        (Get, vault("kv-a"), Value::Null, "VaultGet"),
        (Patch, vault("kv-a"), json!({ "tags": { "a": "1" } }), "VaultPatch"),
        (Put, add, policies, "VaultAccessPolicyChangedEventGridNotification"),
        (Delete, vault("kv-a"), Value::Null, "VaultDelete"),
        (Put, vault("kv-a"), recover, "VaultRecover"),
    ] {
        let answer = arm.send(method, &path, body).await;
        let logged = arm.0.audit_events().pop().unwrap();
        assert_eq!((&*logged.operation, logged.status), (operation, answer.status), "{path}");
        assert!(
            logged.status < 300 && logged.vault_id.ends_with("/vaults/kv-a"),
            "{operation}: {}",
            answer.body
        );
    }
}

#[tokio::test]
async fn what_a_purged_vault_held_is_gone_when_the_name_is_taken_again() {
    let seed = MockAzure::seed().vault(SUB, "rg", "kv-a").secret("kv-a", "db", "one");
    let arm = Arm(seed.vault(SUB, "rg", "kv-b").secret("kv-b", "db", "two").operation_polls(0).start().await);
    arm.send(Delete, &vault("kv-a"), Value::Null).await;
    let purge = format!(
        "/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-a/purge"
    );
    let purged = arm.send(Post, &purge, Value::Null).await;
    assert!(matches!(purged.status, 200 | 202), "{}", purged.body);
    support::send(&arm.0, Get, purged.header("location"), Value::Null).await;
    assert_eq!(arm.send(Put, &vault("kv-a"), body()).await.status, 200);
    assert!(arm.0.secret_versions("kv-a", "db").is_empty());
    assert_eq!(arm.0.secret_versions("kv-b", "db").len(), 1, "another vault's stay");
}
