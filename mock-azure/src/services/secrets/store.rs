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
    /// Names on which a delete, recover or purge has been accepted but is not done.
    pub(super) settling: BTreeMap<String, Settling>,
    made: u64,
}

/// A secret: all its versions.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    /// The name as it was first spelt.
    pub(super) name: String,
    /// By id. The ids are random, and lists follow them: their order says nothing about age.
    pub(super) versions: BTreeMap<String, Version>,
    /// The id of the version that was set last.
    pub(super) current: String,
    /// Whether Key Vault made it, as it does for every certificate.
    pub(super) managed: bool,
    /// How a key is rotated; what a certificate is to be.
    pub(super) policy: Option<Value>,
    /// What goes on, or went on, with a certificate.
    pub(super) operation: Option<Box<Operation>>,
}

#[derive(Debug, Clone)]
pub(super) struct Version {
    /// Counts the versions of the vault, in the order in which they were set.
    pub(super) number: u64,
    pub(super) value: String,
    pub(super) content_type: Option<String>,
    pub(super) enabled: bool,
    pub(super) not_before: Option<i64>,
    pub(super) expires: Option<i64>,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) tags: Option<Map<String, Value>>,
    /// The public half of a key, and what it is for.
    pub(super) key: Value,
    /// The certificate, in DER, once it is issued.
    pub(super) der: Option<Vec<u8>>,
    /// There is a value, and the double does not know it.
    pub(super) opaque: bool,
}

#[derive(Debug)]
pub(super) struct DeletedSecret {
    pub(super) secret: Secret,
    pub(super) deleted: OffsetDateTime,
}

/// What has been accepted and is not done, and how many more requests will find it so.
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

/// How long, and how surely, deleted secrets stay recoverable.
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
    /// Adds a version, which becomes the current one, and answers its id. `order` shifts the
    /// random ids, and so the order of lists.
    pub(super) fn set(&mut self, name: &str, version: Version, order: u64) -> String {
        let id = self.next_id(name, order);
        self.set_as(name, &id, version);
        id
    }

    /// The id of the version that is set next.
    pub(super) fn next_id(&self, name: &str, order: u64) -> String {
        let key = name.to_ascii_lowercase();
        stable_id(&format!("{order}/{key}/{}", self.made + 1)).replace('-', "")
    }

    /// Adds a version under an id, as the current one.
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

    /// What is still going on with a name. Every look brings it nearer to its end.
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

    /// Purges the deleted secrets that were to be kept for this many days.
    pub(crate) fn purge_expired(&mut self, now: OffsetDateTime, days: i64) {
        self.deleted.retain(|_, deleted| now < deleted.deleted + time::Duration::days(days));
    }

    pub(super) fn delete(&mut self, name: &str, now: OffsetDateTime) -> Option<&DeletedSecret> {
        let secret = self.live.remove(name)?;
        self.deleted.insert(name.to_owned(), DeletedSecret { secret, deleted: now });
        self.deleted.get(name)
    }
}
