//! Certificates of a vault: who is written to, and who issues them. No certificate can be made here: the lists are
//! empty, and what speaks of a single one is not known.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{SecretState, Visit, kind::SECRETS, refusal};
use crate::{
    http::{Call, Method, Reply},
    state::World,
};

/// What a vault keeps beside certificates.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    contacts: Option<Value>,
    /// By name in lower case, as they are answered.
    issuers: BTreeMap<String, Value>,
}

pub(super) fn route(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
    let path = visit.call.path();
    let (method, spelled) = (visit.call.method, visit.call.spelled(2));
    match (method, path.as_slice()) {
        (_, ["certificates", "contacts"]) => contacts(world, visit),
        (Method::Get, ["certificates", "issuers"]) => {
            let issuers = &state(world, visit).issuers;
            let brief = |one: &Value| json!({ "id": one["id"], "provider": one["provider"] });
            let all: Vec<Value> = issuers.values().map(brief).collect();
            Some(Reply::ok(json!({ "value": all, "nextLink": null })))
        }
        (_, ["certificates", "issuers", name]) => issuer(world, visit, name, spelled),
        // A secret that the vault keeps for a certificate speaks of one that is not here.
        _ if holds_one(world, visit) => None,
        (Method::Get, ["certificates"] | ["deletedcertificates"]) => {
            Some(Reply::ok(json!({ "value": [], "nextLink": null })))
        }
        _ => None,
    }
}

fn state<'w>(world: &'w mut World, visit: &Visit<'_>) -> &'w mut Certificates {
    world.states.get_mut::<SecretState>().certificates.entry(visit.vault.clone()).or_default()
}

fn holds_one(world: &World, visit: &Visit<'_>) -> bool {
    let secrets = world.states.get::<SecretState>().by_vault.get(&(visit.vault.clone(), SECRETS.live));
    secrets.is_some_and(|secrets| secrets.live.values().any(|secret| secret.managed))
}

/// Recorded: what is deleted is answered, and the refusal where there are none.
fn contacts(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
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

/// Recorded: the members, those that are filled in, and the refusals.
fn issuer(world: &mut World, visit: &Visit<'_>, name: &str, spelled: &str) -> Option<Reply> {
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
                "org_details": organization(said(&body["org_details"], &old["org_details"])),
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

/// Documented: a password is never answered.
fn credentials(given: &Value) -> Value {
    let mut shown = if given.is_object() { given.clone() } else { json!({}) };
    shown.as_object_mut().map(|members| members.remove("pwd"));
    shown
}

fn organization(given: &Value) -> Value {
    let mut shown = if given.is_object() { given.clone() } else { json!({}) };
    if shown["zip"].is_null() {
        shown["zip"] = json!(0);
    }
    shown
}

/// What a request on certificates needs: the data action of a role, and the permission of an access policy.
pub(super) fn needed(call: &Call) -> Option<(&'static str, &'static str)> {
    let path = call.path();
    Some(match (call.method, path.get(1..)?) {
        // Documented: the one action on contacts.
        (_, ["contacts"]) => ("/certificatecontacts/write", "managecontacts"),
        (Method::Get, ["issuers"]) => ("/certificatecas/read", "listissuers"),
        (Method::Get, ["issuers", _]) => ("/certificatecas/read", "getissuers"),
        (Method::Put | Method::Patch, ["issuers", _]) => ("/certificatecas/write", "setissuers"),
        (Method::Delete, ["issuers", _]) => ("/certificatecas/delete", "deleteissuers"),
        (Method::Get, [] | [_, "versions"]) => ("read", "list"),
        (Method::Get, _) => ("read", "get"),
        (Method::Patch, _) => ("update/action", "update"),
        (Method::Post, [_, "create"]) => ("create/action", "create"),
        (Method::Post, [_, "import"]) => ("import/action", "import"),
        (Method::Delete, [_]) if path[0] == "certificates" => ("delete", "delete"),
        (Method::Delete, [_]) => ("purge/action", "purge"),
        _ => return None,
    })
}
