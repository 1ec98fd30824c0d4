use arm_core::{ArmClient, ArmPath, ManagementGroupId, Pager};

use crate::Descendant;

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/managementgroups/management-groups).
const API_VERSION: &str = "2020-05-01";

/// A client for management groups.
#[derive(Debug, Clone)]
pub struct ManagementGroupsClient {
    arm: ArmClient,
}

impl ManagementGroupsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams all management groups and subscriptions below a management group, at any depth:
    /// `ManagementGroups_GetDescendants`.
    ///
    /// Unlike Resource Graph, the list includes subscriptions in which the caller may not read anything. The root
    /// group, whose name is the tenant id, contains all subscriptions of the tenant.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/managementgroups/management-groups/get-descendants)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Management/managementGroups/descendants/read` on the group.
    ///
    /// # Errors
    ///
    /// `is_not_found()`: the group does not exist; `is_forbidden()`: the caller may not read it.
    #[inline]
    pub fn list_descendants(&self, group: &ManagementGroupId) -> Pager<Descendant> {
        self.arm.get(ArmPath::from(group).literal("descendants"), API_VERSION).pager()
    }
}
