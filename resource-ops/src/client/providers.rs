use arm_core::{ArmClient, ArmPath, SubscriptionId};
use azure_core::Result;

use crate::{Provider, ProviderNamespace};

/// The API version of every request, from the [reference](https://learn.microsoft.com/rest/api/resources/providers).
const API_VERSION: &str = "2024-03-01";

/// A client for resource providers, which must be registered before a subscription can use their services.
#[derive(Debug, Clone)]
pub struct ProvidersClient {
    arm: ArmClient,
}

impl ProvidersClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Reads a provider: `Providers_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/providers/get)
    ///
    /// # Errors
    ///
    /// `is_code("InvalidResourceNamespace")`: there is no such provider.
    pub async fn get(&self, subscription: &SubscriptionId, provider: &ProviderNamespace) -> Result<Provider> {
        self.arm.get(path(subscription, provider), API_VERSION).json().await
    }

    /// Reads a provider with the aliases of its types: `Providers_Get` with
    /// `$expand=resourceTypes/aliases`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get).
    pub async fn get_with_aliases(
        &self,
        subscription: &SubscriptionId,
        provider: &ProviderNamespace,
    ) -> Result<Provider> {
        let request = self.arm.get(path(subscription, provider), API_VERSION);
        request.query("$expand", "resourceTypes/aliases").json().await
    }

    /// Starts the registration of a provider: `Providers_Register`. [`ensure_registered`](Self::ensure_registered) also
    /// waits until the registration is complete.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/providers/register)
    ///
    /// # Permissions
    ///
    /// `{namespace}/register/action`: Contributor or Owner.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: registering again changes nothing.
    pub async fn register(
        &self,
        subscription: &SubscriptionId,
        provider: &ProviderNamespace,
    ) -> Result<Provider> {
        let path = path(subscription, provider).literal("register");
        self.arm.post(path, API_VERSION).repeatable().json().await
    }
}

fn path(subscription: &SubscriptionId, provider: &ProviderNamespace) -> ArmPath {
    ArmPath::from(subscription).literal("providers").segment(provider.as_str())
}
