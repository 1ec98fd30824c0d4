use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure};
use serde_json::{Value, json};

use crate::caller::{Caller, MACHINE, SECURITY, SUB, VAULT};

const VERSION: &str = "api-version=2022-01-01";

fn subscription_list() -> String {
    format!("{SUB}{SECURITY}/alerts?{VERSION}")
}

#[tokio::test]
async fn all_fourteen_kinds_of_key_vault_alerts_can_be_seeded_and_listed_at_every_level() {
    let caller = Caller::new(MockAzure::seed().key_vault_alerts(VAULT).start().await).await;

    let (alerts, _) = caller.list(&subscription_list()).await;

    assert_eq!(alerts.len(), 14);
    for alert in &alerts {
        let times = ["startTimeUtc", "endTimeUtc", "timeGeneratedUtc"]
            .map(|name| alert["properties"][name].as_str().unwrap().to_owned());
        assert!(times.is_sorted() && times[0] != times[2], "it is told after it ended: {times:?}");
    }
    let of =
        |severity: &str| alerts.iter().filter(|alert| alert["properties"]["severity"] == severity).count();
    assert_eq!((of("Medium"), of("Low"), of("High")), (11, 3, 0));
    for level in ["", "/resourceGroups/rg-app"] {
        for place in ["", "/locations/westeurope"] {
            let (same, _) = caller.list(&format!("{SUB}{level}{SECURITY}{place}/alerts?{VERSION}")).await;
            assert_eq!(same, alerts, "{level}{place}");
        }
    }
    let elsewhere = format!("{SUB}{SECURITY}/locations/centralus/alerts?{VERSION}");
    assert_eq!(caller.list(&elsewhere).await.0, Vec::<Value>::new());
}

#[tokio::test]
async fn an_application_has_no_user_principal_name_and_an_outsider_no_object_id() {
    let azure = MockAzure::seed().alert(VAULT, "KV_AppAnomaly").alert(VAULT, "KV_TORAccess").start().await;
    let caller = Caller::new(azure).await;

    let (alerts, _) = caller.list(&subscription_list()).await;

    let accounts = |alert: &Value| -> Vec<Value> {
        let entities = alert["properties"]["entities"].as_array().unwrap();
        entities.iter().filter(|entity| entity["type"] == "account").cloned().collect()
    };
    let application = accounts(&alerts[0]);
    assert_eq!(application.len(), 1);
    assert!(application[0]["upnSuffix"].is_null() && application[0]["aadUserId"].is_string());
    assert_eq!(accounts(&alerts[1]), Vec::<Value>::new());
}

#[tokio::test]
async fn a_state_that_was_set_shows_in_later_reads() {
    let caller = Caller::new(MockAzure::seed().alert(VAULT, "KV_UserAnomaly").start().await).await;
    let (alerts, _) = caller.list(&subscription_list()).await;
    let id = alerts[0]["id"].as_str().unwrap();
    let at_subscription = id.replace("/resourceGroups/rg-app", "");

    for (path, verb, status) in [
        (id, "dismiss", "Dismissed"),
        (at_subscription.as_str(), "activate", "Active"),
        (id, "inProgress", "InProgress"),
        (at_subscription.as_str(), "resolve", "Resolved"),
        (at_subscription.as_str(), "dismiss", "Dismissed"),
        (id, "activate", "Active"),
        (at_subscription.as_str(), "inProgress", "InProgress"),
        (id, "resolve", "Resolved"),
    ] {
        let answer = caller.post(&format!("{path}/{verb}?{VERSION}")).await;
        assert_eq!(answer.status, 204, "{verb}");
        let (alerts, _) = caller.list(&subscription_list()).await;
        assert_eq!(alerts[0]["properties"]["status"], status);
        let read = caller.get(&format!("{path}?{VERSION}")).await;
        assert_eq!(read.body["properties"]["status"], status);
    }
}

#[tokio::test]
async fn an_alert_is_only_found_in_its_own_location() {
    let caller = Caller::new(MockAzure::seed().alert(VAULT, "KV_UserAnomaly").start().await).await;
    let (alerts, _) = caller.list(&subscription_list()).await;
    let elsewhere = alerts[0]["id"].as_str().unwrap().replace("westeurope", "centralus");

    let answer = caller.post(&format!("{elsewhere}/dismiss?{VERSION}")).await;

    assert_eq!((answer.status, answer.code()), (404, "ResourceNotFound"));
    assert_eq!(caller.list(&subscription_list()).await.0[0]["properties"]["status"], "Active");
}

#[tokio::test]
async fn ten_thousand_alerts_come_on_a_hundred_pages_and_an_empty_one() {
    let azure = MockAzure::seed().alerts(DEFAULT_SUBSCRIPTION, 10_000).empty_pages().start().await;
    let caller = Caller::new(azure).await;

    let first = caller.get(&subscription_list()).await;
    let link = first.body["nextLink"].as_str().unwrap().to_owned();
    let second = caller.get(&link).await;
    let third = caller.get(second.body["nextLink"].as_str().unwrap()).await;
    let last = caller.get(&link.replace("e-2s", "p-7n0")).await;

    assert!(link.starts_with("https://management.azure.com/"), "{link}");
    let count = |body: &Value| body["value"].as_array().unwrap().len();
    assert_eq!((count(&first.body), count(&second.body), count(&third.body)), (100, 0, 100));
    assert_eq!((count(&last.body), &last.body["nextLink"]), (100, &Value::Null));
    let size = first.body["value"].to_string().len() / 100;
    assert!((3_100..3_600).contains(&size), "an alert has {size} bytes");
}

#[tokio::test]
async fn one_of_ten_thousand_alerts_can_be_dismissed() {
    let azure = MockAzure::seed().alerts(DEFAULT_SUBSCRIPTION, 1_000).page_size(1_000).start().await;
    let caller = Caller::new(azure).await;
    let (alerts, _) = caller.list(&subscription_list()).await;
    let id = alerts[777]["id"].as_str().unwrap();

    let answer = caller.post(&format!("{id}/dismiss?{VERSION}")).await;

    assert_eq!(answer.status, 204);
    let (later, _) = caller.list(&subscription_list()).await;
    let changed: Vec<usize> = (0..1_000).filter(|at| later[*at] != alerts[*at]).collect();
    assert_eq!(changed, [777]);
}

#[tokio::test]
async fn a_simulation_makes_sample_alerts_of_the_bundles_asked_for_when_it_ends() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    let simulate = format!("{SUB}{SECURITY}/locations/centralus/alerts/default/simulate?{VERSION}");
    let bundles = json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults", "DNS"] } });

    let accepted = caller.send("POST", &simulate, Some(bundles)).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(caller.list(&subscription_list()).await.0, Vec::<Value>::new());
    let link = accepted.location.unwrap();
    assert_eq!(caller.get(&link).await.status, 202);
    assert_eq!(caller.get(&link).await.status, 200);

    let (samples, _) = caller.list(&subscription_list()).await;
    assert_eq!(samples.len(), 6);
    let vaults = samples.iter().filter(|alert| {
        alert["properties"]["alertType"].as_str().unwrap().starts_with("SIMULATED_KV_")
            && alert["properties"]["alertDisplayName"].as_str().unwrap().starts_with("[SAMPLE ALERT] ")
    });
    assert_eq!(vaults.count(), 5, "recorded: so many");
    assert!(samples.iter().all(|alert| alert["id"].as_str().unwrap().contains("/locations/centralus/")));
    let id = samples[0]["id"].as_str().unwrap();
    let by_group = caller.post(&format!("{id}/dismiss?{VERSION}")).await;
    assert_eq!((by_group.status, by_group.code()), (404, "ResourceGroupNotFound"));
    let by_subscription = id.replace("/resourceGroups/Sample-RG", "");
    assert_eq!(caller.post(&format!("{by_subscription}/dismiss?{VERSION}")).await.status, 204);
}

#[tokio::test]
async fn a_simulation_without_bundles_is_refused() {
    let caller = Caller::new(MockAzure::seed().start().await).await;
    let simulate = format!("{SUB}{SECURITY}/locations/centralus/alerts/default/simulate?{VERSION}");

    for properties in [json!({ "kind": "Bundles", "bundles": [] }), json!({ "kind": "Bundles" })] {
        let answer = caller.send("POST", &simulate, Some(json!({ "properties": properties }))).await;
        assert_eq!((answer.status, answer.code()), (400, "BadRequest"), "{properties}");
    }
}

#[tokio::test]
async fn an_alert_of_any_content_is_answered_as_it_was_seeded() {
    let id = format!("{SUB}/resourceGroups/rg-app{SECURITY}/locations/westeurope/alerts/2518_ABC");
    let odd = json!({ "id": id, "name": "another", "properties": { "severity": null, "entities": [null] } });
    let caller =
        Caller::new(MockAzure::seed().alert(MACHINE, "X").alert_json(odd.clone()).start().await).await;

    let answer = caller.get(&format!("{id}?{VERSION}")).await;

    assert_eq!(answer.body, odd);
}
