//! The policy of a certificate: its properties, and how it is renewed.

use serde_json::{Value, json};

use super::show::policy_of;
use crate::{
    http::Reply,
    services::secrets::{Visit, refusal},
    state::World,
};

const USAGES: &[&str] = &[
    "cRLSign",
    "dataEncipherment",
    "decipherOnly",
    "digitalSignature",
    "encipherOnly",
    "keyAgreement",
    "keyCertSign",
    "keyEncipherment",
    "nonRepudiation",
];

/// Recorded: the defaults of a policy.
pub(super) fn defaults() -> Value {
    json!({
        "key_props": { "exportable": true, "kty": "RSA", "key_size": 2048, "reuse_key": false },
        "secret_props": { "contentType": "application/x-pkcs12" },
        "x509_props": {
            "ekus": ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"],
            "key_usage": ["digitalSignature", "keyEncipherment"],
            "validity_months": 12,
            "basic_constraints": { "ca": false },
        },
        "lifetime_actions": [
            { "trigger": { "lifetime_percentage": 80 }, "action": { "action_type": "AutoRenew" } },
        ],
    })
}

/// Merges the members in a request into a policy.
pub(super) fn laid_over(mut policy: Value, given: &Value, now: i64) -> Result<Value, Box<Reply>> {
    for part in ["key_props", "secret_props", "x509_props", "issuer"] {
        let Some(members) = given[part].as_object() else { continue };
        // The size of an RSA key does not apply to an elliptic-curve key.
        if part == "key_props" && members.contains_key("crv") && !members.contains_key("key_size") {
            policy[part].as_object_mut().map(|known| known.remove("key_size"));
        }
        for (name, value) in members.iter().filter(|(_, value)| !value.is_null()) {
            policy[part][name] = value.clone();
        }
    }
    if given["lifetime_actions"].as_array().is_some_and(|all| !all.is_empty()) {
        policy["lifetime_actions"] = given["lifetime_actions"].clone();
    }
    check(&mut policy)?;
    let created = policy["attributes"]["created"].as_i64().unwrap_or(now);
    let enabled = given["attributes"]["enabled"].as_bool().or(policy["attributes"]["enabled"].as_bool());
    policy["attributes"] = json!({ "enabled": enabled.unwrap_or(true), "created": created, "updated": now });
    Ok(policy)
}

fn check(policy: &mut Value) -> Result<(), Box<Reply>> {
    let (secret, x509) = (&policy["secret_props"]["contentType"], &policy["x509_props"]);
    // Documented: the two content types of a secret.
    if !matches!(secret.as_str(), Some("application/x-pkcs12" | "application/x-pem-file")) {
        let known = ["application/x-pkcs12", "application/x-pem-file"];
        return Err(Box::new(Reply::unknown("content type of a certificate", &secret.to_string(), &known)));
    }
    if !x509["validity_months"].is_u64() {
        return Err(Box::new(refusal::bad_parameter("The validity_months of a policy must be a number.")));
    }
    let mut usages = Vec::new();
    for usage in x509["key_usage"].as_array().into_iter().flatten() {
        let usage = usage.as_str().unwrap_or_default();
        if !USAGES.contains(&usage) {
            return Err(Box::new(Reply::unknown("usage of a key", usage, USAGES)));
        }
        usages.push(usage.to_owned());
    }
    // Recorded: sorted by name, ignoring case.
    usages.sort_by_key(|usage| usage.to_ascii_lowercase());
    policy["x509_props"]["key_usage"] = json!(usages);
    Ok(())
}

pub(super) fn get(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let spelled = visit.call.spelled(1);
    let found = visit.secrets(world).live.get(name).and_then(|found| found.policy.as_ref());
    match found {
        Some(policy) => Reply::ok(policy_of(visit, spelled, policy)),
        None => refusal::not_found(visit.kind, spelled),
    }
}

pub(super) fn update(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let spelled = visit.call.spelled(1);
    match changed(world, visit, name, visit.call.json()) {
        Ok(Some(policy)) => {
            let shown = policy_of(visit, spelled, &policy);
            if let Some(certificate) = visit.secrets(world).live.get_mut(name) {
                certificate.policy = Some(policy);
            }
            Reply::ok(shown)
        }
        Ok(None) => refusal::not_found(visit.kind, spelled),
        Err(refused) => *refused,
    }
}

/// The updated policy of a certificate. `None` if the request does not change it.
pub(super) fn changed(
    world: &mut World,
    visit: &Visit<'_>,
    name: &str,
    given: &Value,
) -> Result<Option<Value>, Box<Reply>> {
    let now = world.now().unix_timestamp();
    let known = visit.secrets(world).live.get(name).and_then(|found| found.policy.clone());
    match known {
        Some(policy) if given.is_object() => laid_over(policy, given, now).map(Some),
        _ => Ok(None),
    }
}
