use arm_core::{ArmClient, ArmPath, Pager, Poller, ResourceGroupId, SubscriptionId};
use azure_core::Result;

use crate::{Workspace, WorkspaceId, WorkspacePatch, WorkspaceSpec};

/// Log Analytics workspaces.
#[derive(Debug, Clone)]
pub struct WorkspacesClient {
    arm: ArmClient,
}

impl WorkspacesClient {
    /// The API version of every request, from the
    /// [reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces?view=rest-loganalytics-2026-03-01).
    pub const API_VERSION: &str = "2026-03-01";

    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the workspaces of a subscription: `Workspaces_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<Workspace> {
        self.arm.get(workspaces(subscription.into()), Self::API_VERSION).pager()
    }

    /// Streams the workspaces of a resource group: `Workspaces_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<Workspace> {
        self.arm.get(workspaces(group.into()), Self::API_VERSION).pager()
    }

    /// Reads a workspace: `Workspaces_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, id: &WorkspaceId) -> Result<Workspace> {
        self.arm.get(id.as_resource(), Self::API_VERSION).json().await
    }

    /// Reads a workspace; `None` if it does not exist: `Workspaces_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, id: &WorkspaceId) -> Result<Option<Workspace>> {
        self.arm.get(id.as_resource(), Self::API_VERSION).json_opt().await
    }

    /// Creates a workspace or replaces its properties: `Workspaces_CreateOrUpdate`. This takes seconds to minutes.
    ///
    /// If a workspace with this id was deleted less than 14 days ago, it is recovered with its logs.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/write`.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    #[inline]
    pub fn create_or_update(&self, id: &WorkspaceId, spec: &WorkspaceSpec) -> Poller<Workspace> {
        self.arm.put(id.as_resource(), Self::API_VERSION).body(spec).poller()
    }

    /// Changes parts of a workspace: `Workspaces_Update`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(&self, id: &WorkspaceId, patch: &WorkspacePatch) -> Result<Workspace> {
        self.arm.patch(id.as_resource(), Self::API_VERSION).body(patch).repeatable().json().await
    }

    /// Deletes a workspace, which can be recovered for 14 days: `Workspaces_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/workspaces/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/workspaces/delete`.
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    #[inline]
    pub fn delete(&self, id: &WorkspaceId) -> Poller<()> {
        self.arm.delete(id.as_resource(), Self::API_VERSION).poller()
    }

    /// Permanently deletes a workspace and all its logs: `Workspaces_Delete` with `force`.
    #[inline]
    pub fn force_delete(&self, id: &WorkspaceId) -> Poller<()> {
        self.arm.delete(id.as_resource(), Self::API_VERSION).query("force", "true").poller()
    }

    /// Streams the deleted workspaces of a subscription that can be recovered: `DeletedWorkspaces_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/deleted-workspaces/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/deletedWorkspaces/read`.
    #[inline]
    pub fn list_deleted(&self, subscription: &SubscriptionId) -> Pager<Workspace> {
        self.arm.get(deleted(subscription.into()), Self::API_VERSION).pager()
    }

    /// Streams the deleted workspaces of a resource group that can be recovered:
    /// `DeletedWorkspaces_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/loganalytics/deleted-workspaces/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.OperationalInsights/deletedWorkspaces/read`.
    #[inline]
    pub fn list_deleted_by_resource_group(&self, group: &ResourceGroupId) -> Pager<Workspace> {
        self.arm.get(deleted(group.into()), Self::API_VERSION).pager()
    }
}

fn workspaces(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.OperationalInsights").literal("workspaces")
}

fn deleted(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.OperationalInsights").literal("deletedWorkspaces")
}
