//! Disabling versions, page by page.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    sync::Arc,
    time::Duration,
};

use azure_core::{Error, error::ErrorKind};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use time::OffsetDateTime;

use super::{RetireError, RetireFailure, Retirement};
use crate::{
    Ledger, LedgerAction, SecretErrorExt as _, SecretName, SecretProperties, SecretRefusal, SecretVersion,
    SecretsClient,
    ledger::{LedgerWriter, Line},
};

/// How many versions are disabled between two progress reports: the size of a page.
pub(crate) const CHUNK: usize = 25;
/// How stale the response to a read or list may be.
const SETTLING: Duration = Duration::from_secs(5);

type Hear = Arc<dyn Fn(&Retirement) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct RetireOptions {
    pub(crate) keep_enabled: usize,
    /// `None`: all.
    pub(crate) only: Option<Vec<SecretVersion>>,
    pub(crate) concurrency: usize,
    pub(crate) dry_run: bool,
    pub(crate) on_progress: Option<Hear>,
    pub(crate) ledger: Option<Ledger>,
}

impl RetireOptions {
    fn is_about(&self, version: &SecretVersion) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(version))
    }
}

impl Default for RetireOptions {
    fn default() -> Self {
        Self { keep_enabled: 1, only: None, concurrency: 8, dry_run: false, on_progress: None, ledger: None }
    }
}

pub(super) async fn run(
    client: &SecretsClient,
    name: &SecretName,
    options: &RetireOptions,
) -> Result<Retirement, RetireError> {
    let begin = async {
        let current = current(client, name).await?;
        let (Some(id), created) = (current.id.version, current.created) else {
            let missing = Error::with_message(ErrorKind::DataConversion, "the current version has no id");
            return Err(client.failed("reading", name, missing).into());
        };
        let spared = Spared::find(client, name, &id, options).await?;
        Ok(Run { client, name, options, current: id, created, spared })
    };
    let run = begin.await.map_err(|source| RetireError { completed: None, source })?;
    let mut done = Retirement {
        vault: client.host().to_owned(),
        secret: name.clone(),
        current: Some(run.current.clone()),
        seen: 0,
        disabled: 0,
        versions: Vec::new(),
        disabled_before: 0,
        kept: 0,
        dry_run: options.dry_run,
    };
    let outcome = run.pages(&mut done).await;
    outcome.map(|()| done.clone()).map_err(|source| RetireError { completed: Some(done), source })
}

async fn current(client: &SecretsClient, name: &SecretName) -> Result<SecretProperties, RetireFailure> {
    match client.get(name).await {
        Ok(found) => Ok(found.properties),
        Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => {
            Err(RetireFailure::CurrentDisabled)
        }
        Err(error) => Err(RetireFailure::Service(error)),
    }
}

struct Run<'a> {
    client: &'a SecretsClient,
    name: &'a SecretName,
    options: &'a RetireOptions,
    current: SecretVersion,
    created: Option<OffsetDateTime>,
    spared: Spared,
}

impl Run<'_> {
    async fn pages(&self, done: &mut Retirement) -> Result<(), RetireFailure> {
        let mut settled = false;
        let mut pages = self.client.list_versions(self.name).into_pages();
        while let Some(page) = pages.try_next().await? {
            let mut old = Vec::new();
            for version in page.items {
                let Some(id) = version.version() else { continue };
                done.seen += 1;
                let spared = self.spared.covers(&version) || !self.options.is_about(id);
                if *id == self.current || (version.enabled && spared) {
                    done.kept += 1;
                } else if version.enabled {
                    old.push(version);
                } else {
                    done.disabled_before += 1;
                }
            }
            if self.options.dry_run {
                done.disabled += old.len() as u64;
                done.versions.extend(old.into_iter().filter_map(|version| version.id.version));
            } else if !old.is_empty() {
                self.settle(&old, &mut settled).await?;
                self.disable_all(old, done).await?;
            }
            if let Some(hear) = &self.options.on_progress {
                hear(done);
            }
        }
        Ok(())
    }

    /// Checks that none of these versions became current after the current version was read.
    ///
    /// Versions that are older than the current one cannot have. For all others, it waits and checks that the current
    /// version is still the same. For versions of the same second, this is done only once, since a version set after
    /// the wait has a later date.
    async fn settle(&self, old: &[SecretProperties], settled: &mut bool) -> Result<(), RetireFailure> {
        let older = |version: &SecretProperties| {
            let surely = version.created.is_some() && version.created < self.created;
            surely || (*settled && version.created.is_some() && version.created == self.created)
        };
        if !old.iter().all(older) {
            azure_core::sleep(SETTLING.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
            self.look().await?;
            *settled = true;
        }
        Ok(())
    }

    async fn look(&self) -> Result<(), RetireFailure> {
        match current(self.client, self.name).await?.id.version {
            Some(current) if current != self.current => Err(RetireFailure::Overtaken { current }),
            _ => Ok(()),
        }
    }

    /// Disables versions. If one fails, the others are still attempted and counted.
    async fn disable_all(
        &self,
        old: Vec<SecretProperties>,
        done: &mut Retirement,
    ) -> Result<(), RetireFailure> {
        let writer = LedgerWriter {
            ledger: self.options.ledger.clone(),
            vault: self.client.host().to_owned(),
            secret: self.name.clone(),
            rotation: None,
        };
        let detail = Some(format!("{} old versions", old.len()));
        writer.write(LedgerAction::Retiring, Line { detail, ..Line::default() })?;
        let ids = old.into_iter().filter_map(|version| version.id.version);
        let outcomes: Vec<Result<SecretVersion, RetireFailure>> = stream::iter(ids)
            .map(|id| async {
                self.look().await?;
                disable(self.client, self.name, &writer, &id).await?;
                Ok(id)
            })
            .buffer_unordered(self.options.concurrency)
            .collect()
            .await;
        done.disabled += outcomes.iter().filter(|outcome| outcome.is_ok()).count() as u64;
        done.versions.extend(outcomes.iter().flatten().cloned());
        outcomes.into_iter().try_for_each(|outcome| outcome.map(drop))
    }
}

/// Disables one version, and checks in the response that it is.
pub(crate) async fn disable(
    client: &SecretsClient,
    name: &SecretName,
    writer: &LedgerWriter,
    version: &SecretVersion,
) -> Result<(), Error> {
    let now = client.update(name, version).disable().await?;
    if now.enabled {
        let still = Error::with_message(
            ErrorKind::Other,
            "the service's response shows the version as still enabled",
        );
        return Err(client.failed("disabling", format_args!("{name}/{version}"), still));
    }
    writer.write(LedgerAction::Disabled, Line::version(version))
}

/// Selects the versions to keep: `first` if it is one of them, then the newest. All versions created in the same second
/// as the last of these are kept, since they cannot be distinguished.
pub(crate) fn newest(
    versions: &[(SecretVersion, Option<OffsetDateTime>)],
    first: Option<&SecretVersion>,
    room: usize,
) -> HashSet<SecretVersion> {
    let first = first.filter(|first| room > 0 && versions.iter().any(|(version, _)| version == *first));
    let mut newest = Newest::new(room - usize::from(first.is_some()));
    let others = versions.iter().filter(|(version, _)| Some(version) != first);
    others.clone().filter_map(|(_, created)| *created).for_each(|created| newest.add(created));
    let since = newest.since();
    let recent = others.filter(|(_, created)| since.is_some() && *created >= since);
    recent.map(|(version, _)| version).chain(first).cloned().collect()
}

/// The latest `room` of many instants.
struct Newest {
    room: usize,
    instants: BinaryHeap<Reverse<OffsetDateTime>>,
}

impl Newest {
    fn new(room: usize) -> Self {
        Self { room, instants: BinaryHeap::new() }
    }

    fn add(&mut self, instant: OffsetDateTime) {
        self.instants.push(Reverse(instant));
        if self.instants.len() > self.room {
            self.instants.pop();
        }
    }

    fn since(mut self) -> Option<OffsetDateTime> {
        self.instants.pop().map(|Reverse(oldest)| oldest)
    }
}

/// The versions that stay enabled besides the current one: all that were created in this second or later.
struct Spared {
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
        let room = options.keep_enabled.saturating_sub(1);
        if room == 0 {
            return Ok(Self { since: None });
        }
        let mut newest = Newest::new(room);
        let mut versions = client.list_versions(name);
        while let Some(version) = versions.try_next().await? {
            if version.enabled && version.version() != Some(current) {
                version.created.into_iter().for_each(|created| newest.add(created));
            }
        }
        Ok(Self { since: newest.since() })
    }

    fn covers(&self, version: &SecretProperties) -> bool {
        self.since.is_some_and(|since| version.created.is_some_and(|created| created >= since))
    }
}
