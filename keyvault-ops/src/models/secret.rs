use std::collections::BTreeMap;

use arm_core::{Secret, open_enum, wire};
use azure_core::{Result, http::RawResponse};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::value::RawValue;
use time::OffsetDateTime;

use super::deleted_vault::days_until;
use crate::{SecretId, SecretName, SecretVersion};

/// A secret with its value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SecretBundle {
    /// Everything except the value.
    pub properties: SecretProperties,
    /// The value. It is wiped when dropped and never printed.
    pub value: Secret,
}

/// A secret, or one version of it, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretProperties {
    /// The id; without a version in lists of secrets.
    pub id: SecretId,
    /// Whether it is enabled. A disabled version cannot be read; `not_before` and `expires` do not prevent reading.
    pub enabled: bool,
    /// When this version was set, precise to the second: versions set within one second cannot be distinguished.
    pub created: Option<OffsetDateTime>,
    /// When this version was set or updated.
    pub updated: Option<OffsetDateTime>,
    /// When it becomes valid. For information only: it can be read before that.
    pub not_before: Option<OffsetDateTime>,
    /// When it expires. For information only: an expired secret can still be read.
    pub expires: Option<OffsetDateTime>,
    /// The content type.
    pub content_type: Option<String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// Whether Key Vault manages it, because it belongs to a certificate. A managed secret cannot be set, updated or
    /// deleted.
    pub managed: bool,
    /// The id of its certificate's key; `None` in lists, or if it is not managed.
    pub kid: Option<String>,
    /// Whether and for how long it can be recovered after deletion.
    pub recovery_level: Option<RecoveryLevel>,
    /// The number of days for which it can be recovered after deletion.
    pub recoverable_days: Option<u16>,
}

impl SecretProperties {
    /// The name.
    pub fn name(&self) -> &SecretName {
        &self.id.name
    }

    /// The version; `None` in lists of secrets.
    pub fn version(&self) -> Option<&SecretVersion> {
        self.id.version.as_ref()
    }

    /// Whether it has expired. It can still be read.
    pub fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// A soft-deleted secret. Its name is taken until it is recovered or purged.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeletedSecret {
    /// The secret before it was deleted.
    pub properties: SecretProperties,
    /// The URL from which it can be recovered.
    pub recovery_id: Option<String>,
    /// When it was deleted.
    pub deleted: Option<OffsetDateTime>,
    /// When the service will purge it.
    pub scheduled_purge: Option<OffsetDateTime>,
}

impl DeletedSecret {
    /// The number of days, rounded up, until the service purges it and frees its name; `None` if that date is unknown.
    pub fn days_left(&self, now: OffsetDateTime) -> Option<i64> {
        self.scheduled_purge.map(|date| days_until(date, now))
    }
}

/// The state of a secret's name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecretState {
    /// The secret exists.
    Live(Box<SecretProperties>),
    /// The secret exists, but its current version is disabled: nobody can read it.
    Disabled,
    /// It is deleted and can be recovered or purged; its name is taken.
    SoftDeleted(Box<DeletedSecret>),
    /// There is no such secret, live or deleted. The name is free, unless a delete or purge is in progress.
    Absent,
}

/// A backup of a secret with all its versions, encrypted by the service.
///
/// It can be restored only in the same subscription and geography. It is neither printed nor logged.
#[derive(Clone)]
pub struct SecretBackup(zeroize::Zeroizing<Vec<u8>>);

impl SecretBackup {
    /// Wraps the bytes of a backup.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }

    /// The bytes, to be stored in a safe place.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SecretBackup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBackup(..)")
    }
}

open_enum! {
    /// Whether and for how long a deleted secret can be recovered.
    pub enum RecoveryLevel {
        /// Not at all.
        Purgeable = "Purgeable",
        /// For 90 days, unless it is purged.
        RecoverablePurgeable = "Recoverable+Purgeable",
        /// For 90 days; nobody can purge it.
        Recoverable = "Recoverable",
        /// For 90 days; nobody can purge it, and the subscription cannot be canceled either.
        RecoverableProtectedSubscription = "Recoverable+ProtectedSubscription",
        /// For the vault's retention period of 7 to 89 days, unless it is purged.
        CustomizedRecoverablePurgeable = "CustomizedRecoverable+Purgeable",
        /// For the vault's retention period of 7 to 89 days; nobody can purge it.
        CustomizedRecoverable = "CustomizedRecoverable",
        /// For the vault's retention period of 7 to 89 days; nobody can purge it, and the subscription cannot be
        /// canceled either.
        CustomizedRecoverableProtectedSubscription = "CustomizedRecoverable+ProtectedSubscription",
    }
}

impl RecoveryLevel {
    /// Whether it cannot be purged before its retention period ends.
    pub(crate) fn forbids_purge(&self) -> bool {
        matches!(
            self,
            Self::Recoverable
                | Self::RecoverableProtectedSubscription
                | Self::CustomizedRecoverable
                | Self::CustomizedRecoverableProtectedSubscription
        )
    }
}

/// A secret as JSON, with or without a value, live or deleted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wire {
    id: String,
    value: Option<SecretText>,
    attributes: Option<Attributes>,
    content_type: Option<String>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    managed: bool,
    #[serde(default, with = "wire::text::option")]
    kid: Option<String>,
    recovery_id: Option<String>,
    #[serde(default, with = "time::serde::timestamp::option")]
    deleted_date: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::timestamp::option")]
    scheduled_purge_date: Option<OffsetDateTime>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct SecretText(#[serde(with = "wire::secret")] Secret);

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    enabled: Option<bool>,
    #[serde(default, with = "time::serde::timestamp::option")]
    created: Option<OffsetDateTime>,
    #[serde(default, with = "time::serde::timestamp::option")]
    updated: Option<OffsetDateTime>,
    #[serde(default, rename = "nbf", with = "time::serde::timestamp::option")]
    not_before: Option<OffsetDateTime>,
    #[serde(default, rename = "exp", with = "time::serde::timestamp::option")]
    expires: Option<OffsetDateTime>,
    recovery_level: Option<RecoveryLevel>,
    recoverable_days: Option<u16>,
}

impl<'de> Deserialize<'de> for SecretBundle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.bundle().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SecretProperties {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.properties().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for DeletedSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Wire::deserialize(deserializer)?.deleted().map_err(D::Error::custom)
    }
}

impl Wire {
    /// Decodes a response; an error never contains a value.
    pub(crate) fn decode(response: impl Into<RawResponse>) -> Result<Self> {
        wire::decode(&response.into())
    }

    pub(crate) fn properties(self) -> Result<SecretProperties> {
        self.parts().map(|(properties, ..)| properties)
    }

    pub(crate) fn bundle(self) -> Result<SecretBundle> {
        let (properties, value, _) = self.parts()?;
        let missing = || {
            azure_core::Error::with_message(
                azure_core::error::ErrorKind::DataConversion,
                "the service sent the secret without its value",
            )
        };
        Ok(SecretBundle { properties, value: value.ok_or_else(missing)? })
    }

    pub(crate) fn deleted(self) -> Result<DeletedSecret> {
        let (properties, _, deletion) = self.parts()?;
        let [deleted, scheduled_purge] = deletion.dates;
        Ok(DeletedSecret { properties, recovery_id: deletion.recovery_id, deleted, scheduled_purge })
    }

    fn parts(self) -> Result<(SecretProperties, Option<Secret>, Deletion)> {
        let attributes = self.attributes.unwrap_or_default();
        let properties = SecretProperties {
            id: self.id.parse()?,
            enabled: attributes.enabled.unwrap_or(true),
            created: attributes.created,
            updated: attributes.updated,
            not_before: attributes.not_before,
            expires: attributes.expires,
            content_type: self.content_type,
            tags: self.tags,
            managed: self.managed,
            kid: self.kid,
            recovery_level: attributes.recovery_level,
            recoverable_days: attributes.recoverable_days,
        };
        let deletion =
            Deletion { recovery_id: self.recovery_id, dates: [self.deleted_date, self.scheduled_purge_date] };
        Ok((properties, self.value.map(|text| text.0), deletion))
    }
}

struct Deletion {
    recovery_id: Option<String>,
    dates: [Option<OffsetDateTime>; 2],
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WirePage {
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub(crate) value: Vec<Box<RawValue>>,
    pub(crate) next_link: Option<String>,
}
