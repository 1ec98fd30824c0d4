use arm_core::{ArmClient, ArmPath, Pager, ResourceId, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{DiagnosticCategory, DiagnosticSetting};

/// Diagnostic settings of resources and subscriptions.
#[derive(Debug, Clone)]
pub struct DiagnosticsClient {
    pub(crate) arm: ArmClient,
}

impl DiagnosticsClient {
    /// The API version of every request, from the
    /// [reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings?view=rest-monitor-2021-05-01-preview).
    pub const API_VERSION: &str = "2021-05-01-preview";

    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the settings of a resource, at most five: `DiagnosticSettings_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/read`.
    #[inline]
    pub fn list(&self, resource: &ResourceId) -> Pager<DiagnosticSetting> {
        self.arm.get(settings(resource.into()), Self::API_VERSION).pager()
    }

    /// Reads one setting of a resource: `DiagnosticSettings_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, resource: &ResourceId, name: &ResourceName) -> Result<DiagnosticSetting> {
        self.arm.get(settings(resource.into()).segment(name), Self::API_VERSION).json().await
    }

    /// Creates or replaces a setting of a resource: `DiagnosticSettings_CreateOrUpdate`. Prefer
    /// [`ensure`](Self::ensure), which first checks what is already sent.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/write`, and on the destination: for a workspace,
    /// `Microsoft.OperationalInsights/workspaces/sharedKeys/action`; for a storage account or an authorization rule,
    /// `listKeys/action`.
    ///
    /// # Errors
    ///
    /// `is_conflict()`: another setting, named in the message, already sends the category to that destination.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        resource: &ResourceId,
        name: &ResourceName,
        setting: &DiagnosticSetting,
    ) -> Result<DiagnosticSetting> {
        self.arm
            .put(settings(resource.into()).segment(name), Self::API_VERSION)
            .body(setting)
            .expect_status(&[200])
            .json()
            .await
    }

    /// Deletes a setting of a resource: `DiagnosticSettings_Delete`. Logs that were already sent are kept.
    ///
    /// Delete it before the resource is deleted or moved: otherwise, a new resource with the same id would inherit the
    /// setting.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete(&self, resource: &ResourceId, name: &ResourceName) -> Result<()> {
        self.arm.delete(settings(resource.into()).segment(name), Self::API_VERSION).send_empty().await
    }

    /// Streams the log and metric categories of a resource: `DiagnosticSettingsCategory_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings-category/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettingsCategories/read`.
    #[inline]
    pub fn categories(&self, resource: &ResourceId) -> Pager<DiagnosticCategory> {
        self.arm.get(categories(resource), Self::API_VERSION).pager()
    }

    /// Reads one category of a resource: `DiagnosticSettingsCategory_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/diagnostic-settings-category/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettingsCategories/read`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn category(&self, resource: &ResourceId, name: &ResourceName) -> Result<DiagnosticCategory> {
        self.arm.get(categories(resource).segment(name), Self::API_VERSION).json().await
    }

    /// Streams the settings of a subscription's activity log: `SubscriptionDiagnosticSettings_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/subscription-diagnostic-settings/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/read`.
    #[inline]
    pub fn list_by_subscription(&self, subscription: &SubscriptionId) -> Pager<DiagnosticSetting> {
        self.arm.get(settings(subscription.into()), Self::API_VERSION).pager()
    }

    /// Reads one setting of a subscription: `SubscriptionDiagnosticSettings_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/subscription-diagnostic-settings/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get_of_subscription(
        &self,
        subscription: &SubscriptionId,
        name: &ResourceName,
    ) -> Result<DiagnosticSetting> {
        self.arm.get(settings(subscription.into()).segment(name), Self::API_VERSION).json().await
    }

    /// Creates or replaces a setting of a subscription: `SubscriptionDiagnosticSettings_CreateOrUpdate`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/subscription-diagnostic-settings/create-or-update)
    ///
    /// # Permissions
    ///
    /// As for [`create_or_update`](Self::create_or_update), with the first permission on the subscription.
    ///
    /// # Errors
    ///
    /// `is_conflict()`: another setting already sends the category to that destination.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update_of_subscription(
        &self,
        subscription: &SubscriptionId,
        name: &ResourceName,
        setting: &DiagnosticSetting,
    ) -> Result<DiagnosticSetting> {
        self.arm
            .put(settings(subscription.into()).segment(name), Self::API_VERSION)
            .body(setting)
            .expect_status(&[200])
            .json()
            .await
    }

    /// Deletes a setting of a subscription: `SubscriptionDiagnosticSettings_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/subscription-diagnostic-settings/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/diagnosticSettings/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete_of_subscription(
        &self,
        subscription: &SubscriptionId,
        name: &ResourceName,
    ) -> Result<()> {
        self.arm.delete(settings(subscription.into()).segment(name), Self::API_VERSION).send_empty().await
    }
}

fn settings(of: ArmPath) -> ArmPath {
    of.provider("Microsoft.Insights").literal("diagnosticSettings")
}

fn categories(resource: &ResourceId) -> ArmPath {
    ArmPath::from(resource).provider("Microsoft.Insights").literal("diagnosticSettingsCategories")
}
