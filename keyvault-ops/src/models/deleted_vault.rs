use std::collections::BTreeMap;

use arm_core::wire::{self, SentText};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::{Vault, VaultId, id::deleted_vault};

/// A soft-deleted vault. Its name is taken until the vault is purged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedVault {
    /// The resource id of the deleted vault.
    pub id: String,
    /// The name.
    pub name: String,
    /// The resource id that the vault had before it was deleted.
    pub vault_id: VaultId,
    /// The region.
    pub location: String,
    /// When it was deleted.
    pub deletion_date: Option<OffsetDateTime>,
    /// When the service will purge it.
    pub scheduled_purge_date: Option<OffsetDateTime>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// Whether purge protection prevents purging it before the scheduled date.
    pub purge_protection_enabled: bool,
    sent: SentText,
}

arm_core::kept!(DeletedVault from Wire);

impl DeletedVault {
    /// The vault as it would be after its deletion, without the dates, which the service sets.
    pub(crate) fn planned(id: &VaultId, vault: &Vault) -> Self {
        let subscription = id.resource_id().subscription();
        let path = subscription.map(|it| deleted_vault(&it, &vault.location, &vault.name).to_string());
        Self {
            id: path.unwrap_or_default(),
            name: vault.name.clone(),
            vault_id: id.clone(),
            location: vault.location.clone(),
            deletion_date: None,
            scheduled_purge_date: None,
            tags: vault.tags.clone(),
            purge_protection_enabled: vault.properties.enable_purge_protection == Some(true),
            sent: SentText::default(),
        }
    }

    /// The retention period, in days.
    pub(crate) fn retention_days(&self) -> Option<i64> {
        Some((self.scheduled_purge_date? - self.deletion_date?).whole_days())
    }

    /// The number of days, rounded up, until the service purges it and frees its name; `None` if that date is unknown.
    pub fn days_left(&self, now: OffsetDateTime) -> Option<i64> {
        self.scheduled_purge_date.map(|date| days_until(date, now))
    }
}

/// The number of days until an instant, rounded up; 0 if it has passed.
pub(crate) fn days_until(date: OffsetDateTime, now: OffsetDateTime) -> i64 {
    let seconds = (date - now).whole_seconds().max(0);
    seconds / 86_400 + i64::from(seconds % 86_400 > 0)
}

#[derive(Debug, Deserialize)]
pub struct Wire {
    id: String,
    name: String,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    vault_id: VaultId,
    location: String,
    #[serde(default, with = "wire::instant::option")]
    deletion_date: Option<OffsetDateTime>,
    #[serde(default, with = "wire::instant::option")]
    scheduled_purge_date: Option<OffsetDateTime>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    purge_protection_enabled: bool,
}

impl From<Wire> for DeletedVault {
    fn from(Wire { id, name, properties }: Wire) -> Self {
        Self {
            id,
            name,
            vault_id: properties.vault_id,
            location: properties.location,
            deletion_date: properties.deletion_date,
            scheduled_purge_date: properties.scheduled_purge_date,
            tags: properties.tags,
            purge_protection_enabled: properties.purge_protection_enabled,
            sent: SentText::default(),
        }
    }
}
