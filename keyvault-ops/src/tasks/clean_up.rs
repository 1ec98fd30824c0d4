//! Deleting secrets and reporting what is left.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use arm_core::{Mode, Outcome};
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use time::OffsetDateTime;

use super::settle::until_settled;
use crate::{
    DeletedSecret, RecoveryLevel, SecretErrorExt as _, SecretName, SecretProperties, SecretRefusal,
    SecretVersion, SecretsClient,
};

/// A task that deletes secrets, waits until the deletions are complete, and optionally purges the secrets.
///
/// **If it stops halfway**, some secrets still exist, or are soft-deleted but not purged; running the task again
/// finishes it. After that, another run changes nothing.
///
/// # Permissions
///
/// Key Vault Secrets Officer.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct CleanUpSecrets {
    client: SecretsClient,
    names: Vec<SecretName>,
    purge: bool,
    concurrency: usize,
}

/// What a run did to one secret.
#[derive(Debug, Default)]
struct Did {
    deleted: Option<BTreeSet<SecretVersion>>,
    purged: bool,
}

/// What is left of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remains {
    /// The secret does not exist, or no longer exists; its name is free now, or very soon.
    Nothing,
    /// It is soft-deleted: it can be recovered, and its name stays taken.
    SoftDeleted {
        /// The number of days until the service purges it, if known.
        days_left: Option<i64>,
        /// Whether a purge was refused, or in a dry run would be, as in a vault with purge protection.
        purge_refused: bool,
    },
}

/// The result of a cleanup.
#[derive(Debug)]
#[non_exhaustive]
pub struct CleanUpReport {
    /// The host name of the vault, such as `kv-prod.vault.azure.net`.
    pub vault: String,
    /// One outcome for each secret, sorted by name.
    pub outcomes: Vec<Outcome<SecretName, Remains>>,
    /// The secrets that this run deleted, or in a dry run would delete, with the versions that were listed for each.
    /// Secrets that were already deleted, or do not exist, are not included.
    pub deleted: BTreeMap<SecretName, BTreeSet<SecretVersion>>,
    /// The secrets that this run purged, or in a dry run would purge.
    pub purged: BTreeSet<SecretName>,
}

impl CleanUpReport {
    /// Whether there was no failure, so that every secret is deleted or soft-deleted (in a dry run: would be).
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.result.is_ok())
    }

    /// The soft-deleted secrets, whose names stay taken.
    pub fn soft_deleted(&self) -> impl Iterator<Item = &SecretName> {
        let soft = |outcome: &&Outcome<SecretName, Remains>| {
            matches!(outcome.result, Ok(Remains::SoftDeleted { .. }))
        };
        self.outcomes.iter().filter(soft).map(|outcome| &outcome.target)
    }

    /// The secrets that could not be deleted or purged, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&SecretName, &Error)> {
        self.outcomes.iter().filter_map(|outcome| Some((&outcome.target, outcome.result.as_ref().err()?)))
    }
}

impl fmt::Display for CleanUpReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut gone, mut soft, mut days, mut refused) = (0, 0, 0, 0);
        for outcome in &self.outcomes {
            match &outcome.result {
                Ok(Remains::Nothing) => gone += 1,
                Ok(Remains::SoftDeleted { days_left, purge_refused }) => {
                    soft += 1;
                    days = days.max(days_left.unwrap_or_default());
                    refused += usize::from(*purge_refused);
                }
                Err(_) => {}
            }
        }
        write!(f, "{gone} deleted, {soft} soft-deleted, {} failed", self.failures().count())?;
        if soft > 0 {
            write!(
                f,
                "; the names of the soft-deleted ones stay taken for up to {days} days unless they are purged"
            )?;
        }
        if refused > 0 {
            write!(f, ", which the vault does not allow for {refused} of them")?;
        }
        Ok(())
    }
}

impl SecretsClient {
    /// Deletes secrets and reports what is left. See [`CleanUpSecrets`].
    pub fn clean_up(&self, names: impl IntoIterator<Item = SecretName>) -> CleanUpSecrets {
        CleanUpSecrets {
            client: self.clone(),
            names: names.into_iter().collect(),
            purge: false,
            concurrency: 8,
        }
    }
}

impl CleanUpSecrets {
    /// Also purges them, unless the vault has purge protection. A purged secret cannot be recovered.
    pub fn purge(mut self) -> Self {
        self.purge = true;
        self
    }

    /// Sets how many secrets to delete concurrently. Default: 8.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    async fn run(self, mode: Mode) -> Result<CleanUpReport> {
        let task = &self;
        let mut names = self.names.clone();
        names.sort();
        names.dedup();
        let mut all: Vec<(SecretName, Did, Result<Remains>)> = stream::iter(names)
            .map(|target| async move {
                let mut did = Did::default();
                let result = task.one(&target, mode, &mut did).await;
                (target, did, result)
            })
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        all.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        let mut report = CleanUpReport {
            vault: self.client.host().to_owned(),
            outcomes: Vec::new(),
            deleted: BTreeMap::new(),
            purged: BTreeSet::new(),
        };
        for (target, did, result) in all {
            report.deleted.extend(did.deleted.map(|versions| (target.clone(), versions)));
            report.purged.extend(did.purged.then(|| target.clone()));
            report.outcomes.push(Outcome { target, result });
        }
        Ok(report)
    }

    async fn one(&self, name: &SecretName, mode: Mode, did: &mut Did) -> Result<Remains> {
        if mode.is_dry_run() {
            return self.would_remain(name, did).await;
        }
        let Some(deleted) = self.delete(name, did).await? else { return Ok(Remains::Nothing) };
        let days_left = deleted.days_left(OffsetDateTime::now_utc());
        if !self.purge {
            return Ok(Remains::SoftDeleted { days_left, purge_refused: false });
        }
        let purge = || self.client.purge(name);
        match until_settled(purge, &[SecretRefusal::BeingDeleted]).await {
            Ok(()) => {
                did.purged = true;
                Ok(Remains::Nothing)
            }
            Err(error) => match error.secret_refusal() {
                Some(SecretRefusal::NotFound) => Ok(Remains::Nothing),
                Some(SecretRefusal::Forbidden) => Ok(Remains::SoftDeleted { days_left, purge_refused: true }),
                _ => Err(error),
            },
        }
    }

    /// Determines what would be left of a secret, without reading its value.
    async fn would_remain(&self, name: &SecretName, did: &mut Did) -> Result<Remains> {
        let (properties, days_left) = match self.there(name).await? {
            Some((there, versions)) => {
                did.deleted = Some(versions);
                let days = there.recoverable_days.map(i64::from);
                (there, days)
            }
            None => match self.find_deleted(name).await? {
                Some(deleted) => {
                    let days = deleted.days_left(OffsetDateTime::now_utc());
                    (deleted.properties, days)
                }
                None => return Ok(Remains::Nothing),
            },
        };
        let refused = properties.recovery_level.as_ref().is_some_and(RecoveryLevel::forbids_purge);
        match properties.recovery_level {
            // Such a vault keeps no deleted secrets.
            Some(RecoveryLevel::Purgeable) => Ok(Remains::Nothing),
            _ if self.purge && !refused => {
                did.purged = true;
                Ok(Remains::Nothing)
            }
            _ => Ok(Remains::SoftDeleted { days_left, purge_refused: self.purge && refused }),
        }
    }

    /// Returns one version of a secret and the ids of all of them; `None` if there is no such secret.
    async fn there(&self, name: &SecretName) -> Result<Option<(SecretProperties, BTreeSet<SecretVersion>)>> {
        let (mut first, mut versions) = (None, BTreeSet::new());
        let mut listed = self.client.list_versions(name);
        loop {
            match listed.try_next().await {
                Ok(Some(version)) => {
                    versions.extend(version.version().cloned());
                    first.get_or_insert(version);
                }
                Ok(None) => return Ok(first.map(|first| (first, versions))),
                Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// Deletes a secret and waits until this is complete; `None` if there is no such secret, live or deleted.
    async fn delete(&self, name: &SecretName, did: &mut Did) -> Result<Option<DeletedSecret>> {
        // Only for the report: the caller may not be allowed to list, and a secret that is being deleted has no
        // versions.
        let there = self.there(name).await.ok().flatten();
        let versions = there.map(|(_, versions)| versions).unwrap_or_default();
        let delete = || self.client.delete(name);
        match until_settled(delete, &[SecretRefusal::BeingRecovered]).await {
            Ok(_) => did.deleted = Some(versions),
            Err(error) => match error.secret_refusal() {
                // The first response may have been lost.
                Some(SecretRefusal::BeingDeleted) => did.deleted = Some(versions),
                Some(SecretRefusal::NotFound) => return self.find_deleted(name).await,
                _ => return Err(error),
            },
        }
        self.client.wait_until_deleted(name).await.map(Some)
    }

    async fn find_deleted(&self, name: &SecretName) -> Result<Option<DeletedSecret>> {
        match self.client.get_deleted(name).await {
            Ok(deleted) => Ok(Some(deleted)),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

arm_core::task!(CleanUpSecrets => CleanUpReport);
