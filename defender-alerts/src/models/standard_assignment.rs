//! Assignments of standards to scopes, and exemptions from them.

use arm_core::{
    Scope,
    wire::{self, AsSent, UnknownFields},
};
use azure_core::time::OffsetDateTime;
use resource_ops::ExemptionCategory;
use serde::{Deserialize, Serialize};
use typed_builder::TypedBuilder;

use super::blank;
use crate::AssessmentKey;

arm_core::open_enum! {
    /// The effect of a standard assignment at its scope.
    pub enum AssignmentEffect {
        /// The standard assesses the scope.
        Audit = "Audit",
        /// The scope is exempt from a recommendation.
        Exempt = "Exempt",
        /// Somebody has attested that a recommendation is met.
        Attest = "Attest",
    }
}

/// The assignment of a standard to a scope, or an exemption from it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct StandardAssignment {
    /// The id, which contains the scope and the name.
    #[serde(default, with = "wire::text")]
    pub id: String,
    /// The name, a GUID.
    #[serde(default, with = "wire::text")]
    pub name: String,
    /// The settings. To change the assignment, modify a clone and write it: fields that this version does not model are
    /// kept.
    #[serde(rename = "properties")]
    pub spec: StandardAssignmentSpec,
}

/// The settings of a standard assignment.
///
/// ```
/// use defender_alerts::{AssignmentEffect, ExemptionData, StandardAssignmentSpec};
/// use resource_ops::ExemptionCategory;
///
/// let key = "00000000-0000-0000-0000-0000000000a6".parse()?;
/// let spec = StandardAssignmentSpec::builder()
///     .effect(AssignmentEffect::Exempt)
///     .exemption_data(ExemptionData::new(ExemptionCategory::Waiver, &key))
///     .description("a key of a test, which opens nothing")
///     .build();
/// # assert_eq!(serde_json::to_value(&spec)?["exemptionData"]["exemptionCategory"], "Waiver");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct StandardAssignmentSpec {
    /// The effect.
    #[serde(default = "blank")]
    pub effect: AssignmentEffect,
    /// The display name.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The reason, as free text.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The standard. An exemption may have none.
    #[builder(default, setter(transform = |id: impl Into<String>| Some(AssignedStandard::new(id))))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_standard: Option<AssignedStandard>,
    /// The scopes below the assignment's scope to which it does not apply.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub excluded_scopes: Vec<String>,
    /// When the assignment expires. Default: never.
    #[builder(default, setter(strip_option))]
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub expires_on: Option<OffsetDateTime>,
    /// The data of an exemption; `None` if this is not an exemption.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exemption_data: Option<ExemptionData>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(StandardAssignmentSpec);

/// The standard of an assignment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AssignedStandard {
    /// The standard's id.
    #[serde(default, with = "wire::text")]
    pub id: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl AssignedStandard {
    /// Creates a reference to the standard with this id.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), unknown: UnknownFields::default() }
    }
}

/// The recommendation that an exemption concerns, and the category of its reason.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ExemptionData {
    /// The category of the reason.
    #[serde(rename = "exemptionCategory", default = "blank")]
    pub category: ExemptionCategory,
    /// The recommendation from which the scope is exempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_assessment: Option<AssignedAssessment>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// The recommendation that an exemption concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssignedAssessment {
    /// The recommendation's key.
    #[serde(default, with = "wire::text")]
    pub assessment_key: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl ExemptionData {
    /// Creates the data of an exemption from one recommendation.
    pub fn new(category: ExemptionCategory, key: &AssessmentKey) -> Self {
        let assessment_key = key.as_str().to_owned();
        let assessment = AssignedAssessment { assessment_key, unknown: UnknownFields::default() };
        Self { category, assigned_assessment: Some(assessment), unknown: UnknownFields::default() }
    }

    /// Whether the exemption has a rule that limits it to some findings of the recommendation. This version does not
    /// model such rules.
    pub fn has_rule(&self) -> bool {
        self.unknown.get("subAssessmentExemptionRule").is_some_and(|rule| !rule.is_null())
    }

    /// Whether the exemption covers all findings of this recommendation.
    pub fn is_about(&self, key: &AssessmentKey) -> bool {
        let of = |it: &AssignedAssessment| it.assessment_key.eq_ignore_ascii_case(key.as_str());
        !self.has_rule() && self.assigned_assessment.as_ref().is_some_and(of)
    }
}

impl StandardAssignmentSpec {
    /// Returns JSON pointers to the parts of the response that could not be read. These parts are written back
    /// unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// Whether the assignment is in force at this time.
    pub fn is_in_force(&self, at: OffsetDateTime) -> bool {
        self.expires_on.is_none_or(|end| at < end)
    }
}

impl StandardAssignment {
    /// Returns the assignment that would result from creating it now.
    pub(crate) fn planned(scope: &Scope, name: uuid::Uuid, spec: StandardAssignmentSpec) -> Self {
        let id = format!("{scope}/providers/Microsoft.Security/standardAssignments/{name}");
        Self { id, name: name.to_string(), spec }
    }
}
