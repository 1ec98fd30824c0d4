//! Registers a resource provider.

use std::time::Duration;

use arm_core::{Change, Mode, SubscriptionId};
use azure_core::{Error, Result, error::ErrorKind};

use crate::{Provider, ProviderNamespace, ProvidersClient, RegistrationState};

/// The wait between two reads.
const PAUSE: Duration = Duration::from_secs(5);

/// Registers a resource provider in a subscription unless it is already registered, and waits for the registration to
/// complete.
///
/// **If it stops halfway**, the registration continues in Azure; running the task again waits for it. After that,
/// another run writes nothing.
///
/// ```
/// # use resource_ops::{ProviderNamespace, ProvidersClient};
/// # async fn f(arm: &arm_core::ArmClient, subscription: &arm_core::SubscriptionId) -> azure_core::Result<()> {
/// let security: ProviderNamespace = "Microsoft.Security".parse()?;
/// let change = ProvidersClient::new(arm).ensure_registered(subscription, &security).await?;
/// println!("{}", change.verb());
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// `{namespace}/register/action`: Contributor or Owner.
///
/// # Errors
///
/// The registration takes longer than [`wait_at_most`](Self::wait_at_most).
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnsureRegistered {
    client: ProvidersClient,
    subscription: SubscriptionId,
    provider: ProviderNamespace,
    wait: Duration,
}

impl ProvidersClient {
    /// Registers a provider unless it is already registered, and waits for the registration to complete. See
    /// [`EnsureRegistered`].
    pub fn ensure_registered(
        &self,
        subscription: &SubscriptionId,
        provider: &ProviderNamespace,
    ) -> EnsureRegistered {
        EnsureRegistered::new(self.clone(), subscription.clone(), provider.clone())
    }
}

impl EnsureRegistered {
    pub(crate) fn new(
        client: ProvidersClient,
        subscription: SubscriptionId,
        provider: ProviderNamespace,
    ) -> Self {
        Self { client, subscription, provider, wait: Duration::from_secs(600) }
    }

    /// Sets how long to wait for the registration. Default: 10 minutes.
    pub fn wait_at_most(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    async fn run(self, mode: Mode) -> Result<Change<Provider>> {
        let before = self.client.get(&self.subscription, &self.provider).await?;
        if before.registration_state == RegistrationState::Registered {
            return Ok(Change::Unchanged(before));
        }
        if mode.is_dry_run() {
            let mut after = before.clone();
            after.registration_state = RegistrationState::Registered;
            return Ok(Change::Updated { before, after });
        }
        if before.registration_state != RegistrationState::Registering {
            self.client.register(&self.subscription, &self.provider).await?;
        }
        let mut waited = Duration::ZERO;
        loop {
            let now = self.client.get(&self.subscription, &self.provider).await?;
            if now.registration_state == RegistrationState::Registered {
                return Ok(Change::Updated { before, after: now });
            }
            if waited >= self.wait {
                let message = format!(
                    "the provider {} is still {} in subscription {} after {waited:?}; its registration continues",
                    self.provider, now.registration_state, self.subscription
                );
                return Err(Error::with_message(ErrorKind::Other, message));
            }
            azure_core::sleep(PAUSE.try_into().unwrap_or_default()).await;
            waited += PAUSE;
        }
    }
}

arm_core::task!(EnsureRegistered => Change<Provider>);
