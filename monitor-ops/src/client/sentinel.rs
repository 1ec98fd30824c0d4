use arm_core::{ArmClient, ArmPath, Pager, ResourceName};
use azure_core::Result;
use serde::Deserialize;

use crate::{
    AlertRule, DataConnector, Incident, IncidentAlert, IncidentStatus, OnboardingState, WorkspaceId,
};

/// Sentinel on a workspace.
///
/// Until a workspace is onboarded, all operations except those on the onboarding state fail with 400: see
/// [`is_not_onboarded`](crate::is_not_onboarded). An update must include the `etag` that was read.
#[derive(Debug, Clone)]
pub struct SentinelClient {
    arm: ArmClient,
}

/// Which incidents to list. Default: all, in the service's order.
#[derive(Debug, Clone, Default)]
pub struct IncidentFilter {
    filters: Vec<String>,
    order_by: Option<String>,
    top: Option<u16>,
}

impl IncidentFilter {
    /// Creates a filter that matches all incidents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lists only incidents with this status.
    pub fn status(self, status: &IncidentStatus) -> Self {
        let value = status.as_str().replace('\'', "''");
        self.matching(format!("properties/status eq '{value}'"))
    }

    /// Lists only incidents that also match an OData filter, which is combined with earlier ones by `and`; each is
    /// enclosed in parentheses, so it may contain `or`. Single quotes in its values must be doubled.
    pub fn matching(mut self, filter: impl Into<String>) -> Self {
        self.filters.push(filter.into());
        self
    }

    /// The value of `$filter`.
    fn combined(&self) -> Option<String> {
        match self.filters.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            several => Some(several.iter().map(|it| format!("({it})")).collect::<Vec<_>>().join(" and ")),
        }
    }

    /// Lists the newest incidents first.
    pub fn newest_first(mut self) -> Self {
        self.order_by = Some("properties/createdTimeUtc desc".to_owned());
        self
    }

    /// Sets the number of incidents per page, from 1 to 1000.
    pub fn page_size(mut self, incidents: u16) -> Self {
        self.top = Some(incidents.clamp(1, 1000));
        self
    }
}

impl SentinelClient {
    /// The API version of every request, from the
    /// [reference](https://learn.microsoft.com/rest/api/securityinsights/?view=rest-securityinsights-2025-09-01).
    pub const API_VERSION: &str = "2025-09-01";

    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    pub(crate) fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// Reads the onboarding state; `None` if Sentinel is off, or if there is no such workspace:
    /// `SentinelOnboardingStates_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/sentinel-onboarding-states/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/onboardingStates/read`.
    ///
    /// # Errors
    ///
    /// `is_role_missing()`: the caller is not allowed to read the state, so it is unknown.
    pub async fn onboarding_state(&self, workspace: &WorkspaceId) -> Result<Option<OnboardingState>> {
        self.arm.get(path(workspace).literal("onboardingStates/default"), Self::API_VERSION).json_opt().await
    }

    /// Turns Sentinel on: `SentinelOnboardingStates_Create`. Prefer [`onboard`](Self::onboard).
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/sentinel-onboarding-states/create)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/onboardingStates/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn create_onboarding_state(
        &self,
        workspace: &WorkspaceId,
        state: &OnboardingState,
    ) -> Result<OnboardingState> {
        let path = path(workspace).literal("onboardingStates/default");
        self.arm.put(path, Self::API_VERSION).body(state).json().await
    }

    /// Turns Sentinel off, and removes its rules and connectors: `SentinelOnboardingStates_Delete`. Logs are kept.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/sentinel-onboarding-states/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/onboardingStates/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete_onboarding_state(&self, workspace: &WorkspaceId) -> Result<()> {
        let path = path(workspace).literal("onboardingStates/default");
        self.arm.delete(path, Self::API_VERSION).send_empty().await
    }

    /// Streams the onboarding states of a workspace; there is at most one: `SentinelOnboardingStates_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/sentinel-onboarding-states/list)
    #[inline]
    pub fn list_onboarding_states(&self, workspace: &WorkspaceId) -> Pager<OnboardingState> {
        self.arm.get(path(workspace).literal("onboardingStates"), Self::API_VERSION).pager()
    }

    /// Streams the data connectors: `DataConnectors_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/data-connectors/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/dataConnectors/read`.
    #[inline]
    pub fn list_connectors(&self, workspace: &WorkspaceId) -> Pager<DataConnector> {
        self.arm.get(path(workspace).literal("dataConnectors"), Self::API_VERSION).pager()
    }

    /// Reads a data connector: `DataConnectors_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/data-connectors/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get_connector(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<DataConnector> {
        self.arm.get(path(workspace).literal("dataConnectors").segment(id), Self::API_VERSION).json().await
    }

    /// Creates or replaces a data connector: `DataConnectors_CreateOrUpdate`. An update must include the etag.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/data-connectors/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/dataConnectors/write`, and permission to read the data source.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// A repeated update is refused because its etag is out of date: read the connector again.
    pub async fn create_or_update_connector(
        &self,
        workspace: &WorkspaceId,
        id: &ResourceName,
        connector: &DataConnector,
    ) -> Result<DataConnector> {
        let path = path(workspace).literal("dataConnectors").segment(id);
        self.arm.put(path, Self::API_VERSION).body(connector).json().await
    }

    /// Deletes a data connector: `DataConnectors_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/data-connectors/delete)
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete_connector(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<()> {
        let path = path(workspace).literal("dataConnectors").segment(id);
        self.arm.delete(path, Self::API_VERSION).send_empty().await
    }

    /// Streams the analytics rules: `AlertRules_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/alert-rules/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/alertRules/read`.
    #[inline]
    pub fn list_rules(&self, workspace: &WorkspaceId) -> Pager<AlertRule> {
        self.arm.get(path(workspace).literal("alertRules"), Self::API_VERSION).pager()
    }

    /// Reads an analytics rule: `AlertRules_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/alert-rules/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get_rule(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<AlertRule> {
        self.arm.get(path(workspace).literal("alertRules").segment(id), Self::API_VERSION).json().await
    }

    /// Reads an analytics rule; `None` if it does not exist: `AlertRules_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get_rule`](Self::get_rule), except that a missing rule is `None`.
    pub async fn get_rule_opt(
        &self,
        workspace: &WorkspaceId,
        id: &ResourceName,
    ) -> Result<Option<AlertRule>> {
        self.arm.get(path(workspace).literal("alertRules").segment(id), Self::API_VERSION).json_opt().await
    }

    /// Creates or replaces an analytics rule: `AlertRules_CreateOrUpdate`. An update must include the etag.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/alert-rules/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/alertRules/write`.
    ///
    /// # Errors
    ///
    /// 400 if the query is invalid, or names a table that does not exist yet; `is_conflict()`: the rule has changed
    /// since it was read.
    pub async fn create_or_update_rule(
        &self,
        workspace: &WorkspaceId,
        id: &ResourceName,
        rule: &AlertRule,
    ) -> Result<AlertRule> {
        let path = path(workspace).literal("alertRules").segment(id);
        self.arm.put(path, Self::API_VERSION).body(rule).json().await
    }

    /// Deletes an analytics rule: `AlertRules_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/alert-rules/delete)
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete_rule(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<()> {
        let path = path(workspace).literal("alertRules").segment(id);
        self.arm.delete(path, Self::API_VERSION).send_empty().await
    }

    /// Streams incidents: `Incidents_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/incidents/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/incidents/read`.
    #[inline]
    pub fn list_incidents(&self, workspace: &WorkspaceId, which: &IncidentFilter) -> Pager<Incident> {
        self.arm
            .get(path(workspace).literal("incidents"), Self::API_VERSION)
            .query_opt("$filter", which.combined())
            .query_opt("$orderby", which.order_by.clone())
            .query_opt("$top", which.top.map(|top| top.to_string()))
            .pager()
    }

    /// Reads an incident: `Incidents_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/incidents/get)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get_incident(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<Incident> {
        self.arm.get(path(workspace).literal("incidents").segment(id), Self::API_VERSION).json().await
    }

    /// Creates or replaces an incident: `Incidents_CreateOrUpdate`. An update must include the etag.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/incidents/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.SecurityInsights/incidents/write`.
    ///
    /// # Errors
    ///
    /// `is_conflict()`: it has changed since it was read.
    pub async fn create_or_update_incident(
        &self,
        workspace: &WorkspaceId,
        id: &ResourceName,
        incident: &Incident,
    ) -> Result<Incident> {
        let path = path(workspace).literal("incidents").segment(id);
        self.arm.put(path, Self::API_VERSION).body(incident).json().await
    }

    /// Deletes an incident: `Incidents_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/incidents/delete)
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete_incident(&self, workspace: &WorkspaceId, id: &ResourceName) -> Result<()> {
        let path = path(workspace).literal("incidents").segment(id);
        self.arm.delete(path, Self::API_VERSION).send_empty().await
    }

    /// Lists the alerts of an incident: `Incidents_ListAlerts`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/securityinsights/incidents/list-alerts)
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn incident_alerts(
        &self,
        workspace: &WorkspaceId,
        id: &ResourceName,
    ) -> Result<Vec<IncidentAlert>> {
        #[derive(Deserialize)]
        struct Alerts {
            value: Vec<IncidentAlert>,
        }
        let path = path(workspace).literal("incidents").segment(id).literal("alerts");
        let alerts: Alerts = self.arm.post(path, Self::API_VERSION).reads_only().json().await?;
        Ok(alerts.value)
    }
}

fn path(workspace: &WorkspaceId) -> ArmPath {
    ArmPath::from(workspace.as_resource()).provider("Microsoft.SecurityInsights")
}
