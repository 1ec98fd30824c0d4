//! Keys: created, imported, rotated, and used where the double implements the cryptography.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use time::Duration;

use super::{
    Visit, curves, material, objects, refusal,
    store::{Pending, Version},
};
use crate::{
    http::{Call, Method, Reply, duration},
    state::World,
};

/// Handles the requests that only keys have; the others are the same as for secrets.
pub(super) fn route(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
    let call = visit.call;
    let path = call.path();
    let ["keys", name, rest @ ..] = path.as_slice() else { return None };
    match (call.method, rest) {
        (Method::Post, ["create"]) => Some(create(world, visit)),
        (Method::Put, []) => Some(import(world, visit)),
        (Method::Post, ["rotate"]) => Some(rotate(world, visit, name)),
        (Method::Get, ["rotationpolicy"]) => Some(policy(world, visit, name)),
        (Method::Put, ["rotationpolicy"]) => Some(set_policy(world, visit, name)),
        (
            Method::Post,
            [operation @ ("sign" | "verify" | "encrypt" | "decrypt" | "wrapkey" | "unwrapkey")],
        ) => Some(apply(world, visit, name, None, operation)),
        (
            Method::Post,
            [version, operation @ ("sign" | "verify" | "encrypt" | "decrypt" | "wrapkey" | "unwrapkey")],
        ) => Some(apply(world, visit, name, Some(version), operation)),
        _ => None,
    }
}

fn create(world: &mut World, visit: &Visit<'_>) -> Reply {
    let body = visit.call.json();
    let seed = world.fresh_id();
    match material::generate(body, &seed, visit.premium) {
        Ok(made) => put(world, visit, made, body),
        Err(refused) => *refused,
    }
}

fn import(world: &mut World, visit: &Visit<'_>) -> Reply {
    let body = visit.call.json();
    match material::import(&body["key"]) {
        Ok(made) => put(world, visit, made, body),
        Err(refused) => *refused,
    }
}

/// Adds a version, which becomes the current one.
fn put(world: &mut World, visit: &Visit<'_>, made: material::Made, body: &Value) -> Reply {
    let (spelled, now, order) = (visit.call.spelled(1), world.now(), super::version_order(world));
    let name = spelled.to_ascii_lowercase();
    let mut version = Version::new(&made.private, now);
    version.key = made.public;
    if let Some(refused) = objects::apply(&mut version, body) {
        return refused;
    }
    let keys = visit.secrets(world);
    match keys.look(&name) {
        Some(Pending::Deleting | Pending::Purging) => return refusal::being_deleted(visit.kind, spelled),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, spelled),
        None => {}
    }
    if keys.deleted.contains_key(&name) {
        return refusal::deleted_but_recoverable(visit.kind, spelled);
    }
    let id = keys.set(spelled, version, order);
    match keys.live.get(&name) {
        Some(key) => Reply::ok(visit.bundle(key, &id)),
        None => refusal::not_found(visit.kind, spelled),
    }
}

/// Documented: rotating creates a version of the same type and size, which expires as the policy says.
fn rotate(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let (now, order, seed) = (world.now(), super::version_order(world), world.fresh_id());
    let spelled = visit.call.spelled(1);
    let Some((key, policy)) = visit.secrets(world).live.get(name).and_then(|key| {
        let (_, version) = key.version(None)?;
        Some((version.key.clone(), key.policy.clone()))
    }) else {
        return refusal::not_found(visit.kind, spelled);
    };
    let made = match material::generate(&material::like(&key), &seed, true) {
        Ok(made) => made,
        Err(refused) => return *refused,
    };
    let mut version = Version::new(&made.private, now);
    version.key = made.public;
    version.key["key_ops"] = key["key_ops"].clone();
    let lives = policy.as_ref().and_then(|policy| period(policy["attributes"]["expiryTime"].as_str()?));
    version.expires = lives.map(|lives| (now + lives).unix_timestamp());
    let keys = visit.secrets(world);
    let id = keys.set(spelled, version, order);
    match keys.live.get(name) {
        Some(key) => Reply::ok(visit.bundle(key, &id)),
        None => refusal::not_found(visit.kind, spelled),
    }
}

/// Documented: days, months or years. A month is 30 days, a year 365.
fn period(text: &str) -> Option<Duration> {
    let number = |unit: char| text.strip_prefix('P')?.strip_suffix(unit)?.parse::<i64>().ok();
    let days = number('Y').map(|years| years * 365).or_else(|| number('M').map(|months| months * 30));
    days.map(Duration::days).or_else(|| duration::parse(text))
}

/// Documented: the default rotation policy of a key.
fn policy(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let spelled = visit.call.spelled(1);
    let id = format!("{}/rotationpolicy", visit.url(visit.kind.live, spelled));
    let Some(key) = visit.secrets(world).live.get(name) else {
        return refusal::not_found(visit.kind, spelled);
    };
    let notify = json!({ "trigger": { "timeBeforeExpiry": "P30D" }, "action": { "type": "Notify" } });
    let mut shown = key.policy.clone().unwrap_or(json!({ "lifetimeActions": [notify], "attributes": {} }));
    shown["id"] = json!(id);
    Reply::ok(shown)
}

fn set_policy(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let (body, now) = (visit.call.json(), world.now().unix_timestamp());
    let actions = body["lifetimeActions"].as_array().cloned().unwrap_or_default();
    for action in &actions {
        let trigger = &action["trigger"];
        let times = ["timeAfterCreate", "timeBeforeExpiry"].map(|name| trigger[name].as_str());
        // Documented: the two actions, with one time each.
        let (true, [Some(time), None] | [None, Some(time)]) = (
            action["action"]["type"]
                .as_str()
                .is_some_and(|one| one.eq_ignore_ascii_case("rotate") || one.eq_ignore_ascii_case("notify")),
            times,
        ) else {
            return refusal::bad_parameter(
                "A lifetime action needs a type, Rotate or Notify, and one trigger.",
            );
        };
        if period(time).is_none() {
            return refusal::bad_parameter(format!("The time '{time}' of a trigger is not a period."));
        }
    }
    let expiry = &body["attributes"]["expiryTime"];
    // Documented: at least 28 days.
    if expiry.as_str().is_some_and(|text| period(text).is_none_or(|lives| lives < Duration::days(28))) {
        return refusal::bad_parameter("The expiryTime of a rotation policy must be at least P28D.");
    }
    let spelled = visit.call.spelled(1);
    let Some(key) = visit.secrets(world).live.get_mut(name) else {
        return refusal::not_found(visit.kind, spelled);
    };
    let created = key.policy.as_ref().map_or(json!(now), |before| before["attributes"]["created"].clone());
    let mut attributes = json!({ "created": created, "updated": now });
    if !expiry.is_null() {
        attributes["expiryTime"] = expiry.clone();
    }
    let policy = json!({ "lifetimeActions": actions, "attributes": attributes });
    key.policy = Some(policy);
    self::policy(world, visit, name)
}

/// Signs and verifies with elliptic-curve keys.
fn apply(world: &mut World, visit: &Visit<'_>, name: &str, version: Option<&str>, operation: &str) -> Reply {
    let (spelled, body) = (visit.call.spelled(1), visit.call.json());
    let now = world.now().unix_timestamp();
    let url = visit.url(visit.kind.live, spelled);
    let Some(key) = visit.secrets(world).live.get(name) else {
        return refusal::not_found(visit.kind, spelled);
    };
    let Some((id, found)) = key.version(version) else {
        return refusal::not_found(visit.kind, &format!("{spelled}/{}", version.unwrap_or_default()));
    };
    let allowed = found.key["key_ops"].as_array().is_some_and(|all| {
        all.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(operation)))
    });
    // Documented: a key can be used for its permitted operations while it is enabled and within its validity period.
    let in_time = found.not_before.is_none_or(|from| from <= now) && found.expires.is_none_or(|to| now < to);
    if !allowed || !found.enabled || !in_time {
        let why = if !found.enabled { "KeyDisabled" } else { "KeyOperationForbidden" };
        let message = format!("Operation {operation} is not allowed on this key.");
        return refusal::inner(403, "Forbidden", why, message);
    }
    let bytes = |member: &str| URL_SAFE_NO_PAD.decode(text(body, member).trim_end_matches('=')).ok();
    match operation {
        "sign" => {
            let Some(digest) = bytes("value") else {
                return refusal::bad_parameter("The digest is not valid.");
            };
            match curves::sign(found, text(body, "alg"), &digest) {
                Ok(signature) => Reply::ok(
                    json!({ "kid": format!("{url}/{id}"), "value": URL_SAFE_NO_PAD.encode(signature) }),
                ),
                Err(refused) => *refused,
            }
        }
        "verify" => match (bytes("digest"), bytes("value")) {
            (Some(digest), Some(signature)) => {
                match curves::verify(found, text(body, "alg"), &digest, &signature) {
                    Ok(is_good) => Reply::ok(json!({ "value": is_good })),
                    Err(refused) => *refused,
                }
            }
            _ => refusal::bad_parameter("The digest or the signature is not valid."),
        },
        _ => Reply::not_implemented(format!("the result of {operation}: it has no private key for RSA")),
    }
}

fn text<'a>(body: &'a Value, member: &str) -> &'a str {
    body[member].as_str().unwrap_or_default()
}

/// What a request for a key requires: the data action of a role, and the permission of an access policy.
pub(super) fn needed(call: &Call) -> Option<(&'static str, &'static str)> {
    let path = call.path();
    let [_, rest @ ..] = path.as_slice() else { return None };
    let live = path[0] == "keys";
    let used = |operation: &str| {
        Some(match operation {
            "sign" => ("sign/action", "sign"),
            "verify" => ("verify/action", "verify"),
            "encrypt" => ("encrypt/action", "encrypt"),
            "decrypt" => ("decrypt/action", "decrypt"),
            "wrapkey" => ("wrap/action", "wrapkey"),
            "unwrapkey" => ("unwrap/action", "unwrapkey"),
            "release" => ("release/action", "release"),
            _ => return None,
        })
    };
    match (live, call.method, rest) {
        (_, Method::Get, [] | [_, "versions"]) => Some(("read", "list")),
        (true, Method::Get, [_, "rotationpolicy"]) => {
            Some(("/keyrotationpolicies/read", "getrotationpolicy"))
        }
        (true, Method::Put, [_, "rotationpolicy"]) => {
            Some(("/keyrotationpolicies/write", "setrotationpolicy"))
        }
        (_, Method::Get, _) => Some(("read", "get")),
        (true, Method::Post, [_, "create"]) => Some(("create/action", "create")),
        (true, Method::Put, [_]) => Some(("import/action", "import")),
        (true, Method::Patch, _) => Some(("update/action", "update")),
        (true, Method::Delete, [_]) => Some(("delete", "delete")),
        (true, Method::Post, ["restore"]) => Some(("restore/action", "restore")),
        (true, Method::Post, [_, "backup"]) => Some(("backup/action", "backup")),
        (true, Method::Post, [_, "rotate"]) => Some(("rotate/action", "rotate")),
        (true, Method::Post, [_, operation] | [_, _, operation]) => used(operation),
        (false, Method::Post, [_, "recover"]) => Some(("recover/action", "recover")),
        (false, Method::Delete, [_]) => Some(("purge/action", "purge")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_told_in_days_months_or_years() {
        for (text, days) in
            [("P90D", Some(90)), ("P2M", Some(60)), ("P2Y", Some(730)), ("P", None), ("2M", None)]
        {
            assert_eq!(period(text), days.map(Duration::days), "{text}");
        }
    }
}
