use arm_core::{ArmClient, ArmErrorExt as _, ArmPath, Pager, Poller, ResourceGroupId, SubscriptionId};
use azure_core::Result;

use crate::{ResourceGroup, ResourceGroupPatch, ResourceGroupSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/resources/resource-groups).
const API_VERSION: &str = "2024-03-01";

/// A client for resource groups.
#[derive(Debug, Clone)]
pub struct ResourceGroupsClient {
    arm: ArmClient,
}

impl ResourceGroupsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the groups of a subscription: `ResourceGroups_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/resourceGroups/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<ResourceGroup> {
        self.arm.get(groups(subscription), API_VERSION).pager()
    }

    /// Streams the groups that have a tag with this value: `ResourceGroups_List` with `$filter`.
    #[inline]
    pub fn list_tagged(
        &self,
        subscription: &SubscriptionId,
        name: &str,
        value: &str,
    ) -> Pager<ResourceGroup> {
        let quoted = |text: &str| text.replace('\'', "''");
        let filter = format!("tagName eq '{}' and tagValue eq '{}'", quoted(name), quoted(value));
        self.arm.get(groups(subscription), API_VERSION).query("$filter", filter).pager()
    }

    /// Reads a group: `ResourceGroups_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; see [`get_opt`](Self::get_opt).
    pub async fn get(&self, group: &ResourceGroupId) -> Result<ResourceGroup> {
        self.arm.get(path(group), API_VERSION).json().await
    }

    /// Reads a group; `None` if it does not exist: `ResourceGroups_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, group: &ResourceGroupId) -> Result<Option<ResourceGroup>> {
        self.arm.get(path(group), API_VERSION).json_opt().await
    }

    /// Checks whether a group exists: `ResourceGroups_CheckExistence`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/check-existence)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn exists(&self, group: &ResourceGroupId) -> Result<bool> {
        match self.arm.head(path(group), API_VERSION).expect_status(&[204]).send_empty().await {
            Ok(()) => Ok(true),
            Err(error) if error.is_resource_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Creates or replaces a group: `ResourceGroups_CreateOrUpdate`. Tags that are not in the spec are removed. To
    /// leave an existing group unchanged, use [`ensure`](Self::ensure).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/resourceGroups/write`.
    ///
    /// # Errors
    ///
    /// `is_code("InvalidResourceGroupLocation")`: the group exists in another region;
    /// `is_code("ResourceGroupBeingDeleted")`.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        group: &ResourceGroupId,
        spec: &ResourceGroupSpec,
    ) -> Result<ResourceGroup> {
        self.arm.put(path(group), API_VERSION).body(spec).json().await
    }

    /// Changes parts of a group: `ResourceGroups_Update`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/resourceGroups/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(&self, group: &ResourceGroupId, patch: &ResourceGroupPatch) -> Result<ResourceGroup> {
        self.arm.patch(path(group), API_VERSION).body(patch).repeatable().json().await
    }

    /// Deletes a group and everything in it: `ResourceGroups_Delete`, a long-running operation.
    ///
    /// No request is sent before the poller is awaited or polled. Dropping the poller afterwards does not stop the
    /// deletion. Vaults are only soft-deleted, so their names stay taken.
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient, group: &arm_core::ResourceGroupId) -> azure_core::Result<()> {
    /// resource_ops::ResourceGroupsClient::new(arm).delete(group).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/resource-groups/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/resourceGroups/delete`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; `is_scope_locked()`.
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting again waits for the deletion in progress or, after its end, fails with
    /// `is_resource_not_found()`.
    #[inline]
    pub fn delete(&self, group: &ResourceGroupId) -> Poller<()> {
        self.arm.delete(path(group), API_VERSION).poller()
    }

    /// Deletes a group, and force-deletes resources of these types in it, without a graceful shutdown:
    /// `ResourceGroups_Delete` with `forceDeletionTypes`.
    pub fn force_delete<'a>(
        &self,
        group: &ResourceGroupId,
        types: impl IntoIterator<Item = &'a arm_core::ResourceType>,
    ) -> Poller<()> {
        let types: Vec<&str> = types.into_iter().map(arm_core::ResourceType::as_str).collect();
        self.arm.delete(path(group), API_VERSION).query("forceDeletionTypes", types.join(",")).poller()
    }
}

fn groups(subscription: &SubscriptionId) -> ArmPath {
    ArmPath::from(subscription).literal("resourcegroups")
}

fn path(group: &ResourceGroupId) -> ArmPath {
    groups(group.subscription()).segment(group.name())
}
