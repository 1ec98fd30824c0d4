//! Certificates of a vault, as any HTTP client sees them.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use mock_azure::MockAzure;
use p256::ecdsa::signature::Verifier as _;
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, Issuer, KeyPair, KeyUsagePurpose, PublicKeyData,
    SignatureAlgorithm,
};
use serde_json::{Value, json};
use support::{Answer, SUB, send};
use x509_parser::{
    certification_request::X509CertificationRequest,
    prelude::{FromDer as _, X509Certificate},
};

const VAULT: &str = "https://kv-prod.vault.azure.net";

async fn double(role: &str) -> MockAzure {
    let seed = MockAzure::seed().vault(SUB, "rg-sec", "kv-prod").vault_role("kv-prod", role);
    seed.certificate("kv-prod", "seeded").seed(3).start().await
}

async fn ask(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    send(azure, method, &format!("{VAULT}/{path}?api-version=7.4"), body).await
}

async fn read(azure: &MockAzure, path: &str) -> Answer {
    ask(azure, Get, path, Value::Null).await
}

/// Asks for a certificate for a key on P-256.
async fn create(azure: &MockAzure, name: &str, issuer: &str) -> Answer {
    let policy = json!({
        "issuer": { "name": issuer },
        "key_props": { "kty": "EC", "crv": "P-256" },
        "secret_props": { "contentType": "application/x-pem-file" },
        "x509_props": {
            "subject": "C=US, O=Contoso, CN=www.contoso.example",
            "sans": { "dns_names": ["www.contoso.example"] },
            "key_usage": ["nonRepudiation", "digitalSignature"],
            "validity_months": 6,
        },
    });
    ask(azure, Post, &format!("certificates/{name}/create"), json!({ "policy": policy })).await
}

async fn issued(azure: &MockAzure, name: &str) -> Answer {
    assert_eq!(create(azure, name, "Self").await.status, 202);
    read(azure, &format!("certificates/{name}/pending")).await;
    read(azure, &format!("certificates/{name}")).await
}

fn der(answer: &Answer) -> Vec<u8> {
    STANDARD.decode(answer.body["cer"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_certificate_is_asked_for_issued_and_shown_in_the_shapes_of_the_service() {
    let azure = double("Key Vault Administrator").await;
    let asked = create(&azure, "Web", "Self").await;
    assert_eq!((asked.status, &asked.body["status"]), (202, &json!("inProgress")), "{}", asked.body);
    let request_id = asked.body["request_id"].as_str().unwrap();
    let link = format!("{VAULT}/certificates/Web/pending?api-version=7.4&request_id={request_id}");
    assert_eq!((asked.header("location"), asked.header("retry-after")), (link.as_str(), "10"));
    let csr = STANDARD.decode(asked.body["csr"].as_str().unwrap()).unwrap();
    let (_, csr) = X509CertificationRequest::from_der(&csr).unwrap();
    assert_eq!(csr.certification_request_info.subject.to_string(), "CN=www.contoso.example, O=Contoso, C=US");

    // It is not issued at once: until then it is disabled, and in no list that does not ask for it.
    let another = create(&azure, "web", "Self").await;
    assert_eq!((another.status, another.code()), (409, "Conflict"));
    let url = format!("{VAULT}/certificates?api-version=7.4");
    assert_eq!(send(&azure, Get, &url, Value::Null).await.body["value"].as_array().unwrap().len(), 1);
    let all = send(&azure, Get, &format!("{url}&includePending=true"), Value::Null).await;
    assert_eq!(all.body["value"].as_array().unwrap().len(), 2);
    let early = read(&azure, "certificates/web").await;
    assert_eq!(early.body["attributes"]["enabled"], false);
    assert!(early.body.get("cer").is_none() && early.body.get("kid").is_none(), "{}", early.body);

    let done = read(&azure, "certificates/Web/pending").await;
    assert_eq!(done.body["status"], "completed");
    assert_eq!(done.body["target"], format!("{VAULT}/certificates/Web"));
    let shown = read(&azure, "certificates/web").await.body;
    let id = shown["id"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(shown["kid"], format!("{VAULT}/keys/Web/{id}"));
    assert_eq!(shown["sid"], format!("{VAULT}/secrets/Web/{id}"));
    assert_eq!(shown["attributes"]["enabled"], true);
    assert_eq!(shown["pending"]["id"], format!("{VAULT}/certificates/Web/pending"));
    let policy = &shown["policy"];
    assert_eq!(policy["x509_props"]["key_usage"], json!(["digitalSignature", "nonRepudiation"]));
    assert_eq!(policy["x509_props"]["ekus"], json!(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]));
    assert_eq!(policy["lifetime_actions"][0]["trigger"], json!({ "lifetime_percentage": 80 }));
    assert_eq!(
        policy["key_props"],
        json!({ "exportable": true, "kty": "EC", "crv": "P-256", "reuse_key": false })
    );

    let cancel = json!({ "cancellation_requested": true });
    let late = ask(&azure, Patch, "certificates/web/pending", cancel).await;
    assert_eq!((late.status, late.code()), (403, "Forbidden"));

    // One version shows no policy.
    let version = read(&azure, &format!("certificates/web/{id}")).await.body;
    assert_eq!((version.get("policy"), version.get("pending"), &version["cer"]), (None, None, &shown["cer"]));
    let operations: Vec<_> = azure.audit_events().into_iter().map(|event| event.operation).collect();
    assert!(operations.iter().any(|name| name == "CertificateCreate"), "{operations:?}");
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn what_is_issued_is_signed_by_its_own_key_which_its_secret_holds() {
    let azure = double("Key Vault Administrator").await;
    let shown = issued(&azure, "web").await;
    let der = der(&shown);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    let from = certificate.validity().not_before.timestamp();
    assert_eq!(json!(from), shown.body["attributes"]["nbf"]);
    let until = certificate.validity().not_after.timestamp();
    assert_eq!(json!(until), shown.body["attributes"]["exp"]);
    assert!((181..=184).contains(&((until - from) / 86_400)), "six months: {from} to {until}");
    let names = certificate.subject_alternative_name().unwrap().unwrap();
    assert_eq!(format!("{:?}", names.value.general_names), "[DNSName(\"www.contoso.example\")]");

    let point = certificate.public_key().subject_public_key.data.to_vec();
    let public = p256::ecdsa::VerifyingKey::from_sec1_bytes(&point).unwrap();
    let signature = p256::ecdsa::Signature::from_der(&certificate.signature_value.data).unwrap();
    public.verify(certificate.tbs_certificate.as_ref(), &signature).unwrap();

    let secret = read(&azure, "secrets/web").await;
    assert_eq!((secret.status, &secret.body["contentType"]), (200, &json!("application/x-pem-file")));
    assert_eq!((&secret.body["managed"], &secret.body["kid"]), (&json!(true), &shown.body["kid"]));
    let own = KeyPair::from_pem(secret.body["value"].as_str().unwrap()).unwrap();
    assert_eq!(own.public_key_raw(), point);

    let key = read(&azure, "keys/web").await;
    assert_eq!((&key.body["managed"], &key.body["key"]["crv"]), (&json!(true), &json!("P-256")));
    assert_eq!(ask(&azure, Delete, "keys/web", Value::Null).await.status, 403);
    let seeded = read(&azure, "certificates/seeded").await;
    assert_eq!(seeded.body["policy"]["x509_props"]["subject"], "CN=seeded");
    assert_eq!(read(&azure, "secrets/seeded").await.body["contentType"], "application/x-pkcs12");
}

#[tokio::test]
async fn a_certificate_takes_its_key_and_its_secret_along() {
    let azure = double("Key Vault Administrator").await;
    issued(&azure, "web").await;
    let backup = ask(&azure, Post, "certificates/web/backup", Value::Null).await;
    ask(
        &azure,
        Patch,
        "certificates/web",
        json!({ "attributes": { "enabled": false }, "tags": { "a": "1" } }),
    )
    .await;
    assert_eq!(read(&azure, "secrets/web").await.inner_code(), "SecretDisabled");
    assert_eq!(read(&azure, "certificates/web").await.body["tags"], json!({ "a": "1" }));
    ask(&azure, Patch, "certificates/web", json!({ "attributes": { "enabled": true } })).await;

    let deleted = ask(&azure, Delete, "certificates/web", Value::Null).await;
    assert_eq!(deleted.body["recoveryId"], format!("{VAULT}/deletedcertificates/web"));
    assert_eq!(read(&azure, "secrets/web").await.code(), "SecretNotFound");
    assert_eq!(read(&azure, "keys/web").await.code(), "KeyNotFound");
    assert_eq!(read(&azure, "certificates/web").await.code(), "CertificateNotFound");
    let pending = read(&azure, "certificates/web/pending").await;
    assert_eq!((pending.status, pending.code()), (404, "PendingCertificateNotFound"));
    let mut gone = read(&azure, "deletedcertificates/web").await;
    while gone.status == 404 {
        gone = read(&azure, "deletedcertificates/web").await;
    }
    assert_eq!(ask(&azure, Post, "deletedcertificates/web/recover", Value::Null).await.status, 200);
    while read(&azure, "certificates/web").await.status == 404 {}
    assert_eq!(read(&azure, "secrets/web").await.status, 200);

    ask(&azure, Delete, "certificates/web", Value::Null).await;
    while read(&azure, "deletedcertificates/web").await.status == 404 {}
    assert_eq!(ask(&azure, Delete, "deletedcertificates/web", Value::Null).await.status, 204);
    while read(&azure, "deletedsecrets/web").await.status == 200 {}
    let mut restored = ask(&azure, Post, "certificates/restore", backup.body.clone()).await;
    while restored.status == 409 {
        restored = ask(&azure, Post, "certificates/restore", backup.body.clone()).await;
    }
    assert_eq!(restored.status, 200, "{}", restored.body);
    assert_eq!(read(&azure, "secrets/web").await.status, 200);
}

/// The public half of another's key.
struct Public(Vec<u8>);

impl PublicKeyData for Public {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

#[tokio::test]
async fn what_another_issues_is_merged_if_it_is_for_the_key_that_was_asked_for() {
    let azure = double("Key Vault Certificates Officer").await;
    let asked = create(&azure, "web", "Unknown").await;
    let csr = STANDARD.decode(asked.body["csr"].as_str().unwrap()).unwrap();
    let (_, csr) = X509CertificationRequest::from_der(&csr).unwrap();
    let point = csr.certification_request_info.subject_pki.subject_public_key.data.to_vec();
    for _ in 0..3 {
        assert_eq!(read(&azure, "certificates/web/pending").await.body["status"], "inProgress");
    }
    let authority = KeyPair::generate().unwrap();
    let other = CertificateParams::default().self_signed(&authority).unwrap();
    let chain = json!({ "x5c": [STANDARD.encode(other.der())] });
    let refused = ask(&azure, Post, "certificates/web/pending/merge", chain).await;
    assert_eq!((refused.status, refused.code()), (400, "BadParameter"));

    let issuer = Issuer::new(CertificateParams::default(), authority);
    let leaf = CertificateParams::default().signed_by(&Public(point), &issuer).unwrap();
    let chain = json!({ "x5c": [STANDARD.encode(leaf.der()), STANDARD.encode(other.der())] });
    let merged = ask(&azure, Post, "certificates/web/pending/merge", chain).await;
    assert_eq!((merged.status, der(&merged)), (201, leaf.der().to_vec()));
    assert_eq!(read(&azure, "certificates/web").await.body["attributes"]["enabled"], true);

    // An operation that is given up leaves nothing behind.
    create(&azure, "given-up", "Unknown").await;
    let gone = ask(&azure, Delete, "certificates/given-up/pending", Value::Null).await;
    assert_eq!((gone.status, &gone.body["issuer"]["name"]), (200, &json!("Unknown")));
    assert_eq!(read(&azure, "certificates/given-up").await.status, 404);
}

#[tokio::test]
async fn a_certificate_is_imported_with_its_key_and_says_itself_what_it_is() {
    let azure = double("Key Vault Administrator").await;
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(["api.contoso.example".to_owned()]).unwrap();
    params.not_before = time::macros::datetime!(2026-01-01 0:00 UTC);
    params.not_after = time::macros::datetime!(2027-01-02 0:00 UTC);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let certificate = params.self_signed(&key).unwrap();
    let pem = format!("{}{}", key.serialize_pem(), certificate.pem());
    let import = |value: String| json!({ "value": value, "policy": { "key_props": { "key_size": 1 } } });
    let imported = ask(&azure, Post, "certificates/api/import", import(pem.clone())).await;
    assert_eq!((imported.status, der(&imported)), (200, certificate.der().to_vec()), "{}", imported.body);
    let policy = &imported.body["policy"];
    assert_eq!(policy["issuer"]["name"], "Unknown");
    assert_eq!(policy["lifetime_actions"][0]["action"]["action_type"], "EmailContacts");
    assert_eq!(policy["x509_props"]["validity_months"], 13);
    assert_eq!(policy["x509_props"]["key_usage"], json!(["digitalSignature", "keyEncipherment"]));
    assert_eq!(policy["x509_props"]["ekus"], json!(["1.3.6.1.5.5.7.3.2"]));
    assert_eq!(policy["x509_props"]["sans"]["dns_names"], json!(["api.contoso.example"]));
    assert_eq!(policy["key_props"]["key_size"], 256);
    assert_eq!(read(&azure, "secrets/api").await.body["value"], json!(pem));

    let encoded = ask(&azure, Post, "certificates/api/import", import(STANDARD.encode(&pem))).await;
    assert_eq!((encoded.status, der(&encoded)), (200, certificate.der().to_vec()));

    let other = KeyPair::generate().unwrap();
    let mixed = format!("{}{}", other.serialize_pem(), certificate.pem());
    let refused = ask(&azure, Post, "certificates/mixed/import", import(mixed)).await;
    assert_eq!((refused.status, refused.code()), (400, "BadParameter"));
    assert_eq!(read(&azure, "certificates/mixed").await.status, 404);
    // What is in a file that is encrypted is not known here.
    let unread = ask(&azure, Post, "certificates/pfx/import", import("MIIKAAA=".to_owned())).await;
    assert_eq!(unread.status, 501);
}

#[tokio::test]
async fn of_an_rsa_key_there_is_a_certificate_and_no_private_half() {
    let azure = double("Key Vault Administrator").await;
    let policy = json!({ "issuer": { "name": "Self" }, "x509_props": { "subject": "CN=rsa", "sans": {} } });
    ask(&azure, Post, "certificates/rsa/create", json!({ "policy": policy })).await;
    read(&azure, "certificates/rsa/pending").await;
    let shown = read(&azure, "certificates/rsa").await;
    let der = der(&shown);
    let (_, certificate) = X509Certificate::from_der(&der).unwrap();
    assert_eq!(certificate.public_key().parsed().unwrap().key_size(), 2048);
    assert_eq!(shown.body["policy"]["key_props"]["kty"], "RSA");
    assert_eq!(read(&azure, "secrets/rsa").await.status, 501);
    assert_eq!(azure.unknown_requests().len(), 1);

    // Clients refuse a signature that is not smaller than the modulus.
    for name in ["one", "two", "three", "four", "five"] {
        let policy =
            json!({ "issuer": { "name": "Self" }, "x509_props": { "subject": "CN=rsa", "sans": {} } });
        ask(&azure, Post, &format!("certificates/{name}/create"), json!({ "policy": policy })).await;
        read(&azure, &format!("certificates/{name}/pending")).await;
        let der = self::der(&read(&azure, &format!("certificates/{name}")).await);
        let (_, certificate) = X509Certificate::from_der(&der).unwrap();
        let signature = &certificate.signature_value.data;
        assert!(signature.len() == 256 && signature[0] < 0x80, "{name}: {:x}", signature[0]);
    }

    let updated = json!({ "x509_props": { "validity_months": 24 }, "attributes": {} });
    let policy = ask(&azure, Patch, "certificates/rsa/policy", updated).await;
    assert_eq!((policy.status, &policy.body["x509_props"]["validity_months"]), (200, &json!(24)));
    assert_eq!(read(&azure, "certificates/rsa/policy").await.body, policy.body);
}

#[tokio::test]
async fn certificates_need_a_role_for_them() {
    let azure = double("Key Vault Secrets Officer").await;
    assert_eq!(read(&azure, "certificates").await.status, 403);
    assert_eq!(create(&azure, "web", "Self").await.status, 403);
    let reader = double("Key Vault Reader").await;
    assert_eq!(read(&reader, "certificates/seeded").await.status, 200);
    assert_eq!(create(&reader, "web", "Self").await.status, 403);
}
