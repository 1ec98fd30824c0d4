use arm_core::{ArmClient, ArmPath, Pager, Scope};

use crate::Permission;

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/authorization/permissions).
const API_VERSION: &str = "2022-04-01";

/// A client for the permissions of the signed-in principal.
#[derive(Debug, Clone)]
pub struct PermissionsClient {
    arm: ArmClient,
}

impl PermissionsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the signed-in principal's permissions at a scope, with one item for each role assigned there or above:
    /// `Permissions_ListForResourceGroup`, or the same at another scope.
    ///
    /// An action is allowed if any item [allows](Permission::allows) it. Locks, deny assignments and policies can
    /// still refuse it.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group)
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<Permission> {
        let path = ArmPath::from(&scope.into()).provider("Microsoft.Authorization").literal("permissions");
        self.arm.get(path, API_VERSION).pager()
    }
}
