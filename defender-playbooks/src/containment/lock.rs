//! A lock that protects the vault and its role assignments from deletion during an investigation.

use arm_core::{Mode, Wish, refuse};
use azure_core::Result;
use keyvault_ops::VaultId;
use resource_ops::{Lock, LockLevel, LockSpec, LocksClient};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::report::Step;

/// A lock that a containment puts on the vault. Its unique name distinguishes it from all other locks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VaultLock {
    /// The name.
    pub name: String,
    /// The reason, as a note for people.
    pub notes: String,
}

impl VaultLock {
    pub(super) fn plan(notes: String) -> Self {
        let name = format!("containment-{}", uuid::Uuid::new_v4());
        Self { name, notes }
    }

    pub(super) async fn apply(&self, locks: &LocksClient, vault: &VaultId, mode: Mode) -> Result<Step> {
        if let Some(now) = locks.get_opt(vault, &self.name).await? {
            return Ok(if self.is_ours(&now) {
                Step::Unchanged
            } else {
                Step::Left("the lock was changed by somebody else")
            });
        }
        if mode.is_dry_run() {
            return Ok(Step::Done);
        }
        let spec = LockSpec { level: LockLevel::CanNotDelete, notes: Some(self.notes.clone()) };
        locks.create_or_update(vault, &self.name, &spec).await?;
        let Some(now) = locks.get_opt(vault, &self.name).await? else {
            return refuse("the lock does not exist although it was created");
        };
        let wished = json!({ "level": LockLevel::CanNotDelete, "notes": self.notes });
        Wish::new().exact(&["notes"]).verify("the lock", &wished, &now.properties)?;
        Ok(Step::Done)
    }

    fn is_ours(&self, now: &Lock) -> bool {
        now.properties.level == LockLevel::CanNotDelete
            && now.properties.notes.as_deref() == Some(self.notes.as_str())
    }

    /// Removes the lock, unless somebody has since changed its note or level.
    pub(super) async fn undo(&self, locks: &LocksClient, vault: &VaultId, mode: Mode) -> Result<Step> {
        let Some(now) = locks.get_opt(vault, &self.name).await? else { return Ok(Step::Unchanged) };
        if !self.is_ours(&now) {
            return Ok(Step::Left("the lock was changed by somebody else"));
        }
        if !mode.is_dry_run() {
            locks.delete(vault, &self.name).await?;
            if locks.get_opt(vault, &self.name).await?.is_some() {
                return refuse("the lock still exists");
            }
        }
        Ok(Step::Done)
    }
}
