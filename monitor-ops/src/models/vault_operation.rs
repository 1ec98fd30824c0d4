use arm_core::wire;
use serde::Deserialize;
use time::OffsetDateTime;

arm_core::open_enum! {
    /// What was done to a vault or a secret.
    pub enum VaultOperationName {
        /// A secret's value was read.
        SecretGet = "SecretGet",
        /// Secrets were listed: one entry for each page of 25.
        SecretList = "SecretList",
        /// The versions of a secret were listed.
        SecretListVersions = "SecretListVersions",
        /// A secret got a new version.
        SecretSet = "SecretSet",
        /// A secret's attributes were changed.
        SecretUpdate = "SecretUpdate",
        /// A secret was deleted.
        SecretDelete = "SecretDelete",
        /// A deleted secret was removed for good.
        SecretPurge = "SecretPurge",
        /// A deleted secret came back.
        SecretRecover = "SecretRecover",
        /// A secret was backed up.
        SecretBackup = "SecretBackup",
        /// A secret was restored from a backup.
        SecretRestore = "SecretRestore",
        /// Deleted secrets were listed.
        SecretListDeleted = "SecretListDeleted",
        /// A deleted secret was looked at.
        SecretGetDeleted = "SecretGetDeleted",
        /// The vault was looked at; Azure itself does so often.
        VaultGet = "VaultGet",
        /// The vault was created or written.
        VaultPut = "VaultPut",
        /// The vault was changed.
        VaultPatch = "VaultPatch",
        /// The vault was deleted.
        VaultDelete = "VaultDelete",
        /// The vault came back.
        VaultRecover = "VaultRecover",
    }
}

/// One operation, out of whichever table it was in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VaultOperation {
    /// When.
    #[serde(rename = "TimeGenerated", with = "wire::instant")]
    pub time: OffsetDateTime,
    /// The vault's resource id, in lower case.
    pub vault: String,
    /// What.
    pub operation: VaultOperationName,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The status in words.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub result: String,
    /// Where from.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub caller_ip: String,
    /// Who: the object id; empty where the log has none.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub object_id: String,
    /// Who: the sign-in name; empty for applications.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub upn: String,
    /// The application; empty where the log has none.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub app_id: String,
    /// What it was about, as a URL.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub uri: String,
    /// The client's own name for itself.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub client: String,
    /// The client's id of the request.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub correlation_id: String,
}

impl VaultOperation {
    /// The secret that it was about, in lower case.
    pub fn secret(&self) -> Option<String> {
        let rest = self.uri.split_once("/secrets/")?.1;
        let name = rest.split(['/', '?']).next().filter(|name| !name.is_empty())?;
        Some(name.to_ascii_lowercase())
    }

    /// Whether the vault refused it.
    pub fn was_refused(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    /// Whether it gave a secret's value away.
    pub fn disclosed_a_secret(&self) -> bool {
        let reads = [VaultOperationName::SecretGet, VaultOperationName::SecretBackup];
        reads.contains(&self.operation) && self.status == Some(200)
    }
}
