use arm_core::{ArmClient, ArmErrorExt as _, ArmPath, Pager, SubscriptionId};
use azure_core::Result;

use crate::Location;
use crate::Subscription;

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/resources/subscriptions).
const API_VERSION: &str = "2022-12-01";

/// A client for subscriptions.
#[derive(Debug, Clone)]
pub struct SubscriptionsClient {
    arm: ArmClient,
}

impl SubscriptionsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the subscriptions that the caller can see: `Subscriptions_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/subscriptions/list)
    #[inline]
    pub fn list(&self) -> Pager<Subscription> {
        self.arm.get(ArmPath::root().literal("subscriptions"), API_VERSION).pager()
    }

    /// Reads a subscription: `Subscriptions_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/subscriptions/get)
    ///
    /// # Errors
    ///
    /// `is_code("SubscriptionNotFound")`: the subscription does not exist, or belongs to a tenant other than the
    /// token's.
    pub async fn get(&self, subscription: &SubscriptionId) -> Result<Subscription> {
        self.arm.get(subscription, API_VERSION).json().await
    }

    /// Reads a subscription; `None` if it does not exist, or belongs to a tenant other than the token's.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, subscription: &SubscriptionId) -> Result<Option<Subscription>> {
        match self.arm.get(subscription, API_VERSION).json_opt().await {
            // Only here, the subscription is the requested resource itself.
            Err(error) if error.is_code("SubscriptionNotFound") => Ok(None),
            outcome => outcome,
        }
    }

    /// Streams the regions available to a subscription: `Subscriptions_ListLocations`.
    ///
    /// Not every service is available in every region: see [`Provider::resource_types`](crate::Provider).
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/locations/read`: Reader.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/subscriptions/list-locations)
    #[inline]
    pub fn list_locations(&self, subscription: &SubscriptionId) -> Pager<Location> {
        self.arm.get(ArmPath::from(subscription).literal("locations"), API_VERSION).pager()
    }
}
