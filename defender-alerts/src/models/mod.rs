//! Models, with one file for each resource.

mod additional_data;
mod alert;
mod alert_parts;
pub(crate) mod assessment;
mod assessment_metadata;
mod attack_path;
mod governance_assignment;
pub(crate) mod key_vault;
mod secret_finding;
mod secure_score;
mod security_contact;
mod severity;
mod standard_assignment;
mod sub_assessment;
mod suppression_rule;

pub use additional_data::{AdditionalData, ResourceDetails, ResourceSource};
pub use alert::Alert;
pub use alert_parts::{
    Account, Entity, EntityKind, ExtendedLink, GeoLocation, Host, Ip, LogAnalyticsIdentifier,
    ResourceIdentifier, SupportingEvidence,
};
pub use assessment::{
    Assessment, AssessmentCode, AssessmentRisk, AssessmentSpec, AssessmentStatus, PartnersData, RiskEdge,
    RiskLevel, RiskNode, RiskPath,
};
pub use assessment_metadata::{
    AssessmentMetadata, AssessmentMetadataProperties, AssessmentType, Effort, MetadataPartnerData,
};
pub use attack_path::{AttackPath, AttackPathEdge, AttackPathNode, AttackPathShape};
pub use governance_assignment::{GovernanceAssignment, GovernanceAssignmentSpec};
pub use key_vault::KeyVaultAlertType;
pub use secret_finding::{SecretFinding, SecretSource};
pub use secure_score::{ControlType, Score, SecureScore, SecureScoreControl, SecureScoreControlDefinition};
pub use security_contact::{NotificationState, NotificationsByRole, NotificationsSource, SecurityContact};
pub use severity::{AlertBundle, AlertStatus, Intent, Severity};
pub use standard_assignment::{
    AssignedAssessment, AssignedStandard, AssignmentEffect, ExemptionData, StandardAssignment,
    StandardAssignmentSpec,
};
pub use sub_assessment::{
    Cvss, Reference, SubAssessment, SubAssessmentKind, SubAssessmentStatus, Vulnerability,
};
pub use suppression_rule::{RuleState, ScopeElement, SuppressionRule, SuppressionRuleSpec, SuppressionScope};

/// Returns the value of an open enum whose field is absent: `Unknown("")`.
fn blank<T: From<&'static str>>() -> T {
    T::from("")
}
