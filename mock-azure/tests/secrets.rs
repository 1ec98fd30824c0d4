//! The data plane of key vaults.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::collections::HashSet;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use azure_security_keyvault_secrets::{
    ResourceExt as _, SecretClient, SecretClientOptions,
    models::{SecretClientGetSecretOptions, SetSecretParameters},
};
use futures::TryStreamExt as _;
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};
use support::{Answer, SUB};

fn seed() -> Seed {
    MockAzure::seed().vault(SUB, "rg", "kv-a").vault_role("kv-a", "Key Vault Secrets Officer")
}

async fn send(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    support::send(azure, method, &format!("https://kv-a.vault.azure.net{path}{mark}api-version=7.6"), body)
        .await
}

async fn get(azure: &MockAzure, path: &str) -> Answer {
    send(azure, Get, path, Value::Null).await
}

fn refusal(answer: &Answer) -> (u16, &str, &str) {
    (answer.status, answer.code(), answer.inner_code())
}

#[tokio::test]
async fn a_request_without_token_is_challenged() {
    let azure = seed().start().await;
    let url = "https://kv-a.vault.azure.net/secrets?api-version=7.6";
    let answer = support::send_with(&azure, Get, url, Value::Null, None).await;
    assert_eq!((answer.status, answer.code()), (401, "Unauthorized"));
    assert_eq!(
        answer.header("www-authenticate"),
        format!(
            r#"Bearer authorization="https://login.microsoftonline.com/{}", resource="https://vault.azure.net""#,
            mock_azure::DEFAULT_TENANT
        )
    );
}

#[tokio::test]
async fn the_last_version_set_is_current_and_names_do_not_heed_case() {
    let azure = seed().start().await;
    let set = send(
        &azure,
        Put,
        "/secrets/Db-Password",
        json!({ "value": "one", "contentType": "text/plain", "tags": { "a": "b" },
                "attributes": { "exp": 2_000_000_000, "nbf": 1_000_000_000 } }),
    )
    .await;
    assert_eq!(set.status, 200);
    let second = send(&azure, Put, "/secrets/db-password", json!({ "value": "two" })).await;
    let read = get(&azure, "/secrets/DB-PASSWORD/").await;
    assert_eq!((&read.body["id"], &read.body["value"]), (&second.body["id"], &json!("two")));
    assert_eq!(read.header("x-ms-keyvault-region"), "westeurope");
    assert_eq!(read.body["attributes"]["recoveryLevel"], "Recoverable+Purgeable");
    let first = set.body["id"].as_str().unwrap().strip_prefix("https://kv-a.vault.azure.net").unwrap();
    let old = get(&azure, first).await;
    assert_eq!(old.body["value"], "one");
    assert_eq!(old.body["tags"], json!({ "a": "b" }));
    assert_eq!(old.body["attributes"]["exp"], 2_000_000_000);
}

#[tokio::test]
async fn an_update_changes_one_version_and_a_disabled_one_is_forbidden() {
    let azure = seed().secret("kv-a", "db", "one").start().await;
    let id = azure.secret_versions("kv-a", "db")[0].id.clone();
    let path = format!("/secrets/db/{id}");
    let updated = send(&azure, Patch, &path, json!({ "attributes": { "enabled": false } })).await;
    assert_eq!((updated.status, &updated.body["value"]), (200, &Value::Null));
    for path in [path.as_str(), "/secrets/db"] {
        assert_eq!(refusal(&get(&azure, path).await), (403, "Forbidden", "SecretDisabled"));
    }
    assert_eq!(
        send(&azure, Patch, "/secrets/db/", json!({ "attributes": { "enabled": true } })).await.status,
        200
    );
    assert_eq!(get(&azure, "/secrets/db").await.status, 200);
}

#[tokio::test]
async fn lists_have_at_most_25_items_a_page_and_show_no_value() {
    let mut seed = seed().managed_secret("kv-a", "cert").disabled_secret("kv-a", "off", "x");
    for n in 0..40 {
        seed = seed.secret("kv-a", &format!("s{n:02}"), "hidden");
    }
    let azure = seed.start().await;
    let first = get(&azure, "/secrets").await;
    assert_eq!(first.body["value"].as_array().unwrap().len(), 25);
    assert!(!first.body.to_string().contains("hidden"));
    let cert = &first.body["value"][0];
    assert_eq!((&cert["managed"], &cert["contentType"]), (&json!(true), &json!("application/x-pkcs12")));
    let next = first.body["nextLink"].as_str().unwrap().to_owned();
    assert!(next.starts_with("https://kv-a.vault.azure.net:443/secrets?"), "{next}");
    let second = support::send(&azure, Get, &next, Value::Null).await;
    assert_eq!(second.body["value"].as_array().unwrap().len(), 17);
    assert!(second.body["nextLink"].is_null());
    assert_eq!(get(&azure, "/secrets?maxresults=26").await.status, 400);
    assert_eq!(get(&azure, "/secrets?maxresults=3").await.body["value"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_empty_page_can_stand_in_the_middle() {
    let azure = seed().empty_pages().page_size(2).secret_versions("kv-a", "db", 5).start().await;
    let (mut sizes, mut url) =
        (Vec::new(), "https://kv-a.vault.azure.net/secrets/db/versions?api-version=7.6".to_owned());
    loop {
        let page = support::send(&azure, Get, &url, Value::Null).await;
        sizes.push(page.body["value"].as_array().unwrap().len());
        match page.body["nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(sizes, [2, 0, 2, 1]);
}

#[tokio::test]
async fn the_order_of_versions_says_nothing_about_their_age() {
    let mut last = HashSet::new();
    for order in 0..8 {
        let azure = seed().version_order(order).secret_versions("kv-a", "db", 5).start().await;
        let listed = get(&azure, "/secrets/db/versions").await;
        let listed: Vec<&Value> = listed.body["value"].as_array().unwrap().iter().collect();
        let created: HashSet<i64> =
            listed.iter().map(|item| item["attributes"]["created"].as_i64().unwrap()).collect();
        assert_eq!(created.len(), 1, "all were created within the same second");
        let current = azure.secret_versions("kv-a", "db").pop().unwrap();
        assert!(current.current);
        last.insert(listed.iter().position(|item| item["id"].as_str().unwrap().ends_with(&current.id)));
    }
    assert!(last.len() > 2, "the current version stood at {last:?}");
}

#[tokio::test]
async fn a_deleted_name_is_taken_until_it_is_purged() {
    let azure = seed().secret("kv-a", "db", "one").start().await;
    let deleted = send(&azure, Delete, "/secrets/db", Value::Null).await;
    assert_eq!(deleted.body["recoveryId"], "https://kv-a.vault.azure.net/deletedsecrets/db");
    let set = || send(&azure, Put, "/secrets/db", json!({ "value": "two" }));
    assert_eq!(refusal(&set().await), (409, "Conflict", "ObjectIsBeingDeleted"));
    assert_eq!(refusal(&set().await), (409, "Conflict", "ObjectIsDeletedButRecoverable"));
    assert_eq!(get(&azure, "/secrets/db").await.code(), "SecretNotFound");
    assert_eq!(get(&azure, "/deletedsecrets/db").await.status, 200);
    assert_eq!(get(&azure, "/deletedsecrets").await.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(send(&azure, Delete, "/deletedsecrets/db", Value::Null).await.status, 204);
    assert_eq!(get(&azure, "/deletedsecrets/db").await.status, 404);
    assert_eq!(set().await.status, 200);
}

#[tokio::test]
async fn a_delete_or_recovery_is_not_done_when_it_is_accepted() {
    let azure = seed().secret_settling(2).secret("kv-a", "db", "one").start().await;
    send(&azure, Delete, "/secrets/db", Value::Null).await;
    assert_eq!(get(&azure, "/deletedsecrets").await.body["value"], json!([]));
    assert_eq!(get(&azure, "/deletedsecrets/db").await.status, 404);
    let early = send(&azure, Post, "/deletedsecrets/db/recover", Value::Null).await;
    assert_eq!(refusal(&early), (409, "Conflict", "ObjectIsBeingDeleted"));
    assert_eq!(send(&azure, Post, "/deletedsecrets/db/recover", Value::Null).await.status, 200);
    assert_eq!(get(&azure, "/secrets/db").await.status, 404);
    let early = send(&azure, Put, "/secrets/db", json!({ "value": "two" })).await;
    assert_eq!(refusal(&early), (409, "Conflict", "ObjectIsBeingRecovered"));
    assert_eq!(get(&azure, "/secrets/db").await.body["value"], "one");
}

#[tokio::test]
async fn purge_protection_blocks_the_purge_of_a_secret() {
    let azure = seed()
        .vault_property("kv-a", "enablePurgeProtection", true)
        .vault_property("kv-a", "softDeleteRetentionInDays", 7)
        .deleted_secret("kv-a", "db", "one")
        .start()
        .await;
    let deleted = get(&azure, "/deletedsecrets/db").await;
    assert_eq!(deleted.body["attributes"]["recoveryLevel"], "CustomizedRecoverable");
    assert_eq!(deleted.body["attributes"]["recoverableDays"], 7);
    assert_eq!(send(&azure, Delete, "/deletedsecrets/db", Value::Null).await.status, 403);
}

#[tokio::test]
async fn a_backup_restores_all_versions_where_the_name_is_free() {
    let other = ("kv-b", "https://kv-b.vault.azure.net/secrets/restore?api-version=7.6");
    let azure = seed()
        .vault(SUB, "rg", other.0)
        .vault_role(other.0, "Key Vault Secrets Officer")
        .secret_versions("kv-a", "db", 3)
        .secret_versions("kv-a", "long", 501)
        .start()
        .await;
    let blob = send(&azure, Post, "/secrets/db/backup", Value::Null).await.body;
    assert_eq!(support::send(&azure, Post, other.1, blob.clone()).await.status, 200);
    assert_eq!(azure.secret_versions("kv-b", "db").len(), 3);
    assert_eq!(support::send(&azure, Post, other.1, blob).await.status, 409);
    assert_eq!(send(&azure, Post, "/secrets/long/backup", Value::Null).await.code(), "BadParameter");
}

#[tokio::test]
async fn roles_decide_what_a_caller_may_do() {
    let azure = MockAzure::seed()
        .vault(SUB, "rg", "kv-a")
        .vault_role("kv-a", "Key Vault Secrets User")
        .secret("kv-a", "db", "one")
        .start()
        .await;
    assert_eq!(get(&azure, "/secrets/db").await.status, 200);
    assert_eq!(get(&azure, "/secrets").await.status, 200);
    let refused = send(&azure, Put, "/secrets/db", json!({ "value": "two" })).await;
    assert_eq!(refusal(&refused), (403, "Forbidden", "ForbiddenByRbac"));
    assert!(refused.message().contains("Action: 'Microsoft.KeyVault/vaults/secrets/setSecret/action'"));
    assert!(refused.message().contains("please observe propagation time"));
}

#[tokio::test]
async fn a_new_role_assignment_propagates_late() {
    let seed = MockAzure::seed().role_propagation(2).vault(SUB, "rg", "kv-a").secret("kv-a", "db", "one");
    let azure = seed.start().await;
    let name = "00000000-0000-0000-0000-0000000000d1";
    let url = format!(
        "https://management.azure.com/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-a\
         /providers/Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01"
    );
    let officer = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    );
    let asked = json!({ "properties": { "roleDefinitionId": officer, "principalId": azure.signed_in() } });
    assert_eq!(support::send(&azure, Put, &url, asked).await.status, 201);
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(get(&azure, "/secrets/db").await.status);
    }
    assert_eq!(statuses, [403, 403, 200]);
}

#[tokio::test]
async fn access_policies_decide_where_roles_do_not() {
    let azure = MockAzure::seed()
        .vault(SUB, "rg", "kv-a")
        .access_policy("kv-a", &["list"])
        .secret("kv-a", "db", "x")
        .start()
        .await;
    assert_eq!(get(&azure, "/secrets").await.status, 200);
    let refused = get(&azure, "/secrets/db").await;
    assert_eq!(refusal(&refused), (403, "Forbidden", "ForbiddenByPolicy"));
    assert!(
        refused
            .message()
            .contains("does not have secrets get permission on key vault 'kv-a;location=westeurope'")
    );
}

#[tokio::test]
async fn the_firewall_lets_allowed_networks_in() {
    let rules = json!({ "defaultAction": "Deny", "bypass": "AzureServices", "ipRules": [{ "value": "198.51.100.0/24" }] });
    let azure = seed().vault_property("kv-a", "networkAcls", rules).start().await;
    assert_eq!(refusal(&get(&azure, "/secrets").await), (403, "Forbidden", "ForbiddenByFirewall"));
    azure.set_caller_ip("198.51.100.9");
    assert_eq!(get(&azure, "/secrets").await.status, 200);
    let azure = seed().vault_property("kv-a", "publicNetworkAccess", "Disabled").start().await;
    assert_eq!(refusal(&get(&azure, "/secrets").await), (403, "Forbidden", "ForbiddenByConnection"));
}

#[tokio::test]
async fn bad_input_is_refused_with_bad_parameter() {
    let azure = seed().start().await;
    let long = "x".repeat(25 * 1024 + 1);
    let tags: serde_json::Map<String, Value> = (0..16).map(|n| (n.to_string(), json!("v"))).collect();
    for (path, body) in [
        ("/secrets/under_score", json!({ "value": "v" })),
        ("/secrets/a%2Fb", json!({ "value": "v" })),
        ("/secrets/a", json!({ "value": long })),
        ("/secrets/a", json!({ "value": "v", "tags": tags })),
        ("/secrets/a", json!({})),
        ("/secrets/a", json!({ "value": "v", "attributes": { "nbf": 20, "exp": 10 } })),
    ] {
        let refused = send(&azure, Put, path, body).await;
        assert_eq!((refused.status, refused.code()), (400, "BadParameter"), "{path}");
    }
    assert_eq!(get(&azure, "/secrets/a").await.status, 404);
    let url = "https://kv-a.vault.azure.net/secrets?api-version=2099-01-01";
    assert_eq!(support::send(&azure, Get, url, Value::Null).await.code(), "BadParameter");
    assert_eq!(get(&azure, "/storage").await.status, 501);
}

#[tokio::test]
async fn a_managed_secret_cannot_be_set_or_deleted() {
    let azure = seed().managed_secret("kv-a", "cert").start().await;
    let set = send(&azure, Put, "/secrets/cert", json!({ "value": "v" })).await;
    assert_eq!(set.inner_code(), "SecretManagedByKeyVault");
    assert_eq!(
        send(&azure, Delete, "/secrets/cert", Value::Null).await.inner_code(),
        "SecretManagedByKeyVault"
    );
}

#[tokio::test]
async fn too_many_requests_are_throttled() {
    let azure = seed().secret_throttling(2, 1).secret("kv-a", "db", "x").start().await;
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(get(&azure, "/secrets/db").await.status);
    }
    assert_eq!(statuses, [200, 200, 429, 200, 200, 429]);
}

#[tokio::test]
async fn every_operation_is_in_the_audit_log_with_who_and_what() {
    let azure = seed().secret("kv-a", "db", "one").caller_ip("198.51.100.9").start().await;
    let url = "https://kv-a.vault.azure.net/secrets/db?api-version=7.6";
    support::send_with(&azure, Get, url, Value::Null, None).await;
    get(&azure, "/secrets").await;
    get(&azure, "/secrets/db").await;
    get(&azure, "/secrets/none").await;
    send(&azure, Put, "/secrets/db", json!({ "value": "two" })).await;
    get(&azure, "/secrets/db/versions").await;
    send(&azure, Delete, "/secrets/db", Value::Null).await;
    let events = azure.audit_events();
    let seen: Vec<(&str, u16, &str)> =
        events.iter().map(|event| (&*event.operation, event.status, event.result_signature())).collect();
    assert_eq!(
        seen,
        [
            ("Authentication", 401, "Unauthorized"),
            ("SecretList", 200, "OK"),
            ("SecretGet", 200, "OK"),
            ("SecretGet", 404, "Not Found"),
            ("SecretSet", 200, "OK"),
            ("SecretListVersions", 200, "OK"),
            ("SecretDelete", 200, "OK"),
        ]
    );
    let read = &events[2];
    let version = &azure.requests()[2];
    assert_eq!(version.path, "/secrets/db");
    assert!(read.secret_id.as_ref().unwrap().starts_with("https://kv-a.vault.azure.net/secrets/db/"));
    assert_eq!(events[3].secret_id.as_deref(), Some("https://kv-a.vault.azure.net/secrets/none"));
    assert_eq!(read.object_id, azure.signed_in());
    assert_eq!(read.upn.as_deref(), Some("lab.user@contoso.example"));
    assert_eq!(read.caller_ip, "198.51.100.9");
    assert!(read.vault_id.ends_with("/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-a"));
    assert!(read.by_rbac);
}

#[tokio::test]
async fn the_official_client_works_through_client_options() {
    let azure = seed().secret_versions("kv-a", "db", 60).start().await;
    let options = SecretClientOptions { client_options: azure.client_options(), ..Default::default() };
    let client =
        SecretClient::new("https://kv-a.vault.azure.net", azure.credential(), Some(options)).unwrap();
    let value = SetSecretParameters { value: Some("new".to_owned()), ..Default::default() };
    let set = client.set_secret("db", value.try_into().unwrap(), None).await.unwrap().into_model().unwrap();
    let id = set.resource_id().unwrap().version.unwrap();
    let pinned = SecretClientGetSecretOptions { secret_version: Some(id), ..Default::default() };
    let read = client.get_secret("db", Some(pinned)).await.unwrap().into_model().unwrap();
    assert_eq!(read.value.as_deref(), Some("new"));
    let versions: Vec<_> =
        client.list_secret_properties_versions("db", None).unwrap().try_collect().await.unwrap();
    assert_eq!(versions.len(), 61);
    client.delete_secret("db", None).await.unwrap();
    let deleted: Vec<_> = client.list_deleted_secret_properties(None).unwrap().try_collect().await.unwrap();
    assert_eq!(deleted.len(), 0, "the deletion is not done yet");
    assert_eq!(azure.token_requests(), ["https://vault.azure.net/.default"]);
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn twenty_thousand_versions_are_cheap() {
    let azure = seed().secret_versions("kv-a", "big", 20_000).start().await;
    let options = SecretClientOptions { client_options: azure.client_options(), ..Default::default() };
    let client =
        SecretClient::new("https://kv-a.vault.azure.net", azure.credential(), Some(options)).unwrap();
    let mut pager = client.list_secret_properties_versions("big", None).unwrap();
    let mut ids = HashSet::new();
    while let Some(version) = pager.try_next().await.unwrap() {
        ids.insert(version.id.unwrap());
    }
    assert_eq!(ids.len(), 20_000);
}

#[tokio::test]
async fn only_requests_that_would_change_something_are_writes() {
    let azure = seed().secret("kv-a", "db", "one").start().await;
    get(&azure, "/secrets/db").await;
    send(&azure, Put, "/secrets/db", json!({ "value": "two" })).await;
    get(&azure, "/secrets").await;
    send(&azure, Delete, "/secrets/none", Value::Null).await;
    let sent = |requests: Vec<mock_azure::Recorded>| -> Vec<String> {
        requests.iter().map(|sent| format!("{} {}", sent.method, sent.path)).collect()
    };
    assert_eq!(sent(azure.writes()), ["PUT /secrets/db", "DELETE /secrets/none"]);
    assert_eq!(azure.requests().len(), 4);
}

#[tokio::test]
async fn a_secret_takes_as_much_as_the_service_does_and_no_more() {
    let azure = seed().start().await;
    let tags = |count: usize, name: usize, value: usize| -> Value {
        (0..count)
            .map(|n| (format!("{n:0name$}"), json!("v".repeat(value))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    for (body, status) in [
        (json!({ "value": "x".repeat(25 * 1024) }), 200),
        (json!({ "value": "x".repeat(25 * 1024 + 1) }), 400),
        (json!({ "value": "v", "contentType": "t".repeat(255) }), 200),
        (json!({ "value": "v", "contentType": "t".repeat(256) }), 400),
        (json!({ "value": "v", "tags": tags(15, 512, 512) }), 200),
        (json!({ "value": "v", "tags": tags(16, 2, 1) }), 400),
        (json!({ "value": "v", "tags": tags(1, 513, 1) }), 400),
        (json!({ "value": "v", "tags": tags(1, 1, 513) }), 400),
        (json!({ "value": "v", "attributes": { "nbf": 10, "exp": 11 } }), 200),
        (json!({ "value": "v", "attributes": { "nbf": 10, "exp": 10 } }), 400),
    ] {
        let set = send(&azure, Put, "/secrets/a", body.clone()).await;
        let shown: String = body.to_string().chars().take(80).collect();
        assert_eq!(set.status, status, "{shown}: {}", set.body["error"]);
    }
}
