//! What follows the clock of a double.

use std::time::Duration;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::{AuditEvent, MockAzure, Seed};
use serde_json::{Value, json};
use time::{OffsetDateTime, macros::datetime};

use crate::support::{self, Answer, SUB};

const START: OffsetDateTime = datetime!(2027-02-01 08:00 UTC);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

fn group() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg")
}

fn vault() -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/kv-clock", group())
}

fn workspace() -> String {
    format!("{}/providers/Microsoft.OperationalInsights/workspaces/law", group())
}

/// A vault with a secret, and a clock that stands still.
fn seed() -> Seed {
    MockAzure::seed()
        .starts_at(START)
        .vault(SUB, "rg", "kv-clock")
        .vault_property("kv-clock", "softDeleteRetentionInDays", 7)
        .vault_role("kv-clock", "Key Vault Administrator")
        .secret("kv-clock", "db", "REDACTED")
        .secret_settling(0)
}

async fn arm(azure: &MockAzure, method: Method, version: &str, path: &str, body: Value) -> Answer {
    let url = format!("https://management.azure.com{path}?api-version={version}");
    support::send(azure, method, &url, body).await
}

async fn secret(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    let url = format!("https://kv-clock.vault.azure.net/{path}?api-version=7.5");
    support::send(azure, method, &url, body).await
}

async fn query(azure: &MockAzure, query: &str) -> Answer {
    let found = arm(azure, Get, "2025-07-01", &workspace(), Value::Null).await.body;
    let id = found["properties"]["customerId"].as_str().unwrap().to_owned();
    let url = format!("https://api.loganalytics.io/v1/workspaces/{id}/query");
    support::send(azure, Post, &url, json!({ "query": query })).await
}

#[tokio::test]
async fn the_clock_stands_still_where_it_was_set_and_moves_only_when_it_is_moved() {
    let azure = seed().start().await;
    assert_eq!(azure.now(), START);
    let made = secret(&azure, Put, "secrets/a", json!({ "value": "1" })).await.body;
    assert_eq!(made["attributes"]["created"], START.unix_timestamp());
    azure.advance(HOUR);
    let changed = secret(&azure, Patch, "secrets/a", json!({ "tags": { "a": "b" } })).await.body;
    assert_eq!(changed["attributes"]["created"], START.unix_timestamp());
    assert_eq!(changed["attributes"]["updated"], START.unix_timestamp() + 3600);
    azure.set_time(datetime!(2030-01-01 0:00 UTC));
    assert_eq!(azure.now(), datetime!(2030-01-01 0:00 UTC));
    assert_eq!(azure.audit_events().last().unwrap().time, START + HOUR);
    azure.run_freely();
    let before = azure.now();
    while azure.now() == before {}
    azure.freeze();
    assert_eq!(azure.now(), azure.now());
}

#[tokio::test]
async fn a_double_shows_the_real_time_unless_another_is_set() {
    let azure = MockAzure::seed().start().await;
    let (before, shown, after) = (OffsetDateTime::now_utc(), azure.now(), OffsetDateTime::now_utc());
    let slack = time::Duration::seconds(1); // the machine's clock may be corrected meanwhile
    assert!(before - slack <= shown && shown <= after + slack);
}

#[tokio::test]
async fn a_token_lives_for_an_hour() {
    let azure = seed().start().await;
    let old = azure.credential().get_token(&["https://vault.azure.net/.default"], None).await.unwrap();
    let ask = async || {
        let url = "https://kv-clock.vault.azure.net/secrets/db?api-version=7.5";
        support::send_with(&azure, Get, url, Value::Null, Some(old.token.secret())).await.status
    };
    azure.advance(HOUR - Duration::from_secs(1));
    assert_eq!(ask().await, 200);
    azure.advance(Duration::from_secs(1));
    assert_eq!(ask().await, 401);
    assert_eq!(secret(&azure, Get, "secrets/db", Value::Null).await.status, 200, "a new token is good");
}

#[tokio::test]
async fn a_secret_outside_its_time_is_still_answered_as_the_service_does() {
    let azure = seed().start().await;
    let ends = START.unix_timestamp() + 60;
    let body = json!({ "value": "1", "attributes": { "exp": ends } });
    assert_eq!(secret(&azure, Put, "secrets/short", body).await.status, 200);
    azure.advance(DAY);
    let expired = secret(&azure, Get, "secrets/short", Value::Null).await;
    assert_eq!((expired.status, &expired.body["attributes"]["exp"]), (200, &json!(ends)));
}

#[tokio::test]
async fn a_deleted_secret_is_purged_when_its_days_are_over_and_its_name_is_free_again() {
    let azure = seed().start().await;
    let deleted = secret(&azure, Delete, "secrets/db", Value::Null).await.body;
    assert_eq!(deleted["scheduledPurgeDate"], (START + 7 * DAY).unix_timestamp());
    azure.advance(7 * DAY - Duration::from_secs(1));
    assert_eq!(secret(&azure, Get, "deletedsecrets/db", Value::Null).await.status, 200);
    assert_eq!(secret(&azure, Put, "secrets/db", json!({ "value": "2" })).await.status, 409);
    azure.advance(Duration::from_secs(1));
    assert_eq!(secret(&azure, Get, "deletedsecrets/db", Value::Null).await.status, 404);
    assert_eq!(secret(&azure, Put, "secrets/db", json!({ "value": "2" })).await.status, 200);
}

#[tokio::test]
async fn a_deleted_vault_is_purged_when_its_days_are_over() {
    let azure = seed().start().await;
    assert_eq!(arm(&azure, Delete, "2023-07-01", &vault(), Value::Null).await.status, 200);
    let gone = format!(
        "/subscriptions/{SUB}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/kv-clock"
    );
    azure.advance(7 * DAY - Duration::from_secs(1));
    assert_eq!(arm(&azure, Get, "2023-07-01", &gone, Value::Null).await.status, 200);
    azure.advance(Duration::from_secs(1));
    assert_eq!(arm(&azure, Get, "2023-07-01", &gone, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_long_running_operation_ends_when_its_time_has_passed_though_no_one_polled() {
    let azure = seed().operation_polls(30).start().await;
    let path = format!("/subscriptions/{SUB}/resourcegroups/rg");
    let accepted = arm(&azure, Delete, "2021-04-01", &path, Value::Null).await;
    assert_eq!(accepted.status, 202);
    azure.advance(Duration::from_secs(29));
    assert_eq!(arm(&azure, Get, "2021-04-01", &path, Value::Null).await.status, 200);
    azure.advance(Duration::from_secs(1));
    assert_eq!(arm(&azure, Get, "2021-04-01", &path, Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_role_takes_effect_when_the_propagation_time_has_passed() {
    let azure = seed().role_propagation_time(10 * Duration::from_secs(60)).start().await;
    let (reader, principal) =
        ("acdd72a7-3385-48ef-bd42-f606fba81ae7", "00000000-0000-0000-0000-0000000000d1");
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000e",
        group()
    );
    let role = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{reader}");
    let body = json!({ "properties": { "roleDefinitionId": role, "principalId": principal, "principalType": "User" } });
    assert_eq!(arm(&azure, Put, "2022-04-01", &path, body).await.status, 201);
    azure.advance(Duration::from_secs(599));
    assert!(!azure.has_role(principal, reader, &group()));
    azure.advance(Duration::from_secs(1));
    assert!(azure.has_role(principal, reader, &group()));
}

#[tokio::test]
async fn a_log_record_arrives_when_its_delay_has_passed() {
    let azure = seed()
        .workspace(SUB, "rg", "law")
        .diagnostic_setting(&vault(), "to-law", &workspace(), &["AuditEvent"])
        .log_delay(5 * Duration::from_secs(60))
        .start()
        .await;
    secret(&azure, Get, "secrets/db", Value::Null).await;
    azure.advance(Duration::from_secs(299));
    assert_eq!(query(&azure, "AzureDiagnostics | count").await.status, 400, "no record, no table");
    azure.advance(Duration::from_secs(1));
    let found = query(&azure, "AzureDiagnostics | project TimeGenerated").await;
    assert_eq!(found.body["tables"][0]["rows"], json!([["2027-02-01T08:00:00.0000000Z"]]), "{}", found.body);
}

#[tokio::test]
async fn an_event_of_the_audit_log_can_be_put_at_any_time() {
    let seeded = AuditEvent::new("SecretPurge", vault(), START - DAY);
    let azure = seed()
        .workspace(SUB, "rg", "law")
        .diagnostic_setting(&vault(), "to-law", &workspace(), &["AuditEvent"])
        .log_delay(HOUR)
        .audit_event(seeded)
        .start()
        .await;
    let mut late = AuditEvent::new("SecretGet", vault(), START - HOUR / 2);
    late.caller_ip = "198.51.100.9".to_owned();
    azure.audit_event(late);
    azure.audit_event(AuditEvent::new("SecretList", vault(), START - HOUR * 2));
    let names: Vec<_> = azure.audit_events().into_iter().map(|event| event.operation).collect();
    assert_eq!(names, ["SecretPurge", "SecretList", "SecretGet"], "in the order of time");
    let project = "AzureDiagnostics | project OperationName, CallerIPAddress | order by OperationName asc";
    let rows = query(&azure, project).await.body["tables"][0]["rows"].clone();
    assert_eq!(rows, json!([["SecretList", "203.0.113.7"], ["SecretPurge", "203.0.113.7"]]));
    azure.advance(HOUR / 2);
    let rows = query(&azure, project).await.body["tables"][0]["rows"].clone();
    assert_eq!(rows[0], json!(["SecretGet", "198.51.100.9"]));
}

#[tokio::test]
async fn the_quota_of_resource_graph_is_full_again_after_its_period() {
    let azure = seed().graph_quota(2, Duration::from_secs(5)).start().await;
    let ask = async || {
        let body = json!({ "query": "resources | count", "subscriptions": [SUB] });
        let answer =
            arm(&azure, Post, "2022-10-01", "/providers/Microsoft.ResourceGraph/resources", body).await;
        (answer.status, answer.header("x-ms-user-quota-resets-after").to_owned())
    };
    assert_eq!(ask().await, (200, "00:00:05".to_owned()));
    azure.advance(Duration::from_secs(2));
    assert_eq!(ask().await, (200, "00:00:03".to_owned()));
    assert_eq!(ask().await.0, 429);
    azure.advance(Duration::from_secs(3));
    assert_eq!(ask().await.0, 200);
}

#[tokio::test]
async fn an_update_of_a_plan_is_in_progress_until_its_time_has_passed() {
    mock_azure::fast_forward();
    let azure = seed().plan_updates_take(HOUR / 2).start().await;
    let path = format!("/subscriptions/{SUB}/providers/Microsoft.Security/pricings/KeyVaults");
    let put = async || {
        let body = json!({ "properties": { "pricingTier": "Standard" } });
        arm(&azure, Put, "2024-01-01", &path, body).await.status
    };
    assert_eq!(futures::join!(put(), put()), (200, 409));
    assert_eq!(azure.now(), START + HOUR / 2, "the first was answered at its end");
    assert_eq!(put().await, 200);
}
