use arm_core::{ArmClient, ArmPath, Pager, Poller, ResourceGroupId, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{ActionGroup, ActionGroupPatch, TestNotification, TestNotificationResult};

/// Action groups: the receivers to notify of an alert.
#[derive(Debug, Clone)]
pub struct ActionGroupsClient {
    arm: ArmClient,
}

impl ActionGroupsClient {
    /// The API version of every request, from the
    /// [reference](https://learn.microsoft.com/rest/api/monitor/action-groups?view=rest-monitor-2023-01-01).
    pub const API_VERSION: &str = "2023-01-01";

    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the action groups of a subscription: `ActionGroups_ListBySubscriptionId`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/list-by-subscription-id)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<ActionGroup> {
        self.arm.get(groups(subscription.into()), Self::API_VERSION).pager()
    }

    /// Streams the action groups of a resource group: `ActionGroups_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<ActionGroup> {
        self.arm.get(groups(group.into()), Self::API_VERSION).pager()
    }

    /// Reads an action group: `ActionGroups_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<ActionGroup> {
        self.arm.get(one(group, name), Self::API_VERSION).json().await
    }

    /// Reads an action group; `None` if it does not exist: `ActionGroups_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<Option<ActionGroup>> {
        self.arm.get(one(group, name), Self::API_VERSION).json_opt().await
    }

    /// Creates or replaces an action group: `ActionGroups_CreateOrUpdate`. Its location is `Global`. Prefer
    /// [`ensure_mail`](Self::ensure_mail), which keeps existing settings.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/write`.
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
        group: &ResourceGroupId,
        name: &ResourceName,
        body: &ActionGroup,
    ) -> Result<ActionGroup> {
        self.arm.put(one(group, name), Self::API_VERSION).body(body).json().await
    }

    /// Changes parts of an action group: `ActionGroups_Update`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        patch: &ActionGroupPatch,
    ) -> Result<ActionGroup> {
        self.arm.patch(one(group, name), Self::API_VERSION).body(patch).repeatable().json().await
    }

    /// Deletes an action group: `ActionGroups_Delete`. Alert rules that use it no longer notify its receivers.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<()> {
        self.arm.delete(one(group, name), Self::API_VERSION).send_empty().await
    }

    /// Sends test notifications and waits for the result: `ActionGroups_CreateNotificationsAtActionGroupResourceLevel`.
    /// Real people receive the messages.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/create-notifications-at-action-group-resource-level)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/createNotifications/action`.
    ///
    /// # Retries
    ///
    /// Each call sends the messages again; the client retries it only if the request cannot have been carried out.
    #[inline]
    pub fn test_notifications(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        test: &TestNotification,
    ) -> Poller<TestNotificationResult> {
        self.arm.post(one(group, name).literal("createNotifications"), Self::API_VERSION).body(test).poller()
    }

    /// Reads the result of test notifications, by the id at the end of their status URL:
    /// `ActionGroups_GetTestNotificationsAtActionGroupResourceLevel`. `None` while they are in progress.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/get-test-notifications-at-action-group-resource-level)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn notification_status(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        id: &ResourceName,
    ) -> Result<Option<TestNotificationResult>> {
        let path = one(group, name).literal("notificationStatus").segment(id);
        let request = self.arm.get(path, Self::API_VERSION).expect_status(&[200, 202]);
        let response = request.send().await?;
        if u16::from(response.status()) == 202 {
            return Ok(None);
        }
        arm_core::wire::decode(&response).map(Some)
    }

    /// Enables a receiver that has unsubscribed: `ActionGroups_EnableReceiver`. Returns `false` if it was already
    /// enabled.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/action-groups/enable-receiver)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/actionGroups/subscribe/action`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: there is no such group, or no such receiver in it.
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn enable_receiver(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        receiver: &str,
    ) -> Result<bool> {
        let request = self.arm.post(one(group, name).literal("subscribe"), Self::API_VERSION);
        let body = serde_json::json!({ "receiverName": receiver });
        let response = request.body(&body).expect_status(&[200, 409]).repeatable().send().await?;
        Ok(u16::from(response.status()) == 200)
    }
}

fn groups(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.Insights").literal("actionGroups")
}

fn one(group: &ResourceGroupId, name: &ResourceName) -> ArmPath {
    groups(group.into()).segment(name)
}
