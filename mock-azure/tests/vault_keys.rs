//! Keys of a vault, as any HTTP client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{Answer, SUB, send};

const VAULT: &str = "https://kv-prod.vault.azure.net";

async fn double(role: &str) -> MockAzure {
    MockAzure::seed().vault(SUB, "rg-sec", "kv-prod").vault_role("kv-prod", role).seed(3).start().await
}

async fn ask(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    send(azure, method, &format!("{VAULT}/{path}?api-version=7.5"), body).await
}

fn version_of(answer: &Answer) -> String {
    answer.body["key"]["kid"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_made_listed_and_read_in_the_shapes_of_the_service() {
    let azure = double("Key Vault Crypto Officer").await;
    let made = ask(&azure, Post, "keys/Sign/create", json!({ "kty": "RSA", "tags": { "a": "1" } })).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let key = &made.body["key"];
    assert_eq!(
        (&key["kty"], &key["e"], key["n"].as_str().unwrap().len()),
        (&json!("RSA"), &json!("AQAB"), 342)
    );
    assert_eq!(key["key_ops"], json!(["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"]));
    assert!(key["kid"].as_str().unwrap().starts_with(&format!("{VAULT}/keys/Sign/")));
    assert_eq!((&made.body["attributes"]["enabled"], &made.body["tags"]["a"]), (&json!(true), &json!("1")));
    let listed = ask(&azure, Get, "keys", Value::Null).await;
    assert_eq!(listed.body["value"][0]["kid"], format!("{VAULT}/keys/Sign"));
    assert!(listed.body["value"][0].get("key").is_none());
    let read = ask(&azure, Get, "keys/sign", Value::Null).await;
    assert_eq!(read.body, made.body);
    let missing = ask(&azure, Get, "keys/none", Value::Null).await;
    assert_eq!((missing.status, missing.code()), (404, "KeyNotFound"));
    let arm = format!(
        "https://management.azure.com/subscriptions/{SUB}/resourceGroups/rg-sec/providers/Microsoft.KeyVault/vaults/kv-prod/keys\
         ?api-version=2023-07-01"
    );
    let arm = send(&azure, Get, &arm, Value::Null).await;
    assert_eq!(arm.body["value"][0]["properties"]["keyUri"], format!("{VAULT}/keys/Sign"));
    assert_eq!(azure.audit_events().last().unwrap().operation, "KeyGet");
}

#[tokio::test]
async fn a_signature_holds_for_its_digest_and_its_key_only() {
    let azure = double("Key Vault Crypto Officer").await;
    let made = ask(&azure, Post, "keys/ec/create", json!({ "kty": "EC", "crv": "P-256" })).await;
    let other = ask(&azure, Post, "keys/other/create", json!({ "kty": "EC", "crv": "P-256" })).await;
    assert_ne!(made.body["key"]["x"], other.body["key"]["x"]);
    let digest = URL_SAFE_NO_PAD.encode([7_u8; 32]);
    let sign = json!({ "alg": "ES256", "value": digest });
    let signed = ask(&azure, Post, &format!("keys/ec/{}/sign", version_of(&made)), sign.clone()).await;
    assert_eq!((signed.status, &signed.body["kid"]), (200, &made.body["key"]["kid"]));
    let verify = |value: Value, digest: String| json!({ "alg": "ES256", "digest": digest, "value": value });
    let mine =
        ask(&azure, Post, "keys/ec/verify", verify(signed.body["value"].clone(), digest.clone())).await;
    assert_eq!(mine.body, json!({ "value": true }));
    let others =
        ask(&azure, Post, "keys/other/verify", verify(signed.body["value"].clone(), digest.clone())).await;
    assert_eq!(others.body, json!({ "value": false }));
    let changed = URL_SAFE_NO_PAD.encode([8_u8; 32]);
    let changed = ask(&azure, Post, "keys/ec/verify", verify(signed.body["value"].clone(), changed)).await;
    assert_eq!(changed.body, json!({ "value": false }));
    // Another implementation finds it good, too.
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(made.body["key"][name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signed.body["value"].as_str().unwrap()).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
    assert!(
        p256::ecdsa::signature::hazmat::PrehashVerifier::verify_prehash(&public, &[7; 32], &signature)
            .is_ok()
    );

    let short = json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode([7_u8; 20]) });
    assert_eq!(ask(&azure, Post, "keys/ec/sign", short).await.status, 400);
    ask(&azure, Patch, "keys/ec", json!({ "key_ops": ["verify"] })).await;
    assert_eq!(ask(&azure, Post, "keys/ec/sign", sign.clone()).await.inner_code(), "KeyOperationForbidden");
    ask(&azure, Post, "keys/rsa/create", json!({ "kty": "RSA" })).await;
    for (operation, algorithm) in [("sign", "RS256"), ("encrypt", "RSA-OAEP"), ("wrapkey", "RSA-OAEP")] {
        let body = json!({ "alg": algorithm, "value": digest });
        let answer = ask(&azure, Post, &format!("keys/rsa/{operation}"), body).await;
        assert_eq!((answer.status, answer.code()), (501, "MockNotImplemented"), "{operation}");
    }
}

#[tokio::test]
async fn a_rotation_makes_another_key_that_lives_as_long_as_the_policy_says() {
    let azure = double("Key Vault Crypto Officer").await;
    let first = ask(&azure, Post, "keys/k/create", json!({ "kty": "EC" })).await;
    let unset = ask(&azure, Get, "keys/k/rotationpolicy", Value::Null).await;
    assert_eq!(unset.body["lifetimeActions"][0]["action"]["type"], "Notify");
    let rotate = json!({ "trigger": { "timeAfterCreate": "P60D" }, "action": { "type": "Rotate" } });
    let short = json!({ "lifetimeActions": [rotate], "attributes": { "expiryTime": "P7D" } });
    assert_eq!(ask(&azure, Put, "keys/k/rotationpolicy", short).await.status, 400);
    let policy = json!({ "lifetimeActions": [rotate], "attributes": { "expiryTime": "P90D" } });
    let set = ask(&azure, Put, "keys/k/rotationpolicy", policy).await;
    assert_eq!((set.status, &set.body["attributes"]["expiryTime"]), (200, &json!("P90D")));
    let second = ask(&azure, Post, "keys/k/rotate", Value::Null).await;
    let times = |name: &str| second.body["attributes"][name].as_i64().unwrap();
    assert_eq!(times("exp") - times("created"), 90 * 24 * 3600);
    assert_ne!(first.body["key"]["x"], second.body["key"]["x"]);
    let versions = ask(&azure, Get, "keys/k/versions", Value::Null).await;
    assert_eq!(versions.body["value"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_deleted_key_is_recovered_or_purged_and_a_backup_brings_it_back() {
    let azure = double("Key Vault Administrator").await;
    let made = ask(&azure, Post, "keys/k/create", json!({ "kty": "RSA" })).await;
    let backup = ask(&azure, Post, "keys/k/backup", Value::Null).await.body;
    assert_eq!(
        ask(&azure, Delete, "keys/k", Value::Null).await.body["recoveryId"],
        format!("{VAULT}/deletedkeys/k")
    );
    ask(&azure, Get, "deletedkeys/k", Value::Null).await;
    assert_eq!(ask(&azure, Get, "deletedkeys/k", Value::Null).await.body["key"], made.body["key"]);
    let again = ask(&azure, Post, "keys/k/create", json!({ "kty": "RSA" })).await;
    assert_eq!(again.inner_code(), "ObjectIsDeletedButRecoverable");
    assert_eq!(ask(&azure, Post, "deletedkeys/k/recover", Value::Null).await.status, 200);
    ask(&azure, Get, "keys/k", Value::Null).await;
    assert_eq!(ask(&azure, Get, "keys/k", Value::Null).await.body["key"], made.body["key"]);
    ask(&azure, Delete, "keys/k", Value::Null).await;
    ask(&azure, Get, "deletedkeys/k", Value::Null).await;
    assert_eq!(ask(&azure, Delete, "deletedkeys/k", Value::Null).await.status, 204);
    ask(&azure, Get, "deletedkeys/k", Value::Null).await;
    assert_eq!(ask(&azure, Post, "secrets/restore", backup.clone()).await.status, 400);
    let restored = ask(&azure, Post, "keys/restore", backup).await;
    assert_eq!((restored.status, &restored.body["key"]), (200, &made.body["key"]));
}

#[tokio::test]
async fn roles_and_access_policies_speak_of_keys() {
    let azure = double("Key Vault Secrets Officer").await;
    let refused = ask(&azure, Post, "keys/k/create", json!({ "kty": "RSA" })).await;
    assert_eq!((refused.status, refused.inner_code()), (403, "ForbiddenByRbac"));
    assert!(
        refused.message().contains("Microsoft.KeyVault/vaults/keys/create/action"),
        "{}",
        refused.message()
    );
    let reader = double("Key Vault Crypto User").await;
    assert_eq!(ask(&reader, Get, "keys", Value::Null).await.status, 200);
    assert_eq!(ask(&reader, Get, "secrets", Value::Null).await.status, 403);
    assert_eq!(ask(&reader, Post, "keys/k/create", json!({ "kty": "RSA" })).await.status, 403);
}

#[tokio::test]
async fn the_same_seed_makes_the_same_keys() {
    let (one, two) = (double("Key Vault Administrator").await, double("Key Vault Administrator").await);
    for body in [json!({ "kty": "RSA", "key_size": 4096 }), json!({ "kty": "EC", "crv": "P-384" })] {
        let first = ask(&one, Post, "keys/k/create", body.clone()).await;
        assert_eq!(first.body["key"], ask(&two, Post, "keys/k/create", body).await.body["key"]);
    }
    let bad = ask(&one, Put, "keys/x", json!({ "key": {} })).await;
    assert_eq!((bad.status, bad.code()), (400, "BadParameter"));
    assert_eq!(ask(&one, Post, "keys/x/create", json!({ "kty": "RSA", "key_size": 1024 })).await.status, 400);
    assert_eq!(ask(&one, Post, "keys/x/create", json!({ "kty": "RSA-HSM" })).await.status, 400);
    assert_eq!(ask(&one, Post, "keys/x/create", json!({ "kty": "EC", "crv": "P-521" })).await.status, 501);
}

#[tokio::test]
async fn contacts_and_issuers_are_kept() {
    let azure = double("Key Vault Certificates Officer").await;
    let contacts = json!({ "contacts": [{ "email": "security@contoso.example", "name": "On call" }] });
    assert_eq!(ask(&azure, Get, "certificates/contacts", Value::Null).await.code(), "ContactsNotFound");
    let set = ask(&azure, Put, "certificates/contacts", contacts.clone()).await;
    assert_eq!(
        (&set.body["contacts"], &set.body["id"]),
        (&contacts["contacts"], &json!(format!("{VAULT}/certificates/contacts")))
    );
    assert_eq!(ask(&azure, Put, "certificates/contacts", json!({ "contacts": [{}] })).await.status, 400);
    assert_eq!(
        ask(&azure, Delete, "certificates/contacts", Value::Null).await.body["contacts"],
        contacts["contacts"]
    );
    assert_eq!(ask(&azure, Get, "certificates/contacts", Value::Null).await.status, 404);

    let issuer = json!({ "provider": "Test", "credentials": { "account_id": "a", "pwd": "REDACTED" } });
    let made = ask(&azure, Put, "certificates/issuers/Ours", issuer).await;
    assert_eq!((made.status, &made.body["credentials"]), (200, &json!({ "account_id": "a" })));
    assert_eq!(made.body["org_details"], json!({ "zip": 0 }));
    let change = json!({ "credentials": { "account_id": "b" } });
    let changed = ask(&azure, Patch, "certificates/issuers/ours", change).await;
    assert_eq!(
        (&changed.body["provider"], &changed.body["credentials"]["account_id"]),
        (&json!("Test"), &json!("b"))
    );
    let listed = ask(&azure, Get, "certificates/issuers", Value::Null).await;
    assert_eq!(listed.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(
        ask(&azure, Patch, "certificates/issuers/other", json!({})).await.code(),
        "CertificateIssuerNotFound"
    );

    assert_eq!(ask(&azure, Get, "certificates", Value::Null).await.body["value"], json!([]));
    assert_eq!(ask(&azure, Get, "certificates/tls", Value::Null).await.status, 404);
    // What an issuer of one's own issues is not known here.
    let policy = json!({ "policy": { "issuer": { "name": "Ours" }, "x509_props": { "subject": "CN=tls" } } });
    assert_eq!(ask(&azure, Post, "certificates/tls/create", policy).await.status, 501);
    assert_eq!(ask(&azure, Get, "keys", Value::Null).await.status, 403);
}

#[tokio::test]
async fn certificates_are_not_known_where_a_secret_is_kept_for_one() {
    let azure = MockAzure::seed()
        .vault(SUB, "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Administrator")
        .managed_secret("kv-prod", "tls")
        .start()
        .await;
    for path in ["certificates", "certificates/tls"] {
        assert_eq!(ask(&azure, Get, path, Value::Null).await.status, 501, "{path}");
    }
}

#[tokio::test]
async fn attributes_that_came_later_are_shown_to_later_versions_only() {
    let azure = double("Key Vault Crypto Officer").await;
    ask(&azure, Post, "keys/k/create", json!({ "kty": "EC" })).await;
    for (version, exportable, platform) in [
        ("7.2", Value::Null, Value::Null),
        ("7.3", json!(false), Value::Null),
        ("7.4", json!(false), Value::Null),
        ("7.5-preview.1", json!(false), json!("0")),
        ("7.5", json!(false), json!("0")),
    ] {
        let url = format!("{VAULT}/keys/k?api-version={version}");
        let attributes = &send(&azure, Get, &url, Value::Null).await.body["attributes"];
        assert_eq!(
            (&attributes["exportable"], &attributes["hsmPlatform"]),
            (&exportable, &platform),
            "{version}"
        );
    }
}

#[tokio::test]
async fn an_imported_key_signs_as_it_did_elsewhere_and_its_private_half_is_never_shown() {
    let azure = double("Key Vault Crypto Officer").await;
    let private = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let point = private.verifying_key().to_encoded_point(false);
    let [x, y] = [point.x().unwrap(), point.y().unwrap()].map(|half| URL_SAFE_NO_PAD.encode(half));
    let jwk = json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y, "d": URL_SAFE_NO_PAD.encode([7_u8; 32]) });
    let imported = ask(&azure, Put, "keys/mine", json!({ "key": jwk })).await;
    let key = &imported.body["key"];
    assert_eq!((imported.status, &key["x"], &key["y"]), (200, &json!(x), &json!(y)), "{}", imported.body);
    assert!(key.get("d").is_none(), "{key}");
    let sign = json!({ "alg": "ES256", "value": URL_SAFE_NO_PAD.encode([9_u8; 32]) });
    let signed = ask(&azure, Post, "keys/mine/sign", sign).await;
    let signature = URL_SAFE_NO_PAD.decode(signed.body["value"].as_str().unwrap()).unwrap();
    let signature = p256::ecdsa::Signature::from_slice(&signature).unwrap();
    assert!(
        p256::ecdsa::signature::hazmat::PrehashVerifier::verify_prehash(
            private.verifying_key(),
            &[9; 32],
            &signature
        )
        .is_ok()
    );

    for missing in ["kty", "crv", "x", "y", "d"] {
        let mut jwk = jwk.clone();
        jwk[missing] = Value::Null;
        let refused = ask(&azure, Put, "keys/other", json!({ "key": jwk })).await;
        assert_eq!((refused.status, refused.code()), (400, "BadParameter"), "without {missing}");
    }
    assert_eq!(ask(&azure, Get, "keys/other", Value::Null).await.status, 404);
}
