//! The metadata of assessments: what all assessments with the same key have in common.

use serde_json::{Value, json};

use super::builtin;
use crate::{
    http::{Call, Method, Reply, paging},
    state::{Place, Surface, Tracked, World},
};

/// Recorded and documented: the version that added tactics and techniques.
const TACTICS: &str = "2021-06-01";

const TYPE: &str = "Microsoft.Security/assessmentMetadata";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2019-01-01-preview", "2020-01-01", "2021-06-01", "2025-05-04"])],
    answer,
    ..Surface::EMPTY
};

/// The metadata of a key, as an assessment in a subscription shows it.
pub(super) fn of(world: &World, subscription: &str, key: &str) -> Option<Value> {
    let custom = world.resources.get(&id_of(subscription, key)).map(|custom| custom["properties"].clone());
    custom.or_else(|| builtin::find(key).map(builtin::BuiltIn::properties))
}

fn id_of(subscription: &str, key: &str) -> String {
    format!("/subscriptions/{subscription}/providers/{TYPE}/{key}")
}

const METADATA: Tracked = Tracked {
    kind: TYPE,
    place: Place::Subscription,
    list,
    put,
    delete,
    shown: |_, call, metadata| shown(call, metadata.clone()),
    missing: built_in,
    ..Tracked::ROW
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.of_type(TYPE)) {
        // Built-in metadata exists in the tenant.
        (Method::Get, Some((0, true))) => Some(built_in(&METADATA, call)),
        (Method::Get, Some((0, false))) => Some(list(&METADATA, world, call, 0)),
        _ => METADATA.answer(world, call),
    }
}

/// Metadata in the format of the requested api-version.
fn shown(call: &Call, mut metadata: Value) -> Value {
    if call.api_version() < TACTICS
        && let Some(properties) = metadata["properties"].as_object_mut()
    {
        for later in ["tactics", "techniques", "publishDates", "plannedDeprecationDate"] {
            properties.remove(later);
        }
    }
    metadata
}

/// Metadata that is not stored may be built in. Documented: 404 for an unknown key.
fn built_in(_: &Tracked, call: &Call) -> Reply {
    let key = call.name();
    match builtin::find(key) {
        Some(found) => Reply::ok(shown(call, found.metadata())),
        None => {
            let message = format!("The assessment metadata '{key}' was not found.");
            Reply::arm_error(404, "ResourceNotFound", message)
        }
    }
}

fn list(_: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let scope = call.id(at);
    let custom = world.resources.of_type(&scope, TYPE).filter(|_| at > 0).cloned();
    let all: Vec<Value> = builtin::all().map(builtin::BuiltIn::metadata).chain(custom).collect();
    paging::page_of(&world.paging, call, 200, all.into_iter(), |metadata| shown(call, metadata))
}

fn put(world: &mut World, call: &Call) -> Reply {
    let key = call.name();
    let properties = &call.json()["properties"];
    if let Some(problem) = problem(key, properties) {
        return Reply::bad_request(problem);
    }
    let id = call.id(call.len());
    let mut metadata = json!({
        "id": id,
        "name": key,
        "type": TYPE,
        "properties": properties,
    });
    if let Some(properties) = metadata["properties"].as_object_mut() {
        // Recorded: never returned.
        properties.remove("partnerData");
    }
    if metadata["properties"]["categories"].is_null() {
        metadata["properties"]["categories"] = json!(["Unknown"]);
    }
    world.resources.put(metadata.clone());
    Reply::ok(shown(call, metadata))
}

/// Documented: the name is a GUID, these members are required, and built-in metadata cannot be changed.
fn problem(key: &str, properties: &Value) -> Option<String> {
    if uuid::Uuid::parse_str(key).is_err() {
        return Some(format!("The assessment metadata name '{key}' is not a GUID."));
    }
    if builtin::find(key).is_some() {
        return Some(format!("The assessment metadata '{key}' is built in and cannot be changed."));
    }
    for field in ["displayName", "severity", "assessmentType"] {
        if properties[field].as_str().is_none_or(str::is_empty) {
            return Some(format!("The property '{field}' of assessment metadata is required."));
        }
    }
    let kind = properties["assessmentType"].as_str().unwrap_or_default();
    if !["CustomerManaged", "VerifiedPartner", "CustomPolicy", "Custom"].contains(&kind) {
        // Documented: only the service creates these types.
        return Some(format!("Assessment metadata of the type '{kind}' cannot be created."));
    }
    let partner = &properties["partnerData"];
    if kind == "VerifiedPartner" && (partner["partnerName"].is_null() || partner["secret"].is_null()) {
        return Some(
            "Metadata of a verified partner needs 'partnerData.partnerName' and 'secret'.".to_owned(),
        );
    }
    None
}

/// Deleting metadata deletes the assessments that it describes.
fn delete(_: &Tracked, world: &mut World, call: &Call) -> Reply {
    let key = call.name();
    if builtin::find(key).is_some() {
        return Reply::bad_request(format!(
            "The assessment metadata '{key}' is built in and cannot be deleted."
        ));
    }
    let described: Vec<String> = world
        .resources
        .of_type(&call.id(2), super::TYPE)
        .filter(|assessment| assessment["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(key)))
        .filter_map(|assessment| assessment["id"].as_str().map(str::to_owned))
        .collect();
    for id in described {
        world.resources.remove_tree(&id);
    }
    world.resources.remove_tree(&call.id(call.len()));
    Reply::empty(200)
}
