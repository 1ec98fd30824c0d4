//! Findings in the forms of others: every member that a form requires is there, and nothing is lost or invented.

use azure_core::time::OffsetDateTime;
use defender_alerts::{Alert, Severity};
use defender_playbooks::findings::{Finding, Findings};
use serde_json::{Value, json};

fn at(text: &str) -> OffsetDateTime {
    arm_core::wire::instant::parse(text).unwrap()
}

fn alert(name: &str, alert_type: &str, severity: &str, status: &str, title: &str) -> Alert {
    let id = format!(
        "/subscriptions/{}/providers/Microsoft.Security/locations/westeurope/alerts/{name}",
        mock_azure::DEFAULT_SUBSCRIPTION
    );
    let vault = format!(
        "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-prod",
        mock_azure::DEFAULT_SUBSCRIPTION
    );
    serde_json::from_value(json!({ "id": id, "properties": {
        "alertType": alert_type, "severity": severity, "status": status, "alertDisplayName": title,
        "startTimeUtc": "2026-11-02T09:15:42.5Z", "remediationSteps": ["Look.", "Act."], "techniques": ["T1555"],
        "resourceIdentifiers": [{ "type": "AzureResource", "azureResourceId": vault }],
    } }))
    .unwrap()
}

fn found(alerts: &[Alert]) -> Findings {
    let mut found = Findings::new(at("2026-11-24T10:00:00Z"));
    found.extend(alerts.iter().map(Finding::of_alert));
    found
}

/// What every event of the framework must have, whatever its class.
fn assert_event(event: &Value) {
    for name in ["activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id"] {
        assert!(event[name].is_u64(), "{name}: {event}");
    }
    let number = |name: &str| event[name].as_u64().unwrap();
    assert_eq!(number("type_uid"), number("class_uid") * 100 + number("activity_id"));
    assert_eq!(number("category_uid"), 2);
    assert_eq!(event["metadata"]["version"], "1.8.0");
    assert!(event["metadata"]["product"]["name"].is_string() && event["cloud"]["provider"] == "Azure");
    assert!(event["finding_info"]["uid"].is_string());
    assert_eq!(event["class_uid"] == 2003, event["compliance"].is_object());
    assert_eq!(at(event["time_dt"].as_str().unwrap()).unix_timestamp() as u64, number("time") / 1000);
}

#[test]
fn an_alert_is_a_detection_finding_with_its_severity_status_and_resource() {
    let found = found(&[
        alert("1", "KV_ListGetAnomaly", "High", "Active", "Listing"),
        alert("2", "SIMULATED_KV_TORAccess", "Medium", "Dismissed", "A sample"),
        alert("3", "KV_New", "Apocalyptic", "Pondering", "Of tomorrow"),
    ]);
    let events = found.to_ocsf();
    events.iter().for_each(assert_event);
    let told: Vec<Value> = events
        .iter()
        .map(|it| {
            json!([it["class_uid"], it["severity_id"], it["status_id"], it["activity_id"], it["severity"]])
        })
        .collect();
    assert_eq!(
        told,
        [
            json!([2004, 4, 1, 1, "High"]),
            json!([2004, 3, 3, 3, "Medium"]),
            json!([2004, 99, 99, 99, "Apocalyptic"])
        ]
    );
    assert_eq!(events[0]["time"], 1_793_610_942_500_u64);
    assert_eq!(events[0]["resources"][0]["name"], "kv-prod");
    assert_eq!(events[0]["remediation"]["desc"], "Look.\nAct.");
    assert_eq!(events[0]["finding_info"]["attacks"], json!([{ "technique": { "uid": "T1555" } }]));
    assert_eq!(events[1]["metadata"]["labels"], json!(["sample"]));
}

#[test]
fn what_could_not_be_checked_is_in_every_format() {
    let mut none = found(&[]);
    none.not_known.push("Defender CSPM is off".into());
    let events = none.to_ocsf();
    assert_event(&events[0]);
    assert_eq!(events[0]["compliance"]["status_id"], 0);
    let run = &none.to_sarif()["runs"][0];
    assert_eq!(
        (run["results"].clone(), run["invocations"][0]["executionSuccessful"].clone()),
        (json!([]), json!(false))
    );
    assert!(none.to_csv().unwrap().contains("notKnown,,,,Defender CSPM is off,"));
    assert!(none.fails(&Severity::Critical));
}

#[test]
fn sarif_names_each_rule_once_and_suppresses_what_is_settled() {
    let found = found(&[
        alert("1", "KV_ListGetAnomaly", "High", "Active", "Listing"),
        alert("2", "KV_ListGetAnomaly", "Low", "Resolved", "Listing"),
    ]);
    let run = &found.to_sarif()["runs"][0];
    assert_eq!(run["tool"]["driver"]["rules"].as_array().unwrap().len(), 1);
    let told: Vec<_> =
        run["results"].as_array().unwrap().iter().map(|it| (&it["level"], &it["suppressions"])).collect();
    let accepted = json!([{ "kind": "external", "status": "accepted", "justification": "Resolved" }]);
    assert_eq!(told, [(&json!("error"), &json!([])), (&json!("note"), &accepted)]);
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
}

#[test]
fn a_cell_is_never_a_formula_or_a_terminal_control() {
    let evil = "=HYPERLINK(\"http://evil.example\",\"\u{202e}x\")\n";
    let text = found(&[alert("1", "KV_X", "High", "Active", evil)]).to_csv().unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("\"'=HYPERLINK(\"\"http") && !text.contains('\u{202e}'), "{text}");
}

#[test]
fn a_gate_fails_on_what_is_open_and_bad_enough() {
    let gate = |severity: &str, status: &str, alert_type: &str| {
        found(&[alert("1", alert_type, severity, status, "x")]).fails(&Severity::High)
    };
    assert!(gate("High", "Active", "KV_X") && gate("Critical", "InProgress", "KV_X"));
    assert!(gate("Apocalyptic", "Active", "KV_X"), "what cannot be ranked passes no gate");
    assert!(!gate("Medium", "Active", "KV_X") && !gate("High", "Resolved", "KV_X"));
    assert!(!gate("High", "Active", "SIMULATED_KV_TORAccess"));
    assert!(!found(&[]).fails(&Severity::Informational));
}

#[test]
fn each_finding_is_reported_once() {
    let one = alert("1", "KV_X", "High", "Active", "x");
    assert_eq!(found(&[one.clone(), one]).findings.len(), 1);
}
