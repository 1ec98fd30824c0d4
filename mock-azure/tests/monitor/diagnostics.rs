use crate::caller::*;

const VERSION: &str = "2021-05-01-preview";

fn setting(name: &str) -> String {
    format!("{}/providers/Microsoft.Insights/diagnosticSettings/{name}", vault())
}

fn to_workspace(logs: Value) -> Value {
    json!({ "properties": { "workspaceId": workspace(), "logs": logs } })
}

fn audit() -> Value {
    json!([{ "category": "AuditEvent", "enabled": true }])
}

#[tokio::test]
async fn a_vault_tells_its_categories_and_their_groups() {
    let azure = seed().start().await;
    let path = format!("{}/providers/microsoft.insights/diagnosticSettingsCategories", vault());
    let all = arm(&azure, Get, VERSION, &path, Value::Null).await;
    let names: Vec<&str> = all.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|category| category["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["AuditEvent", "AzurePolicyEvaluationDetails", "AllMetrics"]);
    assert_eq!(all.body["value"][0]["properties"]["categoryGroups"], json!(["audit", "allLogs"]));
    let one = arm(&azure, Get, VERSION, &format!("{path}/auditevent"), Value::Null).await;
    assert_eq!((one.status, &one.body["name"]), (200, &json!("AuditEvent")));
}

#[tokio::test]
async fn a_setting_is_stored_with_unknown_fields_and_its_table_mode_reads_back_as_null() {
    let azure = seed().start().await;
    let mut body = to_workspace(audit());
    body["properties"]["logAnalyticsDestinationType"] = json!("Dedicated");
    body["properties"]["somethingNew"] = json!({ "a": 1 });
    assert_eq!(arm(&azure, Put, VERSION, &setting("to-law"), body).await.status, 200);
    let read = arm(&azure, Get, VERSION, &setting("to-law"), Value::Null).await.body;
    assert_eq!(read["properties"]["logAnalyticsDestinationType"], Value::Null);
    assert_eq!(read["properties"]["somethingNew"], json!({ "a": 1 }));
    assert_eq!(read["properties"]["logs"][0]["category"], "AuditEvent");
    assert_eq!(arm(&azure, Delete, VERSION, &setting("to-law"), Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Delete, VERSION, &setting("to-law"), Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_category_goes_to_a_sink_once_even_by_its_group() {
    let azure = seed().start().await;
    arm(&azure, Put, VERSION, &setting("first"), to_workspace(audit())).await;
    for logs in [audit(), json!([{ "categoryGroup": "allLogs", "enabled": true }])] {
        let second = arm(&azure, Put, VERSION, &setting("second"), to_workspace(logs)).await;
        assert_eq!((second.status, &second.body["code"]), (409, &json!("Conflict")));
        let message = second.body["message"].as_str().unwrap();
        assert!(message.contains("'first'") && message.contains("'AuditEvent'"), "{message}");
    }
    let again = arm(&azure, Put, VERSION, &setting("first"), to_workspace(audit())).await;
    assert_eq!(again.status, 200);
}

#[tokio::test]
async fn a_resource_has_five_settings_at_most() {
    let azure = seed().start().await;
    for n in 1..=6 {
        let body = json!({ "properties": {
            "storageAccountId": format!("{}/providers/Microsoft.Storage/storageAccounts/st{n}", group()),
            "logs": audit(),
        } });
        let put = arm(&azure, Put, VERSION, &setting(&format!("s{n}")), body).await;
        assert_eq!(put.status, if n <= 5 { 200 } else { 400 }, "{n}: {}", put.body);
    }
}

#[tokio::test]
async fn settings_that_the_service_refuses_are_refused() {
    let azure = seed().start().await;
    let mixed =
        json!([{ "category": "AuditEvent", "enabled": true }, { "categoryGroup": "audit", "enabled": true }]);
    let elsewhere = workspace().replace(SUB, "00000000-0000-0000-0000-000000000009");
    let cases = [
        (to_workspace(mixed), 400, "mixed"),
        (to_workspace(json!([{ "category": "Nothing", "enabled": true }])), 400, "not supported"),
        (to_workspace(json!([{ "category": "AuditEvent" }])), 400, "enabled"),
        (to_workspace(json!([])), 400, "At least one log"),
        (json!({ "properties": { "logs": audit() } }), 400, "data sink"),
        (
            json!({ "properties": { "workspaceId": elsewhere, "logs": audit() } }),
            403,
            "not authorized to access linked",
        ),
        (
            json!({ "properties": { "workspaceId": format!("{}x", workspace()), "logs": audit() } }),
            404,
            "not found",
        ),
    ];
    for (body, status, says) in cases {
        let put = arm(&azure, Put, VERSION, &setting("x"), body).await;
        assert_eq!(put.status, status, "{}", put.body);
        assert!(put.body["message"].as_str().unwrap().contains(says), "{}", put.body);
    }
    let list = format!("{}/providers/microsoft.insights/diagnosticSettings", vault());
    assert_eq!(arm(&azure, Get, VERSION, &list, Value::Null).await.body["value"], json!([]));
    assert_eq!(arm(&azure, Get, VERSION, &list.replace("kv-prod", "kv-gone"), Value::Null).await.status, 404);
}

#[tokio::test]
async fn a_subscription_has_settings_too() {
    let azure = seed().start().await;
    let path = format!("/subscriptions/{SUB}/providers/Microsoft.Insights/diagnosticSettings");
    let body = to_workspace(json!([{ "category": "Security", "enabled": true }]));
    let put = arm(&azure, Put, VERSION, &format!("{path}/activity"), body).await;
    assert_eq!(put.status, 200);
    let (log, location) = (&put.body["properties"]["logs"][0], &put.body["location"]);
    assert_eq!((log.get("retentionPolicy"), location), (None, &json!("global")), "{}", put.body);
    let of_a_vault = arm(&azure, Put, VERSION, &setting("a"), to_workspace(audit())).await;
    let log = &of_a_vault.body["properties"]["logs"][0];
    assert_eq!(log["retentionPolicy"], json!({ "enabled": false, "days": 0 }), "{}", of_a_vault.body);
    let all = arm(&azure, Get, VERSION, &path, Value::Null).await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(arm(&azure, Delete, VERSION, &format!("{path}/activity"), Value::Null).await.status, 200);
}
