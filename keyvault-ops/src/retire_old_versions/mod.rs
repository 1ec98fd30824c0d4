//! Disabling what is no longer current.

mod report;
mod run;

use std::{
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

pub use report::{RetireError, RetireFailure, Retirement};
pub(crate) use run::{RETIRED_BY, run};

use crate::{Ledger, SecretName, SecretVersion, SecretsClient};

/// Disables all versions of a secret but the current one; awaiting it does it.
///
/// Versions are chosen by id, never by their place in a list: lists have no order. The current version is the one that
/// a read without version answers. It is asked for once more after each page of the list and before anything of that
/// page is disabled; what is in a page and is not current by then never becomes current again, because each set
/// makes a new id. So two who rotate at once cannot disable the version that either made current.
///
/// **If it stops halfway**, some old versions are still enabled and the current one is untouched; running it again
/// disables the rest, and once more changes nothing. Memory does not grow with the number of versions.
///
/// **Permissions**: Key Vault Secrets Officer; by access policy `get`, `list` and `set`.
#[derive(Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct RetireOldVersions {
    client: SecretsClient,
    name: SecretName,
    options: RetireOptions,
}

type Hear = Arc<dyn Fn(&Retirement) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct RetireOptions {
    pub(crate) keep_enabled: usize,
    pub(crate) concurrency: usize,
    pub(crate) dry_run: bool,
    pub(crate) on_progress: Option<Hear>,
    pub(crate) ledger: Option<Ledger>,
    /// The version that must be current; else someone else has set one.
    pub(crate) expected: Option<SecretVersion>,
    /// The rotation, as lines of the ledger and tags name it.
    pub(crate) rotation: Option<String>,
    /// Whether to tag what is disabled with the rotation.
    pub(crate) mark: bool,
    /// The version kept before all others beside the current one.
    pub(crate) next_to_keep: Option<SecretVersion>,
}

impl Default for RetireOptions {
    fn default() -> Self {
        Self {
            keep_enabled: 1,
            concurrency: 8,
            dry_run: false,
            on_progress: None,
            ledger: None,
            expected: None,
            rotation: None,
            mark: false,
            next_to_keep: None,
        }
    }
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
    /// Keeps this many versions enabled, the current one included; 1 otherwise.
    pub fn keep_enabled(mut self, versions: usize) -> Self {
        self.options.keep_enabled = versions.max(1);
        self
    }

    /// How many are disabled at the same time; 8 otherwise, at most 25.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.options.concurrency = requests.clamp(1, 25);
        self
    }

    /// Hears how far it is after each page of versions.
    pub fn on_progress(mut self, hear: impl Fn(&Retirement) + Send + Sync + 'static) -> Self {
        self.options.on_progress = Some(Arc::new(hear));
        self
    }

    /// Keeps a line for every version that is disabled.
    pub fn ledger(mut self, ledger: &Ledger) -> Self {
        self.options.ledger = Some(ledger.clone());
        self
    }

    /// Only counts.
    pub fn dry_run(mut self) -> Self {
        self.options.dry_run = true;
        self
    }
}

impl IntoFuture for RetireOldVersions {
    type Output = Result<Retirement, RetireError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { run(&self.client, &self.name, &self.options).await })
    }
}
