//! Findings about secrets in plain text.

use arm_core::{ResourceId, SubscriptionId, wire};
use azure_core::time::OffsetDateTime;

use crate::{AdditionalData, Assessment, AssessmentCode, Severity, SubAssessment};

/// The model in which the service returned a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SecretSource {
    /// The model since July 2026: one recommendation for each secret, in the category `ExposedSecrets`.
    ExposedSecrets,
    /// The older model: one recommendation with a fixed key for all secrets of a resource, which does not say how many
    /// there are.
    GroupedRecommendation,
    /// The older model: one finding for each secret, below a grouped recommendation. No longer served.
    SubAssessment,
}

/// A finding about a secret in plain text. Defender does not return the secret itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SecretFinding {
    /// The model in which the service returned the finding.
    pub source: SecretSource,
    /// The id of the recommendation or finding.
    pub id: String,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The title.
    pub title: String,
    /// The type of secret, such as `SSH private key`; `None` if unknown, as in the grouped model.
    pub secret_type: Option<String>,
    /// The machine, repository or deployment that contains the secret, as the service names it.
    pub resource: Option<String>,
    /// The Azure resource id; `None` if [`resource`](Self::resource) is not one.
    pub resource_id: Option<ResourceId>,
    /// The type of the resource, such as `microsoft.compute/virtualmachines`.
    pub resource_type: Option<String>,
    /// The path of the file that contains the secret.
    pub file_path: Option<String>,
    /// When the file was last accessed.
    pub last_access: Option<OffsetDateTime>,
    /// When the secret expires, if it is a token.
    pub expires: Option<OffsetDateTime>,
    /// Whether the resource to which the secret gives access still exists.
    pub target_exists: Option<bool>,
    /// The severity.
    pub severity: Option<Severity>,
    /// Whether the finding is exempt. The secret still exists.
    pub is_exempt: bool,
    /// All additional data.
    pub additional_data: AdditionalData,
}

impl SecretFinding {
    /// Returns the finding in an assessment; `None` unless its status is `Unhealthy` or
    /// [exempt](crate::AssessmentStatus::is_exempt).
    pub fn of_assessment(assessment: &Assessment, source: SecretSource) -> Option<Self> {
        let is_exempt = assessment.status.is_exempt();
        if assessment.status.code != AssessmentCode::Unhealthy && !is_exempt {
            return None;
        }
        let data = &assessment.additional_data;
        let details = &assessment.resource_details;
        let scope = assessment.id.scope();
        let resource = details.id().map(str::to_owned).unwrap_or_else(|| scope.to_string());
        Some(Self {
            source,
            id: assessment.id.to_string(),
            subscription: scope.subscription(),
            title: assessment.display_name.clone(),
            resource_id: resource.parse().ok(),
            resource: Some(resource),
            resource_type: details.resource_type(),
            severity: assessment.severity(),
            is_exempt,
            ..Self::of_data(source, data)
        })
    }

    /// Returns the finding in a sub-assessment; `None` unless its status is `Unhealthy`.
    pub fn of_sub_assessment(finding: &SubAssessment) -> Option<Self> {
        if finding.status.code != AssessmentCode::Unhealthy {
            return None;
        }
        let details = &finding.resource_details;
        Some(Self {
            id: finding.id.to_string(),
            subscription: finding.id.assessment().scope().subscription(),
            title: finding.display_name.clone(),
            resource: details.id().map(str::to_owned),
            resource_id: details.resource_id(),
            resource_type: details.resource_type(),
            severity: Some(finding.status.severity.clone()),
            ..Self::of_data(SecretSource::SubAssessment, &finding.additional_data)
        })
    }

    fn of_data(source: SecretSource, data: &AdditionalData) -> Self {
        let first = |names: &[&str]| names.iter().find_map(|name| data.text(name));
        let time = |names: &[&str]| first(names).and_then(|text| wire::instant::parse(&text));
        Self {
            source,
            id: String::new(),
            subscription: None,
            title: String::new(),
            secret_type: first(&["secretType", "secretName"]),
            resource: None,
            resource_id: None,
            resource_type: None,
            file_path: first(&["filePath", "path"]),
            last_access: time(&["lastAccessTime", "lastAccess"]),
            expires: time(&["tokenExpiration", "tokenExpiry", "expirationDate"]),
            target_exists: first(&["isTargetExists", "targetExists"]).and_then(|text| truth(&text)),
            severity: None,
            is_exempt: false,
            additional_data: data.clone(),
        }
    }
}

fn truth(text: &str) -> Option<bool> {
    ["false", "true"].iter().position(|word| word.eq_ignore_ascii_case(text)).map(|at| at == 1)
}

#[cfg(test)]
mod tests {
    use super::truth;

    #[test]
    fn whether_the_target_exists_is_a_word_in_any_case_and_anything_else_is_not_known() {
        let words = ["true", "True", "FALSE", "false", "yes", ""];
        assert_eq!(words.map(truth), [Some(true), Some(true), Some(false), Some(false), None, None]);
    }
}
