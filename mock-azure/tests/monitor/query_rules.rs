use crate::caller::*;

const VERSION: &str = "2023-12-01";

fn path() -> String {
    format!("{}/providers/Microsoft.Insights/scheduledQueryRules/refused", group())
}

fn body() -> Value {
    json!({ "location": "westeurope", "properties": {
        "severity": 2,
        "enabled": true,
        "scopes": [workspace()],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "criteria": { "allOf": [{
            "query": "AzureDiagnostics | where httpStatusCode_d == 403",
            "timeAggregation": "Count",
            "operator": "GreaterThan",
            "threshold": 1,
        }] },
        "somethingNew": true,
    } })
}

#[tokio::test]
async fn a_rule_on_a_missing_table_needs_its_validation_skipped() {
    let azure = seed().start().await;
    let refused = arm(&azure, Put, VERSION, &path(), body()).await;
    assert_eq!(refused.status, 400);
    assert!(refused.message().contains("AzureDiagnostics"), "{}", refused.message());
    let mut skipped = body();
    skipped["properties"]["skipQueryValidation"] = json!(true);
    let put = arm(&azure, Put, "2026-03-01", &path(), skipped).await;
    assert_eq!((put.status, &put.body["properties"]["somethingNew"]), (201, &json!(true)));
    assert_eq!(put.body["properties"]["autoMitigate"], true);
}

#[tokio::test]
async fn a_rule_fires_once_enough_was_refused() {
    let azure = seed()
        .vault(SUB, "rg-sec", "kv-other")
        .diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"])
        .diagnostic_setting(&vault().replace("kv-prod", "kv-other"), "x", &workspace(), &["AuditEvent"])
        .start()
        .await;
    get_secret(&azure, "db").await;
    assert_eq!(arm(&azure, Put, VERSION, &path(), body()).await.status, 201);
    assert!(!azure.rule_fires(&path()));
    for _ in 0..2 {
        let refused = get_secret_of(&azure, "kv-other", "db").await;
        assert_eq!(refused.status, 403);
    }
    assert!(azure.rule_fires(&path()));
}

#[tokio::test]
async fn bad_durations_severities_and_conditions_are_refused() {
    let azure = seed().start().await;
    for (pointer, value) in [
        ("/properties/windowSize", json!("15m")),
        ("/properties/evaluationFrequency", json!("PT7M")),
        ("/properties/windowSize", json!("PT1M")),
        ("/properties/severity", json!(5)),
        ("/properties/scopes", json!([])),
        ("/properties/criteria/allOf/0/operator", json!("Bigger")),
        ("/properties/criteria/allOf/0/threshold", json!("many")),
        ("/properties/criteria/allOf/0/query", json!("AzureDiagnostics | where (")),
    ] {
        let mut bad = body();
        bad["properties"]["skipQueryValidation"] = json!(true);
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_eq!(arm(&azure, Put, VERSION, &path(), bad).await.status, 400, "{pointer}");
    }
    let mut elsewhere = body();
    elsewhere["properties"]["scopes"] =
        json!([workspace().replace(SUB, "00000000-0000-0000-0000-000000000009")]);
    let put = arm(&azure, Put, VERSION, &path(), elsewhere).await;
    assert_eq!((put.status, put.code()), (403, "LinkedAuthorizationFailed"));
    assert_eq!(arm(&azure, Get, VERSION, &path(), Value::Null).await.status, 404);
}
