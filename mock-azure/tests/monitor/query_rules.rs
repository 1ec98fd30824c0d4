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

/// The caller may read only in `kv-prod`.
fn two_logged_vaults() -> mock_azure::Seed {
    seed()
        .vault(SUB, "rg-sec", "kv-other")
        .diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"])
        .diagnostic_setting(&vault().replace("kv-prod", "kv-other"), "x", &workspace(), &["AuditEvent"])
}

#[tokio::test]
async fn a_rule_fires_once_enough_was_refused() {
    let azure = two_logged_vaults().start().await;
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

#[tokio::test]
async fn a_rule_compares_what_its_aggregation_makes_of_the_measure() {
    let azure = two_logged_vaults().start().await;
    assert_eq!(get_secret(&azure, "db").await.status, 200);
    assert_eq!(get_secret_of(&azure, "kv-other", "db").await.status, 403);
    for (aggregation, made) in
        [("Total", 603.0), ("Average", 301.5), ("Minimum", 200.0), ("Maximum", 403.0), ("Count", 2.0)]
    {
        for (threshold, fires) in [(made - 0.5, true), (made, false)] {
            let mut rule = body();
            rule["properties"]["criteria"]["allOf"][0] = json!({
                "query": "AzureDiagnostics",
                "metricMeasureColumn": "httpStatusCode_d",
                "timeAggregation": aggregation,
                "operator": "GreaterThan",
                "threshold": threshold,
            });
            let put = arm(&azure, Put, VERSION, &path(), rule).await;
            assert!(put.status < 300, "{}", put.body);
            assert_eq!(azure.rule_fires(&path()), fires, "{aggregation} over {threshold}");
        }
    }
}

#[tokio::test]
async fn a_rule_compares_by_its_operator() {
    let azure = seed().diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"]).start().await;
    get_secret(&azure, "db").await;
    get_secret(&azure, "db").await;
    for (operator, fires) in [
        ("GreaterThan", [true, false, false]),
        ("GreaterThanOrEqual", [true, true, false]),
        ("LessThan", [false, false, true]),
        ("LessThanOrEqual", [false, true, true]),
        ("Equal", [false, true, false]),
    ] {
        for (threshold, fires) in [1, 2, 3].into_iter().zip(fires) {
            let mut rule = body();
            let condition = &mut rule["properties"]["criteria"]["allOf"][0];
            (condition["query"], condition["threshold"]) = (json!("AzureDiagnostics"), json!(threshold));
            condition["operator"] = json!(operator);
            let put = arm(&azure, Put, VERSION, &path(), rule).await;
            assert!(put.status < 300, "{}", put.body);
            assert_eq!(azure.rule_fires(&path()), fires, "2 {operator} {threshold}");
        }
    }
}
