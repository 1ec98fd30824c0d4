//! Certificates of a vault. Each version has a key and a secret with the same name and id, which the vault manages.

mod import;
mod issuers;
mod made;
mod pending;
mod policy;
#[cfg(feature = "certificates")]
mod seed;
mod show;
#[cfg_attr(not(feature = "certificates"), path = "no_x509.rs")]
mod x509;

use std::collections::BTreeMap;

use serde_json::Value;

pub(super) use self::{
    made::{Follow, follow, kept_for},
    pending::Operation,
    show::{bundle, is_listed, item},
};
use super::{
    SecretState, Visit, backup, deleted,
    kind::{CERTIFICATES, Kind, SECRETS},
    listing, refusal,
    store::Pending,
};
use crate::{
    http::{Call, Method, Reply},
    state::World,
};

/// A vault's contacts and issuers.
#[derive(Debug, Default)]
pub(super) struct Certificates {
    contacts: Option<Value>,
    /// The issuers as they are returned, by lower-case name.
    issuers: BTreeMap<String, Value>,
}

fn state<'w>(world: &'w mut World, visit: &Visit<'_>) -> &'w mut Certificates {
    world.states.get_mut::<SecretState>().certificates.entry(visit.vault.clone()).or_default()
}

pub(super) fn route(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
    let path = visit.call.path();
    match (visit.call.method, path.as_slice()) {
        (_, ["certificates", "contacts"]) => return issuers::contacts(world, visit),
        (Method::Get, ["certificates", "issuers"]) => return Some(issuers::list(world, visit)),
        (_, ["certificates", "issuers", name]) => {
            return issuers::issuer(world, visit, name, visit.call.spelled(2));
        }
        // A secret that was seeded as a certificate's belongs to a certificate that the double does not have.
        _ if holds_unknown(world, visit) => return None,
        (Method::Get, ["certificates"]) => return Some(listing::secrets(world, visit)),
        (Method::Get, ["deletedcertificates"]) => return Some(listing::deleted(world, visit)),
        (Method::Post, ["certificates", "restore"]) => return Some(backup::restore(world, visit)),
        _ => {}
    }
    let [collection, name, rest @ ..] = path.as_slice() else { return None };
    if !super::is_name(name) {
        let message = format!("The request URI contains an invalid name: {}", visit.call.spelled(1));
        return Some(refusal::bad_parameter(message));
    }
    if *collection == CERTIFICATES.live {
        live(world, visit, name, rest)
    } else {
        gone(world, visit, name, rest)
    }
}

fn live(world: &mut World, visit: &Visit<'_>, name: &str, rest: &[&str]) -> Option<Reply> {
    pending::proceed(world, visit, name, rest);
    Some(match (visit.call.method, rest) {
        (Method::Post, ["create"]) => pending::create(world, visit, name),
        (Method::Post, ["import"]) => import::import(world, visit, name),
        (Method::Post, ["backup"]) => backup::backup(world, visit, name),
        (_, ["pending", ..]) => return pending::route(world, visit, name, &rest[1..]),
        (Method::Get, ["versions"]) => listing::versions(world, visit, name),
        (Method::Get, ["policy"]) => policy::get(world, visit, name),
        (Method::Patch, ["policy"]) => policy::update(world, visit, name),
        (Method::Get, []) => get(world, visit, name, None),
        (Method::Get, [version]) => get(world, visit, name, Some(version)),
        (Method::Patch, []) => update(world, visit, name, None),
        (Method::Patch, [version]) => update(world, visit, name, Some(version)),
        (Method::Delete, []) => {
            let now = world.now();
            let reply = deleted::delete(world, visit, name);
            if reply.status == 200 {
                follow(world, &visit.vault, name, Follow::Delete(now));
            }
            reply
        }
        _ => return None,
    })
}

fn gone(world: &mut World, visit: &Visit<'_>, name: &str, rest: &[&str]) -> Option<Reply> {
    let (reply, what) = match (visit.call.method, rest) {
        (Method::Get, []) => return Some(deleted::get(world, visit, name)),
        (Method::Delete, []) => (deleted::purge(world, visit, name), Follow::Purge),
        (Method::Post, ["recover"]) => (deleted::recover(world, visit, name), Follow::Recover),
        _ => return None,
    };
    if reply.status < 300 {
        follow(world, &visit.vault, name, what);
    }
    Some(reply)
}

fn holds_unknown(world: &World, visit: &Visit<'_>) -> bool {
    let by_vault = &world.states.get::<SecretState>().by_vault;
    let of = |kind: &'static Kind| by_vault.get(&(visit.vault.clone(), kind.live));
    let Some(secrets) = of(SECRETS) else { return false };
    let known = of(CERTIFICATES);
    let mut managed = secrets.live.iter().filter(|(_, secret)| secret.managed);
    managed.any(|(name, _)| known.is_none_or(|known| !known.live.contains_key(name)))
}

fn get(world: &mut World, visit: &Visit<'_>, name: &str, version: Option<&str>) -> Reply {
    let spelled = visit.call.spelled(1);
    let certificates = visit.secrets(world);
    if matches!(certificates.look(name), Some(Pending::Recovering)) {
        return refusal::not_found(visit.kind, spelled);
    }
    let found = certificates.live.get(name).and_then(|found| Some((found, found.version(version)?)));
    let Some((certificate, (id, _))) = found else {
        let asked = version.map_or_else(|| spelled.to_owned(), |version| format!("{spelled}/{version}"));
        return refusal::not_found(visit.kind, &asked);
    };
    let mut shown = visit.bundle(certificate, id);
    // Recorded: a single version has neither the policy nor the pending operation.
    if version.is_some()
        && let Some(members) = shown.as_object_mut()
    {
        members.remove("policy");
        members.remove("pending");
    }
    Reply::ok(shown)
}

/// Recorded: whether it is enabled and its tags can change; its validity period cannot, and is ignored.
fn update(world: &mut World, visit: &Visit<'_>, name: &str, version: Option<&str>) -> Reply {
    let (body, spelled, now) = (visit.call.json(), visit.call.spelled(1), world.now().unix_timestamp());
    let changed = match policy::changed(world, visit, name, &body["policy"]) {
        Ok(changed) => changed,
        Err(refused) => return *refused,
    };
    let certificates = visit.secrets(world);
    if matches!(certificates.look(name), Some(Pending::Recovering)) {
        return refusal::being_recovered(visit.kind, spelled);
    }
    let Some(certificate) = certificates.live.get_mut(name) else {
        return refusal::not_found(visit.kind, spelled);
    };
    let id = version.unwrap_or(&certificate.current).to_owned();
    let Some(found) = certificate.versions.get_mut(&id) else {
        return refusal::not_found(visit.kind, &format!("{spelled}/{id}"));
    };
    if let Some(tags) = body["tags"].as_object() {
        found.tags = Some(tags.clone());
    }
    let enabled = body["attributes"]["enabled"].as_bool().unwrap_or(found.enabled);
    (found.enabled, found.updated) = (enabled, now);
    if let Some(policy) = changed {
        certificate.policy = Some(policy);
    }
    let mut shown = visit.bundle(certificate, &id);
    if version.is_some()
        && let Some(members) = shown.as_object_mut()
    {
        members.remove("policy");
    }
    // Documented: the key and the secret are enabled or disabled with the certificate.
    made::enable(world, &visit.vault, name, &id, enabled);
    Reply::ok(shown)
}

/// What a request for certificates requires: the data action of a role, and the permission of an access policy.
pub(super) fn needed(call: &Call) -> Option<(&'static str, &'static str)> {
    let path = call.path();
    let live = *path.first()? == CERTIFICATES.live;
    Some(match (call.method, path.get(1..)?) {
        // Documented: contacts have one action.
        (_, ["contacts"]) => ("/certificatecontacts/write", "managecontacts"),
        (Method::Get, ["issuers"]) => ("/certificatecas/read", "listissuers"),
        (Method::Get, ["issuers", _]) => ("/certificatecas/read", "getissuers"),
        (Method::Put | Method::Patch, ["issuers", _]) => ("/certificatecas/write", "setissuers"),
        (Method::Delete, ["issuers", _]) => ("/certificatecas/delete", "deleteissuers"),
        (Method::Get, [] | [_, "versions"]) => ("read", "list"),
        (Method::Get, _) => ("read", "get"),
        // Documented: changing or deleting an operation requires `update`, and merging requires `create`.
        (Method::Patch, _) | (Method::Delete, [_, "pending"]) => ("update/action", "update"),
        (Method::Post, [_, "create"] | [_, "pending", "merge"]) => ("create/action", "create"),
        (Method::Post, [_, "import"]) => ("import/action", "import"),
        (Method::Post, ["restore"]) => ("restore/action", "restore"),
        (Method::Post, [_, "backup"]) => ("backup/action", "backup"),
        (Method::Post, [_, "recover"]) => ("recover/action", "recover"),
        (Method::Delete, [_]) if live => ("delete", "delete"),
        (Method::Delete, [_]) => ("purge/action", "purge"),
        _ => return None,
    })
}
