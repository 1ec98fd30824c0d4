//! Responses with certificates.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::x509;
use crate::services::secrets::{
    Visit,
    kind::{CERTIFICATES, KEYS, SECRETS},
    store::{Secret, Version},
};

/// Recorded: the certificate as an item of a list.
pub(crate) fn item(visit: &Visit<'_>, certificate: &Secret, version: &Version, id: String) -> Value {
    let mut attributes = version.attributes(&visit.recovery);
    if visit.is_live()
        && let Some(members) = attributes.as_object_mut()
    {
        members.remove("recoveryLevel");
        members.remove("recoverableDays");
    }
    let mut shown = json!({ "id": id, "attributes": attributes });
    if let Some(der) = &version.der {
        shown["x5t"] = json!(x509::thumbprint(der));
    }
    if visit.is_live() {
        shown["subject"] = json!("");
    }
    visit.describe(&mut shown, certificate, version);
    shown
}

/// Recorded: the whole certificate, with its policy and pending operation. Without a key or a secret until it is
/// issued.
pub(crate) fn bundle(visit: &Visit<'_>, certificate: &Secret, id: &str, version: &Version) -> Value {
    let url = |collection: &str| format!("{}/{id}", visit.url(collection, &certificate.name));
    let mut shown = json!({
        "id": url(CERTIFICATES.live),
        "attributes": version.attributes(&visit.recovery),
    });
    if let Some(der) = &version.der {
        shown["kid"] = json!(url(KEYS.live));
        shown["sid"] = json!(url(SECRETS.live));
        shown["x5t"] = json!(x509::thumbprint(der));
        shown["cer"] = json!(STANDARD.encode(der));
    }
    if let Some(policy) = &certificate.policy {
        shown["policy"] = policy_of(visit, &certificate.name, policy);
    }
    if certificate.operation.is_some() {
        shown["pending"] =
            json!({ "id": format!("{}/pending", visit.url(CERTIFICATES.live, &certificate.name)) });
    }
    visit.describe(&mut shown, certificate, version);
    shown
}

pub(super) fn policy_of(visit: &Visit<'_>, name: &str, policy: &Value) -> Value {
    let mut shown = policy.clone();
    shown["id"] = json!(format!("{}/policy", visit.url(CERTIFICATES.live, name)));
    shown
}

/// Recorded: a list omits certificates that are not issued yet, unless the request includes them.
pub(crate) fn is_listed(visit: &Visit<'_>, version: &Version) -> bool {
    visit.kind.live != CERTIFICATES.live
        || version.der.is_some()
        || visit.call.query("includePending").is_some_and(|asked| asked.eq_ignore_ascii_case("true"))
}
