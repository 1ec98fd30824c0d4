use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};

use crate::Rule;

arm_core::open_enum! {
    /// The type of event that an automation handles. Snapshots are sent once a week, other events as they occur.
    pub enum EventSource {
        /// Security alerts.
        Alerts = "Alerts",
        /// Changes of recommendations for resources.
        Assessments = "Assessments",
        /// All recommendations.
        AssessmentsSnapshot = "AssessmentsSnapshot",
        /// Sub-assessments: findings of a recommendation. Grouped sub-assessments were retired in July 2026.
        SubAssessments = "SubAssessments",
        /// All sub-assessments.
        SubAssessmentsSnapshot = "SubAssessmentsSnapshot",
        /// Attack paths.
        AttackPaths = "AttackPaths",
        /// All attack paths.
        AttackPathsSnapshot = "AttackPathsSnapshot",
        /// The secure score.
        SecureScores = "SecureScores",
        /// The secure score.
        SecureScoresSnapshot = "SecureScoresSnapshot",
        /// Controls of the secure score.
        SecureScoreControls = "SecureScoreControls",
        /// All controls of the secure score.
        SecureScoreControlsSnapshot = "SecureScoreControlsSnapshot",
        /// Compliance with a regulatory standard.
        RegulatoryComplianceAssessment = "RegulatoryComplianceAssessment",
        /// Compliance with all regulatory standards.
        RegulatoryComplianceAssessmentSnapshot = "RegulatoryComplianceAssessmentSnapshot",
    }
}

/// The events on which an automation acts: those that match all rules of at least one set; without sets, every event.
///
/// ```
/// use defender_automation::{Rule, Source};
///
/// let source = Source::alerts()
///     .when_all([Rule::alert_type().starts_with("KV_"), Rule::text("Severity").equals("Medium")])
///     .when_all([Rule::alert_type().equals("KV_TORAccess")]);
/// assert_eq!(source.rule_sets.len(), 2);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Source {
    /// The type of event.
    pub event_source: EventSource,
    /// The rule sets; an event passes if it matches at least one of them.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub rule_sets: Vec<RuleSet>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A set of rules, all of which must match.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RuleSet {
    /// The rules.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub rules: Vec<Rule>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Source {
    /// Creates a source that matches every event of this type.
    pub fn of(event_source: EventSource) -> Self {
        Self { event_source, rule_sets: Vec::new(), unknown: UnknownFields::default() }
    }

    /// Creates a source that matches every alert.
    pub fn alerts() -> Self {
        Self::of(EventSource::Alerts)
    }

    /// Creates a source that matches every change of a recommendation.
    pub fn assessments() -> Self {
        Self::of(EventSource::Assessments)
    }

    /// Adds a rule set: an event must match all these rules. If this method is called several times, an event must
    /// match all the rules of at least one of the calls.
    pub fn when_all(mut self, rules: impl IntoIterator<Item = Rule>) -> Self {
        let rules = rules.into_iter().collect();
        self.rule_sets.push(RuleSet { rules, unknown: UnknownFields::default() });
        self
    }
}
