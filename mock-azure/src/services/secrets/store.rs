//! The secrets of one vault.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use super::certificates::Operation;
use crate::state::stable_id;

/// Secrets of one vault, by lower-case name.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    pub(super) live: BTreeMap<String, Secret>,
    pub(super) deleted: BTreeMap<String, DeletedSecret>,
    /// Names for which a delete, recovery or purge has been accepted but is not complete.
    pub(super) settling: BTreeMap<String, Settling>,
    made: u64,
}

/// A secret with all its versions.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    /// The name in its original spelling.
    pub(super) name: String,
    /// The versions by id. The ids are random and determine the order of lists, which therefore says nothing about age.
    pub(super) versions: BTreeMap<String, Version>,
    /// The id of the version that was set last.
    pub(super) current: String,
    /// Whether Key Vault created it for a certificate.
    pub(super) managed: bool,
    /// A key's rotation policy, or a certificate's policy.
    pub(super) policy: Option<Value>,
    /// A certificate's last operation.
    pub(super) operation: Option<Box<Operation>>,
}

#[derive(Debug, Clone)]
pub(super) struct Version {
    /// The position in the order in which the vault's versions were set.
    pub(super) number: u64,
    pub(super) value: String,
    pub(super) content_type: Option<String>,
    pub(super) enabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) tags: Option<Map<String, Value>>,
    /// The public half of a key, with its permitted operations.
    pub(super) key: Value,
    /// The certificate in DER, once it is issued.
    pub(super) der: Option<Vec<u8>>,
    /// Whether there is a value that the double does not know.
    pub(super) opaque: bool,
}

#[derive(Debug)]
pub(super) struct DeletedSecret {
    pub(super) secret: Secret,
    pub(super) deleted: OffsetDateTime,
}

/// An operation that was accepted but is incomplete, and how many more requests will find it so.
#[derive(Debug)]
pub(super) struct Settling {
    pub(super) what: Pending,
    pub(super) left: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    Deleting,
    Recovering,
    Purging,
}

impl Version {
    pub(super) fn new(value: &str, now: OffsetDateTime) -> Self {
        let now = now.unix_timestamp();
        Self {
            number: 0,
            value: value.to_owned(),
            content_type: None,
            enabled: true,
            not_before: None,
            expires: None,
            created: now,
            updated: now,
            tags: None,
            key: Value::Null,
            der: None,
            opaque: false,
        }
    }

    pub(super) fn attributes(&self, recovery: &Recovery) -> Value {
        let mut shown = json!({
            "enabled": self.enabled,
            "created": self.created,
            "updated": self.updated,
            "recoveryLevel": recovery.level,
            "recoverableDays": recovery.days,
        });
        for (key, instant) in [("nbf", self.not_before), ("exp", self.expires)] {
            if let Some(instant) = instant {
                shown[key] = json!(instant);
            }
        }
        shown
    }
}

/// How long deleted secrets can be recovered, and whether they can be purged before.
pub(super) struct Recovery {
    pub(super) level: &'static str,
    pub(super) days: i64,
}

impl Recovery {
    pub(super) fn of(vault_properties: &Value) -> Self {
        let days = crate::services::vaults::retention(vault_properties);
        let level = match (vault_properties["enablePurgeProtection"] == true, days) {
            (true, 90) => "Recoverable",
            (true, _) => "CustomizedRecoverable",
            (false, 90) => "Recoverable+Purgeable",
            (false, _) => "CustomizedRecoverable+Purgeable",
        };
        Self { level, days }
    }
}

impl Secret {
    pub(super) fn version(&self, id: Option<&str>) -> Option<(&str, &Version)> {
        let id = id.unwrap_or(&self.current);
        self.versions.get_key_value(id).map(|(id, version)| (id.as_str(), version))
    }
}

impl Secrets {
    /// Adds a version, which becomes the current one, and returns its id. `order` shifts the random ids, and so the
    /// order of lists.
    pub(super) fn set(&mut self, name: &str, version: Version, order: u64) -> String {
        let id = self.next_id(name, order);
        self.set_as(name, &id, version);
        id
    }

    /// The id of the next version.
    pub(super) fn next_id(&self, name: &str, order: u64) -> String {
        let key = name.to_ascii_lowercase();
        stable_id(&format!("{order}/{key}/{}", self.made + 1)).replace('-', "")
    }

    /// Adds a version with a given id, which becomes the current one.
    pub(super) fn set_as(&mut self, name: &str, id: &str, mut version: Version) {
        self.made += 1;
        version.number = self.made;
        let secret = self.live.entry(name.to_ascii_lowercase()).or_insert_with(|| Secret {
            name: name.to_owned(),
            versions: BTreeMap::new(),
            current: String::new(),
            managed: false,
            policy: None,
            operation: None,
        });
        id.clone_into(&mut secret.current);
        secret.versions.insert(id.to_owned(), version);
    }

    /// The incomplete operation for a name. Each call advances it.
    pub(super) fn look(&mut self, name: &str) -> Option<Pending> {
        let settling = self.settling.get_mut(name)?;
        if settling.left == 0 {
            self.settling.remove(name);
            return None;
        }
        settling.left -= 1;
        Some(settling.what)
    }

    pub(super) fn settle(&mut self, name: &str, what: Pending, looks: u32) {
        self.settling.insert(name.to_owned(), Settling { what, left: looks });
    }

    pub(crate) fn has_deleted(&self) -> bool {
        !self.deleted.is_empty()
    }

    /// Purges the secrets that were deleted more than this many days ago.
    pub(crate) fn purge_expired(&mut self, now: OffsetDateTime, days: i64) {
        self.deleted.retain(|_, deleted| now < deleted.deleted + time::Duration::days(days));
    }

    pub(super) fn delete(&mut self, name: &str, now: OffsetDateTime) -> Option<&DeletedSecret> {
        let secret = self.live.remove(name)?;
        self.deleted.insert(name.to_owned(), DeletedSecret { secret, deleted: now });
        self.deleted.get(name)
    }
}
