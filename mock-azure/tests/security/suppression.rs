use mock_azure::MockAzure;
use serde_json::{Value, json};

use crate::caller::{Caller, SECURITY, SUB};

const VERSION: &str = "api-version=2019-01-01-preview";

fn rule(name: &str) -> String {
    format!("{SUB}{SECURITY}/alertsSuppressionRules/{name}?{VERSION}")
}

fn body(alert_type: &str) -> Value {
    json!({
        "alertType": alert_type,
        "reason": "FalsePositive",
        "state": "Enabled",
        "comment": "known scanner",
        "expirationDateUtc": "2099-12-01T19:50:47.083633Z",
        "suppressionAlertsScope": { "allOf": [{ "field": "entities.ip.address", "in": ["00.00.00.00"] }] },
    })
}

#[tokio::test]
async fn a_rule_is_written_read_listed_by_alert_type_and_deleted() {
    let caller = Caller::new(MockAzure::seed().start().await).await;

    let written = caller.put(&rule("scanner"), body("KV_TORAccess")).await;
    caller.put(&rule("other"), body("KV_AppAnomaly")).await;

    assert_eq!(written.status, 200);
    let properties = &written.body["properties"];
    assert!(properties["lastModifiedUTC"].is_string());
    assert_eq!(properties["expirationDateUTC"], "2099-12-01T19:50:47.083633Z");
    assert!(properties["expirationDateUtc"].is_null(), "the service has one spelling");
    assert_eq!(caller.get(&rule("scanner")).await.body, written.body);
    assert_eq!(caller.list(&rule("").replace("/?", "?")).await.0.len(), 2);
    let only = format!("{}&AlertType=kv_toraccess", rule("").replace("/?", "?"));
    assert_eq!(caller.list(&only).await.0, [written.body]);
    assert_eq!(caller.delete(&rule("scanner")).await.status, 204);
    assert_eq!(caller.delete(&rule("scanner")).await.status, 204);
    let gone = caller.get(&rule("scanner")).await;
    assert_eq!((gone.status, &gone.body["ErrorCode"]), (404, &json!("Not Found")));
}

#[tokio::test]
async fn a_rule_without_an_end_gets_one_half_a_year_later() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    let mut endless = body("KV_TORAccess");
    endless.as_object_mut().unwrap().remove("expirationDateUtc");

    let written = caller.put(&rule("scanner"), endless).await;

    let (end, changed) =
        (&written.body["properties"]["expirationDateUTC"], &written.body["properties"]["lastModifiedUTC"]);
    assert!(end.as_str() > changed.as_str(), "{end} {changed}");
}

#[tokio::test]
async fn a_rule_without_what_is_required_is_refused() {
    let caller = Caller::new(MockAzure::seed().start().await).await;

    for field in ["alertType", "reason", "state"] {
        let mut body = body("KV_TORAccess");
        body.as_object_mut().unwrap().remove(field);
        assert_eq!(caller.put(&rule("scanner"), body).await.status, 400, "{field}");
    }
    assert_eq!(caller.get(&rule("scanner")).await.status, 404);
}

#[tokio::test]
async fn a_new_alert_that_a_rule_is_about_begins_dismissed() {
    let caller = Caller::new(MockAzure::seed().operation_polls(0).start().await).await;
    caller.put(&rule("scanner"), body("SIMULATED_KV_TORAccess")).await;
    let elsewhere = json!({ "allOf": [{ "field": "entities.ip.address", "in": ["192.0.2.1"] }] });
    let mut other = body("SIMULATED_KV_AppAnomaly");
    other["suppressionAlertsScope"] = elsewhere;
    caller.put(&rule("other"), other).await;

    let simulate =
        format!("{SUB}{SECURITY}/locations/westeurope/alerts/default/simulate?api-version=2022-01-01");
    let bundles = json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } });
    let accepted = caller.send("POST", &simulate, Some(bundles)).await;
    caller.get(&accepted.location.unwrap()).await;

    let (alerts, _) = caller.list(&format!("{SUB}{SECURITY}/alerts?api-version=2022-01-01")).await;
    let dismissed: Vec<&str> = alerts
        .iter()
        .filter(|alert| alert["properties"]["status"] == "Dismissed")
        .filter_map(|alert| alert["properties"]["alertType"].as_str())
        .collect();
    assert_eq!(dismissed, ["SIMULATED_KV_TORAccess"]);
}

#[tokio::test]
async fn the_type_of_alert_is_an_option_of_the_list_only() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    caller.put(&rule("scanner"), body("KV_TORAccess")).await;
    let other = format!("{}&AlertType=KV_AppAnomaly", rule("scanner"));
    assert_eq!(caller.get(&other).await.status, 200);
    let list = format!("{SUB}{SECURITY}/alertsSuppressionRules?api-version=2019-01-01-preview&AlertType=");
    assert_eq!(caller.list(&format!("{list}KV_AppAnomaly")).await.0.len(), 0);
    assert_eq!(caller.list(&format!("{list}kv_toraccess")).await.0.len(), 1);
}
