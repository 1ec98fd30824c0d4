use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::Result;
use uuid::Uuid;

use super::Properties;
use crate::{StandardAssignment, StandardAssignmentSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/standard-assignments).
const API_VERSION: &str = "2024-08-01";

/// A client for standard assignments, which apply standards to scopes and exempt resources from them.
#[derive(Debug, Clone)]
pub struct StandardAssignmentsClient {
    arm: ArmClient,
}

impl StandardAssignmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the assignments that apply to a scope, including those of resources below it:
    /// `StandardAssignments_List`. The scope is a subscription, a management group or a security connector.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/standard-assignments/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/standardAssignments/read`.
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<StandardAssignment> {
        self.arm.get(assignments(scope), API_VERSION).pager()
    }

    /// Reads an assignment: `StandardAssignments_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/standard-assignments/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/standardAssignments/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; see [`get_opt`](Self::get_opt).
    pub async fn get(&self, scope: impl Into<Scope>, name: Uuid) -> Result<StandardAssignment> {
        self.arm.get(the_one(scope, name), API_VERSION).json().await
    }

    /// Reads an assignment; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, scope: impl Into<Scope>, name: Uuid) -> Result<Option<StandardAssignment>> {
        self.arm.get(the_one(scope, name), API_VERSION).json_opt().await
    }

    /// Creates or replaces an assignment: `StandardAssignments_Create`.
    ///
    /// To change an assignment, read it, modify its `spec`, and write the modified `spec`. To exempt a finding, use
    /// [`AssessmentsClient::exempt`](crate::AssessmentsClient::exempt).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/standard-assignments/create)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/standardAssignments/write`: Security Admin, Owner, or Contributor of the subscription.
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
        scope: impl Into<Scope>,
        name: Uuid,
        spec: &StandardAssignmentSpec,
    ) -> Result<StandardAssignment> {
        let request = self.arm.put(the_one(scope, name), API_VERSION);
        request.body(&Properties { properties: spec }).json().await
    }

    /// Deletes an assignment: `StandardAssignments_Delete`. Deleting one that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/standard-assignments/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/standardAssignments/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, scope: impl Into<Scope>, name: Uuid) -> Result<()> {
        self.arm.delete(the_one(scope, name), API_VERSION).send_empty().await
    }
}

fn assignments(scope: impl Into<Scope>) -> ArmPath {
    ArmPath::from(&scope.into()).provider("Microsoft.Security").literal("standardAssignments")
}

fn the_one(scope: impl Into<Scope>, name: Uuid) -> ArmPath {
    assignments(scope).segment(name.to_string())
}
