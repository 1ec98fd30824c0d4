//! Which permission each operation on a vault's data needs, and what the vault's log calls it.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{SUB, send};

/// A request, its name in the log, the data action of a role below `Microsoft.KeyVault/vaults/`, and the permission of an
/// access policy. All are documented.
#[rustfmt::skip]
const OPERATIONS: &[(Method, &str, &str, &str, &str)] = &[
    (Get, "secrets", "SecretList", "secrets/readMetadata/action", "list"),
    (Get, "secrets/s/versions", "SecretListVersions", "secrets/readMetadata/action", "list"),
    (Get, "secrets/s", "SecretGet", "secrets/getSecret/action", "get"),
    (Get, "secrets/s/0123456789abcdef0123456789abcdef", "SecretGet", "secrets/getSecret/action", "get"),
    (Put, "secrets/s", "SecretSet", "secrets/setSecret/action", "set"),
    (Patch, "secrets/s", "SecretUpdate", "secrets/update/action", "set"),
    (Patch, "secrets/s/0123456789abcdef0123456789abcdef", "SecretUpdate", "secrets/update/action", "set"),
    (Delete, "secrets/s", "SecretDelete", "secrets/delete", "delete"),
    (Post, "secrets/restore", "SecretRestore", "secrets/restore/action", "restore"),
    (Post, "secrets/s/backup", "SecretBackup", "secrets/backup/action", "backup"),
    (Get, "deletedsecrets", "SecretListDeleted", "secrets/readMetadata/action", "list"),
    (Get, "deletedsecrets/s", "SecretGetDeleted", "secrets/readMetadata/action", "get"),
    (Delete, "deletedsecrets/s", "SecretPurge", "secrets/purge/action", "purge"),
    (Post, "deletedsecrets/s/recover", "SecretRecover", "secrets/recover/action", "recover"),
    (Get, "keys", "KeyList", "keys/read", "list"),
    (Get, "keys/k/versions", "KeyListVersions", "keys/read", "list"),
    (Get, "keys/k", "KeyGet", "keys/read", "get"),
    (Get, "keys/k/0123456789abcdef0123456789abcdef", "KeyGet", "keys/read", "get"),
    (Put, "keys/k", "KeyImport", "keys/import/action", "import"),
    (Patch, "keys/k", "KeyUpdate", "keys/update/action", "update"),
    (Delete, "keys/k", "KeyDelete", "keys/delete", "delete"),
    (Post, "keys/restore", "KeyRestore", "keys/restore/action", "restore"),
    (Post, "keys/k/create", "KeyCreate", "keys/create/action", "create"),
    (Post, "keys/k/backup", "KeyBackup", "keys/backup/action", "backup"),
    (Post, "keys/k/rotate", "KeyRotate", "keys/rotate/action", "rotate"),
    (Post, "keys/k/sign", "KeySign", "keys/sign/action", "sign"),
    (Post, "keys/k/0123456789abcdef0123456789abcdef/sign", "KeySign", "keys/sign/action", "sign"),
    (Post, "keys/k/verify", "KeyVerify", "keys/verify/action", "verify"),
    (Get, "deletedkeys", "KeyListDeleted", "keys/read", "list"),
    (Get, "deletedkeys/k", "KeyGetDeleted", "keys/read", "get"),
    (Delete, "deletedkeys/k", "KeyPurge", "keys/purge/action", "purge"),
    (Post, "deletedkeys/k/recover", "KeyRecover", "keys/recover/action", "recover"),
    (Get, "keys/k/rotationpolicy", "KeyRotationPolicyGet", "keyrotationpolicies/read", "getrotationpolicy"),
    (Put, "keys/k/rotationpolicy", "KeyRotationPolicySet", "keyrotationpolicies/write", "setrotationpolicy"),
    (Get, "certificates/contacts", "CertificateContactsGet", "certificatecontacts/write", "managecontacts"),
    (Put, "certificates/contacts", "CertificateContactsSet", "certificatecontacts/write", "managecontacts"),
    (Delete, "certificates/contacts", "CertificateContactsDelete", "certificatecontacts/write", "managecontacts"),
    (Get, "certificates/issuers", "CertificateIssuersList", "certificatecas/read", "listissuers"),
    (Get, "certificates/issuers/i", "CertificateIssuerGet", "certificatecas/read", "getissuers"),
    (Put, "certificates/issuers/i", "CertificateIssuerSet", "certificatecas/write", "setissuers"),
    (Patch, "certificates/issuers/i", "CertificateIssuerUpdate", "certificatecas/write", "setissuers"),
    (Delete, "certificates/issuers/i", "CertificateIssuerDelete", "certificatecas/delete", "deleteissuers"),
    (Get, "certificates", "CertificateList", "certificates/read", "list"),
    (Get, "certificates/c/versions", "CertificateListVersions", "certificates/read", "list"),
    (Get, "certificates/c/policy", "CertificatePolicyGet", "certificates/read", "get"),
    (Patch, "certificates/c/policy", "CertificatePolicyUpdate", "certificates/update/action", "update"),
    (Get, "certificates/c/pending", "CertificatePendingGet", "certificates/read", "get"),
    (Patch, "certificates/c/pending", "CertificatePendingUpdate", "certificates/update/action", "update"),
    (Delete, "certificates/c/pending", "CertificatePendingDelete", "certificates/update/action", "update"),
    (Post, "certificates/c/pending/merge", "CertificatePendingMerge", "certificates/create/action", "create"),
    (Get, "certificates/c", "CertificateGet", "certificates/read", "get"),
    (Get, "certificates/c/0123456789abcdef0123456789abcdef", "CertificateGet", "certificates/read", "get"),
    (Post, "certificates/restore", "CertificateRestore", "certificates/restore/action", "restore"),
    (Post, "certificates/c/create", "CertificateCreate", "certificates/create/action", "create"),
    (Post, "certificates/c/import", "CertificateImport", "certificates/import/action", "import"),
    (Post, "certificates/c/backup", "CertificateBackup", "certificates/backup/action", "backup"),
    (Patch, "certificates/c", "CertificateUpdate", "certificates/update/action", "update"),
    (Delete, "certificates/c", "CertificateDelete", "certificates/delete", "delete"),
    (Get, "deletedcertificates", "CertificateListDeleted", "certificates/read", "list"),
    (Get, "deletedcertificates/c", "CertificateGetDeleted", "certificates/read", "get"),
    (Delete, "deletedcertificates/c", "CertificatePurge", "certificates/purge/action", "purge"),
    (Post, "deletedcertificates/c/recover", "CertificateRecover", "certificates/recover/action", "recover"),
];

#[tokio::test]
async fn each_operation_names_the_permission_without_which_it_is_refused_and_is_logged_by_its_name() {
    let seed = MockAzure::seed().vault(SUB, "rg", "kv-roles").vault(SUB, "rg", "kv-policies");
    let azure = seed.access_policy("kv-policies", &[]).start().await;
    for (method, path, operation, action, permission) in OPERATIONS {
        let body = if matches!(method, Get | Delete) { Value::Null } else { json!({}) };
        let url = |vault: &str| format!("https://{vault}.vault.azure.net/{path}?api-version=7.5");
        let by_role = send(&azure, *method, &url("kv-roles"), body.clone()).await;
        let logged = azure.audit_events().pop().unwrap();
        assert_eq!((&*logged.operation, logged.status, logged.by_rbac), (*operation, 403, true), "{path}");
        assert_eq!((by_role.status, by_role.inner_code()), (403, "ForbiddenByRbac"), "{operation}");
        let told = by_role.message();
        let expected = format!("Action: 'Microsoft.KeyVault/vaults/{action}'\r\n");
        assert!(told.contains(&expected), "{operation}: {told}");
        assert!(told.contains("\r\nVault: kv-roles;location=westeurope\r\n"), "{operation}: {told}");

        let by_policy = send(&azure, *method, &url("kv-policies"), body).await;
        let logged = azure.audit_events().pop().unwrap();
        assert_eq!((&*logged.operation, logged.status, logged.by_rbac), (*operation, 403, false), "{path}");
        assert_eq!((by_policy.status, by_policy.inner_code()), (403, "ForbiddenByPolicy"), "{operation}");
        let kind = path.split('/').next().unwrap().trim_start_matches("deleted");
        let expected = format!(
            "does not have {kind} {permission} permission on key vault 'kv-policies;location=westeurope'"
        );
        assert!(by_policy.message().contains(&expected), "{operation}: {}", by_policy.message());
    }
    assert!(azure.unknown_requests().is_empty());
}
