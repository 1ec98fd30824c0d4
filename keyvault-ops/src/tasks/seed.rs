//! Secrets for tests and labs.

use std::{collections::BTreeSet, fmt};

use arm_core::{IdError, Mode, Outcome, refuse};
use azure_core::{Error, Result};
use futures::{StreamExt as _, TryStreamExt as _, stream};

use super::settle::until_settled;
use crate::{
    DeletedSecret, SecretErrorExt as _, SecretName, SecretRefusal, SecretsClient,
    error::{IsSoftDeleted, attempted},
    random_value,
};

/// The tag of secrets that were seeded; its value is the prefix of their names.
const SEEDED: &str = "seeded";

/// A task that sets random secrets named `{prefix}-1`, `{prefix}-2` and so on.
///
/// Existing secrets are left unchanged. **If it stops halfway**, some are not set; running the task again sets the
/// rest. After that, another run changes nothing. If a soft-deleted secret has one of the names, the outcome for that
/// name is an error, unless [`when_deleted`](Self::when_deleted) is set. A deleted secret that was not seeded with this
/// prefix belongs to somebody else, and is always an error.
///
/// # Permissions
///
/// Key Vault Secrets Officer.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct SeedSecrets {
    client: SecretsClient,
    prefix: String,
    count: u32,
    concurrency: usize,
    when_deleted: WhenDeleted,
}

/// What to do if a soft-deleted secret has one of the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhenDeleted {
    /// Report it as an error: [`SecretRefusal::SoftDeleted`].
    #[default]
    Report,
    /// Recover the old secret, with its value, if it was seeded with the same prefix.
    Recover,
    /// Permanently delete the old secret, if it was seeded with the same prefix, and set a new one.
    Purge,
}

/// The outcome for one secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seeded {
    /// It was set.
    Created,
    /// It already existed.
    Unchanged,
    /// It was soft-deleted and was recovered.
    Recovered,
    /// It was soft-deleted, purged and set.
    Replaced,
}

/// The outcome for all secrets.
#[derive(Debug)]
#[non_exhaustive]
pub struct SeedReport {
    /// The vault's host name.
    pub vault: String,
    /// One outcome for each secret, sorted by name.
    pub outcomes: Vec<Outcome<SecretName, Seeded>>,
}

impl SeedReport {
    /// Whether all secrets exist, or in a dry run would exist.
    pub fn is_complete(&self) -> bool {
        self.outcomes.iter().all(|outcome| outcome.result.is_ok())
    }

    /// How many secrets had this outcome.
    pub fn count(&self, wanted: Seeded) -> usize {
        self.outcomes
            .iter()
            .filter(|outcome| matches!(outcome.result, Ok(seeded) if seeded == wanted))
            .count()
    }

    /// The secrets that this run set: the ones that a cleanup of this run may delete.
    pub fn created(&self) -> impl Iterator<Item = &SecretName> {
        let created =
            |outcome: &&Outcome<_, _>| matches!(outcome.result, Ok(Seeded::Created | Seeded::Replaced));
        self.outcomes.iter().filter(created).map(|outcome| &outcome.target)
    }

    /// All requested names, whether or not the secrets exist.
    pub fn names(&self) -> impl Iterator<Item = &SecretName> {
        self.outcomes.iter().map(|outcome| &outcome.target)
    }

    /// The secrets that could not be set or recovered, and why.
    pub fn failures(&self) -> impl Iterator<Item = (&SecretName, &Error)> {
        self.outcomes.iter().filter_map(|outcome| Some((&outcome.target, outcome.result.as_ref().err()?)))
    }
}

impl fmt::Display for SeedReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} created, {} already existed, {} recovered, {} purged and created, {} failed",
            self.count(Seeded::Created),
            self.count(Seeded::Unchanged),
            self.count(Seeded::Recovered),
            self.count(Seeded::Replaced),
            self.failures().count()
        )
    }
}

impl SecretsClient {
    /// Sets random secrets for a test or lab. See [`SeedSecrets`].
    pub fn seed(&self, prefix: &str, count: u32) -> SeedSecrets {
        SeedSecrets {
            client: self.clone(),
            prefix: prefix.to_owned(),
            count,
            concurrency: 8,
            when_deleted: WhenDeleted::default(),
        }
    }

    /// Lists the existing secrets that [`seed`](Self::seed) set with this prefix, for example to clean them up. They
    /// are recognized by their tag.
    ///
    /// # Errors
    ///
    /// Any refusal by the vault: see [`SecretErrorExt`](crate::SecretErrorExt).
    pub async fn seeded(&self, prefix: &str) -> Result<Vec<SecretName>> {
        let mut names = Vec::new();
        let mut secrets = self.list();
        while let Some(secret) = secrets.try_next().await? {
            if secret.tags.get(SEEDED).is_some_and(|tag| tag == prefix) {
                names.push(secret.id.name);
            }
        }
        Ok(names)
    }
}

impl SeedSecrets {
    /// Sets how many secrets to set concurrently. Default: 8.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests.max(1);
        self
    }

    /// Sets what to do if a soft-deleted secret has one of the names. Default: report it.
    pub fn when_deleted(mut self, what: WhenDeleted) -> Self {
        self.when_deleted = what;
        self
    }

    async fn run(self, mode: Mode) -> Result<SeedReport> {
        let names = (1..=self.count).map(|number| format!("{}-{number}", self.prefix).parse());
        let names: Vec<SecretName> = names.collect::<std::result::Result<_, IdError>>()?;
        let mut there = BTreeSet::new();
        let mut secrets = self.client.list();
        let wanted: BTreeSet<&SecretName> = names.iter().collect();
        while let Some(secret) = secrets.try_next().await? {
            if wanted.contains(secret.name()) {
                there.insert(secret.id.name);
            }
        }
        let (task, there) = (&self, &there);
        let mut outcomes: Vec<Outcome<SecretName, Seeded>> = stream::iter(names.clone())
            .map(|target| async move {
                let result = if there.contains(&target) {
                    Ok(Seeded::Unchanged)
                } else {
                    task.one(&target, mode).await
                };
                Outcome { target, result }
            })
            .buffer_unordered(self.concurrency)
            .collect()
            .await;
        outcomes.sort_by(|a, b| a.target.cmp(&b.target));
        Ok(SeedReport { vault: self.client.host().to_owned(), outcomes })
    }

    async fn one(&self, name: &SecretName, mode: Mode) -> Result<Seeded> {
        if mode.is_dry_run() {
            return match self.client.get_deleted(name).await {
                Ok(deleted) => self.decide(name, &deleted).map_err(|refusal| {
                    let message = refusal.to_string();
                    IsSoftDeleted::marking(refusal, message)
                }),
                Err(error) if error.secret_refusal() == Some(SecretRefusal::NotFound) => Ok(Seeded::Created),
                Err(error) => Err(error),
            };
        }
        let error = match self.set(name).await {
            Ok(()) => return Ok(Seeded::Created),
            Err(error) => error,
        };
        if error.may_have_acted() {
            return match self.client.get_opt(name).await? {
                Some(_) => Ok(Seeded::Created),
                None => Err(error),
            };
        }
        if error.secret_refusal() != Some(SecretRefusal::SoftDeleted) {
            return Err(error);
        }
        let deleted = self.client.get_deleted(name).await?;
        let seeded = self.decide(name, &deleted).map_err(|refusal| attempted(refusal.to_string(), error))?;
        if seeded == Seeded::Recovered {
            self.client.recover(name).await?;
            self.client.wait_until_recovered(name).await?;
        } else {
            self.client.purge(name).await?;
            self.set(name).await?;
        }
        Ok(seeded)
    }

    /// What to do about a soft-deleted secret that has the name.
    fn decide(&self, name: &SecretName, deleted: &DeletedSecret) -> Result<Seeded> {
        if self.when_deleted == WhenDeleted::Report {
            return refuse(format!(
                "'{name}' belongs to a soft-deleted secret: seed with WhenDeleted::Recover or Purge"
            ));
        }
        if deleted.properties.tags.get(SEEDED) != Some(&self.prefix) {
            return refuse(format!(
                "'{name}' belongs to a soft-deleted secret that was not seeded with this prefix: choose another prefix, \
                 or recover or purge it yourself"
            ));
        }
        Ok(if self.when_deleted == WhenDeleted::Recover { Seeded::Recovered } else { Seeded::Replaced })
    }

    /// Sets a random value, after waiting for a pending delete or recovery.
    async fn set(&self, name: &SecretName) -> Result<()> {
        let set = || async {
            self.client
                .set(name, random_value()?)
                .content_type("text/plain")
                .tag(SEEDED, &self.prefix)
                .await
                .map(drop)
        };
        until_settled(set, &[SecretRefusal::BeingDeleted, SecretRefusal::BeingRecovered]).await
    }
}

arm_core::task!(SeedSecrets => SeedReport);
