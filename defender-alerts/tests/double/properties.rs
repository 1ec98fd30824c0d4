//! What holds whatever the service sends.

use defender_alerts::{Alert, AlertId, AssessmentId, AssessmentSpec, AttackPath, Finding, SuppressionRule};
use proptest::{collection::btree_map, prelude::*};
use serde_json::{Map, Value, json};

use crate::{alert, subscription};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        (-4_000..4_000).prop_map(|number| json!(f64::from(number) / 4.0)),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-03-01T12:42:42.1921106Z")),
        Just(json!(r#"{"type":"ip"}"#)),
    ];
    leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map("(type|address|azureResourceId|columns|rows|id|name|[a-z]{1,4})", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn the_parts_of_an_alert_are_read_or_refused_but_never_stop_the_program(
        entities in any_json(), identifiers in any_json(), evidence in any_json(), properties in any_json(),
    ) {
        let text = alert(json!({
            "entities": entities, "resourceIdentifiers": identifiers, "supportingEvidence": evidence,
            "extendedProperties": properties,
        }));
        let alert: Alert = serde_json::from_value(text).unwrap();
        if entities.is_array() {
            let read = alert.entities().unwrap();
            let there = entities.as_array().unwrap().iter().filter(|entity| !entity.is_null()).count();
            prop_assert_eq!(read.len(), there);
            for (entity, sent) in read.iter().zip(entities.as_array().unwrap().iter().filter(|it| !it.is_null())) {
                if let Value::Object(sent) = sent {
                    prop_assert_eq!(&entity.fields().unwrap(), sent);
                }
            }
        }
        if identifiers.is_array() {
            prop_assert!(alert.resource_identifiers().is_ok());
        }
        if properties.is_object() || properties.is_null() {
            prop_assert!(alert.extended_properties().is_ok());
        }
        prop_assert!(alert.supporting_evidence().is_ok());
        prop_assert!(!Finding::of(&alert, None).steps.is_empty());
    }

    #[test]
    fn an_attack_path_is_read_from_any_properties(properties in any_json()) {
        let row = json!({ "id": "i", "properties": properties });
        let path: AttackPath = serde_json::from_value(row).unwrap();
        let _ = path.concerns_secrets();
    }

    #[test]
    fn what_is_written_back_is_what_was_read(unknown in btree_map("x[a-z]{1,6}", any_json(), 0..4)) {
        let mut status = json!({ "code": "Healthy" });
        let mut properties = json!({ "status": status, "resourceDetails": { "source": "Azure" } });
        for (name, value) in &unknown {
            status[name] = value.clone();
            properties[name] = value.clone();
            properties["resourceDetails"][name] = value.clone();
        }
        properties["status"] = status;
        let id = format!("{}/providers/Microsoft.Security/assessments/k", subscription().to_path());
        let read = serde_json::from_value(json!({ "id": id, "properties": properties })).unwrap();
        prop_assert_eq!(serde_json::to_value(AssessmentSpec::from(&read)).unwrap(), properties);

        let mut spec = json!({ "alertType": "a", "reason": "r", "state": "Enabled" });
        for (name, value) in &unknown {
            spec[name] = value.clone();
        }
        let rule: SuppressionRule =
            serde_json::from_value(json!({ "name": "n", "properties": spec })).unwrap();
        prop_assert_eq!(serde_json::to_value(&rule.spec).unwrap(), spec);
    }

    #[test]
    fn ids_read_back_as_they_were_written(
        group in "[a-zA-Z0-9_()-]{1,20}", location in "[a-z0-9]{1,20}", name in "[^/\\\\\\x00-\\x1f\\x7f-\\x9f]{1,20}",
    ) {
        prop_assume!(name != "." && name != "..");
        let scope = format!("{}/resourceGroups/{group}", subscription().to_path());
        let text = format!("{scope}/providers/Microsoft.Security/locations/{location}/alerts/{name}");
        let id: AlertId = text.parse().unwrap();
        prop_assert_eq!((id.location(), id.name(), id.to_string()), (&*location, &*name, text));
        let text = format!("{scope}/providers/Microsoft.Security/assessments/{name}");
        prop_assert_eq!(text.parse::<AssessmentId>().unwrap().to_string(), text);
    }

    #[test]
    fn no_text_stops_the_reading_of_an_id(text in any::<String>()) {
        let _ = (text.parse::<AlertId>(), text.parse::<AssessmentId>());
    }
}
