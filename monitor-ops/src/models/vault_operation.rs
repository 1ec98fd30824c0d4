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
    /// The URL that was asked for, where the log has it. A read of the current version names none here, and the version that
    /// was answered in `uri`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub requested: String,
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

    /// The version of the secret that it was about, or that was answered, in lower case.
    pub fn version(&self) -> Option<String> {
        version_in(&self.uri)
    }

    /// The version that was asked for by its id, in lower case: nothing where the current one was.
    pub fn requested_version(&self) -> Option<String> {
        version_in(&self.requested)
    }

    /// Whether the vault refused it.
    pub fn was_refused(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    /// Whether it gave a secret's value away.
    pub fn revealed_secret(&self) -> bool {
        let reads = [VaultOperationName::SecretGet, VaultOperationName::SecretBackup];
        reads.contains(&self.operation) && self.status == Some(200)
    }
}

/// The version in the URL of a secret: 32 hexadecimal digits.
fn version_in(url: &str) -> Option<String> {
    let rest = url.split_once("/secrets/")?.1;
    let version = rest.split(['/', '?']).nth(1)?;
    let is_version = version.len() == 32 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_version.then(|| version.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_told_from_the_other_words_behind_a_secret() {
        let version = "0123456789ABCDEF0123456789abcdef";
        for (url, expected) in [
            (format!("https://v.vault.azure.net/secrets/S/{version}"), true),
            (format!("https://v.vault.azure.net/secrets/S/{version}?api-version=7.5"), true),
            ("https://v.vault.azure.net/secrets/S/?api-version=7.5".to_owned(), false),
            ("https://v.vault.azure.net/secrets/S/versions?api-version=7.5".to_owned(), false),
            (format!("https://v.vault.azure.net/keys/S/{version}"), false),
            (String::new(), false),
        ] {
            assert_eq!(version_in(&url), expected.then(|| version.to_ascii_lowercase()), "{url}");
        }
    }
}
