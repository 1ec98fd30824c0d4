//! What is looked at, and how long.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arm_core::ArmClient;
use azure_core::Result;
use keyvault_ops::{SecretsClient, VaultId};
use monitor_ops::WorkspaceId;

use super::Movement;

/// How late a row of the log may come, as documented; what is younger is not known yet.
pub(super) const SETTLING: time::Duration = time::Duration::minutes(15);

/// The readers of the secrets of one vault, by the vault's own log in a workspace; and, for a rotation, the
/// [`Consumers`](keyvault_ops::Consumers) that must have moved before old credentials end.
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
    pub(super) arm: ArmClient,
    pub(super) secrets: SecretsClient,
    pub(super) vault: VaultId,
    pub(super) workspace: WorkspaceId,
    pub(super) window: Duration,
    pub(super) patience: Duration,
    pub(super) deadline: Option<Duration>,
    pub(super) ignored: Vec<String>,
    pub(super) last: Arc<Mutex<Option<Movement>>>,
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
}
