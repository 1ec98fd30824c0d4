//! The options of a rotation.

use std::{fmt, sync::Arc, time::Duration};

use arm_core::Secret;

use super::{Consumers, Issuer, hooks::Hooks};
use crate::{
    Ledger, SecretId, SecretName, SecretsClient, UnfinishedRotation, ValueSource,
    tasks::retire_old_versions::RetireOptions,
};

/// A task that sets a new value for a secret and disables the old versions.
///
/// The steps, and the state if it stops there:
///
/// | step | state if it stops here |
/// |---|---|
/// | check the request; read the current version; list the versions; have the [`Issuer`] identify their credentials | nothing changed |
/// | create a new credential at the issuer, if there is one | no new version in the vault; with two slots, the current one has the tag `rotating`. The next run with the same id uses or revokes the credential, or regenerates the slot again |
/// | test the new credential; if it does not work, revoke it (only [`IssuerKind::Many`](crate::IssuerKind::Many)) | the same |
/// | check again, then set | either the old or the new value is current |
/// | read until the new version is current | the new value is current; the old one still works, except with [`IssuerKind::One`](crate::IssuerKind::One) |
/// | wait for the [`Consumers`], if there are any | the same |
/// | check again, then revoke an identified old credential; read again; repeat for the next one | the new value is current; versions whose credential is revoked may still be enabled |
/// | check again, then disable an old version by id; repeat for the next one | the new value is current; some old versions are still enabled |
/// | read the final state | everything is done |
///
/// **Running it again with the same [`id`](Self::id)** resumes where it stopped; once it is complete, another run
/// changes nothing. With another id, it sets one more version and disables all earlier ones. A later run learns only
/// from a [`Ledger`] which credentials an earlier one has revoked, since the value of a disabled version cannot be
/// read. Without a ledger, it lists them as [not revoked](crate::IssuerReport::unrevoked), and is not complete.
///
/// **Concurrent writers.** A rotation recognizes its own version by the response to its set or by its [`Ledger`]; if
/// the response was lost, by its tag and value. It never disables that version, nor any that was set after it had read
/// the list of versions; the report contains the latter, and is then not complete. If somebody else sets a version, it
/// stops with [`RotateFailure::Overtaken`](crate::RotateFailure::Overtaken) and disables and revokes nothing more. If
/// the secret is deleted, it stops; it never recovers or recreates a secret.
///
/// **Remaining races.** Key Vault has no compare-and-set, and a read may be some seconds old. If somebody sets a value
/// between the last check and the rotation's own set, that value is no longer current afterwards; its version is kept
/// and listed in the report. If somebody makes a value current *whose credential is being revoked*, that value no
/// longer works. The rotation checks for this after each revocation, and again at the end, and reports
/// [`RotateFailure::CurrentCredentialDead`](crate::RotateFailure::CurrentCredentialDead).
///
/// **A new value in the vault does not invalidate the old one.** Without an issuer, the old credential stays valid
/// until it is revoked where it was issued; the report says so.
///
/// The tags, content type and lifetime of the version that was current, if it is not disabled, are copied to the new
/// one. The tag `rotated` (the id) and, with an issuer, `credential` are added, and must fit into the 15 tags of a
/// version; `replaces`, `reason` and `date` are added if they fit. These five are not copied from an earlier rotation.
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
///
/// # Permissions
///
/// Key Vault Secrets Officer; with access policies, `get`, `list` and `set`.
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct Rotate {
    pub(crate) client: SecretsClient,
    pub(crate) name: SecretName,
    pub(super) value: Option<Secret>,
    pub(super) issuer: Option<Arc<dyn Issuer>>,
    pub(super) consumers: Option<Arc<dyn Consumers>>,
    pub(super) expires_in: Option<Duration>,
    pub(super) reason: Option<String>,
    pub(super) id: String,
    pub(super) revoke_first: bool,
    pub(super) accept_outage: bool,
    pub(super) issuer_limit: Duration,
    pub(super) consumers_limit: Duration,
    pub(super) unfinished: Option<UnfinishedRotation>,
    pub(super) retire: RetireOptions,
}

/// How long a hook of an issuer may take.
pub(in crate::tasks) const ISSUER_LIMIT: Duration = Duration::from_secs(300);
/// How long to wait for the consumers: App Service may take a day.
pub(in crate::tasks) const CONSUMERS_LIMIT: Duration = Duration::from_secs(36 * 3600);

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
    /// Sets a new value for a secret and disables the old versions. See [`Rotate`].
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
            accept_outage: false,
            issuer_limit: ISSUER_LIMIT,
            consumers_limit: CONSUMERS_LIMIT,
            unfinished: None,
            retire: RetireOptions::default(),
        }
    }

    /// Resumes a rotation that a [`Ledger`] lists as unfinished. Provide the same ledger. If it was started with an
    /// issuer or a value, provide that too; otherwise, it is refused.
    pub fn resume(&self, unfinished: &UnfinishedRotation) -> Rotate {
        let rotate = self.rotate(&unfinished.secret).id(&unfinished.rotation);
        Rotate { reason: unfinished.reason.clone(), unfinished: Some(unfinished.clone()), ..rotate }
    }
}

impl Rotate {
    /// Sets the new value. Refused together with an [`issuer`](Self::issuer). Default: one that the issuer creates, or
    /// a random one.
    pub fn to(mut self, value: Secret) -> Self {
        self.value = Some(value);
        self
    }

    /// Sets the issuer that creates the new credential and revokes the old one.
    pub fn issuer(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Sets the consumers that must move to the new value before the old ones are revoked and disabled. Default: none,
    /// so that the old ones are revoked and disabled immediately.
    pub fn consumers(mut self, consumers: Arc<dyn Consumers>) -> Self {
        self.consumers = Some(consumers);
        self
    }

    /// Sets how long one call of an [`Issuer`] method may take. Default: 5 minutes.
    pub fn issuer_limit(mut self, limit: Duration) -> Self {
        self.issuer_limit = limit;
        self
    }

    /// Sets how long the [`Consumers`] may take to move. Default: 36 hours.
    pub fn consumers_limit(mut self, limit: Duration) -> Self {
        self.consumers_limit = limit;
        self
    }

    /// Allows an issuer of kind [`IssuerKind::One`](crate::IssuerKind::One): each consumer fails from the creation of
    /// the new credential until it has read it.
    pub fn accept_outage(mut self) -> Self {
        self.accept_outage = true;
        self
    }

    /// Sets the lifetime of the new value. Default: that of the old one.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Sets the reason, stored in the ledger and, if there is room, as a tag of the new version; at most 512
    /// characters. Not secret.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Sets the id of this rotation, with which it can be resumed; 1 to 512 characters. Default: a random one, which is
    /// in the report and the ledger. Not secret.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Keeps this many versions enabled, including the new one, or more if several were created within the same second;
    /// their credentials are not revoked. Default: 1.
    pub fn keep_enabled(mut self, versions: usize) -> Self {
        self.retire.keep_enabled = versions.max(1);
        self
    }

    /// Revokes the old credentials as soon as the new one is current, before any consumer has moved: for a leak that is
    /// being exploited. Consumers of the old value fail until they read the new one. Refused without an
    /// [`issuer`](Self::issuer), or if more than one version is to stay enabled.
    pub fn revoke_first(mut self) -> Self {
        self.revoke_first = true;
        self
    }

    /// Sets how many versions to disable concurrently. Default: 8; maximum: 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.retire.concurrency = requests.clamp(1, 25);
        self
    }

    /// Sets a progress callback, called after every 25 disabled versions and after the last one.
    pub fn on_progress(mut self, hear: impl Fn(&crate::Retirement) + Send + Sync + 'static) -> Self {
        self.retire.on_progress = Some(Arc::new(hear));
        self
    }

    /// Records the steps in this ledger, and reads what an earlier run with the same id recorded there.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.retire.ledger = Some(ledger.clone());
        self
    }

    /// Only reports which version is current and which ones would be disabled. Sends no request to the issuer or the
    /// consumers.
    pub fn dry_run(mut self) -> Self {
        self.retire.dry_run = true;
        self
    }
}

impl Rotate {
    pub(super) fn target(&self) -> SecretId {
        SecretId { vault_host: self.client.host().to_owned(), name: self.name.clone(), version: None }
    }

    pub(super) fn hooks(&self) -> Option<Hooks> {
        Some(Hooks { issuer: self.issuer.clone()?, limit: self.issuer_limit })
    }

    pub(super) fn source(&self) -> ValueSource {
        match (&self.issuer, &self.value) {
            (Some(_), _) => ValueSource::Issuer,
            (None, Some(_)) => ValueSource::Given,
            (None, None) => ValueSource::Random,
        }
    }
}
