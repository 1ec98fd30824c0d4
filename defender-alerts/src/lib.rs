#![doc = include_str!("../README.md")]

mod client;
mod id;
mod models;
mod recommendations;
mod tasks;
mod triage;

pub use client::{
    AlertsClient, AssessmentMetadataClient, AssessmentsClient, AttackPathsClient, Expand,
    GovernanceAssignmentsClient, SecureScoresClient, SecurityContactsClient, StandardAssignmentsClient,
    SubAssessmentsClient, SuppressionRulesClient,
};
pub use id::{AlertId, AssessmentId, AssessmentKey, Location, SubAssessmentId};
pub use models::{
    Account, AdditionalData, Alert, AlertBundle, AlertStatus, Assessment, AssessmentCode, AssessmentMetadata,
    AssessmentMetadataProperties, AssessmentRisk, AssessmentSpec, AssessmentStatus, AssessmentType,
    AssignedAssessment, AssignedStandard, AssignmentEffect, AttackPath, AttackPathEdge, AttackPathNode,
    AttackPathShape, ControlType, Cvss, Effort, Entity, EntityKind, ExemptionData, ExtendedLink, GeoLocation,
    GovernanceAssignment, GovernanceAssignmentSpec, Host, Intent, Ip, KeyVaultAlertType,
    LogAnalyticsIdentifier, MetadataPartnerData, NotificationState, NotificationsByRole, NotificationsSource,
    PartnersData, Reference, ResourceDetails, ResourceIdentifier, ResourceSource, RiskEdge, RiskLevel,
    RiskNode, RiskPath, RuleState, ScopeElement, Score, SecretFinding, SecretSource, SecureScore,
    SecureScoreControl, SecureScoreControlDefinition, SecurityContact, Severity, StandardAssignment,
    StandardAssignmentSpec, SubAssessment, SubAssessmentKind, SubAssessmentStatus, SupportingEvidence,
    SuppressionRule, SuppressionRuleSpec, SuppressionScope, Vulnerability,
};
pub use recommendations::{AssessmentFilter, KnownRecommendation};
pub use tasks::{
    AlertAction, AttackPaths, EnsureOwner, Exempt, Exempted, Exemption, ExemptionReason, PlanState,
    PostureCoverage, SecretFindings, SecretFindingsClient, SetStatus, SetStatusReport, SourceState,
};
pub use triage::{Address, Caller, Finding, Missing, ResponsePhase, ResponseStep, VaultAccess};
