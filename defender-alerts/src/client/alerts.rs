use arm_core::{ArmClient, ArmPath, Pager, Poller, ResourceGroupId, SubscriptionId};
use azure_core::Result;
use serde_json::json;

use crate::{Alert, AlertBundle, AlertId, Location};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts).
const API_VERSION: &str = "2022-01-01";

/// A client that lists alerts, changes their status and creates samples.
///
/// ```
/// # use mock_azure::MockAzure;
/// use arm_core::ArmClient;
/// use defender_alerts::{AlertsClient, Severity};
/// use futures::TryStreamExt as _;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let subscription: arm_core::SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
/// # let azure = MockAzure::seed().alerts(&subscription, 10).start().await;
/// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
/// let alerts = AlertsClient::new(&arm);
/// let mut all = alerts.list(&subscription);
/// while let Some(alert) = all.try_next().await? {
///     if alert.severity.at_least(&Severity::High) {
///         println!("{} {}", alert.display_name, alert.compromised_entity);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct AlertsClient {
    arm: ArmClient,
}

impl AlertsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    pub(crate) fn arm(&self) -> &ArmClient {
        &self.arm
    }

    /// Streams all alerts of a subscription, in the service's order: `Alerts_List`.
    ///
    /// The service has no filter for alerts.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alerts/read`.
    ///
    /// # Errors
    ///
    /// `is_registration_missing()`: register `Microsoft.Security` first.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<Alert> {
        self.listed(subscription.into(), None)
    }

    /// Streams the alerts on resources of a resource group: `Alerts_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/alerts/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<Alert> {
        self.listed(group.into(), None)
    }

    /// Streams the alerts of a subscription that are stored in a location: `Alerts_ListSubscriptionLevelByRegion`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/list-subscription-level-by-region)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/read`.
    #[inline]
    pub fn list_by_location(&self, subscription: &SubscriptionId, location: &Location) -> Pager<Alert> {
        self.listed(subscription.into(), Some(location))
    }

    /// Streams the alerts on resources of a resource group that are stored in a location:
    /// `Alerts_ListResourceGroupLevelByRegion`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/list-resource-group-level-by-region)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/read`.
    #[inline]
    pub fn list_by_resource_group_and_location(
        &self,
        group: &ResourceGroupId,
        location: &Location,
    ) -> Pager<Alert> {
        self.listed(group.into(), Some(location))
    }

    #[inline]
    fn listed(&self, scope: ArmPath, location: Option<&Location>) -> Pager<Alert> {
        let path = scope.provider("Microsoft.Security");
        let path = location.into_iter().fold(path, |path, at| path.literal("locations").segment(at));
        self.arm.get(path.literal("alerts"), API_VERSION).pager()
    }

    /// Reads an alert: `Alerts_GetSubscriptionLevel` or `Alerts_GetResourceGroupLevel`, depending on the id.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/get-subscription-level)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; a sample alert is found only with the id from [`AlertId::at_subscription`].
    pub async fn get(&self, id: &AlertId) -> Result<Alert> {
        self.arm.get(id.path(), API_VERSION).json().await
    }

    /// Reads an alert; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, id: &AlertId) -> Result<Option<Alert>> {
        self.arm.get(id.path(), API_VERSION).json_opt().await
    }

    /// Dismisses an alert: `Alerts_UpdateSubscriptionLevelStateToDismiss`,
    /// `Alerts_UpdateResourceGroupLevelStateToDismiss`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/update-subscription-level-state-to-dismiss)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/dismiss/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat. To change many alerts, with a dry run and verification, see [`set_status`](Self::set_status).
    pub async fn dismiss(&self, id: &AlertId) -> Result<()> {
        self.act(id, "dismiss").await
    }

    /// Resolves an alert that was real and has been dealt with: `Alerts_UpdateSubscriptionLevelStateToResolve`,
    /// `Alerts_UpdateResourceGroupLevelStateToResolve`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/update-subscription-level-state-to-resolve)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/resolve/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn resolve(&self, id: &AlertId) -> Result<()> {
        self.act(id, "resolve").await
    }

    /// Makes an alert active again: `Alerts_UpdateSubscriptionLevelStateToActivate`,
    /// `Alerts_UpdateResourceGroupLevelStateToActivate`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/update-subscription-level-state-to-activate)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/activate/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn activate(&self, id: &AlertId) -> Result<()> {
        self.act(id, "activate").await
    }

    /// Marks an alert as in progress, because somebody is working on it:
    /// `Alerts_UpdateSubscriptionLevelStateToInProgress`, `Alerts_UpdateResourceGroupLevelStateToInProgress`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/update-subscription-level-state-to-in-progress)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/inProgress/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn in_progress(&self, id: &AlertId) -> Result<()> {
        self.act(id, "inProgress").await
    }

    pub(crate) async fn act(&self, id: &AlertId, verb: &'static str) -> Result<()> {
        let request = self.arm.post(id.path().literal(verb), API_VERSION);
        request.expect_status(&[204]).repeatable().send_empty().await
    }

    /// Creates sample alerts of these plans: `Alerts_Simulate`, a long-running operation.
    ///
    /// Samples are sent wherever real alerts are (email, automations, SIEM), so they test those destinations.
    /// [`Alert::is_sample`] recognizes them. The resource group in their ids does not exist.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud/alerts/simulate)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/locations/alerts/simulate/action`; in practice, Contributor on the subscription.
    ///
    /// # Retries
    ///
    /// Not safe to repeat: each call creates the samples again.
    pub fn simulate(
        &self,
        subscription: &SubscriptionId,
        location: &Location,
        bundles: impl IntoIterator<Item = AlertBundle>,
    ) -> Poller<()> {
        let path = ArmPath::from(subscription).provider("Microsoft.Security").literal("locations");
        let path = path.segment(location).literal("alerts/default/simulate");
        let bundles: Vec<AlertBundle> = bundles.into_iter().collect();
        let body = json!({ "properties": { "kind": "Bundles", "bundles": bundles } });
        self.arm.post(path, API_VERSION).body(&body).poller()
    }
}
