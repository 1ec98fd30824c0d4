//! Deleting secrets, and reporting what is left.

use std::fmt;

use arm_core::{Mode, Outcome};
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use time::OffsetDateTime;

use super::settle::until_settled;
use crate::{
    DeletedSecret, RecoveryLevel, SecretErrorExt as _, SecretName, SecretProperties, SecretRefusal,
    SecretsClient,
};

/// Deletes secrets, waits until they really are deleted, and purges them if asked to; awaiting it does it.
///
/// **If it stops halfway**, some secrets are still there, or soft-deleted and not purged; running it again does the
/// rest. A run after that changes nothing.
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

/// What is left of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Remains {
    /// Nothing: its name is free, at once or in a moment.
    Nothing,
    /// It is soft-deleted: it can be recovered, and its name is taken.
    SoftDeleted {
        /// The number of days.
        days_left: Option<i64>,
        /// Whether a purge was tried and refused, as in a vault with purge protection.
        purge_refused: bool,
    },
}

/// What is left of all secrets.
#[derive(Debug)]
#[non_exhaustive]
pub struct CleanUpReport {
    /// One outcome for each secret, by name.
    pub outcomes: Vec<Outcome<SecretName, Remains>>,
}

impl CleanUpReport {
    /// Whether every secret is deleted or soft-deleted.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.result.is_ok())
    }

    /// The secrets that are soft-deleted and keep their names.
    pub fn soft_deleted(&self) -> impl Iterator<Item = &SecretName> {
        let soft = |outcome: &&Outcome<SecretName, Remains>| {
            matches!(outcome.result, Ok(Remains::SoftDeleted { .. }))
        };
        self.outcomes.iter().filter(soft).map(|outcome| &outcome.target)
    }

    /// The secrets that are not deleted, and why.
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
        write!(f, "{gone} gone, {soft} soft-deleted, {} failed", self.failures().count())?;
        if soft > 0 {
            write!(
                f,
                "; the soft-deleted ones keep their names for up to {days} days unless they are purged"
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
    /// Also purges them: they cannot be recovered.
    pub fn purge(mut self) -> Self {
        self.purge = true;
        self
    }

    /// How many are deleted at the same time. Default: 8.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    async fn run(self, mode: Mode) -> Result<CleanUpReport> {
        let task = &self;
        let mut names = self.names.clone();
        names.sort();
        names.dedup();
        let mut outcomes: Vec<Outcome<SecretName, Remains>> = stream::iter(names)
            .map(|target| async move { Outcome { result: task.one(&target, mode).await, target } })
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        outcomes.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(CleanUpReport { outcomes })
    }

    async fn one(&self, name: &SecretName, mode: Mode) -> Result<Remains> {
        if mode.is_dry_run() {
            return self.would_remain(name).await;
        }
        let Some(deleted) = self.delete(name).await? else { return Ok(Remains::Nothing) };
        let days_left = deleted.days_left(OffsetDateTime::now_utc());
        if !self.purge {
            return Ok(Remains::SoftDeleted { days_left, purge_refused: false });
        }
        let purge = || self.client.purge(name);
        match until_settled(purge, &[SecretRefusal::BeingDeleted]).await {
            Ok(()) => Ok(Remains::Nothing),
            Err(error) => match error.secret_refusal() {
                Some(SecretRefusal::NotFound) => Ok(Remains::Nothing),
                Some(SecretRefusal::Forbidden) => Ok(Remains::SoftDeleted { days_left, purge_refused: true }),
                _ => Err(error),
            },
        }
    }

    /// What would be left, read without a value: whether it can be purged, and for how long it could be recovered.
    async fn would_remain(&self, name: &SecretName) -> Result<Remains> {
        let there: Option<SecretProperties> = match self.client.list_versions(name).try_next().await {
            Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => None,
            there => there?,
        };
        let (properties, days_left) = match there {
            Some(there) => {
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
            // Such a vault keeps nothing.
            Some(RecoveryLevel::Purgeable) => Ok(Remains::Nothing),
            _ if self.purge && !refused => Ok(Remains::Nothing),
            _ => Ok(Remains::SoftDeleted { days_left, purge_refused: self.purge && refused }),
        }
    }

    /// Deletes a secret and waits for it; `None` if there is none, deleted or not.
    async fn delete(&self, name: &SecretName) -> Result<Option<DeletedSecret>> {
        let delete = || self.client.delete(name);
        match until_settled(delete, &[SecretRefusal::BeingRecovered]).await {
            Ok(_) => {}
            Err(error) => match error.secret_refusal() {
                Some(SecretRefusal::BeingDeleted) => {}
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
