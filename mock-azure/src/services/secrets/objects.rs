//! Setting, reading and updating a secret.

use serde_json::{Value, json};

use super::{
    Visit, refusal,
    store::{Pending, Version},
};
use crate::{http::Reply, state::World};

/// The maximum size of a value, in bytes.
const VALUE_LIMIT: usize = 25 * 1024;
const CONTENT_TYPE_LIMIT: usize = 255;
const TAG_LIMIT: usize = 15;
const TAG_LENGTH: usize = 512;

pub(super) fn get(world: &mut World, visit: &Visit<'_>, name: &str, version: Option<&str>) -> Reply {
    let spelled = visit.call.spelled(1);
    let secrets = visit.secrets(world);
    if matches!(secrets.look(name), Some(Pending::Recovering)) {
        return refusal::not_found(visit.kind, spelled);
    }
    let Some(secret) = secrets.live.get(name) else { return refusal::not_found(visit.kind, spelled) };
    let Some((id, found)) = secret.version(version) else {
        return refusal::not_found(visit.kind, &format!("{spelled}/{}", version.unwrap_or_default()));
    };
    // Recorded: a disabled key can be read.
    if !found.enabled && found.key.is_null() {
        return refusal::inner(
            403,
            "Forbidden",
            "SecretDisabled",
            "Operation get is not allowed on a disabled secret.",
        );
    }
    if found.opaque {
        return Reply::not_implemented("the value of this secret: it has no private key for RSA");
    }
    let mut shown = visit.bundle(secret, id);
    if found.key.is_null() {
        shown["value"] = json!(found.value);
    }
    Reply::ok(shown)
}

pub(super) fn set(world: &mut World, visit: &Visit<'_>, spelled: &str) -> Reply {
    let (name, body, now) = (spelled.to_ascii_lowercase(), visit.call.json(), world.now());
    let order = super::version_order(world);
    // Documented: a value is required; the maximum lengths of the value, its type and its tags.
    let Some(value) = body["value"].as_str() else {
        return refusal::bad_parameter("Property \"value\" is required and must be a string.");
    };
    if value.len() > VALUE_LIMIT {
        return refusal::bad_parameter(format!("Secret value must not be larger than {VALUE_LIMIT} bytes."));
    }
    let mut version = Version::new(value, now);
    if let Some(refused) = apply(&mut version, body) {
        return refused;
    }
    let secrets = visit.secrets(world);
    match secrets.look(&name) {
        Some(Pending::Deleting | Pending::Purging) => return refusal::being_deleted(visit.kind, spelled),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, spelled),
        None => {}
    }
    if secrets.deleted.contains_key(&name) {
        return refusal::deleted_but_recoverable(visit.kind, spelled);
    }
    if secrets.live.get(&name).is_some_and(|secret| secret.managed) {
        return refusal::managed(spelled);
    }
    let id = secrets.set(spelled, version, order);
    let Some(secret) = secrets.live.get(&name) else { return refusal::not_found(visit.kind, spelled) };
    let mut shown = visit.bundle(secret, &id);
    shown["value"] = json!(value);
    Reply::ok(shown)
}

pub(super) fn update(world: &mut World, visit: &Visit<'_>, name: &str, version: Option<&str>) -> Reply {
    let (spelled, now) = (visit.call.spelled(1), world.now().unix_timestamp());
    let secrets = visit.secrets(world);
    if matches!(secrets.look(name), Some(Pending::Recovering)) {
        return refusal::being_recovered(visit.kind, spelled);
    }
    let Some(secret) = secrets.live.get_mut(name) else { return refusal::not_found(visit.kind, spelled) };
    if secret.managed {
        return refusal::managed(spelled);
    }
    let id = version.unwrap_or(&secret.current).to_owned();
    let Some(found) = secret.versions.get_mut(&id) else {
        return refusal::not_found(visit.kind, &format!("{spelled}/{id}"));
    };
    let mut changed = found.clone();
    if let Some(refused) = apply(&mut changed, visit.call.json()) {
        return refused;
    }
    changed.updated = now;
    *found = changed;
    Reply::ok(visit.bundle(secret, &id))
}

/// Applies the members in a request to a version; others stay as they are.
pub(super) fn apply(version: &mut Version, body: &Value) -> Option<Reply> {
    let attributes = &body["attributes"];
    if let Some(enabled) = attributes["enabled"].as_bool() {
        version.enabled = enabled;
    }
    if let Some(instant) = attributes["nbf"].as_i64() {
        version.not_before = Some(instant);
    }
    if let Some(instant) = attributes["exp"].as_i64() {
        version.expires = Some(instant);
    }
    if let (Some(from), Some(to)) = (version.not_before, version.expires)
        && from >= to
    {
        return Some(refusal::bad_parameter("Expiration time must be later than the not-before time."));
    }
    if body["key_ops"].is_array() && !version.key.is_null() {
        version.key["key_ops"] = body["key_ops"].clone();
    }
    if let Some(content_type) = body["contentType"].as_str() {
        if content_type.len() > CONTENT_TYPE_LIMIT {
            let message = format!("Content type must not be longer than {CONTENT_TYPE_LIMIT} characters.");
            return Some(refusal::bad_parameter(message));
        }
        version.content_type = Some(content_type.to_owned());
    }
    if let Some(tags) = body["tags"].as_object() {
        let long = |text: &str| text.chars().count() > TAG_LENGTH;
        if tags.len() > TAG_LIMIT {
            return Some(refusal::bad_parameter(format!("There must not be more than {TAG_LIMIT} tags.")));
        }
        if tags.iter().any(|(name, value)| long(name) || value.as_str().is_none_or(long)) {
            let message = format!("Tag names and values must be strings of at most {TAG_LENGTH} characters.");
            return Some(refusal::bad_parameter(message));
        }
        version.tags = Some(tags.clone());
    }
    None
}
