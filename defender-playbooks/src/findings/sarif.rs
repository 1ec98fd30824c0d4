//! SARIF 2.1.

use std::collections::BTreeMap;

use defender_alerts::Severity;
use serde_json::{Value, json};

use super::{Finding, FindingStatus, Findings, NotKnown};
use crate::leaks::address;

impl Findings {
    /// Returns the findings as one SARIF 2.1 run. A resolved or dismissed finding has an accepted suppression. GitHub
    /// code scanning does not support suppressions: upload only open findings there. Each source that could not be read
    /// is a warning notification of the invocation, whose `executionSuccessful` is then `false`.
    pub fn to_sarif(&self) -> Value {
        let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
        for finding in &self.findings {
            rules.entry(&finding.rule).or_insert_with(|| rule(finding));
        }
        let results: Vec<Value> = self.findings.iter().map(result).collect();
        let warning = |unknown: &NotKnown| {
            json!({
                "level": "warning",
                "message": { "text": unknown.to_string() },
                "properties": { "subscription": unknown.subscription.as_ref().map(|id| id.as_str()) },
            })
        };
        let notifications: Vec<Value> = self.not_known.iter().map(warning).collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "defender-playbooks",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules.into_values().collect::<Vec<_>>(),
                } },
                "invocations": [{
                    "executionSuccessful": notifications.is_empty(),
                    "toolExecutionNotifications": notifications,
                }],
                "results": results,
            }],
        })
    }
}

fn rule(finding: &Finding) -> Value {
    let mut rule = json!({ "id": finding.rule, "shortDescription": { "text": finding.title } });
    if !finding.remediation.is_empty() {
        rule["help"] = json!({ "text": finding.remediation.join("\n") });
    }
    rule
}

fn result(finding: &Finding) -> Value {
    let level = match &finding.severity {
        Some(Severity::Informational | Severity::Low) => "note",
        Some(Severity::Medium) => "warning",
        _ => "error",
    };
    let suppressions = match &finding.status {
        status @ (FindingStatus::Resolved | FindingStatus::Dismissed) => {
            json!([{ "kind": "external", "status": "accepted", "justification": status.as_str() }])
        }
        _ => json!([]),
    };
    let named = |name: &String| json!({ "fullyQualifiedName": name, "kind": "resource" });
    let mut location = json!({});
    if !finding.resources.is_empty() {
        location["logicalLocations"] = finding.resources.iter().map(named).collect();
    }
    if let Some(file) = &finding.file {
        location["physicalLocation"] = json!({ "artifactLocation": { "uri": address(file) } });
    }
    let text = match finding.description.as_str() {
        "" => &finding.title,
        description => description,
    };
    json!({
        "ruleId": finding.rule,
        "level": level,
        "message": { "text": text },
        "locations": [location],
        "fingerprints": { "defender/v1": finding.id },
        "suppressions": suppressions,
        "properties": {
            "kind": finding.kind.as_str(),
            "title": finding.title,
            "severity": finding.severity.as_ref().map(Severity::as_str),
            "status": finding.status.as_str(),
            "sample": finding.is_sample,
            "subscription": finding.subscription.as_ref().map(|id| id.as_str()),
        },
    })
}
