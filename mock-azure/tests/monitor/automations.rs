use crate::caller::*;

const VERSION: &str = "2023-12-01-preview";
const TRIGGER: &str = "https://prod.logic.azure.example/triggers/manual?sig=REDACTED";

fn path() -> String {
    format!("{}/providers/Microsoft.Security/automations/kv", group())
}

fn body() -> Value {
    json!({ "location": "westeurope", "properties": {
        "isEnabled": true,
        "scopes": [{ "scopePath": format!("/subscriptions/{SUB}") }],
        "sources": [{ "eventSource": "Alerts", "ruleSets": [{ "rules": [
            { "propertyJPath": "AlertType", "propertyType": "String", "expectedValue": "KV_", "operator": "StartsWith" },
        ] }] }],
        "actions": [
            { "actionType": "LogicApp", "logicAppResourceId": format!("{}/providers/Microsoft.Logic/workflows/la", group()), "uri": TRIGGER },
            { "actionType": "Workspace", "workspaceResourceId": workspace(), "new": 1 },
        ],
    } })
}

#[tokio::test]
async fn a_trigger_url_goes_in_and_never_comes_out_and_is_blanked_by_an_update_without_it() {
    let azure = seed().start().await;
    let put = arm(&azure, Put, VERSION, &path(), body()).await;
    assert_eq!(put.status, 201);
    assert!(!put.body.to_string().contains("REDACTED"));
    assert_eq!(put.body["properties"]["actions"][1]["new"], 1);
    assert_eq!(azure.automation_secrets(&path()), [Some(TRIGGER.to_owned()), None]);
    let described =
        arm(&azure, Patch, VERSION, &path(), json!({ "properties": { "description": "d" } })).await;
    assert_eq!((described.status, &described.body["properties"]["description"]), (200, &json!("d")));
    assert_eq!(azure.automation_secrets(&path())[0].as_deref(), Some(TRIGGER));
    let read = arm(&azure, Get, VERSION, &path(), Value::Null).await.body;
    assert_eq!(arm(&azure, Put, VERSION, &path(), read).await.status, 200);
    assert_eq!(azure.automation_secrets(&path()), [None, None]);
}

#[tokio::test]
async fn exactly_one_scope_is_accepted() {
    let azure = seed().start().await;
    let mut two = body();
    two["properties"]["scopes"] =
        json!([{ "scopePath": format!("/subscriptions/{SUB}") }, { "scopePath": group() }]);
    let refused = arm(&azure, Put, VERSION, &path(), two.clone()).await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("must contain a single scope"));
    let validated = arm(&azure, Post, VERSION, &format!("{}/validate", path()), two).await;
    assert_eq!((validated.status, &validated.body["isValid"]), (200, &json!(false)));
    assert_eq!(arm(&azure, Get, VERSION, &path(), Value::Null).await.status, 404);
}

#[tokio::test]
async fn validation_finds_actions_that_cannot_act_and_stores_nothing() {
    let azure = seed().start().await;
    let validate = format!("{}/validate", path());
    assert_eq!(arm(&azure, Post, VERSION, &validate, body()).await.body["isValid"], true);
    let mut silent = body();
    silent["properties"]["actions"][0].as_object_mut().unwrap().remove("uri");
    let answer = arm(&azure, Post, VERSION, &validate, silent).await;
    assert_eq!(answer.body["isValid"], false);
    assert!(answer.body["message"].as_str().unwrap().contains("trigger uri"));
    let list = format!("/subscriptions/{SUB}/providers/Microsoft.Security/automations");
    assert_eq!(arm(&azure, Get, VERSION, &list, Value::Null).await.body["value"], json!([]));
}

#[tokio::test]
async fn bad_rules_and_actions_are_refused() {
    let azure = seed().start().await;
    for (pointer, value) in [
        ("/properties/sources/0/ruleSets/0/rules/0/operator", json!("Resembles")),
        ("/properties/sources/0/ruleSets/0/rules/0/propertyType", json!("Integer")),
        ("/properties/sources/0/ruleSets/0/rules/0/expectedValue", json!(3)),
        ("/properties/actions/0/logicAppResourceId", Value::Null),
        ("/properties/scopes/0/scopePath", json!("everything")),
    ] {
        let mut bad = body();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_eq!(arm(&azure, Put, VERSION, &path(), bad).await.status, 400, "{pointer}");
    }
    let by_group = format!("{}/providers/Microsoft.Security/automations", group());
    assert_eq!(arm(&azure, Get, VERSION, &by_group, Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Delete, VERSION, &path(), Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_rule_compares_texts_in_any_case_and_numbers_as_numbers() {
    let id = format!("{}/providers/Microsoft.Security/locations/westeurope/alerts/2518_A", group());
    let properties = json!({ "alertType": "KV_Download", "extendedProperties": { "files": "10" } });
    let alert = json!({ "id": id, "name": "2518_A", "properties": properties });
    let azure = seed().alert_json(alert).start().await;
    for (kind, member, operator, value, acts) in [
        ("String", "AlertType", "Equals", "kv_download", true),
        ("String", "AlertType", "Equals", "kv", false),
        ("String", "AlertType", "NotEquals", "kv", true),
        ("String", "AlertType", "NotEquals", "kv_download", false),
        ("String", "AlertType", "Contains", "_DOWN", true),
        ("String", "AlertType", "Contains", "up", false),
        ("String", "AlertType", "StartsWith", "kv_", true),
        ("String", "AlertType", "StartsWith", "load", false),
        ("String", "AlertType", "EndsWith", "load", true),
        ("String", "AlertType", "EndsWith", "kv_", false),
        ("String", "None", "NotEquals", "kv", false),
        ("Number", "extendedProperties.files", "Equals", "10.0", true),
        ("Number", "extendedProperties.files", "Equals", "9", false),
        ("Number", "extendedProperties.files", "NotEquals", "9", true),
        ("Integer", "extendedProperties.files", "NotEquals", "10", false),
        ("Number", "extendedProperties.files", "GreaterThan", "9", true),
        ("Number", "extendedProperties.files", "GreaterThan", "10", false),
        ("Number", "extendedProperties.files", "GreaterThanOrEqualTo", "10", true),
        ("Number", "extendedProperties.files", "GreaterThanOrEqualTo", "11", false),
        ("Number", "extendedProperties.files", "LesserThan", "11", true),
        ("Number", "extendedProperties.files", "LesserThan", "10", false),
        ("Number", "extendedProperties.files", "LesserThanOrEqualTo", "10", true),
        ("Number", "extendedProperties.files", "LesserThanOrEqualTo", "9", false),
        ("Number", "AlertType", "NotEquals", "9", false),
    ] {
        let mut automation = body();
        automation["properties"]["sources"][0]["ruleSets"][0]["rules"][0] = json!({
            "propertyJPath": member, "propertyType": kind, "operator": operator, "expectedValue": value,
        });
        let put = arm(&azure, Put, VERSION, &path(), automation).await;
        assert!(put.status < 300, "{}", put.body);
        let acted: &[String] = if acts { std::slice::from_ref(&id) } else { &[] };
        assert_eq!(azure.automation_acts_on(&path()), acted, "{member} {operator} {value}");
    }
}
