//! What services do alike with resources of a resource group.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging, timestamp},
    state::world::World,
};

/// A type of resource in groups, and how one is written.
pub(crate) struct Tracked {
    /// As the service spells it.
    pub(crate) kind: &'static str,
    /// Checks and stores what a `PUT` brings.
    pub(crate) put: fn(&mut World, &Call) -> Reply,
    /// Checks and stores what a `PATCH` brings.
    pub(crate) patch: fn(&mut World, &Call) -> Reply,
}

impl Tracked {
    /// Answers list, get, put, patch and delete of the type.
    pub(crate) fn answer(&self, world: &mut World, call: &Call) -> Option<Reply> {
        let (namespace, kind) = self.kind.split_once('/')?;
        let is = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
        let list = |world: &World, scope: usize| {
            let scope = call.id(scope);
            paging::page(&world.paging, call, 1000, world.resources.of_type(&scope, self.kind))
        };
        match (call.method, call.path().as_slice()) {
            (Method::Get, ["subscriptions", _, "providers", n, k]) if is(n, namespace) && is(k, kind) => {
                Some(list(world, 2))
            }
            (Method::Get, ["subscriptions", _, "resourcegroups", _, "providers", n, k])
                if is(n, namespace) && is(k, kind) =>
            {
                Some(list(world, 4))
            }
            (method, ["subscriptions", _, "resourcegroups", _, "providers", n, k, _])
                if is(n, namespace) && is(k, kind) =>
            {
                match method {
                    Method::Get => Some(self.get(world, call)),
                    Method::Put => Some((self.put)(world, call)),
                    Method::Patch if !world.resources.contains(&call.id(8)) => Some(self.not_found(call)),
                    Method::Patch => Some((self.patch)(world, call)),
                    Method::Delete => {
                        let gone = world.resources.remove_tree(&call.id(8));
                        Some(Reply::empty(if gone.is_empty() { 204 } else { 200 }))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn get(&self, world: &World, call: &Call) -> Reply {
        match world.resources.get(&call.id(8)) {
            Some(found) => Reply::ok(found.clone()),
            None => self.not_found(call),
        }
    }

    /// Recorded: the answer for a resource that is not there.
    pub(crate) fn not_found(&self, call: &Call) -> Reply {
        Reply::resource_not_found(&format!("{}/{}", self.kind, call.spelled(7)), call.spelled(3))
    }

    /// Stores a body under the id in the path; `201` when it is new.
    pub(crate) fn store(&self, world: &mut World, call: &Call, mut body: Value) -> Reply {
        let id = call.id(8);
        let new = !world.resources.contains(&id);
        body["id"] = json!(id);
        body["name"] = json!(call.spelled(7));
        body["type"] = json!(self.kind);
        world.resources.put(body.clone());
        Reply::json(if new { 201 } else { 200 }, body)
    }

    /// The stored resource with a patch laid over it: top-level fields and properties, one by one.
    pub(crate) fn patched(world: &World, call: &Call) -> Value {
        let mut whole = world.resources.get(&call.id(8)).cloned().unwrap_or(Value::Null);
        for (key, value) in call.json().as_object().into_iter().flatten() {
            match (key.as_str(), value) {
                ("id" | "name" | "type", _) => {}
                ("properties", Value::Object(properties)) => {
                    for (name, value) in properties {
                        whole["properties"][name] = value.clone();
                    }
                }
                _ => whole[key] = value.clone(),
            }
        }
        whole
    }
}

/// Who made a resource and who changed it last, as the request at hand leaves it.
pub(crate) fn system_data(world: &World, call: &Call, before: Option<&Value>) -> Value {
    let (who, kind) = (&call.caller.name, if call.caller.upn.is_some() { "User" } else { "Application" });
    let now = timestamp::precise(world.now());
    let mut data = json!({
        "createdBy": who,
        "createdByType": kind,
        "createdAt": now,
        "lastModifiedBy": who,
        "lastModifiedByType": kind,
        "lastModifiedAt": now,
    });
    for created in ["createdBy", "createdByType", "createdAt"] {
        match before.map(|before| &before["systemData"][created]) {
            None | Some(Value::Null) => {}
            Some(known) => data[created] = known.clone(),
        }
    }
    data
}

/// `400 LocationRequired` when a body has none, `409` when it would move the resource.
pub(crate) fn location(world: &World, call: &Call) -> Result<(), Box<Reply>> {
    // Documented: a location is required, and stays.
    let Some(location) = call.json()["location"].as_str().filter(|location| !location.is_empty()) else {
        let message = "The location property is required for this definition.";
        return Err(Box::new(Reply::arm_error(400, "LocationRequired", message)));
    };
    let normal = |text: &str| text.replace(' ', "").to_ascii_lowercase();
    let existing = world.resources.get(&call.id(8)).and_then(|found| found["location"].as_str());
    if let Some(existing) = existing.filter(|existing| normal(existing) != normal(location)) {
        let message = format!(
            "The resource '{}' already exists in location '{existing}'. A resource with the same name cannot be \
             created in location '{location}'. Please select a new resource name.",
            call.spelled(7)
        );
        return Err(Box::new(Reply::arm_error(409, "InvalidResourceLocation", message)));
    }
    Ok(())
}
