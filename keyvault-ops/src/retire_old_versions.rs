//! Disabling what is no longer current.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    fmt,
    future::{Future, IntoFuture},
    pin::Pin,
    sync::Arc,
};

use azure_core::{Error, error::ErrorKind};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use time::OffsetDateTime;

use crate::{
    Ledger, LedgerAction, SecretName, SecretProperties, SecretVersion, SecretsClient, attributes::TAG_LIMIT,
    ledger::Scribe,
};

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

/// The tag of a version that a rotation disabled and whose credential is to be revoked.
pub(crate) const RETIRED_BY: &str = "retired-by";

/// What became of the versions of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retirement {
    /// The version that is current, and stays enabled.
    pub current: SecretVersion,
    /// How many versions have been looked at.
    pub seen: u64,
    /// How many were disabled; in a dry run, would be.
    pub disabled: u64,
    /// How many were disabled before.
    pub disabled_before: u64,
    /// How many stay enabled, the current one included. More than asked for when several were created within the
    /// same second, which cannot be told apart.
    pub kept: u64,
    /// Whether nothing was written.
    pub dry_run: bool,
}

impl fmt::Display for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry_run { "to disable" } else { "disabled" };
        write!(
            f,
            "current {}: {} {verb}, {} kept enabled, {} disabled before, of {} versions",
            self.current, self.disabled, self.kept, self.disabled_before, self.seen
        )
    }
}

/// Why old versions were not all disabled, and how far it came.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetireError {
    /// What was done before; nothing if it stopped before it knew the current version.
    pub completed: Option<Retirement>,
    /// Why it stopped.
    pub source: RetireFailure,
}

/// Why old versions were not disabled.
#[derive(Debug)]
#[non_exhaustive]
pub enum RetireFailure {
    /// A request failed.
    Service(Error),
    /// The current version is disabled: it cannot be told which one it is, so nothing is disabled.
    CurrentDisabled,
    /// Someone else has set a version meanwhile.
    Overtaken {
        /// The version that is current now.
        current: SecretVersion,
    },
}

impl fmt::Display for RetireFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::CurrentDisabled => f.write_str(
                "the current version is disabled, so that no one can read the secret: enable it or set a new one first",
            ),
            Self::Overtaken { current } => {
                write!(f, "someone else set version {current} meanwhile: it is current and was not touched")
            }
        }
    }
}

impl std::error::Error for RetireFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "old versions are not all disabled: {}", self.source)?;
        match &self.completed {
            Some(completed) if completed.disabled > 0 => {
                write!(f, " ({} were disabled; run it again for the rest)", completed.disabled)
            }
            _ => f.write_str(" (none was disabled)"),
        }
    }
}

impl std::error::Error for RetireError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<Error> for RetireFailure {
    fn from(error: Error) -> Self {
        Self::Service(error)
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

pub(crate) async fn run(
    client: &SecretsClient,
    name: &SecretName,
    options: &RetireOptions,
) -> Result<Retirement, RetireError> {
    let begin = async {
        let current = current(client, name, options.expected.as_ref()).await?;
        let spared = Spared::find(client, name, &current, options).await?;
        Ok((current, spared))
    };
    let (current, spared) = begin.await.map_err(|source| RetireError { completed: None, source })?;
    let mut done =
        Retirement { current, seen: 0, disabled: 0, disabled_before: 0, kept: 0, dry_run: options.dry_run };
    let outcome = pages(client, name, options, &spared, &mut done).await;
    outcome.map(|()| done.clone()).map_err(|source| RetireError { completed: Some(done), source })
}

async fn current(
    client: &SecretsClient,
    name: &SecretName,
    expected: Option<&SecretVersion>,
) -> Result<SecretVersion, RetireFailure> {
    let current = client.current_version(name).await?.ok_or(RetireFailure::CurrentDisabled)?;
    match expected {
        Some(expected) if *expected != current => Err(RetireFailure::Overtaken { current }),
        _ => Ok(current),
    }
}

async fn pages(
    client: &SecretsClient,
    name: &SecretName,
    options: &RetireOptions,
    spared: &Spared,
    done: &mut Retirement,
) -> Result<(), RetireFailure> {
    let mut pages = client.list_versions(name).into_pages();
    while let Some(page) = pages.try_next().await? {
        let mut old = Vec::new();
        for version in page.items {
            let Some(id) = version.version() else { continue };
            done.seen += 1;
            if *id == done.current || (version.enabled && spared.covers(&version)) {
                done.kept += 1;
            } else if version.enabled {
                old.push(version);
            } else {
                done.disabled_before += 1;
            }
        }
        if options.dry_run {
            done.disabled += old.len() as u64;
        } else if !old.is_empty() {
            current(client, name, Some(&done.current)).await?;
            disable(client, name, options, old, done).await?;
        }
        if let Some(hear) = &options.on_progress {
            hear(done);
        }
    }
    Ok(())
}

/// Disables versions; those under way are finished, and counted, also when one fails.
async fn disable(
    client: &SecretsClient,
    name: &SecretName,
    options: &RetireOptions,
    old: Vec<SecretProperties>,
    done: &mut Retirement,
) -> Result<(), RetireFailure> {
    let scribe = Scribe {
        ledger: options.ledger.clone(),
        vault: client.host().to_owned(),
        secret: name.clone(),
        rotation: options.rotation.clone(),
    };
    let outcomes: Vec<Result<(), Error>> = stream::iter(old)
        .map(|version| disable_one(client, name, options, &scribe, version))
        .buffer_unordered(options.concurrency)
        .collect()
        .await;
    done.disabled += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
    outcomes.into_iter().collect::<Result<(), Error>>().map_err(RetireFailure::from)
}

async fn disable_one(
    client: &SecretsClient,
    name: &SecretName,
    options: &RetireOptions,
    scribe: &Scribe,
    version: SecretProperties,
) -> Result<(), Error> {
    let Some(id) = version.version() else { return Ok(()) };
    let mut update = client.update(name, id).disable();
    if let Some(tags) =
        options.rotation.as_ref().filter(|_| options.mark).and_then(|rotation| marked(&version, rotation))
    {
        update = update.tags(tags);
    }
    let now = update.await?;
    if now.enabled {
        let still =
            Error::with_message(ErrorKind::Other, "the service answers that the version is still enabled");
        return Err(client.failed("disabling", format_args!("{name}/{id}"), still));
    }
    scribe.note(LedgerAction::Disabled, Some(id), None)
}

/// The tags of a version with the mark of a rotation, if there is room for it.
fn marked(version: &SecretProperties, rotation: &str) -> Option<BTreeMap<String, String>> {
    let mut tags = version.tags.clone();
    tags.insert(RETIRED_BY.to_owned(), rotation.to_owned());
    (tags.len() <= TAG_LIMIT).then_some(tags)
}

/// The versions that stay enabled beside the current one.
struct Spared {
    /// This one, whenever it was created.
    first: Option<SecretVersion>,
    /// All created at this second or later.
    since: Option<OffsetDateTime>,
}

impl Spared {
    /// Finds the second in which the last version to keep was created, in one pass over the list.
    async fn find(
        client: &SecretsClient,
        name: &SecretName,
        current: &SecretVersion,
        options: &RetireOptions,
    ) -> Result<Self, RetireFailure> {
        let mut room = options.keep_enabled.saturating_sub(1);
        let first = options.next_to_keep.clone().filter(|_| room > 0);
        room -= usize::from(first.is_some());
        if room == 0 {
            return Ok(Self { first, since: None });
        }
        let mut newest = BinaryHeap::new();
        let mut versions = client.list_versions(name);
        while let Some(version) = versions.try_next().await? {
            let counts = version.enabled
                && version.version().is_some_and(|id| id != current && Some(id) != first.as_ref());
            if let Some(created) = version.created.filter(|_| counts) {
                newest.push(Reverse(created));
                if newest.len() > room {
                    newest.pop();
                }
            }
        }
        Ok(Self { first, since: newest.pop().map(|Reverse(oldest)| oldest) })
    }

    fn covers(&self, version: &SecretProperties) -> bool {
        let recent = self.since.is_some_and(|since| version.created.is_some_and(|created| created >= since));
        recent || (self.first.is_some() && version.version() == self.first.as_ref())
    }
}
