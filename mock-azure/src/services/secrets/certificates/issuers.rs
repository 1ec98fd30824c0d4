//! The contacts for a vault's certificates, and the issuers.

use serde_json::{Value, json};

use super::state;
use crate::{
    http::{Method, Reply},
    services::secrets::{Visit, refusal},
    state::World,
};

/// A list of issuers, with the members that it has for each.
pub(super) fn list(world: &mut World, visit: &Visit<'_>) -> Reply {
    let issuers = &state(world, visit).issuers;
    let brief = |one: &Value| json!({ "id": one["id"], "provider": one["provider"] });
    let all: Vec<Value> = issuers.values().map(brief).collect();
    Reply::ok(json!({ "value": all, "nextLink": null }))
}

/// Recorded: a delete returns the deleted contacts, and the refusal if there are none.
pub(super) fn contacts(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
    let id = visit.call.link("/certificates/contacts");
    let given = visit.call.json()["contacts"].clone();
    let kept = &mut state(world, visit).contacts;
    match visit.call.method {
        Method::Put if given.as_array().is_none_or(|all| all.iter().any(|one| !one["email"].is_string())) => {
            return Some(refusal::bad_parameter("Each contact needs an email."));
        }
        Method::Put => *kept = Some(given),
        Method::Get | Method::Delete => {}
        _ => return None,
    }
    let Some(all) = kept.clone() else {
        return Some(refusal::plain(404, "ContactsNotFound", "Contacts not found"));
    };
    if visit.call.method == Method::Delete {
        *kept = None;
    }
    Some(Reply::ok(json!({ "id": id, "contacts": all })))
}

/// Recorded: the members, their defaults, and the refusals.
pub(super) fn issuer(world: &mut World, visit: &Visit<'_>, name: &str, spelled: &str) -> Option<Reply> {
    let (body, now) = (visit.call.json(), world.now().unix_timestamp());
    let id = visit.call.link(&format!("/certificates/issuers/{spelled}"));
    let issuers = &mut state(world, visit).issuers;
    let before = issuers.get(name).cloned();
    match (visit.call.method, before) {
        (Method::Get, Some(found)) => Some(Reply::ok(found)),
        (Method::Delete, Some(found)) => {
            issuers.remove(name);
            Some(Reply::ok(found))
        }
        (Method::Get | Method::Delete, None) => {
            Some(refusal::plain(404, "CertificateIssuerNotFound", "Issuer not found"))
        }
        (Method::Patch, None) => {
            Some(refusal::plain(404, "CertificateIssuerNotFound", format!("Issuer {spelled} not found")))
        }
        (Method::Put, _) if body["provider"].as_str().is_none_or(str::is_empty) => {
            Some(refusal::bad_parameter("The provider of an issuer is required."))
        }
        (Method::Put | Method::Patch, before) => {
            let old = before.unwrap_or(Value::Null);
            let enabled = body["attributes"]["enabled"].as_bool().or(old["attributes"]["enabled"].as_bool());
            let created = old["attributes"]["created"].as_i64().unwrap_or(now);
            let attributes =
                json!({ "enabled": enabled.unwrap_or(true), "created": created, "updated": now });
            let old = if visit.call.method == Method::Put { Value::Null } else { old };
            let whole = json!({
                "id": id,
                "provider": said(&body["provider"], &old["provider"]),
                "credentials": credentials(said(&body["credentials"], &old["credentials"])),
                "org_details": organization(&body["org_details"], &old["org_details"]),
                "attributes": attributes,
            });
            issuers.insert(name.to_owned(), whole.clone());
            Some(Reply::ok(whole))
        }
        _ => None,
    }
}

fn said<'a>(new: &'a Value, old: &'a Value) -> &'a Value {
    if new.is_null() { old } else { new }
}

/// Documented: a password is never returned.
fn credentials(given: &Value) -> Value {
    let mut shown = if given.is_object() { given.clone() } else { json!({}) };
    shown.as_object_mut().map(|members| members.remove("pwd"));
    shown
}

/// Recorded: an update changes only the members that it names.
fn organization(given: &Value, old: &Value) -> Value {
    let mut shown = if old.is_object() { old.clone() } else { json!({}) };
    for (name, value) in given.as_object().into_iter().flatten() {
        shown[name] = value.clone();
    }
    if shown["zip"].is_null() {
        shown["zip"] = json!(0);
    }
    shown
}
