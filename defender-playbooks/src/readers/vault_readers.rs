//! The settings: what is read, and how long to wait.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arm_core::ArmClient;
use azure_core::Result;
use keyvault_ops::{SecretsClient, VaultId};
use monitor_ops::WorkspaceId;

use super::Movement;

/// The documented time that a row can take to arrive in the log; anything newer is not known yet.
pub(super) const SETTLING: time::Duration = time::Duration::minutes(15);

/// Finds the readers of the secrets in one vault, from the vault's own log in a workspace. In a rotation, it acts as
/// the [`Consumers`](keyvault_ops::Consumers), which must have moved before the old credential is revoked.
///
/// A reader has moved once the log shows that it got the new version. A reader that requests an old version by its
/// id never moves by itself. One that read the secret before and has not been seen since has not moved. **Not
/// known** never counts as moved: if the log starts too late, has not caught up, was truncated, or lacks an operation
/// that certainly happened, the report says so.
///
/// The log cannot show who read the secret before the window, or who fetched a value once and still uses it.
///
/// # Permissions
///
/// Log Analytics Reader on the workspace; `list` on the vault's secrets; to determine why a log is empty, Monitoring
/// Reader on the vault.
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
    /// Creates a `VaultReaders` for this vault, which reads the vault's log in this workspace.
    ///
    /// # Errors
    ///
    /// The name of the vault is not a valid vault name.
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

    /// Sets how far back to search for readers. It must exceed the longest interval between two reads by the same
    /// reader. Default: 30 days.
    pub fn window(mut self, window: Duration) -> Self {
        self.window = window;
        self
    }

    /// Ignores reads by the caller with this object id, for example a person who only looked, or a reader that no
    /// longer exists.
    pub fn ignore(mut self, object_id: impl Into<String>) -> Self {
        self.ignored.push(object_id.into());
        self
    }

    /// Sets how long readers may take to move. After that, or as soon as only readers that request an old version by
    /// its id are left, the wait ends with an error that names those that have not. Default: 30 hours, since App
    /// Service may take a day to fetch a new version.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Continues after this time, even if some readers have not moved, or that is not known: **those will break**.
    /// [`last`](Self::last) names the known ones. Replaces [`patience`](Self::patience).
    pub fn go_on_after(mut self, wait: Duration) -> Self {
        self.deadline = Some(wait);
        self
    }

    /// Returns the result of the last check made while waiting for readers; it names those that will break after
    /// [`go_on_after`](Self::go_on_after). `None` before the first check.
    pub fn last(&self) -> Option<Movement> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
