//! OCSF 1.8 with the profiles `cloud` and `datetime`.

use arm_core::{ResourceId, SubscriptionId, wire};
use azure_core::time::OffsetDateTime;
use defender_alerts::Severity;
use serde_json::{Map, Value, json};

use super::{Finding, FindingKind, FindingStatus, Findings, NotKnown};

const VERSION: &str = "1.8.0";

/// A class of events.
#[derive(Clone, Copy)]
enum Class {
    Compliance = 2003,
    Detection = 2004,
}

impl Findings {
    /// Returns one event of the [Open Cybersecurity Schema Framework](https://schema.ocsf.io) for each finding: a
    /// Compliance Finding for recommendations, coverage and rotations, and a Detection Finding for everything else.
    /// Each source that could not be read is a Compliance Finding with the compliance status Unknown.
    pub fn to_ocsf(&self) -> Vec<Value> {
        let blind = self.not_known.iter().map(|unknown| self.blind(unknown));
        self.findings.iter().map(|finding| self.event(finding)).chain(blind).collect()
    }

    fn event(&self, finding: &Finding) -> Value {
        let class = match finding.kind {
            FindingKind::Recommendation | FindingKind::Coverage | FindingKind::Rotation => Class::Compliance,
            _ => Class::Detection,
        };
        let (status_id, status, activity_id, activity) = match &finding.status {
            FindingStatus::New => (1, "New", 1, "Create"),
            FindingStatus::InProgress => (2, "In Progress", 2, "Update"),
            FindingStatus::Dismissed => (3, "Suppressed", 3, "Close"),
            FindingStatus::Resolved => (4, "Resolved", 3, "Close"),
            FindingStatus::Other(word) if word.is_empty() => (0, "Unknown", 0, "Unknown"),
            FindingStatus::Other(word) => (99, word.as_str(), 99, "Other"),
        };
        let mut event = self.base(class, activity_id, activity, finding.last.or(finding.first));
        let (severity_id, severity) = severity(finding.severity.as_ref());
        let members = [
            ("severity_id", json!(severity_id)),
            ("severity", json!(severity)),
            ("status_id", json!(status_id)),
            ("status", json!(status)),
            ("message", json!(finding.title)),
            ("finding_info", details(finding)),
        ];
        event.extend(members.map(|(name, value)| (name.to_owned(), value)));
        event["metadata"]["event_code"] = json!(finding.rule);
        if finding.is_sample {
            event["metadata"]["labels"] = json!(["sample"]);
        }
        if let Some(subscription) = &finding.subscription {
            event["cloud"]["account"] = account(subscription);
        }
        let mut resources: Vec<Value> = finding.resources.iter().map(|id| resource(id)).collect();
        if let (Some(file), Some(first)) = (&finding.file, resources.first_mut()) {
            first["data"] = json!({ "file": file });
        }
        if !resources.is_empty() {
            event.insert("resources".to_owned(), Value::Array(resources));
        }
        if !finding.remediation.is_empty() {
            event.insert("remediation".to_owned(), json!({ "desc": finding.remediation.join("\n") }));
        }
        match class {
            Class::Detection => {
                event.insert("is_alert".to_owned(), json!(finding.kind == FindingKind::Alert));
            }
            Class::Compliance => {
                let failed = json!({ "control": finding.title, "status_id": 3, "status": "Fail" });
                event.insert("compliance".to_owned(), failed);
            }
        }
        Value::Object(event)
    }

    fn blind(&self, unknown: &NotKnown) -> Value {
        let (words, whole) = (&unknown.what, unknown.to_string());
        let mut event = self.base(Class::Compliance, 1, "Create", None);
        let members = [
            ("severity_id", json!(0)),
            ("severity", json!("Unknown")),
            ("status_id", json!(1)),
            ("status", json!("New")),
            ("message", json!(format!("not known: {words}"))),
            (
                "finding_info",
                json!({ "uid": format!("not-known/{whole}"), "title": "Not known", "desc": words }),
            ),
            ("compliance", json!({ "status_id": 0, "status": "Unknown", "status_detail": words })),
        ];
        event.extend(members.map(|(name, value)| (name.to_owned(), value)));
        event["metadata"]["event_code"] = json!("not-known");
        if let Some(subscription) = &unknown.subscription {
            event["cloud"]["account"] = account(subscription);
        }
        Value::Object(event)
    }

    fn base(
        &self,
        class: Class,
        activity: u32,
        name: &str,
        at: Option<OffsetDateTime>,
    ) -> Map<String, Value> {
        let (uid, class_name) = match class {
            Class::Compliance => (class as u32, "Compliance Finding"),
            Class::Detection => (class as u32, "Detection Finding"),
        };
        let at = at.unwrap_or(self.read_at);
        let mut metadata = json!({
            "version": VERSION,
            "profiles": ["cloud", "datetime"],
            "product": {
                "name": "defender-playbooks", "uid": "defender-playbooks", "version": env!("CARGO_PKG_VERSION"),
            },
        });
        let mut cloud = json!({ "provider": "Azure" });
        if let Some(tenant) = &self.tenant {
            metadata["tenant_uid"] = json!(tenant);
            cloud["org"] = json!({ "uid": tenant });
        }
        let event = [
            ("activity_id", json!(activity)),
            ("activity_name", json!(name)),
            ("category_uid", json!(2)),
            ("category_name", json!("Findings")),
            ("class_uid", json!(uid)),
            ("class_name", json!(class_name)),
            ("type_uid", json!(uid * 100 + activity)),
            ("type_name", json!(format!("{class_name}: {name}"))),
            ("time", json!(milliseconds(at))),
            ("time_dt", json!(wire::instant::format(at))),
            ("metadata", metadata),
            ("cloud", cloud),
        ];
        event.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

fn account(subscription: &SubscriptionId) -> Value {
    json!({ "uid": subscription.as_str(), "type_id": 13, "type": "Azure Subscription" })
}

fn details(finding: &Finding) -> Value {
    let mut details = json!({
        "uid": finding.id,
        "title": finding.title,
        "types": [finding.kind.as_str()],
        "analytic": { "type_id": 1, "type": "Rule", "uid": finding.rule },
    });
    if !finding.description.is_empty() {
        details["desc"] = json!(finding.description);
    }
    if let Some(link) = &finding.link {
        details["src_url"] = json!(link);
    }
    for (name, time) in [("first_seen_time", finding.first), ("last_seen_time", finding.last)] {
        if let Some(time) = time {
            details[name] = json!(milliseconds(time));
            details[format!("{name}_dt")] = json!(wire::instant::format(time));
        }
    }
    if !finding.techniques.is_empty() {
        let attack = |technique: &String| json!({ "technique": { "uid": technique } });
        details["attacks"] = finding.techniques.iter().map(attack).collect();
    }
    details
}

fn resource(id: &str) -> Value {
    match id.parse::<ResourceId>() {
        Ok(resource) => json!({
            "uid": id, "name": resource.name(), "type": resource.resource_type().to_string(), "role_id": 3,
            "role": "Affected",
        }),
        Err(_) => json!({ "uid": id, "name": id, "role_id": 3, "role": "Affected" }),
    }
}

fn severity(severity: Option<&Severity>) -> (u32, &str) {
    match severity {
        None => (0, "Unknown"),
        Some(Severity::Informational) => (1, "Informational"),
        Some(Severity::Low) => (2, "Low"),
        Some(Severity::Medium) => (3, "Medium"),
        Some(Severity::High) => (4, "High"),
        Some(Severity::Critical) => (5, "Critical"),
        Some(other) if other.as_str().is_empty() => (0, "Unknown"),
        Some(other) => (99, other.as_str()),
    }
}

fn milliseconds(time: OffsetDateTime) -> i64 {
    time.unix_timestamp().saturating_mul(1000).saturating_add(i64::from(time.millisecond()))
}
