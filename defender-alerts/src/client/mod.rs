//! Clients, with one method for each REST operation.

mod alerts;
mod assessment_metadata;
mod assessments;
mod attack_paths;
mod governance_assignments;
mod secure_scores;
mod security_contacts;
mod standard_assignments;
mod sub_assessments;
mod suppression_rules;

pub use alerts::AlertsClient;
pub use assessment_metadata::AssessmentMetadataClient;
pub use assessments::{AssessmentsClient, Expand};
pub use attack_paths::AttackPathsClient;
pub use governance_assignments::GovernanceAssignmentsClient;
pub use secure_scores::SecureScoresClient;
pub use security_contacts::SecurityContactsClient;
pub use standard_assignments::StandardAssignmentsClient;
pub use sub_assessments::SubAssessmentsClient;
pub use suppression_rules::SuppressionRulesClient;

/// The body of a PUT whose model is its properties.
#[derive(serde::Serialize)]
struct Properties<'a, T> {
    properties: &'a T,
}
