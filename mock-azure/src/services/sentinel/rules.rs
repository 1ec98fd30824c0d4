//! Analytics rules.

use serde_json::{Value, json};
use time::Duration;

use crate::{
    http::{Call, Reply, duration, timestamp},
    kql::KqlError,
    services::log_query,
    state::World,
};

use super::{NAMESPACE, RULES, store};

const SEVERITIES: &[&str] = &["High", "Medium", "Low", "Informational"];

const TACTICS: &[&str] = &[
    "Reconnaissance",
    "ResourceDevelopment",
    "InitialAccess",
    "Execution",
    "Persistence",
    "PrivilegeEscalation",
    "DefenseEvasion",
    "CredentialAccess",
    "Discovery",
    "LateralMovement",
    "Collection",
    "Exfiltration",
    "CommandAndControl",
    "Impact",
    "PreAttack",
    "ImpairProcessControl",
    "InhibitResponseFunction",
];

/// The rule that onboarding creates.
pub(super) fn fusion(workspace: &str, etag: &str, now: &str) -> Value {
    json!({
        "id": format!("{workspace}/providers/{NAMESPACE}/alertRules/BuiltInFusion"),
        "name": "BuiltInFusion",
        "type": format!("{NAMESPACE}/alertRules"),
        "kind": "Fusion",
        "etag": format!("\"{etag}\""),
        "properties": {
            "alertRuleTemplateName": "f71aba3d-28fb-450b-b192-4e76a83015c8",
            "displayName": "Advanced Multistage Attack Detection",
            "description": "Correlates signals of many products.",
            "enabled": true,
            "severity": "High",
            "tactics": ["CredentialAccess", "LateralMovement", "Exfiltration"],
            "lastModifiedUtc": now,
        },
    })
}

pub(super) fn put(world: &mut World, call: &Call) -> Reply {
    let mut body = call.json().clone();
    let checked = match body["kind"].as_str() {
        Some("Scheduled") => scheduled(world, &call.id(8), &body["properties"]),
        Some("MicrosoftSecurityIncidentCreation") => incident_creation(&body["properties"]),
        Some("Fusion") => required(&body["properties"], &["alertRuleTemplateName", "enabled"]),
        other => {
            let known = ["Scheduled", "MicrosoftSecurityIncidentCreation", "Fusion"];
            Err(Box::new(Reply::unknown("kind of an alert rule", other.unwrap_or_default(), &known)))
        }
    };
    if let Err(refusal) = checked {
        return *refusal;
    }
    body["properties"]["lastModifiedUtc"] = json!(timestamp::precise(world.now()));
    // Recorded: missing members are null.
    if body["kind"] == "MicrosoftSecurityIncidentCreation" {
        for member in [
            "severitiesFilter",
            "displayNamesFilter",
            "displayNamesExcludeFilter",
            "description",
            "alertRuleTemplateName",
        ] {
            if body["properties"][member].is_null() {
                body["properties"][member] = Value::Null;
            }
        }
    }
    store(world, call, &RULES, body)
}

fn bad(message: impl Into<String>) -> Box<Reply> {
    Box::new(Reply::bad_request(message))
}

/// Documented: these members are required.
fn required(properties: &Value, names: &[&str]) -> Result<(), Box<Reply>> {
    match names.iter().find(|name| properties[**name].is_null()) {
        Some(name) => Err(bad(format!("Invalid Properties for alert rule: '{name}' is required"))),
        None => Ok(()),
    }
}

fn incident_creation(properties: &Value) -> Result<(), Box<Reply>> {
    required(properties, &["displayName", "enabled", "productFilter"])
}

/// Documented: the ranges and values of each member. Reported: a query over a table that does not exist is refused.
fn scheduled(world: &World, workspace: &str, properties: &Value) -> Result<(), Box<Reply>> {
    required(
        properties,
        &[
            "displayName",
            "enabled",
            "query",
            "queryFrequency",
            "queryPeriod",
            "severity",
            "suppressionDuration",
            "suppressionEnabled",
            "triggerOperator",
            "triggerThreshold",
        ],
    )?;
    let read = |name: &str, least: Duration| {
        let text = properties[name].as_str().unwrap_or_default();
        let span = duration::parse(text).filter(|span| *span >= least && *span <= Duration::days(14));
        span.ok_or_else(|| bad(format!("Invalid Properties for alert rule: '{name}' is '{text}', which is not a duration from {} minutes to 14 days", least.whole_minutes())))
    };
    let (frequency, period) =
        (read("queryFrequency", Duration::minutes(5))?, read("queryPeriod", Duration::minutes(5))?);
    if period < frequency {
        return Err(bad(
            "Invalid Properties for alert rule: 'queryPeriod' must not be shorter than 'queryFrequency'",
        ));
    }
    read("suppressionDuration", Duration::minutes(5))?;
    let one_of = |name: &str, values: &[&str]| match properties[name].as_str() {
        Some(value) if values.contains(&value) => Ok(()),
        _ => Err(bad(format!("Invalid Properties for alert rule: '{name}' is {}", properties[name]))),
    };
    one_of("severity", SEVERITIES)?;
    one_of("triggerOperator", &["GreaterThan", "LessThan", "Equal", "NotEqual"])?;
    if !properties["triggerThreshold"].as_i64().is_some_and(|threshold| (0..=10_000).contains(&threshold)) {
        return Err(bad("Invalid Properties for alert rule: 'triggerThreshold' must be from 0 to 10000"));
    }
    for tactic in properties["tactics"].as_array().into_iter().flatten() {
        if !tactic.as_str().is_some_and(|tactic| TACTICS.contains(&tactic)) {
            return Err(Box::new(Reply::unknown("tactic", &tactic.to_string(), TACTICS)));
        }
    }
    let query = properties["query"].as_str().unwrap_or_default();
    match log_query::validate(world, &[workspace.to_owned()], query) {
        Ok(()) => Ok(()),
        Err(log_query::Refusal::Query(KqlError::Unsupported(what))) => {
            Err(Box::new(Reply::not_implemented(format!("the query of this rule: {what}"))))
        }
        Err(log_query::Refusal::Query(error)) => {
            Err(bad(format!("Failed to run the analytics rule query. {}", error.line())))
        }
        Err(log_query::Refusal::Timespan(text)) => Err(bad(text)),
    }
}
