//! Deleting a vault and reporting what is left.

use std::fmt;

use arm_core::{ArmErrorExt as _, Mode, refuse};
use azure_core::{Error, Result, error::ErrorKind};
use futures::TryStreamExt as _;
use time::OffsetDateTime;

use super::settle::repeat_while;
use crate::{API_VERSION, DeletedVault, Vault, VaultId, VaultsClient, id::deleted_vault};

/// A task that deletes a vault and optionally purges it.
///
/// **If it stops halfway**, the vault still exists or is soft-deleted; running the task again finishes it. After that,
/// another run changes nothing.
///
/// The list of deleted vaults can lag behind. After its own deletion, the task waits up to 3 minutes until the list shows
/// the vault, and fails if it does not. A vault that an earlier run deleted just now may still be missing from it.
///
/// # Permissions
///
/// `Microsoft.KeyVault/vaults/read` and `/delete`, `Microsoft.KeyVault/deletedVaults/read`; to purge it, also
/// `Microsoft.KeyVault/locations/deletedVaults/purge/action`.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct RemoveVault {
    client: VaultsClient,
    id: VaultId,
    purge: bool,
}

/// What is left of a vault.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum VaultRemains {
    /// The vault does not exist, and is not in the list of deleted vaults, so it does not take its name.
    Nothing,
    /// It is soft-deleted with all its contents, and its name is taken in the whole cloud. Its role assignments and
    /// Event Grid subscriptions are gone, and a recovery does not restore them.
    SoftDeleted {
        /// The deleted vault.
        deleted: Box<DeletedVault>,
        /// The number of days until the service purges it, if known.
        days_left: Option<i64>,
    },
}

/// The result of removing a vault, or in a dry run what it would be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VaultRemoval {
    /// The vault.
    pub vault: VaultId,
    /// The vault that this run deleted, or in a dry run would delete, as it was before; `None` if it did not exist.
    pub deleted: Option<Box<Vault>>,
    /// The id of the deleted vault that this run purged, or in a dry run would purge; `None` if there is none.
    pub purged: Option<String>,
    /// What is left of it.
    pub remains: VaultRemains,
}

impl fmt::Display for VaultRemoval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remains.fmt(f)
    }
}

impl fmt::Display for VaultRemains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::SoftDeleted { deleted, days_left } = self else { return f.write_str("nothing is left") };
        write!(f, "the vault '{}' is soft-deleted: its name stays taken", deleted.name)?;
        days_left.iter().try_for_each(|days| write!(f, " for {days} days"))?;
        f.write_str(if deleted.purge_protection_enabled {
            ", and purge protection prevents purging it earlier"
        } else {
            " unless it is purged"
        })?;
        f.write_str("; its role assignments are gone")
    }
}

impl VaultsClient {
    /// Deletes a vault and reports what is left. See [`RemoveVault`].
    pub fn remove(&self, id: &VaultId) -> RemoveVault {
        RemoveVault { client: self.clone(), id: id.clone(), purge: false }
    }
}

impl RemoveVault {
    /// Also purges the vault, unless it has purge protection.
    pub fn purge(mut self) -> Self {
        self.purge = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<VaultRemoval> {
        let found = self.client.get_opt(&self.id).await?;
        if mode == Mode::Write && found.is_some() {
            self.client.delete(&self.id).await?;
        }
        let mut purged = None;
        let remains = self.remains(found.as_ref(), mode, &mut purged).await?;
        Ok(VaultRemoval { vault: self.id, deleted: found.map(Box::new), purged, remains })
    }

    /// Purges the vault if requested, and returns what is left. `vault` is the one that this run deleted, or in a dry
    /// run would delete.
    async fn remains(
        &self,
        vault: Option<&Vault>,
        mode: Mode,
        purged: &mut Option<String>,
    ) -> Result<VaultRemains> {
        let (deleted, days_left) = match vault {
            Some(vault) if mode.is_dry_run() => {
                let days = vault.properties.soft_delete_retention_in_days.map(i64::from);
                (DeletedVault::planned(&self.id, vault), days)
            }
            _ => {
                let Some(deleted) = self.find_deleted(vault).await? else { return Ok(VaultRemains::Nothing) };
                let days = deleted.days_left(OffsetDateTime::now_utc());
                (deleted, days)
            }
        };
        if !self.purge || deleted.purge_protection_enabled {
            return Ok(VaultRemains::SoftDeleted { deleted: Box::new(deleted), days_left });
        }
        if mode.is_dry_run() {
            *purged = Some(deleted.id);
            return Ok(VaultRemains::Nothing);
        }
        let subscription = self.id.resource_id().subscription().ok_or_else(|| {
            Error::with_message(ErrorKind::DataConversion, format!("'{}' contains no subscription", self.id))
        })?;
        let path = deleted_vault(&subscription, &deleted.location, &deleted.name).literal("purge");
        match self.client.arm.post(path, API_VERSION).poller::<()>().await {
            Ok(_) => {
                *purged = Some(deleted.id);
                Ok(VaultRemains::Nothing)
            }
            Err(error) if error.is_resource_not_found() => Ok(VaultRemains::Nothing),
            Err(error) => Err(error),
        }
    }

    /// Finds the vault among the deleted ones, and waits for it if this run deleted it. Only old vaults that were
    /// created without soft-delete leave nothing.
    async fn find_deleted(&self, deleted_now: Option<&Vault>) -> Result<Option<DeletedVault>> {
        let leaves = |vault: &Vault| vault.properties.enable_soft_delete != Some(false);
        if !deleted_now.is_some_and(leaves) {
            return self.list_deleted().await;
        }
        match repeat_while(|| self.list_deleted(), |found| matches!(found, Ok(None))).await? {
            None => refuse(format!(
                "the vault '{}' was deleted, but is not in the list of deleted vaults yet: run this again later",
                self.id.name()
            )),
            found => Ok(found),
        }
    }

    async fn list_deleted(&self) -> Result<Option<DeletedVault>> {
        let Some(subscription) = self.id.resource_id().subscription() else { return Ok(None) };
        let mut deleted = self.client.list_deleted(&subscription);
        while let Some(vault) = deleted.try_next().await? {
            if vault.vault_id == self.id {
                return Ok(Some(vault));
            }
        }
        Ok(None)
    }
}

arm_core::task!(RemoveVault => VaultRemoval);
