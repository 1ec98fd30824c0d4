//! Revoking and disabling old versions whose value was exposed.

mod report;
mod run;

use std::{fmt, sync::Arc};

use arm_core::Mode;

pub use report::{EndError, EndedVersions, OpenCredential};

use super::rotate::{Hooks, ISSUER_LIMIT};
use crate::{Consumers, Issuer, Ledger, SecretName, SecretVersion, SecretsClient};

/// A task that revokes the credentials in old versions of a secret and disables the versions, such as those whose value
/// leaked while the current one did not. The current version is never touched, even if it is listed.
///
/// With [`consumers`](Self::consumers), it first waits until they have moved to the current version, unless
/// [`at_once`](Self::at_once) is set. Directly before each revocation, it checks that the current version is unchanged
/// and contains another credential, that no rotation of a two-slot issuer is in progress, that no secret passed to
/// [`beside`](Self::beside) has the credential in its current value, and that the issuer still recognizes it. If the
/// current version has changed, the task stops with [`RotateFailure::Overtaken`](crate::RotateFailure::Overtaken); if
/// another check fails, the credential is not revoked, and its versions are [listed](EndedVersions::open) with the
/// reason. Copies of the credential elsewhere are not found. After the revocations, the current value is tested if it
/// has the same issuer.
///
/// **If it stops halfway**, some credentials are revoked while their versions are still enabled; running the task again
/// disables them. The issuer no longer recognizes a credential that the earlier run revoked, so it is listed as open. A
/// run after a complete one writes nothing, since the value of a disabled version cannot be read.
///
/// Without an [`issuer`](Self::issuer), the versions are disabled, but all their credentials are listed as open: **they
/// remain valid where they were issued**.
///
/// ```
/// # use std::sync::Arc;
/// # use keyvault_ops::{Issuer, SecretName, SecretVersion, SecretsClient};
/// # async fn f(secrets: SecretsClient, name: SecretName, leaked: SecretVersion, issuer: Arc<dyn Issuer>)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// let ended = secrets.end_old_versions(&name, [leaked]).issuer(issuer).await?;
/// println!("{ended}");
/// assert!(ended.is_complete());
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// Key Vault Secrets Officer, or an access policy with `get`, `list` and `set`; for secrets passed to `beside`,
/// permission to read them.
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EndOldVersions {
    client: SecretsClient,
    name: SecretName,
    versions: Vec<SecretVersion>,
    issuer: Option<Arc<dyn Issuer>>,
    consumers: Option<Arc<dyn Consumers>>,
    at_once: bool,
    beside: Vec<(SecretsClient, SecretName)>,
    ledger: Option<Ledger>,
}

impl fmt::Debug for EndOldVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndOldVersions")
            .field("secret", &self.name)
            .field("versions", &self.versions)
            .field("at_once", &self.at_once)
            .finish_non_exhaustive()
    }
}

impl SecretsClient {
    /// Revokes the credentials in these old versions of a secret and disables the versions. See [`EndOldVersions`].
    pub fn end_old_versions(
        &self,
        name: &SecretName,
        versions: impl IntoIterator<Item = SecretVersion>,
    ) -> EndOldVersions {
        EndOldVersions {
            client: self.clone(),
            name: name.clone(),
            versions: versions.into_iter().collect(),
            issuer: None,
            consumers: None,
            at_once: false,
            beside: Vec::new(),
            ledger: None,
        }
    }
}

impl EndOldVersions {
    /// Sets the issuer of the credentials in the versions.
    pub fn issuer(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Sets the consumers that must have moved to the current version before anything is revoked.
    pub fn consumers(mut self, consumers: Arc<dyn Consumers>) -> Self {
        self.consumers = Some(consumers);
        self
    }

    /// Does not wait for the consumers: for a leak that is being exploited.
    pub fn at_once(mut self) -> Self {
        self.at_once = true;
        self
    }

    /// Adds another secret whose current value may contain the same credential. It is read before each revocation.
    pub fn beside(mut self, client: SecretsClient, name: SecretName) -> Self {
        self.beside.push((client, name));
        self
    }

    /// Records every revoked credential and every disabled version in this ledger.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.ledger = Some(ledger.clone());
        self
    }

    fn hooks(&self) -> Option<Hooks> {
        Some(Hooks { issuer: self.issuer.clone()?, limit: ISSUER_LIMIT })
    }

    async fn run(self, mode: Mode) -> Result<EndedVersions, EndError> {
        self.carry_out(mode).await
    }
}

arm_core::task!(EndOldVersions => EndedVersions, EndError);
