//! Which callers read a secret, and which have moved to its new version: evidence before the old one is revoked.

mod judge;
mod log;
mod report;
mod vault_readers;

use std::{sync::PoisonError, time::Duration};

use arm_core::refuse;
use async_trait::async_trait;
use azure_core::Result;
use keyvault_ops::{Consumers, SecretId, SecretName, SecretVersion};
use time::OffsetDateTime;

pub use report::{Movement, Reader, Readers};
use vault_readers::SETTLING;
pub use vault_readers::VaultReaders;

/// The first pause while waiting for readers: the log cannot show a new version reliably any sooner.
const FIRST_PAUSE: Duration = Duration::from_secs(16 * 60);
/// The pause between later checks.
const PAUSE: Duration = Duration::from_secs(300);

impl VaultReaders {
    /// Returns the readers of a secret.
    ///
    /// # Errors
    ///
    /// The log or the secret's versions could not be read. A gap in the log is not an error: see [`Readers::unknown`].
    pub async fn readers(&self, name: &SecretName) -> Result<Readers> {
        let from = self.begin(OffsetDateTime::now_utc());
        let log = self.log_of(name, from).await?;
        let mut unknown = log.gaps;
        unknown.extend(self.coverage(name, from, &log.operations).await?);
        Ok(Readers {
            secret: name.to_string(),
            from,
            readers: judge::readers(&judge::reads(&log.operations)),
            unknown,
        })
    }

    /// Returns which readers of a secret have moved to this version, as far as the log shows so far. Does not wait.
    ///
    /// # Errors
    ///
    /// The log could not be read, or the version does not exist or does not say when it was set.
    pub async fn moved_to(&self, name: &SecretName, version: &SecretVersion) -> Result<Movement> {
        let Some(set) = self.created(name, version).await? else {
            return refuse(not_there(name, version));
        };
        let has_caught_up = self.has_caught_up(set).await?;
        self.look(name, version, set, has_caught_up).await
    }

    async fn look(
        &self,
        name: &SecretName,
        version: &SecretVersion,
        set: OffsetDateTime,
        has_caught_up: bool,
    ) -> Result<Movement> {
        let from = self.begin(set.max(self.begin(OffsetDateTime::now_utc())));
        let log = self.log_of(name, from).await?;
        let mut unknown = log.gaps;
        unknown.extend(self.coverage(name, from, &log.operations).await?);
        if !has_caught_up {
            unknown.push(not_caught_up());
        }
        let setter = log::setter(&log.operations, set);
        if setter.is_none() && set >= from {
            unknown
                .push("the log does not show that the version was set: it is late, or has a gap".to_owned());
        }
        let version = version.as_str().to_lowercase();
        let asked =
            judge::Question { version: &version, set, ignored: &self.ignored, setter: setter.as_deref() };
        Ok(judge::movement(&judge::reads(&log.operations), &asked, unknown))
    }

    /// Whether this is the log of the vault that contains a secret.
    pub(crate) fn is_of(&self, secret: &SecretId) -> bool {
        self.secrets.host().eq_ignore_ascii_case(&secret.vault_host)
    }

    /// Whether the reads of this reader are ignored.
    pub(crate) fn ignores(&self, reader: &Reader) -> bool {
        self.ignored.iter().any(|ignored| ignored.eq_ignore_ascii_case(&reader.object_id))
    }

    fn begin(&self, end: OffsetDateTime) -> OffsetDateTime {
        let window = self.window.try_into().unwrap_or(time::Duration::days(365));
        end.checked_sub(window).unwrap_or(end)
    }
}

/// What to do after a check.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Wait,
    GiveUp(&'static str),
}

fn next(seen: &Movement, waited: Duration, patience: Duration, deadline: Option<Duration>) -> Next {
    let late = deadline.is_some_and(|deadline| waited >= deadline);
    match seen {
        seen if seen.is_complete() || late => Next::GoOn,
        // Pinned readers will not move, however long we wait. Give up only once all others have moved.
        seen if deadline.is_none()
            && seen.silent.is_empty()
            && seen.unknown.is_empty()
            && !seen.pinned.is_empty() =>
        {
            Next::GiveUp("readers request an old version by its id: change that, then run the rotation again")
        }
        _ if deadline.is_none() && waited >= patience => {
            Next::GiveUp("not all readers were seen to move: run the rotation again once they have")
        }
        _ => Next::Wait,
    }
}

#[async_trait]
impl Consumers for VaultReaders {
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()> {
        let Some(version) = &to.version else { return refuse(format!("{to} has no version")) };
        let last_look = self.deadline.unwrap_or(self.patience);
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        loop {
            // This adds a row to the log, so that even the log of a quiet vault shows that it has caught up.
            let Some(set) = self.created(&to.name, version).await? else {
                return refuse(not_there(&to.name, version));
            };
            // The rest of the log is not queried until it has caught up.
            let has_caught_up = self.has_caught_up(set).await?;
            let seen = match has_caught_up || waited >= last_look {
                true => self.look(&to.name, version, set, has_caught_up).await?,
                false => Movement { unknown: vec![not_caught_up()], ..Movement::default() },
            };
            *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(seen.clone());
            match next(&seen, waited, self.patience, self.deadline) {
                Next::GoOn => return Ok(()),
                Next::GiveUp(reason) => return refuse(format!("{reason}: {seen}")),
                Next::Wait => {}
            }
            let due = pause.min(last_look.saturating_sub(waited)).max(Duration::from_secs(1));
            azure_core::sleep(due.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
            (waited, pause) = (waited + due, PAUSE);
        }
    }
}

fn not_caught_up() -> String {
    format!("the log has not caught up with {SETTLING} after the version was set")
}

fn not_there(name: &SecretName, version: &SecretVersion) -> String {
    format!("the version {version} of '{name}' does not exist, or does not say when it was set")
}

#[cfg(test)]
mod estates;
