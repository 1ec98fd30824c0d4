use arm_core::{ArmClient, ArmPath, ArmRequest, Pager, ResourceName, SubscriptionId};
use azure_core::Result;

use super::Properties;
use crate::{SuppressionRule, SuppressionRuleSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules).
const API_VERSION: &str = "2019-01-01-preview";

/// A client for suppression rules, which dismiss new alerts automatically.
#[derive(Debug, Clone)]
pub struct SuppressionRulesClient {
    arm: ArmClient,
}

impl SuppressionRulesClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams all rules of a subscription: `AlertsSuppressionRules_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alertsSuppressionRules/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<SuppressionRule> {
        self.listed(subscription).pager()
    }

    /// Streams the rules for one type of alert: `AlertsSuppressionRules_List` with `AlertType`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alertsSuppressionRules/read`.
    #[inline]
    pub fn list_by_alert_type(
        &self,
        subscription: &SubscriptionId,
        alert_type: &str,
    ) -> Pager<SuppressionRule> {
        self.listed(subscription).query("AlertType", alert_type).pager()
    }

    fn listed(&self, subscription: &SubscriptionId) -> ArmRequest {
        let path = ArmPath::from(subscription).provider("Microsoft.Security");
        self.arm.get(path.literal("alertsSuppressionRules"), API_VERSION)
    }

    /// Reads a rule: `AlertsSuppressionRules_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alertsSuppressionRules/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get(&self, subscription: &SubscriptionId, name: &ResourceName) -> Result<SuppressionRule> {
        self.arm.get(path(subscription, name), API_VERSION).json().await
    }

    /// Reads a rule; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(
        &self,
        subscription: &SubscriptionId,
        name: &ResourceName,
    ) -> Result<Option<SuppressionRule>> {
        self.arm.get(path(subscription, name), API_VERSION).json_opt().await
    }

    /// Creates or replaces a rule: `AlertsSuppressionRules_Update`.
    ///
    /// To change a rule, read it, modify its `spec`, and write the modified `spec`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alertsSuppressionRules/write`.
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
        subscription: &SubscriptionId,
        name: &ResourceName,
        spec: &SuppressionRuleSpec,
    ) -> Result<SuppressionRule> {
        let request = self.arm.put(path(subscription, name), API_VERSION);
        request.body(&Properties { properties: spec }).expect_status(&[200]).json().await
    }

    /// Deletes a rule: `AlertsSuppressionRules_Delete`. Deleting a rule that does not exist succeeds. Alerts that the
    /// rule dismissed stay dismissed.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts-suppression-rules/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alertsSuppressionRules/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, subscription: &SubscriptionId, name: &ResourceName) -> Result<()> {
        self.arm.delete(path(subscription, name), API_VERSION).expect_status(&[204]).send_empty().await
    }
}

fn path(subscription: &SubscriptionId, name: &ResourceName) -> ArmPath {
    ArmPath::from(subscription).provider("Microsoft.Security").literal("alertsSuppressionRules").segment(name)
}
