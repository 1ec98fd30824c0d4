use arm_core::{ArmClient, ResourceId};
use azure_core::Result;

use crate::PolicyAssignment;

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/policy/policy-assignments).
const API_VERSION: &str = "2023-04-01";

/// A client for policy assignments, which apply policies to scopes.
#[derive(Debug, Clone)]
pub struct PolicyAssignmentsClient {
    arm: ArmClient,
}

impl PolicyAssignmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Reads an assignment: `PolicyAssignments_GetById`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/policy/policy-assignments/get-by-id)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/policyAssignments/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: the service's code is `PolicyAssignmentNotFound`.
    pub async fn get(&self, id: &ResourceId) -> Result<PolicyAssignment> {
        self.arm.get(id, API_VERSION).json().await
    }
}
