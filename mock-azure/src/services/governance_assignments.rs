//! Governance assignments: who must remediate a recommendation for a resource, and by when.

use serde_json::json;

use crate::{
    http::{Call, Method, Reply},
    state::{Surface, World},
};

const TYPE: &str = "Microsoft.Security/assessments/governanceAssignments";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &["2022-01-01-preview"])], answer, ..Surface::EMPTY };

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (at, rest) = call.extension("microsoft.security", "assessments")?;
    let [_, "governanceassignments", name @ ..] = rest.as_slice() else { return None };
    let id = call.id(call.len());
    match (call.method, name) {
        (Method::Get, []) => {
            let prefix = format!("{id}/").to_ascii_lowercase();
            let own = |found: &&serde_json::Value| {
                found["id"].as_str().is_some_and(|id| id.to_ascii_lowercase().starts_with(&prefix))
            };
            let all: Vec<_> = world.resources.of_type(&call.id(at), TYPE).filter(own).collect();
            Some(Reply::ok(json!({ "value": all })))
        }
        (Method::Get, [_]) => Some(match world.resources.get(&id) {
            Some(found) => Reply::ok(found.clone()),
            None => Reply::resource_not_found(&format!("{TYPE}/{}", call.name()), call.spelled(3)),
        }),
        (Method::Put, [name]) => Some(put(world, call, name, &id)),
        (Method::Delete, [_]) => {
            let there = !world.resources.remove_tree(&id).is_empty();
            Some(Reply::empty(if there { 200 } else { 204 }))
        }
        _ => None,
    }
}

/// Documented: the name is a GUID, and the date is required.
fn put(world: &mut World, call: &Call, name: &str, id: &str) -> Reply {
    let properties = &call.json()["properties"];
    if uuid::Uuid::parse_str(name).is_err() {
        return Reply::bad_request(format!("The assignment key '{name}' is not a GUID."));
    }
    if !properties["remediationDueDate"].is_string() {
        return Reply::bad_request(
            "The property 'remediationDueDate' of a governance assignment is required.",
        );
    }
    let new = !world.resources.contains(id);
    let stored = json!({ "id": id, "name": name, "type": TYPE, "properties": properties });
    world.resources.put(stored.clone());
    Reply::json(if new { 201 } else { 200 }, stored)
}
