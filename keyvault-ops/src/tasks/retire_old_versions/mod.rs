//! Disabling versions that are no longer current.

mod report;
mod run;

use std::{fmt, sync::Arc};

use arm_core::Mode;

pub use report::{RetireError, RetireFailure, Retirement};
use run::run;
pub(crate) use run::{CHUNK, RetireOptions, disable, newest};

use crate::{Ledger, SecretName, SecretVersion, SecretsClient};

/// A task that disables all versions of a secret except the current one.
///
/// Versions are selected by id, never by position in a list, since lists are unordered. The current version is the one
/// that a read without a version returns. It is read again directly before each version is disabled; as soon as it has
/// changed, nothing more is disabled. A version that may be newer than the current one is disabled only if the current
/// one is still the same some seconds after that version was listed: a listed version that is not current by then can
/// never become current, because each set creates a new id.
///
/// Credentials are not revoked: for that, use [`Rotate`](crate::Rotate) with an issuer, or
/// [`EndOldVersions`](crate::EndOldVersions) for individual versions.
///
/// **If it stops halfway**, some old versions are still enabled and the current one is unchanged; running the task
/// again disables the rest. After that, another run changes nothing. The ids of all disabled versions are kept in
/// memory.
///
/// # Permissions
///
/// Key Vault Secrets Officer; with access policies, `get`, `list` and `set`.
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
    /// Disables all versions of a secret except the current one. See [`RetireOldVersions`].
    pub fn retire_old_versions(&self, name: &SecretName) -> RetireOldVersions {
        RetireOldVersions { client: self.clone(), name: name.clone(), options: RetireOptions::default() }
    }
}

impl RetireOldVersions {
    /// Keeps this many versions enabled, including the current one, or more if several were created within the same
    /// second. Default: 1.
    pub fn keep_enabled(mut self, versions: usize) -> Self {
        self.options.keep_enabled = versions.max(1);
        self
    }

    /// Disables only these versions, and leaves all others unchanged. The current version stays enabled even if it is
    /// listed.
    pub fn only(mut self, versions: impl IntoIterator<Item = SecretVersion>) -> Self {
        self.options.only = Some(versions.into_iter().collect());
        self
    }

    /// Sets how many versions to disable concurrently. Default: 8; maximum: 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests.clamp(1, 25);
        self
    }

    /// Sets a progress callback, called after each page of versions.
    pub fn on_progress(mut self, hear: impl Fn(&Retirement) + Send + Sync + 'static) -> Self {
        self.options.on_progress = Some(Arc::new(hear));
        self
    }

    /// Records every disabled version in this ledger.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.options.ledger = Some(ledger.clone());
        self
    }

    /// Counts what would be disabled, without disabling anything.
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = true;
        self
    }

    fn mode(&self) -> Mode {
        if self.options.dry_run { Mode::DryRun } else { Mode::Write }
    }

    async fn run(mut self, mode: Mode) -> Result<Retirement, RetireError> {
        self.options.dry_run |= mode.is_dry_run();
        run(&self.client, &self.name, &self.options).await
    }
}

arm_core::task!(own dry_run: RetireOldVersions => Retirement, RetireError);
