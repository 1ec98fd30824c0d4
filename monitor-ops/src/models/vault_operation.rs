use arm_core::wire;
use serde::Deserialize;
use time::OffsetDateTime;

arm_core::open_enum! {
    /// An operation on a vault or a secret.
    pub enum VaultOperationName {
        /// A secret's value was read.
        SecretGet = "SecretGet",
        /// Secrets were listed: one entry for each page of at most 25.
        SecretList = "SecretList",
        /// The versions of a secret were listed.
        SecretListVersions = "SecretListVersions",
        /// A new version of a secret was set.
        SecretSet = "SecretSet",
        /// A secret's attributes were changed.
        SecretUpdate = "SecretUpdate",
        /// A secret was deleted.
        SecretDelete = "SecretDelete",
        /// A deleted secret was purged.
        SecretPurge = "SecretPurge",
        /// A deleted secret was recovered.
        SecretRecover = "SecretRecover",
        /// A secret was backed up.
        SecretBackup = "SecretBackup",
        /// A secret was restored from a backup.
        SecretRestore = "SecretRestore",
        /// Deleted secrets were listed.
        SecretListDeleted = "SecretListDeleted",
        /// A deleted secret was read.
        SecretGetDeleted = "SecretGetDeleted",
        /// The vault was read, often by Azure itself.
        VaultGet = "VaultGet",
        /// The vault was created or updated.
        VaultPut = "VaultPut",
        /// The vault was changed.
        VaultPatch = "VaultPatch",
        /// The vault was deleted.
        VaultDelete = "VaultDelete",
        /// The vault was recovered.
        VaultRecover = "VaultRecover",
    }
}

/// One operation from a vault's log, from either of the two tables.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct VaultOperation {
    /// The time.
    #[serde(rename = "TimeGenerated", with = "wire::instant")]
    pub time: OffsetDateTime,
    /// The vault's resource id, in lower case.
    pub vault: String,
    /// The operation.
    pub operation: VaultOperationName,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The status text.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub result: String,
    /// The caller's IP address.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub caller_ip: String,
    /// The caller's object id; empty if the log has none.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub object_id: String,
    /// The caller's sign-in name; empty for applications.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub upn: String,
    /// The caller's application id; empty if the log has none.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub app_id: String,
    /// The URL of the object.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub uri: String,
    /// The URL that was requested, if the log has it. For a read of the current version, it contains no version, while
    /// `uri` contains the version that was returned.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub requested: String,
    /// The client's user agent.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub client: String,
    /// The GUID that the client sent to correlate its own logs with the vault's.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub correlation_id: String,
}

impl VaultOperation {
    /// The name of the secret or deleted secret, in lower case; `None` if the URL contains neither `/secrets/{name}` nor
    /// `/deletedsecrets/{name}`, as for lists, or if a restore was logged as `/secrets/restore`, without the name.
    pub fn secret(&self) -> Option<String> {
        let collections = ["/secrets/", "/deletedsecrets/"];
        let (_, rest) = collections.iter().find_map(|collection| self.uri.split_once(collection))?;
        let name = rest.split(['/', '?']).next().filter(|name| !name.is_empty())?.to_ascii_lowercase();
        (self.operation != VaultOperationName::SecretRestore || name != RESTORE).then_some(name)
    }

    /// The version of the secret that was requested or returned, in lower case; `None` if the log has none.
    pub fn version(&self) -> Option<String> {
        version_in(&self.uri)
    }

    /// The version that was requested explicitly, in lower case; `None` if the current one was requested, or the log
    /// does not say.
    pub fn requested_version(&self) -> Option<String> {
        version_in(&self.requested)
    }

    /// Whether the vault refused it (401 or 403).
    pub fn was_refused(&self) -> bool {
        matches!(self.status, Some(401 | 403))
    }

    /// Whether it returned the value or a backup of a secret.
    pub fn revealed_secret(&self) -> bool {
        let reads = [VaultOperationName::SecretGet, VaultOperationName::SecretBackup];
        reads.contains(&self.operation) && self.status == Some(200)
    }
}

/// What stands in the URL of a restore in place of the secret's name.
pub(crate) const RESTORE: &str = "restore";

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

    fn operation(name: &str, status: Option<u16>, uri: &str) -> VaultOperation {
        serde_json::from_value(serde_json::json!({
            "TimeGenerated": "2026-03-01T12:00:00Z", "Vault": "/v", "Operation": name, "Status": status,
            "Result": null, "CallerIp": null, "ObjectId": null, "Upn": null, "AppId": null, "Uri": uri,
            "Client": null, "CorrelationId": null,
        }))
        .unwrap()
    }

    #[test]
    fn a_secret_was_revealed_only_by_a_read_that_succeeded_and_refused_only_for_want_of_rights() {
        for (name, status, revealed, refused) in [
            ("SecretGet", Some(200), true, false),
            ("SecretBackup", Some(200), true, false),
            ("SecretGet", Some(401), false, true),
            ("SecretGet", Some(403), false, true),
            ("SecretGet", Some(404), false, false),
            ("SecretGet", None, false, false),
            ("SecretList", Some(200), false, false),
            ("SecretSet", Some(403), false, true),
        ] {
            let operation = operation(name, status, "");
            assert_eq!(
                (operation.revealed_secret(), operation.was_refused()),
                (revealed, refused),
                "{name} {status:?}"
            );
        }
    }

    #[test]
    fn the_secret_is_the_segment_behind_the_collection_in_lower_case() {
        for (uri, secret) in [
            ("https://v.vault.azure.net/secrets/DB-Password/0123?api-version=7.5", Some("db-password")),
            ("https://v.vault.azure.net/secrets/DB?api-version=7.5", Some("db")),
            ("https://v.vault.azure.net/secrets/?api-version=7.5", None),
            ("https://v.vault.azure.net/secrets?api-version=7.5", None),
            ("https://v.vault.azure.net/secrets/restore?api-version=7.5", Some("restore")),
            ("https://v.vault.azure.net/deletedsecrets/DB?api-version=7.5", Some("db")),
            ("https://v.vault.azure.net/deletedsecrets/DB/recover?api-version=7.5", Some("db")),
            ("https://v.vault.azure.net/deletedsecrets?api-version=7.5", None),
        ] {
            assert_eq!(operation("SecretGet", None, uri).secret().as_deref(), secret, "{uri}");
        }
        for (uri, secret) in [
            ("https://v.vault.azure.net/secrets/restore?api-version=7.5", None),
            ("https://v.vault.azure.net/secrets/DB", Some("db")),
        ] {
            assert_eq!(operation("SecretRestore", None, uri).secret().as_deref(), secret, "{uri}");
        }
    }

    #[test]
    fn the_version_that_was_read_and_the_one_that_was_asked_for_are_told_apart() {
        let (read, asked) = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210");
        let url = |version: &str| format!("https://v.vault.azure.net/secrets/s/{version}");
        let mut pinned = operation("SecretGet", None, &url(read));
        assert_eq!((pinned.version().as_deref(), pinned.requested_version()), (Some(read), None));
        pinned.requested = url(asked);
        assert_eq!(
            (pinned.version().as_deref(), pinned.requested_version().as_deref()),
            (Some(read), Some(asked))
        );
    }

    #[test]
    fn a_version_is_distinguished_from_the_other_segments_after_a_secret() {
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
