//! What is only read is written out as it came, or not at all.

use defender_alerts::{
    Alert, Assessment, AttackPath, SecureScore, SecureScoreControl, SecureScoreControlDefinition,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{alert, subscription};

/// As it came, to the last space and digit.
fn comes_out_as_it_came<M: Serialize + DeserializeOwned>(sent: &Value) -> M {
    let text = serde_json::to_string_pretty(sent).unwrap().replace("\"invented\": 1", "\"invented\": 1.50");
    let read: M = serde_json::from_str(&text).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    read
}

#[test]
fn every_model_that_is_only_read_is_written_out_unchanged_and_refuses_once_it_was_changed() {
    let scope = format!("{}/providers/Microsoft.Security", subscription().to_path());
    let resource = |kind: &str, properties: Value| json!({ "id": format!("{scope}/{kind}/n"), "name": "n", "invented": 1, "properties": properties });

    let mut read: Alert = comes_out_as_it_came(&alert(json!({ "alertType": "KV_TORAccess", "invented": 1 })));
    read.description = "changed".into();
    assert!(serde_json::to_string(&read).is_err());

    let status = json!({ "status": { "code": "Healthy" }, "resourceDetails": { "source": "Azure" } });
    let mut read: Assessment = comes_out_as_it_came(&resource("assessments", status));
    read.display_name = "changed".into();
    assert!(serde_json::to_string(&read).is_err());

    let mut read: AttackPath = comes_out_as_it_came(&resource("attackPaths", json!({ "displayName": "x" })));
    read.display_name = "changed".into();
    assert!(serde_json::to_string(&read).is_err());

    let score = json!({ "displayName": "x", "score": { "max": 10, "current": 5.5, "percentage": 0.55 } });
    comes_out_as_it_came::<SecureScore>(&resource("secureScores", score.clone()));
    comes_out_as_it_came::<SecureScoreControl>(&resource("secureScoreControls", score));
    let definition = json!({ "displayName": "x", "maxScore": 10 });
    comes_out_as_it_came::<SecureScoreControlDefinition>(&resource(
        "secureScoreControlDefinitions",
        definition,
    ));
}
