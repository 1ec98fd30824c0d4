use crate::caller::*;

const VERSION: &str = "2025-09-01";
const ID: &str = "00000000-0000-0000-0000-0000000000f1";

fn path(kind: &str, name: &str) -> String {
    format!("{}/providers/Microsoft.SecurityInsights/{kind}/{name}", workspace())
}

fn connector() -> Value {
    json!({ "kind": "AzureSecurityCenter", "properties": {
        "subscriptionId": SUB,
        "dataTypes": { "alerts": { "state": "Enabled" } },
    } })
}

fn rule() -> Value {
    json!({ "kind": "Scheduled", "properties": {
        "displayName": "d", "enabled": true, "severity": "Medium",
        "query": "AzureDiagnostics | where httpStatusCode_d == 403",
        "queryFrequency": "PT10M", "queryPeriod": "PT30M",
        "triggerOperator": "GreaterThan", "triggerThreshold": 0,
        "suppressionDuration": "PT5H", "suppressionEnabled": false,
        "tactics": ["CredentialAccess"],
    } })
}

#[tokio::test]
async fn before_onboarding_all_else_is_refused_with_an_error_inside_the_message() {
    let azure = seed().start().await;
    let state = arm(&azure, Get, VERSION, &path("onboardingStates", "default"), Value::Null).await;
    assert_eq!(state.status, 404);
    let refused = arm(&azure, Put, VERSION, &path("dataConnectors", ID), connector()).await;
    assert_eq!((refused.status, refused.code()), (400, "BadRequest"));
    let inner: Value = serde_json::from_str(refused.message()).unwrap();
    assert!(inner["error"]["message"].as_str().unwrap().contains("is not onboarded to Microsoft Sentinel"));

    let on =
        arm(&azure, Put, VERSION, &path("onboardingStates", "default"), json!({ "properties": {} })).await;
    assert_eq!(on.status, 201);
    let again = arm(&azure, Put, "2024-03-01", &path("onboardingStates", "default"), Value::Null).await;
    assert_eq!(again.status, 200);
    let rules = arm(&azure, Get, VERSION, path("alertRules", "").trim_end_matches('/'), Value::Null).await;
    assert_eq!(rules.body["value"][0]["kind"], "Fusion");
    assert_eq!(arm(&azure, Put, VERSION, &path("dataConnectors", ID), connector()).await.status, 201);
}

#[tokio::test]
async fn an_update_must_bring_the_current_etag() {
    let azure = seed().sentinel(&workspace()).start().await;
    let first = arm(&azure, Put, VERSION, &path("dataConnectors", ID), connector()).await;
    let without = arm(&azure, Put, VERSION, &path("dataConnectors", ID), connector()).await;
    assert_eq!((without.status, without.message()), (400, "Update request should provide ETag"));
    let mut with = connector();
    with["etag"] = first.body["etag"].clone();
    assert_eq!(arm(&azure, Put, VERSION, &path("dataConnectors", ID), with.clone()).await.status, 200);
    let stale = arm(&azure, Put, VERSION, &path("dataConnectors", ID), with).await;
    assert_eq!((stale.status, stale.code()), (409, "Conflict"));
}

#[tokio::test]
async fn a_scheduled_rule_is_checked_with_its_query() {
    let azure = seed()
        .sentinel(&workspace())
        .diagnostic_setting(&vault(), "x", &workspace(), &["AuditEvent"])
        .start()
        .await;
    let missing = arm(&azure, Put, VERSION, &path("alertRules", ID), rule()).await;
    assert_eq!(missing.status, 400);
    assert!(missing.message().contains("AzureDiagnostics"), "{}", missing.message());
    get_secret(&azure, "db").await;
    for (pointer, value) in [
        ("/properties/queryFrequency", json!("PT1M")),
        ("/properties/queryPeriod", json!("PT5M")),
        ("/properties/severity", json!("Bad")),
        ("/properties/displayName", Value::Null),
    ] {
        let mut bad = rule();
        *bad.pointer_mut(pointer).unwrap() = value;
        assert_eq!(arm(&azure, Put, VERSION, &path("alertRules", ID), bad).await.status, 400, "{pointer}");
    }
    let put = arm(&azure, Put, VERSION, &path("alertRules", ID), rule()).await;
    assert_eq!(put.status, 201, "{}", put.body);
    assert_eq!(arm(&azure, Delete, VERSION, &path("alertRules", ID), Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Delete, VERSION, &path("alertRules", ID), Value::Null).await.status, 204);
}

#[tokio::test]
async fn alerts_come_into_the_workspace_once_their_subscription_is_connected_and_none_from_before() {
    let azure = seed().sentinel(&workspace()).alert(vault(), "KV_TORAccess").start().await;
    assert_eq!(query(&azure, "SecurityAlert | count").await.status, 400);
    arm(&azure, Put, VERSION, &path("dataConnectors", ID), connector()).await;
    assert_eq!(
        query(&azure, "SecurityAlert | count").await.status,
        400,
        "what was raised before never comes"
    );
    let body = json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } });
    let simulate = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Security/locations/westeurope/alerts/default/simulate"
    );
    let started = arm(&azure, Post, "2022-01-01", &simulate, body).await;
    let poll = started.header("location").replace("https://management.azure.com", "");
    for _ in 0..2 {
        arm(&azure, Get, "2022-01-01", poll.split('?').next().unwrap(), Value::Null).await;
    }
    let found = query(
        &azure,
        "SecurityAlert | where AlertType has 'KV_ListGetAnomaly' or AlertType endswith 'KV_ListGetAnomaly'
         | project AlertSeverity, ProductName",
    )
    .await;
    assert_eq!(
        found.body["tables"][0]["rows"],
        json!([["Medium", "Azure Security Center"]]),
        "{}",
        found.body
    );
    let id = customer_id(&azure).await;
    for (span, is_there) in [
        // It is told half an hour after it began, and is here already.
        ("PT1H", true),
        ("2026-01-01T00:00:00Z/2099-01-01T00:00:00Z", true),
        ("2026-01-01T00:00:00Z/PT1H", false),
        ("2099-01-01T00:00:00Z/PT1H", false),
    ] {
        let body = json!({ "query": "SecurityAlert | count", "timespan": span });
        let found = logs(&azure, Post, &format!("/workspaces/{id}/query"), body).await;
        let count = found.body["tables"][0]["rows"][0][0].as_u64().unwrap();
        assert_eq!(count > 0, is_there, "{span}: {}", found.body);
    }
}

#[tokio::test]
async fn incidents_are_listed_by_status_and_closed_with_a_classification() {
    let azure = seed()
        .sentinel(&workspace())
        .incident(&workspace(), ID, "Secrets read in bulk", "Medium")
        .start()
        .await;
    let list = format!(
        "{}?$filter=properties/status%20eq%20'New'&$top=1",
        path("incidents", "").trim_end_matches('/')
    );
    let found = arm(&azure, Get, VERSION, &list, Value::Null).await;
    assert_eq!(found.body["value"][0]["properties"]["title"], "Secrets read in bulk");
    let alerts = arm(&azure, Post, VERSION, &format!("{}/alerts", path("incidents", ID)), Value::Null).await;
    assert_eq!(alerts.body["value"][0]["kind"], "SecurityAlert");
    let mut incident = found.body["value"][0].clone();
    incident["properties"]["status"] = json!("Closed");
    assert_eq!(arm(&azure, Put, VERSION, &path("incidents", ID), incident.clone()).await.status, 400);
    incident["properties"]["classification"] = json!("TruePositive");
    let closed = arm(&azure, Put, VERSION, &path("incidents", ID), incident).await;
    assert_eq!((closed.status, &closed.body["properties"]["incidentNumber"]), (200, &json!(1)));
    assert_eq!(arm(&azure, Get, VERSION, &list, Value::Null).await.body["value"], json!([]));
}

#[tokio::test]
async fn a_rule_that_makes_incidents_of_alerts_says_of_whose() {
    let azure = seed().sentinel(&workspace()).start().await;
    let whole = json!({ "kind": "MicrosoftSecurityIncidentCreation", "properties": {
        "displayName": "d", "enabled": true, "productFilter": "Azure Security Center",
    } });
    for member in ["displayName", "enabled", "productFilter"] {
        let mut rule = whole.clone();
        rule["properties"][member] = Value::Null;
        let refused = arm(&azure, Put, VERSION, &path("alertRules", ID), rule).await;
        assert_eq!(refused.status, 400, "{member}");
        assert!(refused.message().contains(&format!("'{member}' is required")), "{}", refused.message());
    }
    assert_eq!(arm(&azure, Put, VERSION, &path("alertRules", ID), whole).await.status, 201);
}
