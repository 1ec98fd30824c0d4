//! What is asked for.

use std::{fmt, sync::Arc, time::Duration};

use arm_core::Secret;

use super::{Consumers, Issuer, hooks::Hooks};
use crate::{
    Ledger, SecretId, SecretName, SecretsClient, UnfinishedRotation, ValueSource,
    tasks::retire_old_versions::RetireOptions,
};

/// Gives a secret a new value and disables the old ones; awaiting it does it.
///
/// Step by step, and what holds if it stops there:
///
/// | step | if it stops here |
/// |---|---|
/// | check everything that was asked for; read the current version; list the versions; the [`Issuer`] identifies their credentials | nothing changed |
/// | a new credential at the issuer, if there is one | nothing changed in the vault; the next run with the same id finds the credential and uses or revokes it |
/// | test the new credential where it is used; if it does not work, it is revoked | the same |
/// | look again, then set | the old value is current, or the new one is |
/// | read until the new version is current | the new value is current; all old ones still work |
/// | wait for the [`Consumers`], if they are given | the same |
/// | look again, then revoke an identified old credential; read again; the next one | the new value is current; versions whose credential is revoked may still be enabled |
/// | look again, then disable an old version by id; the next one | the new value is current; some old versions are still enabled |
/// | read what holds in the end | all is done |
///
/// **Run again with the same [`id`](Self::id)**, it takes up where it stopped; a third run changes nothing. Run with
/// another id, it sets one more version and retires all before it.
///
/// **Beside others.** Its own version is the one that the answer to its set, or its [`Ledger`], names; if that answer
/// was lost, the one with its tag and its value. It never disables that version, nor one that was set after it had
/// listed the versions: those are named in the report, which is then not complete. When someone else sets a version,
/// it stops with [`RotateFailure::Overtaken`](crate::RotateFailure::Overtaken) and disables and revokes nothing more. A deleted secret stops it; it
/// never recovers or recreates one.
///
/// **What remains.** Key Vault has no compare-and-set, and a read may be some seconds old. Who sets a value within
/// the moment between the last look and a set is no longer current afterwards (the version is kept, and named); who
/// makes a value current *whose credential is being revoked* has a dead value. The latter is found by the read after
/// each revocation and after the last one, and is [`RotateFailure::CurrentCredentialDead`](crate::RotateFailure::CurrentCredentialDead).
///
/// **A new value in the vault does not make the old one useless.** Without an issuer the old credential stays valid
/// where it was issued until it is revoked there; the report says so.
///
/// Tags of the old version, its content type, and its lifetime if it had one, go over to the new one. The tag `rotated`
/// (the id) and, with an issuer, `credential` are added, and must find room; `replaces`, `reason` and `date` where
/// there is room.
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
/// Key Vault Secrets Officer; by access policy `get`, `list` and `set`.
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
/// How long the consumers are waited for: App Service may take a day.
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
            accept_outage: false,
            issuer_limit: ISSUER_LIMIT,
            consumers_limit: CONSUMERS_LIMIT,
            unfinished: None,
            retire: RetireOptions::default(),
        }
    }

    /// Takes up a rotation that a [`Ledger`] says was begun and not finished. Give it the same ledger, and the issuer or
    /// value that it was begun with; without them it is refused.
    pub fn resume(&self, unfinished: &UnfinishedRotation) -> Rotate {
        let rotate = self.rotate(&unfinished.secret).id(&unfinished.rotation);
        Rotate { reason: unfinished.reason.clone(), unfinished: Some(unfinished.clone()), ..rotate }
    }
}

impl Rotate {
    /// The new value. Default: the issuer's, or a random one.
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

    /// How long one call of an [`Issuer`] hook may take. Default: 5 minutes.
    pub fn issuer_limit(mut self, limit: Duration) -> Self {
        self.issuer_limit = limit;
        self
    }

    /// How long the [`Consumers`] may take to move. Default: 36 hours.
    pub fn consumers_limit(mut self, limit: Duration) -> Self {
        self.consumers_limit = limit;
        self
    }

    /// Lets an [`IssuerKind::One`](crate::IssuerKind::One) be used: from the creation of the new credential until they have read it, all
    /// consumers fail.
    pub fn accept_outage(mut self) -> Self {
        self.accept_outage = true;
        self
    }

    /// How long the new value should be used. Default: as long as the old one.
    pub fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expires_in = Some(lifetime);
        self
    }

    /// Why, as a tag of the new version; at most 512 characters. Not secret.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Names this rotation, so that it can be taken up again. Default: random, see the report or the ledger.
    /// At most 512 characters. Not secret.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = id.into();
        self
    }

    /// Keeps this many versions enabled, the new one included; their credentials are not revoked. Default: 1.
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

    /// How many versions are disabled at the same time. Default: 8, at most 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.retire.concurrency = requests.clamp(1, 25);
        self
    }

    /// Is called with the progress after every 25 versions that were disabled.
    pub fn on_progress(mut self, hear: impl Fn(&crate::Retirement) + Send + Sync + 'static) -> Self {
        self.retire.on_progress = Some(Arc::new(hear));
        self
    }

    /// Keeps a line for every step, and reads what an earlier run with the same id wrote.
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
