//! Findings of grouped recommendations.

use std::collections::BTreeMap;

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Deserializer};

use super::{assessment::nested, blank};
use crate::{AdditionalData, AssessmentCode, ResourceDetails, Severity, SubAssessmentId};

/// A finding of a grouped recommendation. The service stopped serving these on July 31, 2026.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubAssessment {
    /// The id, which contains the assessment and the name of the finding.
    pub id: SubAssessmentId,
    /// The scanner's id of the finding, such as `VA2064`.
    pub finding_id: String,
    /// The title.
    pub display_name: String,
    /// Whether the finding is present, and its severity.
    pub status: SubAssessmentStatus,
    /// The description.
    pub description: String,
    /// The steps to remediate the finding.
    pub remediation: String,
    /// The impact.
    pub impact: String,
    /// The category, as the scanner names it.
    pub category: String,
    /// When the finding was generated.
    pub time_generated: Option<OffsetDateTime>,
    /// The resource that has the finding.
    pub resource_details: ResourceDetails,
    /// All additional data of the scanner; see [`kind`](Self::kind).
    pub additional_data: AdditionalData,
}

/// Whether a finding is present, and its severity.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct SubAssessmentStatus {
    /// The result.
    pub code: AssessmentCode,
    /// The severity.
    pub severity: Severity,
    /// The cause as one word.
    #[serde(with = "wire::text")]
    pub cause: String,
    /// The cause as a sentence.
    #[serde(with = "wire::text")]
    pub description: String,
}

impl Default for SubAssessmentStatus {
    fn default() -> Self {
        Self { code: blank(), severity: blank(), cause: String::new(), description: String::new() }
    }
}

/// The type of resource that was scanned, with the scanner's data.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SubAssessmentKind {
    /// A SQL server.
    SqlServerVulnerability {
        /// The query that shows the finding.
        query: Option<String>,
    },
    /// An image in a registry.
    ContainerRegistryVulnerability(Vulnerability),
    /// A machine.
    ServerVulnerability(Vulnerability),
    /// The name of any other type, such as that of secrets, or of a type whose data cannot be read.
    Other(String),
}

/// A vulnerability of an image or machine.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Vulnerability {
    /// The CVSS scores, by version of CVSS.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub cvss: BTreeMap<String, Cvss>,
    /// Whether a patch is available.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub patchable: bool,
    /// The CVE ids.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub cve: Vec<Reference>,
    /// When the vulnerability was published.
    #[serde(with = "wire::instant::option")]
    pub published_time: Option<OffsetDateTime>,
    /// The vendor's references.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub vendor_references: Vec<Reference>,
    /// The threat that the vulnerability poses.
    #[serde(with = "wire::text::option")]
    pub threat: Option<String>,
    /// The repository of the image.
    #[serde(with = "wire::text::option")]
    pub repository_name: Option<String>,
    /// The digest of the image.
    #[serde(with = "wire::text::option")]
    pub image_digest: Option<String>,
}

/// A CVSS score.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Cvss {
    /// The base score, from 0 to 10.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub base: f64,
}

/// A title and a link.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Reference {
    /// The title.
    #[serde(with = "wire::text")]
    pub title: String,
    /// The link.
    #[serde(with = "wire::text")]
    pub link: String,
}

impl SubAssessment {
    /// Returns the type of resource that was scanned, with the scanner's data.
    pub fn kind(&self) -> SubAssessmentKind {
        let data = &self.additional_data;
        let word = data.text("assessedResourceType").unwrap_or_default();
        let whole = || serde_json::to_value(data).ok().and_then(|data| nested::<Vulnerability>(&data));
        match word.as_str() {
            "SqlServerVulnerability" => {
                SubAssessmentKind::SqlServerVulnerability { query: data.text("query") }
            }
            "ContainerRegistryVulnerability" => whole()
                .map_or(SubAssessmentKind::Other(word), SubAssessmentKind::ContainerRegistryVulnerability),
            "ServerVulnerability" | "ServerVulnerabilityAssessment" => {
                whole().map_or(SubAssessmentKind::Other(word), SubAssessmentKind::ServerVulnerability)
            }
            _ => SubAssessmentKind::Other(word),
        }
    }
}

#[derive(Deserialize)]
struct Wire {
    id: SubAssessmentId,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    #[serde(with = "wire::text")]
    id: String,
    #[serde(with = "wire::text")]
    display_name: String,
    #[serde(deserialize_with = "wire::null_as_default")]
    status: SubAssessmentStatus,
    #[serde(with = "wire::text")]
    description: String,
    #[serde(with = "wire::text")]
    remediation: String,
    #[serde(with = "wire::text")]
    impact: String,
    #[serde(with = "wire::text")]
    category: String,
    #[serde(with = "wire::instant::option")]
    time_generated: Option<OffsetDateTime>,
    resource_details: ResourceDetails,
    additional_data: AdditionalData,
}

impl<'de> Deserialize<'de> for SubAssessment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { id, properties: it } = Wire::deserialize(deserializer)?;
        Ok(Self {
            id,
            finding_id: it.id,
            display_name: it.display_name,
            status: it.status,
            description: it.description,
            remediation: it.remediation,
            impact: it.impact,
            category: it.category,
            time_generated: it.time_generated,
            resource_details: it.resource_details,
            additional_data: it.additional_data,
        })
    }
}
