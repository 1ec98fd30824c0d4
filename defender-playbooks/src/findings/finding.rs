//! One finding, from any source.

use arm_core::{ResourceId, SubscriptionId, wire};
use azure_core::time::OffsetDateTime;
use defender_alerts::{
    Alert, AlertStatus, Assessment, AssessmentCode, AttackPath, RiskLevel, SecretFinding, Severity,
};
use keyvault_ops::SecretName;

use crate::{Gap, VaultCoverage};

/// The kind of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// An alert: something happened.
    Alert,
    /// An attack path to something valuable.
    AttackPath,
    /// A secret in plain text.
    ExposedSecret,
    /// A recommendation that is not met.
    Recommendation,
    /// A vault that is not covered, or whose audit log does not arrive where it should.
    Coverage,
    /// A rotation that was started but not finished.
    Rotation,
}

impl FindingKind {
    /// Returns the name used in every output format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::AttackPath => "attackPath",
            Self::ExposedSecret => "exposedSecret",
            Self::Recommendation => "recommendation",
            Self::Coverage => "coverage",
            Self::Rotation => "rotation",
        }
    }
}

/// The status of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FindingStatus {
    /// Nobody is working on it yet.
    New,
    /// Somebody is working on it.
    InProgress,
    /// It has been resolved.
    Resolved,
    /// It was dismissed as harmless.
    Dismissed,
    /// A status of the service that this version does not know.
    Other(String),
}

impl FindingStatus {
    /// Returns the name used in every output format.
    pub fn as_str(&self) -> &str {
        match self {
            Self::New => "New",
            Self::InProgress => "In Progress",
            Self::Resolved => "Resolved",
            Self::Dismissed => "Dismissed",
            Self::Other(word) => word,
        }
    }
}

/// A finding, from an alert, an attack path, a secret scan, a recommendation, the coverage report or the ledger of
/// rotations.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of finding.
    pub kind: FindingKind,
    /// The id, stable across reads.
    pub id: String,
    /// The rule behind it, such as the alert's type or the recommendation's key.
    pub rule: String,
    /// The title.
    pub title: String,
    /// The description; may be empty.
    pub description: String,
    /// The severity; `None` if the service does not give one.
    pub severity: Option<Severity>,
    /// The current status.
    pub status: FindingStatus,
    /// Whether it is a sample, so that nothing really happened.
    pub is_sample: bool,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The affected resources: their Azure resource ids, or the service's names for those without an id.
    pub resources: Vec<String>,
    /// The file that contains an exposed secret.
    pub file: Option<String>,
    /// When it was first seen, if known.
    pub first: Option<OffsetDateTime>,
    /// When it was last seen, if known.
    pub last: Option<OffsetDateTime>,
    /// How to fix it; may be empty.
    pub remediation: Vec<String>,
    /// MITRE ATT&CK techniques, such as `T1555`.
    pub techniques: Vec<String>,
    /// The link to the finding in the portal.
    pub link: Option<String>,
}

impl Finding {
    fn new(kind: FindingKind, id: String, rule: &str, title: String) -> Self {
        Self {
            kind,
            id,
            rule: if rule.is_empty() { kind.as_str().to_owned() } else { rule.to_owned() },
            title,
            description: String::new(),
            severity: None,
            status: FindingStatus::New,
            is_sample: false,
            subscription: None,
            resources: Vec::new(),
            file: None,
            first: None,
            last: None,
            remediation: Vec::new(),
            techniques: Vec::new(),
            link: None,
        }
    }

    /// Whether it still needs attention.
    pub fn is_open(&self) -> bool {
        !matches!(self.status, FindingStatus::Resolved | FindingStatus::Dismissed)
    }

    /// Converts an alert.
    pub fn of_alert(alert: &Alert) -> Self {
        let resources: Vec<String> = alert.resources().iter().map(ToString::to_string).collect();
        let named = (!alert.compromised_entity.is_empty()).then(|| alert.compromised_entity.to_string());
        Self {
            description: alert.description.to_string(),
            severity: Some(alert.severity.clone()),
            status: match &alert.status {
                AlertStatus::Active => FindingStatus::New,
                AlertStatus::InProgress => FindingStatus::InProgress,
                AlertStatus::Resolved => FindingStatus::Resolved,
                AlertStatus::Dismissed => FindingStatus::Dismissed,
                other => FindingStatus::Other(other.to_string()),
            },
            is_sample: alert.is_sample(),
            subscription: Some(alert.id.subscription().clone()),
            resources: if resources.is_empty() { named.into_iter().collect() } else { resources },
            first: alert.start_time.or(alert.time_generated),
            last: alert.end_time,
            // Parts that cannot be read are omitted: the alert itself is what matters.
            remediation: owned(&alert.remediation_steps().unwrap_or_default()),
            techniques: owned(&alert.techniques().unwrap_or_default()),
            link: address(&alert.alert_uri),
            ..Self::new(
                FindingKind::Alert,
                alert.id.to_string(),
                &alert.alert_type,
                alert.display_name.to_string(),
            )
        }
    }

    /// Converts an attack path.
    pub fn of_attack_path(path: &AttackPath) -> Self {
        let ids = path.nodes.iter().filter_map(|node| node.resource_id.as_ref());
        Self {
            description: path.description.to_string(),
            severity: path.risk_level.as_ref().map(|risk| match risk {
                RiskLevel::None => Severity::Informational,
                RiskLevel::Low => Severity::Low,
                RiskLevel::Medium => Severity::Medium,
                RiskLevel::High => Severity::High,
                RiskLevel::Critical => Severity::Critical,
                other => Severity::from(other.to_string().as_str()),
            }),
            subscription: path.subscription.clone(),
            resources: ids.map(ToString::to_string).collect(),
            remediation: owned(&path.remediation_steps),
            ..Self::new(
                FindingKind::AttackPath,
                path.id.to_string(),
                &path.attack_path_type,
                path.display_name.to_string(),
            )
        }
    }

    /// Converts an exposed secret.
    pub fn of_secret(secret: &SecretFinding) -> Self {
        let rule = secret.secret_type.as_deref().unwrap_or_default();
        Self {
            severity: secret.severity.clone(),
            subscription: secret.subscription.clone(),
            resources: secret.resource.iter().cloned().collect(),
            file: secret.file_path.clone(),
            ..Self::new(FindingKind::ExposedSecret, secret.id.clone(), rule, secret.title.clone())
        }
    }

    /// Converts a recommendation; `None` unless its status is `Unhealthy`.
    pub fn of_assessment(assessment: &Assessment) -> Option<Self> {
        if assessment.status.code != AssessmentCode::Unhealthy {
            return None;
        }
        let metadata = assessment.metadata.as_ref();
        let text = |value: Option<&Option<String>>| value.and_then(Clone::clone).unwrap_or_default();
        let scope = assessment.id.scope();
        let remedy = text(metadata.map(|it| &it.remediation_description));
        Some(Self {
            description: text(metadata.map(|it| &it.description)),
            severity: assessment.severity(),
            subscription: scope.subscription(),
            resources: vec![scope.to_string()],
            first: assessment.status.first_evaluation_date,
            last: assessment.status.status_change_date,
            remediation: if remedy.is_empty() { Vec::new() } else { vec![remedy] },
            link: assessment.azure_portal_uri.as_deref().and_then(address),
            ..Self::new(
                FindingKind::Recommendation,
                assessment.id.to_string(),
                assessment.name.as_ref(),
                assessment.display_name.clone(),
            )
        })
    }

    /// Creates a finding for a rotation that was started but not finished, according to a ledger: the old credential
    /// may still be valid. `vault` is the host name; `first` and `last` are the times of the rotation's first and last
    /// entry.
    pub fn of_unfinished_rotation(
        vault: &str,
        secret: &SecretName,
        first: OffsetDateTime,
        last: OffsetDateTime,
    ) -> Self {
        let id = format!("https://{vault}/secrets/{secret}");
        let rule = "rotation-unfinished";
        Self {
            severity: Some(Severity::Medium),
            status: FindingStatus::InProgress,
            resources: vec![id.clone()],
            first: Some(first),
            last: Some(last),
            remediation: vec![
                "Run the rotation again with the same ledger: it resumes where it stopped.".to_owned(),
            ],
            ..Self::new(
                FindingKind::Rotation,
                format!("{id}#{rule}@{}", wire::instant::format(first)),
                rule,
                format!("The rotation of {secret} is not finished"),
            )
        }
    }

    /// Converts the gaps of a vault. Logging that could not be read is not a finding: see
    /// [`Findings::not_known`](super::Findings::not_known).
    pub fn of_vault(vault: &VaultCoverage) -> Vec<Self> {
        let id: &ResourceId = vault.vault.id.resource_id();
        let finding = |gap: &Gap| {
            let (rule, severity) = match gap {
                Gap::PlanOff => ("plan-off", Severity::High),
                Gap::NotFullyCovered(_) => ("not-fully-covered", Severity::Medium),
                Gap::NotLogged => ("not-logged", Severity::Medium),
                Gap::SinkGone { .. } => ("sink-gone", Severity::Medium),
                Gap::LoggedElsewhere(_) => ("logged-elsewhere", Severity::Low),
                Gap::LoggingUnknown(_) => return None,
            };
            Some(Self {
                severity: Some(severity),
                subscription: id.subscription(),
                resources: vec![id.to_string()],
                remediation: vec![gap.remedy().to_owned()],
                ..Self::new(
                    FindingKind::Coverage,
                    format!("{id}#{rule}"),
                    rule,
                    format!("{}: {gap}", id.name()),
                )
            })
        };
        vault.gaps().iter().filter_map(finding).collect()
    }
}

/// The URL of a page, with the scheme, which the service sometimes omits.
fn address(text: &str) -> Option<String> {
    match text {
        "" => None,
        text if text.contains("://") => Some(text.to_owned()),
        text => Some(format!("https://{text}")),
    }
}

fn owned(texts: &[impl ToString]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_keeps_its_description_and_says_whether_it_is_a_sample() {
        let id = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/locations/we/alerts/a";
        let alert: Alert = serde_json::from_value(json!({ "id": id, "properties": {
            "alertType": "SIMULATED_KV_TORAccess", "description": "what happened", "status": "Active",
        } }))
        .unwrap();
        let finding = Finding::of_alert(&alert);
        assert_eq!((finding.description.as_str(), finding.is_sample), ("what happened", true));
        assert!(finding.is_open());
    }

    #[test]
    fn an_unfinished_rotation_names_its_secret_and_when_it_was_last_at_work() {
        let (first, last) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::UNIX_EPOCH + time::Duration::HOUR);
        let secret: SecretName = "db".parse().unwrap();
        let finding = Finding::of_unfinished_rotation("kv.vault.azure.net", &secret, first, last);
        assert_eq!(finding.resources, ["https://kv.vault.azure.net/secrets/db"]);
        assert_eq!((finding.first, finding.last), (Some(first), Some(last)));
        assert!(finding.is_open() && !finding.remediation.is_empty());
    }
}
