//! What a service can send that it should not.

use defender_alerts::{
    Alert, AlertStatus, AlertsClient, EntityKind, Finding, Intent, Missing, ResourceIdentifier, Severity,
};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure};
use serde_json::{Value, json};

use crate::{alert, all, arm, decoded, subscription, vault};

async fn listed(alerts: impl IntoIterator<Item = Value>) -> Vec<Alert> {
    let seed = alerts.into_iter().fold(MockAzure::seed(), |seed, alert| seed.alert_json(alert));
    let azure = seed.start().await;
    all(AlertsClient::new(&arm(&azure)).list(&subscription())).await
}

#[test]
fn unknown_words_are_kept_as_the_service_wrote_them() {
    let alert = decoded(json!({ "severity": "Apocalyptic", "intent": "Boredom", "status": "Snoozed" }));
    assert_eq!(alert.severity, Severity::Unknown("Apocalyptic".to_owned()));
    assert_eq!(alert.intent, Intent::Unknown("Boredom".to_owned()));
    assert_eq!(alert.status, AlertStatus::Unknown("Snoozed".to_owned()));
}

#[test]
fn null_fields_are_as_absent_ones() {
    let fields = [
        "version",
        "alertType",
        "systemAlertId",
        "productComponentName",
        "alertDisplayName",
        "description",
        "severity",
        "intent",
        "startTimeUtc",
        "endTimeUtc",
        "resourceIdentifiers",
        "remediationSteps",
        "vendorName",
        "status",
        "extendedLinks",
        "alertUri",
        "timeGeneratedUtc",
        "productName",
        "processingEndTimeUtc",
        "entities",
        "isIncident",
        "correlationKey",
        "extendedProperties",
        "compromisedEntity",
        "techniques",
        "subTechniques",
        "supportingEvidence",
    ];
    let nulls: Value = fields.iter().map(|field| ((*field).to_owned(), Value::Null)).collect();
    for alert in [decoded(nulls), decoded(json!({})), decoded(Value::Null)] {
        assert_eq!(
            (alert.severity, alert.status),
            (Severity::Unknown(String::new()), AlertStatus::Unknown(String::new()))
        );
        assert_eq!((alert.start_time, alert.is_incident, alert.alert_type.as_str()), (None, false, ""));
    }
    let alert = decoded(json!({ "entities": null }));
    assert!(alert.entities().unwrap().is_empty() && alert.resources().is_empty());
    assert!(alert.extended_properties().unwrap().is_empty());
    assert!(alert.supporting_evidence().unwrap().is_none());
}

#[tokio::test]
async fn null_items_in_a_page_and_among_entities_are_left_out() {
    let azure = MockAzure::seed().start().await;
    let page = json!({ "value": [null, alert(json!({ "entities": [null, { "type": "ip" }, null] })), null] });
    azure.inject(Fault::body(200, page.to_string()));

    let alerts = all(AlertsClient::new(&arm(&azure)).list(&subscription())).await;

    assert_eq!((alerts.len(), alerts[0].entities().unwrap().len()), (1, 1));
}

#[test]
fn an_identifier_or_entity_of_an_unknown_kind_keeps_all_that_it_has() {
    let unknown = json!({ "type": "AAD", "aadTenantId": "t", "more": [1] });
    let alert = decoded(json!({
        "resourceIdentifiers": [unknown, { "type": "AzureResource", "azureResourceId": "no id" }, 7],
        "entities": [{ "type": "quantum", "spin": 0.5 }, { "type": "ip", "address": { "v4": "x" } }, "text"],
    }));
    let identifiers = alert.resource_identifiers().unwrap();
    assert_eq!(identifiers[0], ResourceIdentifier::Other(unknown));
    assert!(matches!(&identifiers[1..], [ResourceIdentifier::Other(_), ResourceIdentifier::Other(_)]));
    let entities = alert.entities().unwrap();
    assert_eq!(entities[0].kind, EntityKind::Other("quantum".into()));
    assert_eq!(entities[0].fields().unwrap()["spin"], 0.5);
    assert_eq!(entities[1].kind, EntityKind::Other("ip".into()));
    assert_eq!(entities[1].fields().unwrap()["address"]["v4"], "x");
    assert_eq!(entities[2].kind, EntityKind::Other("".into()));
}

#[test]
fn what_cannot_be_decoded_is_an_error_and_is_not_left_out() {
    let text =
        alert(json!({ "extendedProperties": "P", "entities": "E", "techniques": ["T1", "T2", ["T3"]] }))
            .to_string();
    let text = text
        .replace(r#""P""#, r#"{"\ud800":"a","\udc00":"b"}"#)
        .replace(r#""E""#, r#"[{"type":"ip","address":"1.2.3.4","n":1e999}]"#);
    let alert: Alert = serde_json::from_str(&text).unwrap();
    let of = |name: &str| format!("'{name}' of the alert {} cannot be decoded: ", alert.id);
    assert_eq!(
        alert.extended_properties().unwrap_err().to_string(),
        of("extendedProperties") + "expected a name that can be decoded"
    );
    assert_eq!(alert.techniques().unwrap_err().to_string(), of("techniques") + "item 2: expected a string");
    let entities = alert.entities().unwrap();
    assert!(matches!(entities[0].kind, EntityKind::Ip(_)), "{entities:?}");
    let error = entities[0].fields().unwrap_err().to_string();
    assert!(error.starts_with("an entity of an alert cannot be decoded: number out of range"), "{error}");
}

#[test]
fn a_time_without_a_zone_is_in_utc_and_one_that_is_none_is_absent() {
    let alert = decoded(json!({
        "startTimeUtc": "2026-03-01T12:42:42.1921106",
        "endTimeUtc": "2026-03-01T12:42:42.1921106Z",
        "timeGeneratedUtc": "yesterday",
        "processingEndTimeUtc": 1_772_368_962,
    }));
    assert_eq!(alert.start_time, alert.end_time);
    assert_eq!(alert.start_time.unwrap().nanosecond(), 192_110_600);
    assert_eq!((alert.time_generated, alert.processing_end_time), (None, None));
}

#[test]
fn a_number_or_boolean_where_a_text_is_documented_is_read_as_text() {
    let alert = decoded(json!({
        "alertType": 7, "severity": 3, "isIncident": "True", "compromisedEntity": true,
        "extendedProperties": { "count": 12, "nested": { "a": [1] }, "none": null },
        "entities": [{ "type": "process", "processId": 4711 }],
    }));
    assert_eq!((alert.alert_type.as_str(), alert.compromised_entity.as_str()), ("7", "true"));
    assert_eq!((alert.severity, alert.is_incident), (Severity::Unknown("3".to_owned()), true));
    let alert =
        decoded(json!({ "extendedProperties": { "count": 12, "nested": { "a": [1] }, "none": null } }));
    let properties = alert.extended_properties().unwrap();
    assert_eq!(
        (&*properties["count"], &*properties["nested"], &*properties["none"]),
        ("12", r#"{"a":[1]}"#, "")
    );
}

#[test]
fn fields_that_no_one_knows_do_no_harm_and_one_text_is_a_list_of_one() {
    let alert = decoded(json!({ "invented": { "deep": [1] }, "remediationSteps": "Only one." }));
    assert_eq!(alert.remediation_steps().unwrap(), ["Only one."]);
}

#[tokio::test]
async fn an_alert_of_ten_megabytes_is_read() {
    let text = "x".repeat(10 << 20);
    let alerts = listed([alert(json!({ "description": text, "alertType": "KV_TORAccess" }))]).await;
    assert_eq!((alerts.len(), alerts[0].description.len()), (1, 10 << 20));
}

#[tokio::test]
async fn deep_nesting_in_one_part_fails_that_part_and_nothing_else() {
    let deep = format!("{}{}", "[".repeat(5_000), "]".repeat(5_000));
    let id = format!("{}/providers/Microsoft.Security/locations/we/alerts/deep", subscription().to_path());
    let azure = MockAzure::seed().start().await;
    let page = format!(
        r#"{{"value":[{{"id":"{id}","properties":{{"alertType":"KV_TORAccess","entities":[{{"type":"ip","x":{deep}}}],"extendedProperties":{{"a":{deep}}}}}}}]}}"#
    );
    azure.inject(Fault::body(200, page));

    let alert = all(AlertsClient::new(&arm(&azure)).list(&subscription())).await.remove(0);

    assert_eq!(alert.alert_type, "KV_TORAccess");
    let error = alert.extended_properties().unwrap_err().to_string();
    assert!(
        error.contains("'extendedProperties' of the alert") && error.contains("recursion limit"),
        "{error}"
    );
    let finding = Finding::of(&alert, None);
    assert!(finding.missing.iter().any(|missing| matches!(missing, Missing::Part(_))));
}

#[test]
fn a_part_of_another_shape_is_refused_without_showing_what_it_holds() {
    let alert = decoded(
        json!({ "extendedProperties": "hunter2", "extendedLinks": ["hunter2"], "techniques": [["hunter2"]] }),
    );
    let errors = [
        alert.extended_properties().map(drop).unwrap_err(),
        alert.extended_links().map(drop).unwrap_err(),
        alert.techniques().map(drop).unwrap_err(),
    ];
    for error in errors {
        assert!(
            error.to_string().contains("of the alert") && error.to_string().contains("expected"),
            "{error}"
        );
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf_8_is_one_clear_error() {
    let azure = MockAzure::seed().start().await;
    azure.inject(Fault::body(200, b"{\"value\":[{\"id\":\"\xff\xfe\"}]}"));

    let error = AlertsClient::new(&arm(&azure)).list(&subscription()).try_next().await.unwrap_err();

    assert!(error.to_string().contains("not UTF-8"), "{error}");
}

#[tokio::test]
async fn an_alert_without_an_id_hides_no_other_and_is_named() {
    let azure = MockAzure::seed().start().await;
    let good = alert(json!({ "alertType": "KV_TORAccess" }));
    let page = json!({ "value": [good, { "id": null }, good] });
    azure.inject(Fault::body(200, page.to_string()));
    let mut list = AlertsClient::new(&arm(&azure)).list(&subscription());

    assert!(list.try_next().await.unwrap().is_some() && list.try_next().await.unwrap().is_some());
    let error = list.try_next().await.unwrap_err().to_string();

    assert!(error.contains("item 2 of page 1"), "{error}");
}

#[tokio::test]
async fn the_vault_is_found_whatever_the_case_of_its_id() {
    let upper = vault().to_string().to_uppercase();
    let alert =
        decoded(json!({ "resourceIdentifiers": [{ "type": "azureresource", "azureResourceId": upper }] }));
    assert!(alert.is_key_vault());
    assert_eq!(alert.resources(), [vault()]);
}

#[test]
fn of_two_properties_with_the_same_name_the_last_is_taken_however_they_are_spelled() {
    let text = alert(json!({ "extendedProperties": "P" })).to_string();
    let alert: Alert =
        serde_json::from_str(&text.replace(r#""P""#, r#"{"b":null,"a":1,"\u0061":"2"}"#)).unwrap();
    let properties = alert.extended_properties().unwrap();
    assert_eq!(
        properties.into_iter().collect::<Vec<_>>(),
        [("a".into(), "2".into()), ("b".into(), "".into())]
    );
}
