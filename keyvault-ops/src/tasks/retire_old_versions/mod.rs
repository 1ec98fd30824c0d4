//! Disabling what is no longer current.

mod report;
mod run;

use std::{fmt, sync::Arc};

use arm_core::Mode;

pub use report::{RetireError, RetireFailure, Retirement};
use run::run;
pub(crate) use run::{CHUNK, RetireOptions, disable, newest};

use crate::{Ledger, SecretName, SecretVersion, SecretsClient};

/// Disables all versions of a secret but the current one; awaiting it does it.
///
/// Versions are chosen by id, never by their place in a list: lists have no order. The current version is the one that
/// a read without version answers. It is read again directly before each version is disabled; as soon as it is
/// another, nothing more is disabled. A version that is not surely older than the current one is disabled only when
/// the current one is still the same some seconds after the list was read: what is listed and not current by then
/// never becomes current again, because each set makes a new id.
///
/// Credentials are not revoked: that is what [`Rotate`](crate::Rotate) with an issuer does, and
/// [`EndOldVersions`](crate::EndOldVersions) for single versions.
///
/// **If it stops halfway**, some old versions are still enabled and the current one is untouched; running it again
/// disables the rest, and once more changes nothing. Of each version that is disabled, its id is kept in memory.
///
/// # Permissions
///
/// Key Vault Secrets Officer; by access policy `get`, `list` and `set`.
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct RetireOldVersions {
    client: SecretsClient,
    name: SecretName,
    options: RetireOptions,
}

impl fmt::Debug for RetireOldVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetireOldVersions").field("secret", &self.name).finish_non_exhaustive()
    }
}

impl SecretsClient {
    /// Disables all versions of a secret but the current one. See [`RetireOldVersions`].
    pub fn retire_old_versions(&self, name: &SecretName) -> RetireOldVersions {
        RetireOldVersions { client: self.clone(), name: name.clone(), options: RetireOptions::default() }
    }
}

impl RetireOldVersions {
    /// Keeps this many versions enabled, the current one included. Default: 1.
    pub fn keep_enabled(mut self, versions: usize) -> Self {
        self.options.keep_enabled = versions.max(1);
        self
    }

    /// Disables these only, and leaves all others as they are. The current version stays, also if it is named.
    pub fn only(mut self, versions: impl IntoIterator<Item = SecretVersion>) -> Self {
        self.options.only = Some(versions.into_iter().collect());
        self
    }

    /// How many are disabled at the same time. Default: 8, at most 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests.clamp(1, 25);
        self
    }

    /// Sets a callback for the progress, called after each page of versions.
    pub fn on_progress(mut self, hear: impl Fn(&Retirement) + Send + Sync + 'static) -> Self {
        self.options.on_progress = Some(Arc::new(hear));
        self
    }

    /// Records every version that is disabled.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.options.ledger = Some(ledger.clone());
        self
    }

    /// Counts what would be disabled, and disables nothing.
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = true;
        self
    }

    async fn run(mut self, mode: Mode) -> Result<Retirement, RetireError> {
        self.options.dry_run |= mode.is_dry_run();
        run(&self.client, &self.name, &self.options).await
    }
}

arm_core::task!(own dry_run: RetireOldVersions => Retirement, RetireError);
