//! Lists Key Vault alerts.

use arm_core::SubscriptionId;
use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _, future::ready, stream::BoxStream};

use crate::{Alert, AlertsClient};

impl AlertsClient {
    /// Streams the alerts of a subscription that are about key vaults. One page is in memory at a time.
    ///
    /// The service has no filter, so this method reads all alerts and keeps those whose type belongs to Defender for
    /// Key Vault, documented or not, and alerts of other plans on a vault. Do not filter for severity High: no
    /// documented type has it.
    ///
    /// ```
    /// # use mock_azure::MockAzure;
    /// # use arm_core::{ArmClient, SubscriptionId};
    /// use defender_alerts::{AlertStatus, AlertsClient};
    /// use futures::TryStreamExt as _;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let subscription: SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse()?;
    /// # let vault = format!("/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv");
    /// # let azure = MockAzure::seed().key_vault_alerts(vault).start().await;
    /// # let arm = ArmClient::new(azure.credential(), arm_core::ArmOptions::from(azure.client_options()))?;
    /// let mut alerts = AlertsClient::new(&arm).list_key_vault(&subscription);
    /// while let Some(alert) = alerts.try_next().await? {
    ///     if alert.status == AlertStatus::Active {
    ///         println!("{}: {}", alert.compromised_entity, alert.display_name);
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    #[inline]
    pub fn list_key_vault(&self, subscription: &SubscriptionId) -> BoxStream<'static, Result<Alert>> {
        self.list(subscription).try_filter(|alert| ready(alert.is_key_vault())).boxed()
    }
}
