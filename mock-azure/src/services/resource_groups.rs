//! Resource groups. Deleting one deletes everything in it.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, filter::quoted, paging},
    state::{Accepts, At, Seed, Surface, World, operations},
};

pub(crate) const TYPE: &str = "Microsoft.Resources/resourceGroups";

/// The api-versions of Resource Manager itself, for groups, resources and providers.
pub(crate) const VERSIONS: &[&str] = &[
    "2015-11-01",
    "2017-05-10",
    "2018-05-01",
    "2019-05-01",
    "2019-07-01",
    "2019-10-01",
    "2020-06-01",
    "2020-10-01",
    "2021-04-01",
    "2022-09-01",
    "2023-07-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[("Microsoft.Resources/subscriptions/resourceGroups", VERSIONS)],
    options: &[("$filter", Accepts::Read), ("$top", Accepts::Count)],
    answer,
    ..Surface::EMPTY
};

impl Seed {
    /// Adds a resource group.
    pub fn resource_group(self, subscription: impl ToString, name: &str, location: &str) -> Self {
        let (subscription, name, location) = (subscription.to_string(), name.to_owned(), location.to_owned());
        self.step(move |world| {
            let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
            world.resources.put(group(&id, &name, &location, &json!({ "tags": {} })));
        })
    }
}

/// Returns the id of a resource group, which is created if it does not exist.
pub(crate) fn ensure(world: &mut World, subscription: &str, name: &str, location: &str) -> String {
    let id = format!("/subscriptions/{subscription}/resourceGroups/{name}");
    if let Some(there) = world.resources.get(&id).and_then(|group| group["id"].as_str()) {
        return there.to_owned();
    }
    world.resources.put(group(&id, name, location, &json!({ "tags": {} })));
    id
}

/// Does not use [`Tracked`](crate::state::Tracked): groups belong to no provider, support `HEAD`, and are deleted by an
/// operation.
fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.path().as_slice()) {
        (Method::Get, ["subscriptions", _, "resourcegroups"]) => Some(list(world, call)),
        (method, ["subscriptions", _, "resourcegroups", _]) => {
            let id = call.id(4);
            match method {
                Method::Get => Some(match world.resources.get(&id) {
                    Some(group) => Reply::ok(group.clone()),
                    None => not_found(call),
                }),
                Method::Head => Some(Reply::empty(if world.resources.contains(&id) { 204 } else { 404 })),
                Method::Put => Some(put(world, call)),
                Method::Patch => Some(patch(world, call)),
                Method::Delete => Some(delete(world, call)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Documented: the response for a group that does not exist.
fn not_found(call: &Call) -> Reply {
    let message = format!("Resource group '{}' could not be found.", call.spelled(3));
    Reply::arm_error(404, "ResourceGroupNotFound", message)
}

pub(crate) fn group(id: &str, name: &str, location: &str, body: &Value) -> Value {
    let mut group = json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "location": location,
        "properties": { "provisioningState": "Succeeded" },
    });
    for key in ["tags", "managedBy"] {
        if !body[key].is_null() {
            group[key] = body[key].clone();
        }
    }
    group
}

fn list(world: &World, call: &Call) -> Reply {
    let scope = call.id(2);
    let wanted = match call.query("$filter").map(|filter| tag_filter(filter).ok_or(filter)) {
        None => None,
        Some(Ok(wanted)) => Some(wanted),
        Some(Err(filter)) => {
            return Reply::unknown("$filter", filter, &["tagName eq '{name}' and tagValue eq '{value}'"]);
        }
    };
    let groups = world.resources.of_type(&scope, TYPE).filter(|group| match &wanted {
        Some((name, value)) => group["tags"][name.as_str()] == value.as_str(),
        None => true,
    });
    paging::page(&world.paging, call, 1000, groups)
}

/// `tagName eq 'a' and tagValue eq 'b'`
fn tag_filter(filter: &str) -> Option<(String, String)> {
    let (name, value) = filter.trim().strip_prefix("tagName eq ")?.split_once(" and tagValue eq ")?;
    Some((quoted(name)?, quoted(value)?))
}

fn put(world: &mut World, call: &Call) -> Reply {
    let (id, name, body) = (call.id(4), call.spelled(3), call.json());
    // Documented: the rule for names, that a location is required and cannot change, and that nothing can be added to a
    // group that is being deleted.
    if let Some(refusal) = bad_name(name) {
        return refusal;
    }
    let Some(location) = body["location"].as_str().filter(|location| !location.is_empty()) else {
        return Reply::arm_error(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        );
    };
    let location = location.replace(' ', "").to_ascii_lowercase();
    let Some(existing) = world.resources.get(&id) else {
        let id = format!("/subscriptions/{}/resourceGroups/{name}", call.spelled(1));
        let group = group(&id, name, &location, body);
        world.resources.put(group.clone());
        return Reply::json(201, group);
    };
    if existing["properties"]["provisioningState"] == "Deleting" {
        let message = format!(
            "The resource group '{name}' is in deprovisioning state and cannot perform this operation."
        );
        return Reply::arm_error(409, "ResourceGroupBeingDeleted", message);
    }
    let there = existing["location"].as_str().unwrap_or_default();
    if there != location {
        let message = format!(
            "Invalid resource group location '{location}'. The Resource group already exists in location '{there}'."
        );
        return Reply::arm_error(409, "InvalidResourceGroupLocation", message);
    }
    let (id, name) = (existing["id"].as_str().unwrap_or(&id), existing["name"].as_str().unwrap_or(name));
    let group = group(id, name, &location, body);
    world.resources.put(group.clone());
    Reply::ok(group)
}

fn bad_name(name: &str) -> Option<Reply> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '(' | ')');
    if name.chars().count() > 90 || name.ends_with('.') || !name.chars().all(allowed) {
        let message = format!(
            "The provided resource group name '{name}' has these invalid characters or length. The name can only \
             be a letter, digit, '-', '.', '(', ')' or '_', of at most 90 characters, and cannot end with '.'."
        );
        return Some(Reply::arm_error(400, "InvalidResourceGroup", message));
    }
    None
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let Some(group) = world.resources.get_mut(&call.id(4)) else { return not_found(call) };
    for key in ["tags", "managedBy"] {
        if !call.json()[key].is_null() {
            group[key] = call.json()[key].clone();
        }
    }
    Reply::ok(group.clone())
}

fn delete(world: &mut World, call: &Call) -> Reply {
    let id = call.id(4);
    let Some(group) = world.resources.get_mut(&id) else { return not_found(call) };
    group["properties"]["provisioningState"] = json!("Deleting");
    let operation = match operations::running_on(world, &id) {
        Some(running) => running,
        None => operations::start(world, &id.clone(), move |world, outcome| {
            match outcome {
                Ok(()) => drop(world.remove(&id)),
                Err(_) => {
                    if let Some(group) = world.resources.get_mut(&id) {
                        group["properties"]["provisioningState"] = json!("Succeeded");
                    }
                }
            }
            None
        }),
    };
    operations::accepted(world, call, &operation)
}
