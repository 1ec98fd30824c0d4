//! Vaults.

use azure_core::http::Method::{Get, Put};
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};

use crate::{TENANT, get, group, members, put, send, support, support::SUB, vault};

const VERSION: &str = "2023-07-01";

fn seed() -> Seed {
    MockAzure::seed().vault(SUB, "rg", "kv-a")
}

fn asked(rules: Value) -> Value {
    let mut properties =
        json!({ "tenantId": TENANT, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [] });
    if !rules.is_null() {
        properties["networkAcls"] = rules;
    }
    json!({ "location": "westeurope", "properties": properties })
}

/// Rows 9 and 16.
#[tokio::test]
async fn a_new_vault_is_answered_200_as_an_old_one_is() {
    let azure = seed().start().await;
    let new = vault().replace("kv-a", "kv-new");
    let made = put(&azure, &new, VERSION, asked(Value::Null)).await;
    assert_eq!(made.status, 200);
    assert_eq!(members(&made.body), ["id", "location", "name", "properties", "systemData", "tags", "type"]);
    assert_eq!(made.body["properties"]["enabledForDeployment"], false);
    assert_eq!(put(&azure, &vault(), VERSION, asked(Value::Null)).await.status, 200);
}

/// Recorded: every page with vaults has a link, and the last page is empty.
#[tokio::test]
async fn lists_of_vaults_and_of_deleted_ones_end_with_an_empty_page() {
    let azure = seed().deleted_vault(SUB, "rg", "kv-gone").start().await;
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault");
    for list in [
        format!("{provider}/vaults"),
        format!("{}/providers/Microsoft.KeyVault/vaults", group()),
        format!("{provider}/deletedVaults"),
    ] {
        let page = get(&azure, &list, VERSION).await.body;
        assert_eq!(page["value"].as_array().unwrap().len(), 1, "{list}");
        let last = support::send(&azure, Get, page["nextLink"].as_str().unwrap(), Value::Null).await;
        assert_eq!((last.status, last.body), (200, json!({ "value": [] })), "{list}");
    }
}

/// The id of `Vaults_UpdateAccessPolicy` ends in a slash, and names no resource.
#[tokio::test]
async fn changed_policies_are_answered_under_an_id_that_is_none() {
    let azure = seed().start().await;
    let policy =
        json!({ "tenantId": TENANT, "objectId": azure.signed_in(), "permissions": { "secrets": ["Get"] } });
    let body = json!({ "properties": { "accessPolicies": [policy] } });
    let added = send(&azure, Put, &format!("{}/accessPolicies/add", vault()), VERSION, body).await;
    let expected = json!({
        "id": format!("{}/accessPolicies/", vault()),
        "type": "Microsoft.KeyVault/vaults/accessPolicies",
        "properties": { "accessPolicies": [policy] },
    });
    assert_eq!((added.status, added.body), (200, expected));
}

/// Section 14, sameness by spelling: pulumi-azure-native#3964, azure-cli#10286.
#[tokio::test]
async fn a_firewall_is_read_back_as_ranges_and_subnets_in_small_letters() {
    let azure = seed().start().await;
    let subnet = format!("{}/providers/Microsoft.Network/virtualNetworks/V/subnets/S", group());
    let rules = json!({
        "defaultAction": "Deny",
        "ipRules": [{ "value": "203.0.113.7" }, { "value": "198.51.100.0/24" }],
        "virtualNetworkRules": [{ "id": subnet }],
    });
    let expected = json!({
        "bypass": "AzureServices",
        "defaultAction": "Deny",
        "ipRules": [{ "value": "203.0.113.7/32" }, { "value": "198.51.100.0/24" }],
        "virtualNetworkRules": [{ "id": subnet.to_lowercase() }],
    });
    let changed = put(&azure, &vault(), VERSION, asked(rules.clone())).await;
    assert_eq!(changed.body["properties"]["networkAcls"], expected);
    let patch = json!({ "properties": { "networkAcls": rules } });
    let patched = send(&azure, azure_core::http::Method::Patch, &vault(), VERSION, patch).await;
    assert_eq!(patched.body["properties"]["networkAcls"], expected);
    assert_eq!(get(&azure, &vault(), VERSION).await.body["properties"]["networkAcls"], expected);
}

/// Row 16.
#[tokio::test]
async fn the_secret_of_a_certificate_names_its_key_and_no_other_secret_does() {
    let azure = seed()
        .vault_role("kv-a", "Key Vault Secrets Officer")
        .managed_secret("kv-a", "cert")
        .secret("kv-a", "db", "REDACTED")
        .start()
        .await;
    let read = async |name: &str| {
        let url = format!("https://kv-a.vault.azure.net/secrets/{name}?api-version=7.5");
        support::send(&azure, Get, &url, Value::Null).await.body
    };
    let of_certificate = read("cert").await;
    let version = of_certificate["id"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(of_certificate["kid"], json!(format!("https://kv-a.vault.azure.net/keys/cert/{version}")));
    assert_eq!(of_certificate["managed"], json!(true));
    let own = read("db").await;
    assert_eq!((&own["kid"], &own["managed"]), (&Value::Null, &Value::Null), "{own}");
}

/// Documented in the built-in roles: to ask for a name is `Microsoft.KeyVault/checkNameAvailability/read`.
#[tokio::test]
async fn who_may_only_read_may_ask_whether_a_name_is_free() {
    for (role, status) in [("Reader", 200), ("Key Vault Reader", 200), ("Monitoring Metrics Publisher", 403)]
    {
        let azure = seed().signed_in_role(role).start().await;
        let path = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/checkNameAvailability");
        let body = json!({ "name": "kv-free-1", "type": "Microsoft.KeyVault/vaults" });
        let answer = send(&azure, azure_core::http::Method::Post, &path, VERSION, body).await;
        assert_eq!(answer.status, status, "{role}: {}", answer.body);
    }
}
