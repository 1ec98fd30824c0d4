//! Assignments of recommendations to owners.

use arm_core::wire::{self, AsSent, UnknownFields};
use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Serialize};
use typed_builder::TypedBuilder;

/// The assignment of a recommendation on a resource to an owner, with a due date.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct GovernanceAssignment {
    /// The id.
    #[serde(default, with = "wire::text")]
    pub id: String,
    /// The name, a GUID.
    #[serde(default, with = "wire::text")]
    pub name: String,
    /// The settings. To change the assignment, modify a clone and write it: fields that this version does not model are
    /// kept.
    #[serde(rename = "properties")]
    pub spec: GovernanceAssignmentSpec,
}

/// The settings of a governance assignment.
///
/// ```
/// use azure_core::time::OffsetDateTime;
/// use defender_alerts::GovernanceAssignmentSpec;
///
/// let spec = GovernanceAssignmentSpec::builder()
///     .owner("owner@contoso.example")
///     .remediation_due_date(OffsetDateTime::UNIX_EPOCH)
///     .build();
/// # assert_eq!(serde_json::to_value(&spec).unwrap()["owner"], "owner@contoso.example");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct GovernanceAssignmentSpec {
    /// The owner, as `name@domain`.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The due date. The service requires it.
    #[builder(setter(strip_option))]
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub remediation_due_date: Option<OffsetDateTime>,
    /// Whether the secure score is unaffected until the due date.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_grace_period: Option<bool>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(GovernanceAssignmentSpec);

impl GovernanceAssignmentSpec {
    /// Returns JSON pointers to the parts of the response that could not be read. These parts are written back
    /// unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }
}

impl GovernanceAssignment {
    /// Returns the assignment that would result from creating it now.
    pub(crate) fn planned(
        assessment: &crate::AssessmentId,
        name: uuid::Uuid,
        spec: GovernanceAssignmentSpec,
    ) -> Self {
        Self { id: format!("{assessment}/governanceAssignments/{name}"), name: name.to_string(), spec }
    }
}
