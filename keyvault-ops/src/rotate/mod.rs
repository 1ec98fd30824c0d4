//! A new value for a secret, and the end of the old ones.

mod error;
mod issuer;
mod report;
mod run;
mod set;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use arm_core::Secret;

pub use error::{RotateError, RotateFailure, RotateStep};
pub use issuer::{Consumers, Credential, Issuer, OldCredential};
pub use report::{IssuerReport, Rotation};

use crate::{Ledger, SecretName, SecretsClient, retire_old_versions::RetireOptions};

/// Gives a secret a new value and disables the old ones; awaiting it does it.
///
/// Step by step, and what holds if it stops there:
///
/// | step | if it stops here |
/// |---|---|
/// | snapshot: the current version, by a read without version | nothing changed |
/// | a new credential at the [`Issuer`], if there is one | nothing changed; a credential that could not be stored is revoked |
/// | set, keeping the id that the service answers | the old value is current, or the new one is |
/// | verify: a read without version answers that id, and the issuer accepts the credential; else the old value is set again | the new value is current; all old ones still work |
/// | wait for the [`Consumers`], if they are given | the same |
/// | disable the old versions by id, see [`RetireOldVersions`](crate::RetireOldVersions) | the new value is current; some old versions are still enabled |
/// | revoke the old credentials at the issuer | until then, who has an old value can still use it |
/// | count what is still enabled | all is done |
///
/// Run again with the same [`id`](Self::id), it takes up where it stopped: a version that carries the id is not set a
/// second time. Run again with another id, it sets one more version and disables all before it.
/// The current version is never disabled, also when two rotate at once: who was overtaken stops with
/// [`RotateFailure::Overtaken`] and disables nothing more.
///
/// **A new value in the vault does not make the old one useless.** Without an issuer the old credential stays valid
/// where it was issued until it is revoked there; the report says so.
///
/// Tags of the old version, its content type, and its lifetime if it had one, go over to the new one. Where there is
/// room, tags are added: `rotated` (the id), `replaces`, `credential`, `reason`, `date`.
///
/// **Permissions**: Key Vault Secrets Officer; by access policy `get`, `list` and `set`.
///
/// ```
/// # async fn f(secrets: &keyvault_ops::SecretsClient) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
///
/// let name = "db-password".parse()?;
/// let rotation = secrets
///     .rotate(&name)
///     .reason("found on a disk")
///     .expires_in(Duration::from_secs(90 * 86_400))
///     .await?;
/// println!("{rotation}");
/// # Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct Rotate {
    pub(crate) client: SecretsClient,
    pub(crate) name: SecretName,
    value: Option<Secret>,
    issuer: Option<Arc<dyn Issuer>>,
    consumers: Option<Arc<dyn Consumers>>,
    expires_in: Option<Duration>,
    reason: Option<String>,
    id: String,
    revoke_first: bool,
    retire: RetireOptions,
}

impl fmt::Debug for Rotate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rotate")
            .field("vault", &self.client.host())
            .field("secret", &self.name)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl SecretsClient {
    /// Gives a secret a new value and disables the old ones. See [`Rotate`].
    pub fn rotate(&self, name: &SecretName) -> Rotate {
        Rotate {
            client: self.clone(),
            name: name.clone(),
            value: None,
            issuer: None,
            consumers: None,
            expires_in: None,
            reason: None,
            id: uuid::Uuid::new_v4().to_string(),
            revoke_first: false,
            retire: RetireOptions::default(),
        }
    }
}

impl Rotate {
    /// The new value; a random one otherwise, or the issuer's.
    pub fn to(mut self, value: Secret) -> Self {
        self.value = Some(value);
        self
    }

    /// Where the new credential comes from and the old one is revoked.
    pub fn issuer(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Who has to move to the new value before the old ones are disabled.
    pub fn consumers(mut self, consumers: Arc<dyn Consumers>) -> Self {
        self.consumers = Some(consumers);
        self
    }

    /// How long the new value should be used; as long as the old one otherwise.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Why, as a tag of the new version; at most 512 characters. Not secret.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Names this rotation, so that it can be taken up again; random otherwise, and in the report and ledger.
    /// At most 512 characters. Not secret.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Keeps this many versions enabled, the new one included; 1 otherwise.
    pub fn keep_enabled(mut self, versions: usize) -> Self {
        self.retire.keep_enabled = versions.max(1);
        self
    }

    /// Revokes the old credentials as soon as the new one is current, before anyone has moved: for a leak that is being
    /// used. Consumers of the old value fail until they read the new one.
    pub fn revoke_first(mut self) -> Self {
        self.revoke_first = true;
        self
    }

    /// How many versions are disabled at the same time; 8 otherwise, at most 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.retire.concurrency = requests.clamp(1, 25);
        self
    }

    /// Hears how far the disabling is after each page of versions.
    pub fn on_progress(mut self, hear: impl Fn(&crate::Retirement) + Send + Sync + 'static) -> Self {
        self.retire.on_progress = Some(Arc::new(hear));
        self
    }

    /// Keeps a line for every step.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.retire.ledger = Some(ledger.clone());
        self
    }

    /// Only tells which version is current and how many would be disabled. Neither issuer nor consumers are asked.
    pub fn dry_run(mut self) -> Self {
        self.retire.dry_run = true;
        self
    }
}

impl IntoFuture for Rotate {
    type Output = Result<Rotation, RotateError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run::rotate(self))
    }
}
