//! The metadata shared by all assessments of a recommendation.

use arm_core::{
    Secret,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};
use typed_builder::TypedBuilder;

use super::blank;
use crate::{AssessmentKey, Severity};

arm_core::open_enum! {
    /// The origin of a recommendation.
    pub enum AssessmentType {
        /// The service does not know.
        Unspecified = "Unknown",
        /// Microsoft.
        BuiltIn = "BuiltIn",
        /// Microsoft, with a policy.
        BuiltInPolicy = "BuiltInPolicy",
        /// You, with a query.
        Custom = "Custom",
        /// You, with a policy.
        CustomPolicy = "CustomPolicy",
        /// You, with results that you write.
        CustomerManaged = "CustomerManaged",
        /// A partner verified by Microsoft.
        VerifiedPartner = "VerifiedPartner",
        /// Microsoft, with a policy for which you attest compliance manually.
        ManualBuiltInPolicy = "ManualBuiltInPolicy",
        /// Microsoft, with compliance that you attest manually.
        ManualBuiltIn = "ManualBuiltIn",
        /// You, with a policy for which you attest compliance manually.
        ManualCustomPolicy = "ManualCustomPolicy",
        /// Microsoft, with one recommendation for each finding.
        DynamicBuiltIn = "DynamicBuiltIn",
    }
}

arm_core::open_enum! {
    /// An amount of effort or impact.
    pub enum Effort {
        /// Low.
        Low = "Low",
        /// Moderate.
        Moderate = "Moderate",
        /// High.
        High = "High",
    }
}

/// The metadata of a recommendation, with its key.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct AssessmentMetadata {
    /// The key of the recommendation.
    pub name: AssessmentKey,
    /// The definition.
    pub properties: AssessmentMetadataProperties,
}

/// The definition of a recommendation. You can write the definitions of your own recommendations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct AssessmentMetadataProperties {
    /// The title of the recommendation.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub display_name: String,
    /// The severity if a resource does not follow the recommendation.
    #[serde(default = "blank")]
    pub severity: Severity,
    /// The origin. Your own recommendations are [`AssessmentType::CustomerManaged`].
    #[serde(default = "blank")]
    pub assessment_type: AssessmentType,
    /// The description.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The steps to remediate a finding.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub remediation_description: Option<String>,
    /// The categories, such as `Data`.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<String>,
    /// The threats from which the recommendation protects, such as `dataExfiltration`.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub threats: Vec<String>,
    /// MITRE ATT&CK tactics, such as `Credential Access`.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub tactics: Vec<String>,
    /// MITRE ATT&CK techniques, such as `Unsecured Credentials`.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<String>,
    /// The impact of the remediation on users.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_impact: Option<Effort>,
    /// The effort of the remediation.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementation_effort: Option<Effort>,
    /// Whether the recommendation is in preview and does not count for the secure score.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<bool>,
    /// The id of the policy that checks the recommendation. Set by the service.
    #[builder(default, setter(skip))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub policy_definition_id: Option<String>,
    /// The category in the newer model, such as `ExposedSecrets`. Set by the service.
    #[builder(default, setter(skip))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub recommendation_category: Option<String>,
    /// The month of the planned deprecation, as `MM/YYYY`.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub planned_deprecation_date: Option<String>,
    /// The partner, for recommendations of verified partners. The service never returns its secret.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partner_data: Option<MetadataPartnerData>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(AssessmentMetadataProperties);

/// The partner that provides a recommendation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct MetadataPartnerData {
    /// The name.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub partner_name: String,
    /// The name of the partner's product.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub product_name: Option<String>,
    /// The secret, which is required for writes and never returned.
    #[builder(setter(strip_option))]
    #[serde(default, with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
}
