//! Who reads a secret, and who has moved to its new version: evidence for the end of an old one.

mod judge;
mod log;
mod report;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arm_core::{ArmClient, refuse};
use async_trait::async_trait;
use azure_core::Result;
use keyvault_ops::{Consumers, SecretId, SecretName, SecretVersion, SecretsClient, VaultId};
use monitor_ops::WorkspaceId;
use time::OffsetDateTime;

pub use report::{Movement, Reader, Readers};

/// How late a row of the log may come, as documented; what is younger is not known yet.
const SETTLING: time::Duration = time::Duration::minutes(15);
/// After the first look while readers are waited for: no log can tell of a new version before it has settled.
const FIRST_PAUSE: Duration = Duration::from_secs(16 * 60);
/// Between two later looks.
const PAUSE: Duration = Duration::from_secs(300);

/// The readers of the secrets of one vault, by the vault's own log in a workspace; and, for a rotation, the
/// [`Consumers`] that must have moved before old credentials end.
///
/// A reader has moved when the log shows that it got the new version. One that asks for an old version by its id never
/// moves by itself. One that read before and has not been seen since has not moved. **Not known** is never taken for moved:
/// if the log begins too late, has not caught up, was cut, or does not show what certainly happened, that is said.
///
/// What the log cannot tell, no one here claims: who read before the window began, or fetched a value once and keeps it.
///
/// # Permissions
///
/// Log Analytics Reader on the workspace; `list` on the vault's secrets.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, vault: &keyvault_ops::VaultId, workspace: &monitor_ops::WorkspaceId)
/// #     -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use defender_playbooks::VaultReaders;
/// use keyvault_ops::SecretsClient;
///
/// let (name, readers) = ("db-password".parse()?, VaultReaders::new(arm, vault, workspace)?);
/// println!("{}", readers.readers(&name).await?);
///
/// let secrets = SecretsClient::new(arm, &vault.name().parse()?)?;
/// let rotation = secrets.rotate(&name).consumers(Arc::new(readers)).await?; // waits until all have moved
/// println!("{rotation}");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct VaultReaders {
    arm: ArmClient,
    secrets: SecretsClient,
    vault: VaultId,
    workspace: WorkspaceId,
    window: Duration,
    patience: Duration,
    deadline: Option<Duration>,
    ignored: Vec<String>,
    last: Arc<Mutex<Option<Movement>>>,
}

impl VaultReaders {
    /// The readers of this vault's secrets, by its log in this workspace.
    ///
    /// # Errors
    ///
    /// The name of the vault cannot be that of a vault.
    pub fn new(arm: &ArmClient, vault: &VaultId, workspace: &WorkspaceId) -> Result<Self> {
        let name = vault.name().parse().map_err(azure_core::Error::from)?;
        Ok(Self {
            arm: arm.clone(),
            secrets: SecretsClient::new(arm, &name)?,
            vault: vault.clone(),
            workspace: workspace.clone(),
            window: Duration::from_secs(30 * 86_400),
            patience: Duration::from_secs(30 * 3600),
            deadline: None,
            ignored: Vec::new(),
            last: Arc::default(),
        })
    }

    /// How far back readers are looked for: longer than the longest time between two reads of any of them. Default: 30 days.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// The reads of this caller, by object id, do not count: a person who looked, or a reader that is gone.
    pub fn ignore(mut self, object_id: impl Into<String>) -> Self {
        self.ignored.push(object_id.into());
        self
    }

    /// How long they may take to move. Then the wait ends with an error that names who has not. Default: 30 hours, as App
    /// Service may take a day.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Goes on after this time, whoever has not moved: **they will break**. [`last`](Self::last) names them.
    pub fn go_on_after(mut self, wait: Duration) -> Self {
        self.deadline = Some(wait);
        self
    }

    /// What was last seen while readers were waited for, such as who is going to break after
    /// [`go_on_after`](Self::go_on_after).
    pub fn last(&self) -> Option<Movement> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Who reads a secret.
    ///
    /// # Errors
    ///
    /// The log could not be read. A gap in it is no error: see [`Readers::unknown`].
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

    /// Whether the readers of a secret have moved to this version, as far as the log tells by now.
    ///
    /// # Errors
    ///
    /// The log or the version could not be read.
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

    fn begin(&self, end: OffsetDateTime) -> OffsetDateTime {
        let window = self.window.try_into().unwrap_or(time::Duration::days(365));
        end.checked_sub(window).unwrap_or(end)
    }
}

/// What a look means for the wait.
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
        // They will not move, however long they are waited for; the others are waited for first.
        seen if deadline.is_none()
            && seen.silent.is_empty()
            && seen.unknown.is_empty()
            && !seen.pinned.is_empty() =>
        {
            Next::GiveUp("readers ask for an old version by its id: change that, then run the rotation again")
        }
        _ if deadline.is_none() && waited >= patience => {
            Next::GiveUp("not all readers were seen to move: run the rotation again when they have")
        }
        _ => Next::Wait,
    }
}

#[async_trait]
impl Consumers for VaultReaders {
    async fn wait_until_moved(&self, to: &SecretId) -> Result<()> {
        let Some(version) = &to.version else { return refuse(format!("{to} names no version")) };
        let last_look = self.deadline.unwrap_or(self.patience);
        let (mut waited, mut pause) = (Duration::ZERO, FIRST_PAUSE);
        loop {
            // This is itself a row of the log, by which a quiet vault is seen to have caught up.
            let Some(set) = self.created(&to.name, version).await? else {
                return refuse(not_there(&to.name, version));
            };
            // As long as the log cannot tell, the rest of it is not asked for.
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
    format!("the version {version} of '{name}' is not there, or does not say when it was set")
}

#[cfg(test)]
mod estates;
