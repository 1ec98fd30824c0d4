use arm_core::{ArmClient, ArmPath, Pager};
use azure_core::Result;
use uuid::Uuid;

use super::Properties;
use crate::{AssessmentId, GovernanceAssignment, GovernanceAssignmentSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/governance-assignments).
const API_VERSION: &str = "2022-01-01-preview";

/// A client for governance assignments, which assign a recommendation on a resource to an owner, with a due date.
///
/// They require Defender CSPM.
#[derive(Debug, Clone)]
pub struct GovernanceAssignmentsClient {
    arm: ArmClient,
}

impl GovernanceAssignmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the assignments of an assessment: `GovernanceAssignments_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/governance-assignments/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/governanceAssignments/read`.
    #[inline]
    pub fn list(&self, assessment: &AssessmentId) -> Pager<GovernanceAssignment> {
        self.arm.get(assignments(assessment), API_VERSION).pager()
    }

    /// Reads an assignment: `GovernanceAssignments_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/governance-assignments/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/governanceAssignments/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, assessment: &AssessmentId, name: Uuid) -> Result<GovernanceAssignment> {
        self.arm.get(the_one(assessment, name), API_VERSION).json().await
    }

    /// Reads an assignment; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(
        &self,
        assessment: &AssessmentId,
        name: Uuid,
    ) -> Result<Option<GovernanceAssignment>> {
        self.arm.get(the_one(assessment, name), API_VERSION).json_opt().await
    }

    /// Creates or replaces an assignment: `GovernanceAssignments_CreateOrUpdate`.
    ///
    /// To change an assignment, read it, modify its `spec`, and write the modified `spec`. [`ensure`](Self::ensure)
    /// chooses the name.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/governance-assignments/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/governanceAssignments/write`: Contributor, Security Admin or Owner.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        assessment: &AssessmentId,
        name: Uuid,
        spec: &GovernanceAssignmentSpec,
    ) -> Result<GovernanceAssignment> {
        let request = self.arm.put(the_one(assessment, name), API_VERSION);
        request.body(&Properties { properties: spec }).json().await
    }

    /// Deletes an assignment: `GovernanceAssignments_Delete`. Deleting one that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/governance-assignments/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/assessments/governanceAssignments/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, assessment: &AssessmentId, name: Uuid) -> Result<()> {
        self.arm.delete(the_one(assessment, name), API_VERSION).send_empty().await
    }
}

fn assignments(assessment: &AssessmentId) -> ArmPath {
    assessment.path().literal("governanceAssignments")
}

fn the_one(assessment: &AssessmentId, name: Uuid) -> ArmPath {
    assignments(assessment).segment(name.to_string())
}
