use std::collections::BTreeMap;

use arm_core::wire;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{SecretName, SecretVersion};

/// One line of a [`Ledger`](crate::Ledger).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LedgerEntry {
    /// When the entry was written.
    #[serde(with = "wire::instant")]
    pub time: OffsetDateTime,
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The id of the rotation that it belongs to; `None` for other tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotation: Option<String>,
    /// What was done, or is about to be done.
    pub action: LedgerAction,
    /// The version that the action concerns; for [`Begun`](LedgerAction::Begun), the one that was current.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<SecretVersion>,
    /// The issuer's id of the credential that the action concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// For [`Begun`](LedgerAction::Begun): the credentials that the issuer identified in the old versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub credentials: BTreeMap<SecretVersion, String>,
    /// For [`Begun`](LedgerAction::Begun): where the new value comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<ValueSource>,
    /// Details, such as the reason of the rotation, or why it stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The action recorded in an entry of a [`Ledger`](crate::Ledger).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LedgerAction {
    /// A rotation was started or resumed.
    Begun,
    /// The issuer is about to create a credential.
    Creating,
    /// The issuer created a credential.
    CredentialCreated,
    /// The issuer tested the new credential successfully. It is not stored yet.
    Verified,
    /// A new version is about to be set.
    Setting,
    /// A new version was set.
    Set,
    /// The consumers have moved to the new version.
    ConsumersMoved,
    /// The issuer is about to revoke a credential.
    Revoking,
    /// The issuer confirmed that it revoked a credential.
    CredentialRevoked,
    /// Old versions are about to be disabled.
    Retiring,
    /// An old version was disabled.
    Disabled,
    /// A rotation ended. Its report says what it could not do.
    Finished,
    /// A rotation stopped.
    Stopped,
    /// A rotation ended because somebody else set a newer version.
    Overtaken,
}

/// Where the new value of a rotation comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ValueSource {
    /// A random value.
    Random,
    /// A value given with [`Rotate::to`](crate::Rotate::to).
    Given,
    /// An [`Issuer`](crate::Issuer) creates it.
    Issuer,
}

impl std::fmt::Display for ValueSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Random => "a random value",
            Self::Given => "a given value",
            Self::Issuer => "an issuer",
        })
    }
}

/// A rotation that was started but has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnfinishedRotation {
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The rotation's id.
    pub rotation: String,
    /// Where its value comes from, which is needed to resume it.
    pub source: ValueSource,
    /// Why the secret is rotated.
    pub reason: Option<String>,
}
