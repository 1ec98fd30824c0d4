//! Disabling, page by page.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
};

use azure_core::{Error, error::ErrorKind};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use time::OffsetDateTime;

use super::{RetireError, RetireFailure, RetireOptions, Retirement};
use crate::{
    LedgerAction, SecretName, SecretProperties, SecretVersion, SecretsClient, attributes::TAG_LIMIT,
    ledger::Scribe,
};

/// The tag of a version that a rotation disabled and whose credential is to be revoked.
pub(crate) const RETIRED_BY: &str = "retired-by";

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
