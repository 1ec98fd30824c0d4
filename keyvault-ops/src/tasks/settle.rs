//! Waiting for deletes, recoveries and purges, to which the service responds before they are complete.

use std::time::Duration;

use azure_core::{Error, Result};

use crate::{DeletedSecret, SecretErrorExt as _, SecretName, SecretRefusal, SecretsClient};

/// How long to wait for a delete, recovery or purge.
const BUDGET: Duration = Duration::from_secs(180);
/// The waits that the service's documentation suggests: 1, 2, 4, 8, 16 seconds.
const LONGEST_WAIT: Duration = Duration::from_secs(16);

impl SecretsClient {
    /// Waits until a deletion is complete, for at most 3 minutes.
    ///
    /// # Errors
    ///
    /// The vault refuses to return the deleted secret. The error is [`SecretRefusal::NotFound`] or
    /// [`SecretRefusal::BeingDeleted`] if the deletion is still incomplete after 3 minutes, or was never requested.
    pub async fn wait_until_deleted(&self, name: &SecretName) -> Result<DeletedSecret> {
        until_settled(|| self.get_deleted(name), &[SecretRefusal::NotFound, SecretRefusal::BeingDeleted])
            .await
    }

    /// Waits until a recovery is complete; at most 3 minutes.
    ///
    /// # Errors
    ///
    /// The vault refuses to return the secret, unless its current version is disabled. The error is
    /// [`SecretRefusal::NotFound`] or [`SecretRefusal::BeingRecovered`] if the recovery is still incomplete after 3
    /// minutes, or was never requested.
    pub async fn wait_until_recovered(&self, name: &SecretName) -> Result<()> {
        let read = || async {
            match self.read(name, None).await {
                Err(error) if error.secret_refusal() != Some(SecretRefusal::Disabled) => Err(error),
                _ => Ok(()),
            }
        };
        until_settled(read, &[SecretRefusal::NotFound, SecretRefusal::BeingRecovered]).await
    }
}

/// Repeats an operation while it is refused for one of these temporary reasons.
pub(crate) async fn until_settled<T, F, Fut>(operation: F, passing: &[SecretRefusal]) -> Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let passes = |error: &Error| error.secret_refusal().is_some_and(|refusal| passing.contains(&refusal));
    repeat_while(operation, |outcome| outcome.as_ref().is_err_and(passes)).await
}

/// Repeats an operation while its outcome is a temporary one; at most 3 minutes. Returns the last outcome.
pub(crate) async fn repeat_while<T, F, Fut>(operation: F, passes: impl Fn(&Result<T>) -> bool) -> Result<T>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<T>>,
{
    let (mut wait, mut waited) = (Duration::from_secs(1), Duration::ZERO);
    loop {
        let outcome = operation().await;
        if !passes(&outcome) || waited + wait > BUDGET {
            return outcome;
        }
        azure_core::sleep(wait.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
        waited += wait;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}
