//! Imports a certificate that was issued elsewhere, with its private key.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{
    made::{self, Content},
    pending, policy, x509,
};
use crate::{
    http::Reply,
    services::secrets::{Visit, refusal, store::Version, version_order},
    state::World,
};

const PEM: &str = "application/x-pem-file";

pub(super) fn import(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    if let Some(refused) = pending::in_the_way(world, visit, name) {
        return refused;
    }
    take(world, visit, name).unwrap_or_else(|refused| *refused)
}

fn take(world: &mut World, visit: &Visit<'_>, name: &str) -> Result<Reply, Box<Reply>> {
    let (body, spelled, now) = (visit.call.json(), visit.call.spelled(1), world.now());
    // Documented: the value is required.
    let Some(text) = body["value"].as_str() else {
        return Err(Box::new(refusal::bad_parameter("Property \"value\" is required and must be a string.")));
    };
    // Documented: in base64. Azure CLI sends PEM without encoding it.
    let decoded = STANDARD.decode(text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let texts = [Some(text), decoded.as_deref()];
    let Some(text) = texts.into_iter().flatten().find(|text| text.contains("-----BEGIN")) else {
        let what = "the content of an encrypted PFX file; it reads certificates in PEM";
        return Err(Box::new(Reply::not_implemented(what)));
    };
    let (der, made) = x509::from_pem(text)?;
    let facts = x509::facts(&der)?;
    let policy = said(&facts, &body["policy"], now.unix_timestamp())?;
    let mut version = Version::new("", now);
    (version.not_before, version.expires) = (Some(facts.from), Some(facts.to));
    version.enabled = body["attributes"]["enabled"].as_bool().unwrap_or(true);
    version.tags = body["tags"].as_object().cloned();
    version.der = Some(der);

    let order = version_order(world);
    let certificates = visit.secrets(world);
    let id = certificates.next_id(name, order);
    certificates.set_as(spelled, &id, version.clone());
    let Some(certificate) = certificates.live.get_mut(name) else {
        return Err(Box::new(refusal::not_found(visit.kind, spelled)));
    };
    certificate.policy = Some(policy);
    certificate.operation = None;
    let shown = visit.bundle(certificate, &id);
    let spelled = certificate.name.clone();
    let content = Content::Given { content_type: PEM.to_owned(), text: text.to_owned() };
    made::put(world, &visit.vault, (&spelled, &id), &version, &made, &content);
    Ok(Reply::ok(shown))
}

/// Recorded: the certificate's own properties take precedence over those in the request. The issuer is unknown unless
/// the request names it; a certificate of an unknown issuer is not renewed, but its contacts are mailed before it
/// expires.
fn said(facts: &x509::Facts, given: &Value, now: i64) -> Result<Value, Box<Reply>> {
    let mut base = policy::defaults();
    base["x509_props"] = facts.properties.clone();
    base["key_props"] = facts.key.clone();
    base["secret_props"]["contentType"] = json!(PEM);
    base["issuer"]["name"] = json!("Unknown");
    let mut given = given.clone();
    if let Some(parts) = given.as_object_mut() {
        parts.remove("x509_props");
        if let Some(key) = parts.get_mut("key_props").and_then(Value::as_object_mut) {
            key.retain(|name, _| matches!(name.as_str(), "exportable" | "reuse_key"));
        }
    }
    if !given["issuer"]["name"].is_string() {
        base["lifetime_actions"][0]["action"]["action_type"] = json!("EmailContacts");
    }
    policy::laid_over(base, &given, now)
}
