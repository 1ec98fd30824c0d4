use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::{Result, error::ErrorKind};

use crate::{RoleAssignment, RoleAssignmentFilter, RoleAssignmentId, RoleAssignmentSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/authorization/role-assignments).
const API_VERSION: &str = "2022-04-01";

/// A client for role assignments at any scope.
///
/// A new assignment can take some minutes to take effect, and no operation shows whether it has. Until then, retry
/// requests that are refused.
#[derive(Debug, Clone)]
pub struct RoleAssignmentsClient {
    arm: ArmClient,
}

impl RoleAssignmentsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the assignments at, above and below a scope: `RoleAssignments_ListForSubscription`,
    /// `RoleAssignments_ListForResourceGroup`, `RoleAssignments_ListForResource` or `RoleAssignments_ListForScope`,
    /// depending on the scope.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-assignments/list-for-scope)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/roleAssignments/read`.
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<RoleAssignment> {
        self.list_filtered(scope, RoleAssignmentFilter::All)
    }

    /// Streams the assignments that match a filter: the same operations with `$filter`.
    pub fn list_filtered(
        &self,
        scope: impl Into<Scope>,
        filter: RoleAssignmentFilter,
    ) -> Pager<RoleAssignment> {
        let path =
            ArmPath::from(&scope.into()).provider("Microsoft.Authorization").literal("roleAssignments");
        self.arm.get(path, API_VERSION).query_opt("$filter", filter.text()).pager()
    }

    /// Reads an assignment: `RoleAssignments_Get` or `RoleAssignments_GetById`, which send the same request.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-assignments/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; see [`get_opt`](Self::get_opt).
    pub async fn get(&self, id: &RoleAssignmentId) -> Result<RoleAssignment> {
        self.arm.get(id, API_VERSION).json().await
    }

    /// Reads an assignment; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, id: &RoleAssignmentId) -> Result<Option<RoleAssignment>> {
        self.arm.get(id, API_VERSION).json_opt().await
    }

    /// Assigns a role, with a name that you choose: `RoleAssignments_Create` or `RoleAssignments_CreateById`.
    /// [`ensure`](Self::ensure) derives the name, and also finds an assignment that exists under another name.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-assignments/create)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/roleAssignments/write`: Owner, User Access Administrator or Role Based Access
    /// Control Administrator.
    ///
    /// # Errors
    ///
    /// `is_code("RoleAssignmentExists")`: the same assignment exists under another name;
    /// `is_code("PrincipalNotFound")`: the principal is not, or not yet, in the directory.
    ///
    /// # Retries
    ///
    /// Safe to repeat: creating the same assignment with the same name succeeds.
    pub async fn create(&self, id: &RoleAssignmentId, spec: &RoleAssignmentSpec) -> Result<RoleAssignment> {
        let body = spec.body(&scope_of(id)?);
        self.arm.put(id, API_VERSION).body(&body).json().await
    }

    /// Deletes an assignment: `RoleAssignments_Delete` or `RoleAssignments_DeleteById`. Returns the deleted assignment;
    /// `None` if it did not exist.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-assignments/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/roleAssignments/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete(&self, id: &RoleAssignmentId) -> Result<Option<RoleAssignment>> {
        let response = self.arm.delete(id, API_VERSION).send().await?;
        if u16::from(response.status()) == 204 {
            return Ok(None);
        }
        arm_core::wire::decode(&response).map(Some)
    }
}

/// Returns the scope in an assignment's id.
fn scope_of(id: &RoleAssignmentId) -> Result<Scope> {
    let text = id.resource().as_str();
    let end = text.to_ascii_lowercase().rfind("/providers/").unwrap_or_default();
    text[..end].parse().map_err(|_| {
        let message = format!(
            "{id} is not at a subscription, group, resource or management group: assignments at the root of a tenant \
             cannot be created with this client"
        );
        azure_core::Error::with_message(ErrorKind::DataConversion, message)
    })
}
