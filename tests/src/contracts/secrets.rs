//! Secrets.

use crate::{Contract, all, delete, get, one, patch, post, put};
use arm_core::{ArmClient, Secret};
use keyvault_ops::{SecretBackup, SecretName, SecretVersion, SecretsClient};
use serde_json::json;
use time::OffsetDateTime;

const VERSION: &str = "2025-07-01";
const HOST: &str = "https://kv-prod.vault.azure.net";
const SECRET_VERSION: &str = "0123456789abcdef0123456789abcdef";

fn secrets(arm: &ArmClient) -> SecretsClient {
    SecretsClient::new(arm, &"kv-prod".parse().unwrap()).unwrap()
}

fn name() -> SecretName {
    "db-password".parse().unwrap()
}

fn version() -> SecretVersion {
    SECRET_VERSION.parse().unwrap()
}

pub(super) fn contracts() -> Vec<Contract> {
    let one_of_them = format!("{HOST}/secrets/db-password");
    let deleted = format!("{HOST}/deletedsecrets/db-password");
    let contracts = vec![
        get("GetSecrets", format!("{HOST}/secrets"), VERSION)
            .answers("secrets/list.json")
            .pages()
            .call(|arm| all(secrets(&arm).list())),
        get("GetSecretVersions", format!("{one_of_them}/versions"), VERSION)
            .answers("secrets/list_versions.json")
            .pages()
            .call(|arm| all(secrets(&arm).list_versions(&name()))),
        get("GetDeletedSecrets", format!("{HOST}/deletedsecrets"), VERSION)
            .answers("secrets/list_deleted.json")
            .pages()
            .call(|arm| all(secrets(&arm).list_deleted())),
        get("GetSecret", format!("{one_of_them}/"), VERSION)
            .answers("secrets/get.json")
            .call(|arm| one(async move { secrets(&arm).get(&name()).await })),
        get("GetSecret", format!("{one_of_them}/{SECRET_VERSION}"), VERSION)
            .variant("version")
            .answers("secrets/get.json")
            .call(|arm| one(async move { secrets(&arm).get_version(&name(), &version()).await })),
        put("SetSecret", &one_of_them, VERSION)
            .statuses(&[200])
            .sends(json!({
                "value": "REDACTED",
                "contentType": "text/plain",
                "tags": { "rotation": "quarterly" },
                "attributes": { "exp": 1_798_761_600 },
            }))
            .answers("secrets/get.json")
            .decoded_as("secrets/set")
            .call(|arm| {
                one(async move {
                    let expires = OffsetDateTime::from_unix_timestamp(1_798_761_600).unwrap();
                    let set = secrets(&arm).set(&name(), Secret::new("REDACTED"));
                    set.content_type("text/plain").tag("rotation", "quarterly").expires_on(expires).await
                })
            }),
        patch("UpdateSecret", format!("{one_of_them}/{SECRET_VERSION}"), VERSION)
            .sends(json!({ "attributes": { "enabled": false } }))
            .answers("secrets/update.json")
            .call(|arm| one(async move { secrets(&arm).update(&name(), &version()).disable().await })),
        delete("DeleteSecret", &one_of_them, VERSION)
            .statuses(&[200])
            .answers("secrets/get_deleted.json")
            .call(|arm| one(async move { secrets(&arm).delete(&name()).await })),
        get("GetDeletedSecret", &deleted, VERSION)
            .answers("secrets/get_deleted.json")
            .call(|arm| one(async move { secrets(&arm).get_deleted(&name()).await })),
        post("RecoverDeletedSecret", format!("{deleted}/recover"), VERSION)
            .answers("secrets/update.json")
            .call(|arm| one(async move { secrets(&arm).recover(&name()).await })),
        delete("PurgeDeletedSecret", &deleted, VERSION)
            .header("accept", "*/*")
            .statuses(&[204])
            .call(|arm| one(async move { secrets(&arm).purge(&name()).await })),
        post("BackupSecret", format!("{one_of_them}/backup"), VERSION)
            .answers("secrets/backup.json")
            .fixed_words(&["value"])
            .call(|arm| one(async move { secrets(&arm).backup(&name()).await })),
        post("RestoreSecret", format!("{HOST}/secrets/restore"), VERSION)
            .sends(json!({ "value": "UkVEQUNURUQ" }))
            .answers("secrets/update.json")
            .call(|arm| {
                one(async move { secrets(&arm).restore(&SecretBackup::new(b"REDACTED".to_vec())).await })
            }),
    ];
    contracts.into_iter().map(Contract::challenged).collect()
}
