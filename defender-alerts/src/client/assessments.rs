use arm_core::{ArmClient, ArmPath, ArmRequest, Pager, Scope};
use azure_core::Result;

use super::Properties;
use crate::{Assessment, AssessmentId, AssessmentSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments). It is the first with `risk`.
const API_VERSION: &str = "2025-05-04";

/// Members of an assessment that the service omits unless they are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expand {
    /// None of them.
    Nothing,
    /// The metadata, such as severity and remediation.
    Metadata,
    /// The link to the portal.
    Links,
    /// All of them.
    All,
}

impl Expand {
    fn add_to(self, request: ArmRequest) -> ArmRequest {
        let parts = match self {
            Self::Nothing => None,
            Self::Metadata => Some("metadata"),
            Self::Links => Some("links"),
            Self::All => Some("links,metadata"),
        };
        request.query_opt("$expand", parts)
    }
}

/// A client for assessments, which are the results of recommendations on individual resources.
#[derive(Debug, Clone)]
pub struct AssessmentsClient {
    pub(crate) arm: ArmClient,
}

impl AssessmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    pub(crate) fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// Streams all assessments of a subscription, management group, resource group or resource: `Assessments_List`.
    ///
    /// The severity is in the metadata, so request it with [`Expand::Metadata`]. The service has been observed to omit
    /// assessments that it had listed the day before.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/read`.
    pub fn list(&self, scope: impl Into<Scope>, expand: Expand) -> Pager<Assessment> {
        let path = ArmPath::from(&scope.into()).provider("Microsoft.Security").literal("assessments");
        expand.add_to(self.arm.get(path, API_VERSION)).pager()
    }

    /// Reads an assessment: `Assessments_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, id: &AssessmentId, expand: Expand) -> Result<Assessment> {
        expand.add_to(self.arm.get(id.path(), API_VERSION)).json().await
    }

    /// Reads an assessment; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, id: &AssessmentId, expand: Expand) -> Result<Option<Assessment>> {
        expand.add_to(self.arm.get(id.path(), API_VERSION)).json_opt().await
    }

    /// Creates or replaces an assessment of your own: `Assessments_CreateOrUpdate`.
    ///
    /// Its key must have metadata in the subscription. Results of built-in recommendations cannot be written.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(&self, id: &AssessmentId, spec: &AssessmentSpec) -> Result<Assessment> {
        self.arm.put(id.path(), API_VERSION).body(&Properties { properties: spec }).json().await
    }

    /// Deletes an assessment of your own: `Assessments_Delete`. Deleting one that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/assessments/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, id: &AssessmentId) -> Result<()> {
        self.arm.delete(id.path(), API_VERSION).send_empty().await
    }
}
