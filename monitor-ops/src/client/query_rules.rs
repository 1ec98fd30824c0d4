use arm_core::{ArmClient, ArmPath, Pager, ResourceGroupId, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{QueryRule, QueryRulePatch};

/// Scheduled query rules: alerts on logs.
#[derive(Debug, Clone)]
pub struct QueryRulesClient {
    arm: ArmClient,
}

impl QueryRulesClient {
    /// The API version of every request, from the
    /// [reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules?view=rest-monitor-2026-03-01).
    pub const API_VERSION: &str = "2026-03-01";

    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the rules of a subscription: `ScheduledQueryRules_ListBySubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/list-by-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<QueryRule> {
        self.arm.get(rules(subscription.into()), Self::API_VERSION).pager()
    }

    /// Streams the rules of a resource group: `ScheduledQueryRules_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<QueryRule> {
        self.arm.get(rules(group.into()), Self::API_VERSION).pager()
    }

    /// Reads a rule: `ScheduledQueryRules_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<QueryRule> {
        self.arm.get(one(group, name), Self::API_VERSION).json().await
    }

    /// Reads a rule; `None` if it does not exist: `ScheduledQueryRules_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<Option<QueryRule>> {
        self.arm.get(one(group, name), Self::API_VERSION).json_opt().await
    }

    /// Creates or replaces a rule: `ScheduledQueryRules_CreateOrUpdate`. Prefer [`ensure`](Self::ensure).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/write`, and permission to read the logs.
    ///
    /// # Errors
    ///
    /// 400 if the query is invalid; set [`skip_query_validation`](crate::QueryRuleProperties::skip_query_validation)
    /// while its table does not exist.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        rule: &QueryRule,
    ) -> Result<QueryRule> {
        self.arm.put(one(group, name), Self::API_VERSION).body(rule).json().await
    }

    /// Changes parts of a rule: `ScheduledQueryRules_Update`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/write`.
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
        patch: &QueryRulePatch,
    ) -> Result<QueryRule> {
        self.arm.patch(one(group, name), Self::API_VERSION).body(patch).repeatable().json().await
    }

    /// Deletes a rule: `ScheduledQueryRules_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Insights/scheduledQueryRules/delete`.
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
}

fn rules(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.Insights").literal("scheduledQueryRules")
}

fn one(group: &ResourceGroupId, name: &ResourceName) -> ArmPath {
    rules(group.into()).segment(name)
}
