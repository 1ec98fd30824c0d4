//! An assessment: the result of a recommendation on one resource.

use arm_core::{
    Secret,
    wire::{self, Kept, SentText, UnknownFields},
};
use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use typed_builder::TypedBuilder;

use super::blank;
use crate::{
    AdditionalData, AssessmentId, AssessmentKey, AssessmentMetadataProperties, ResourceDetails, Severity,
};

arm_core::open_enum! {
    /// Whether a resource follows a recommendation.
    pub enum AssessmentCode {
        /// The resource follows the recommendation.
        Healthy = "Healthy",
        /// The resource does not follow the recommendation.
        Unhealthy = "Unhealthy",
        /// The resource was not assessed. The cause says why, such as `OffByPolicy`.
        NotApplicable = "NotApplicable",
    }
}

arm_core::open_enum! {
    /// The risk level of a recommendation on its resource.
    pub enum RiskLevel {
        /// None.
        None = "None",
        /// Low.
        Low = "Low",
        /// Medium.
        Medium = "Medium",
        /// High.
        High = "High",
        /// Critical.
        Critical = "Critical",
    }
}

/// An assessment: the result of a recommendation on one resource.
///
/// `Serialize` writes the assessment as the service sent it; it fails if a field has been changed since. To write an
/// assessment to the service, use an [`AssessmentSpec`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Assessment {
    /// The id, which contains the resource and the key.
    pub id: AssessmentId,
    /// The key of the recommendation; for a finding in the newer model, its own key.
    pub name: AssessmentKey,
    /// The title of the recommendation.
    pub display_name: String,
    /// Whether the resource follows the recommendation.
    pub status: AssessmentStatus,
    /// The resource.
    pub resource_details: ResourceDetails,
    /// Additional data of the recommendation.
    pub additional_data: AdditionalData,
    /// The page in the portal; `None` if the service omits it, as it does without
    /// [`Expand::Links`](crate::Expand::Links).
    pub azure_portal_uri: Option<String>,
    /// The metadata of the recommendation, including its severity; `None` if the service omits it, as it does without
    /// [`Expand::Metadata`](crate::Expand::Metadata).
    pub metadata: Option<AssessmentMetadataProperties>,
    /// The name of the partner that created the assessment.
    pub partner_name: Option<String>,
    /// The risk on this resource; `None` without Defender CSPM.
    pub risk: Option<AssessmentRisk>,
    unknown: UnknownFields,
    sent: SentText,
}

impl Assessment {
    /// Returns the severity: from the metadata if there is any, or else from the status, where Resource Graph writes
    /// it. `None` if neither has it.
    pub fn severity(&self) -> Option<Severity> {
        let by_metadata = self.metadata.as_ref().map(|metadata| metadata.severity.clone());
        by_metadata.or_else(|| self.status.severity.clone())
    }
}

/// Whether a resource follows a recommendation, and since when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AssessmentStatus {
    /// The result of the assessment.
    #[serde(default = "blank")]
    pub code: AssessmentCode,
    /// The cause as one word, such as `OffByPolicy`.
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// The cause as a sentence.
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// When the resource was first assessed. Set by the service.
    #[serde(default, with = "wire::instant::option", skip_serializing)]
    pub first_evaluation_date: Option<OffsetDateTime>,
    /// When the code last changed. Set by the service.
    #[serde(default, with = "wire::instant::option", skip_serializing)]
    pub status_change_date: Option<OffsetDateTime>,
    /// The severity, which Resource Graph writes here in the older model. Set by the service.
    #[serde(default, skip_serializing)]
    pub severity: Option<Severity>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl AssessmentStatus {
    /// Whether the resource is exempt from the recommendation.
    pub fn is_exempt(&self) -> bool {
        // The cause `Exempt` is published in samples of sub-assessments.
        let cause = self.cause.as_deref().is_some_and(|cause| cause.eq_ignore_ascii_case("Exempt"));
        self.code == AssessmentCode::NotApplicable && cause
    }

    /// Creates a status to write.
    pub fn new(code: AssessmentCode) -> Self {
        Self {
            code,
            cause: None,
            description: None,
            first_evaluation_date: None,
            status_change_date: None,
            severity: None,
            unknown: UnknownFields::default(),
        }
    }
}

impl Default for AssessmentStatus {
    fn default() -> Self {
        Self::new(blank())
    }
}

/// The risk of a recommendation on its resource, and its causes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AssessmentRisk {
    /// The level.
    #[serde(default = "blank")]
    pub level: RiskLevel,
    /// Whether the context of the resource was taken into account.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub is_contextual_risk: bool,
    /// The factors of the risk, such as `Internet exposure`.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub risk_factors: Vec<String>,
    /// The ids of the attack paths that contain the resource.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub attack_paths_references: Vec<String>,
    /// The attack paths as graphs.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub paths: Vec<RiskPath>,
}

impl Default for AssessmentRisk {
    fn default() -> Self {
        let (risk_factors, attack_paths_references, paths) = Default::default();
        Self { level: blank(), is_contextual_risk: false, risk_factors, attack_paths_references, paths }
    }
}

/// An attack path of an [`AssessmentRisk`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RiskPath {
    /// The id of the path.
    #[serde(with = "wire::text")]
    pub id: String,
    /// The nodes.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub nodes: Vec<RiskNode>,
    /// The edges.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub edges: Vec<RiskEdge>,
}

/// A node of a [`RiskPath`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RiskNode {
    /// The id in the graph.
    #[serde(with = "wire::text")]
    pub id: String,
    /// The labels, which describe the node.
    #[serde(rename = "nodePropertiesLabel", deserialize_with = "wire::without_nulls")]
    pub labels: Vec<String>,
}

/// An edge of a [`RiskPath`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RiskEdge {
    /// The id in the graph.
    #[serde(with = "wire::text")]
    pub id: String,
    /// The id of the source node.
    #[serde(with = "wire::text")]
    pub source_id: String,
    /// The id of the target node.
    #[serde(with = "wire::text")]
    pub target_id: String,
}

#[derive(Debug, Deserialize)]
pub struct Wire {
    id: AssessmentId,
    name: Option<AssessmentKey>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    properties: Properties,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    #[serde(with = "wire::text")]
    display_name: String,
    #[serde(deserialize_with = "wire::null_as_default")]
    status: AssessmentStatus,
    resource_details: ResourceDetails,
    additional_data: AdditionalData,
    links: Option<Links>,
    metadata: Option<AssessmentMetadataProperties>,
    partners_data: Option<PartnerName>,
    risk: Option<AssessmentRisk>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Links {
    #[serde(default, with = "wire::text::option")]
    azure_portal_uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartnerName {
    #[serde(default, with = "wire::text::option")]
    partner_name: Option<String>,
}

impl Kept for Assessment {
    type Wire<'a> = Wire;

    fn read(Wire { id, name, properties: it }: Wire, text: &str) -> Self {
        Self {
            name: name.unwrap_or_else(|| id.key().clone()),
            id,
            display_name: it.display_name,
            status: it.status,
            resource_details: it.resource_details,
            additional_data: it.additional_data,
            azure_portal_uri: it.links.and_then(|links| links.azure_portal_uri),
            metadata: it.metadata,
            partner_name: it.partners_data.and_then(|partner| partner.partner_name),
            risk: it.risk,
            unknown: it.unknown,
            sent: SentText::of(text),
        }
    }

    fn sent(&self) -> &SentText {
        &self.sent
    }
}

arm_core::kept!(Assessment);

/// An assessment to write, by your own tool or that of a partner.
///
/// To change an existing assessment, create the spec from the [`Assessment`]: fields that this version does not model
/// are then written back.
#[derive(Debug, Clone, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
pub struct AssessmentSpec {
    /// Whether the resource follows the recommendation.
    pub status: AssessmentStatus,
    /// The resource.
    pub resource_details: ResourceDetails,
    /// Additional data, as strings.
    #[builder(default)]
    #[serde(skip_serializing_if = "AdditionalData::is_absent")]
    pub additional_data: AdditionalData,
    /// The partner, for recommendations of verified partners. Provide it for each write, since the service never
    /// returns its secret.
    #[builder(default, setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partners_data: Option<PartnersData>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// The partner that writes an assessment.
#[derive(Debug, Clone, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
pub struct PartnersData {
    /// The name.
    #[builder(setter(into))]
    pub partner_name: String,
    /// The secret.
    #[serde(with = "wire::secret")]
    pub secret: Secret,
}

impl From<&Assessment> for AssessmentSpec {
    fn from(read: &Assessment) -> Self {
        Self {
            status: read.status.clone(),
            resource_details: read.resource_details.clone(),
            additional_data: read.additional_data.clone(),
            partners_data: None,
            unknown: read.unknown.clone(),
        }
    }
}

/// Decodes nested JSON, which may be an object or a string.
pub(crate) fn nested<T: DeserializeOwned>(value: &Value) -> Option<T> {
    match value {
        Value::String(text) => serde_json::from_str(text).ok(),
        other => T::deserialize(other).ok(),
    }
}
