//! What services do alike with resources that are listed, read, written and deleted one by one.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging, timestamp},
    state::world::World,
};

/// Where resources of a type lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a resource group; the subscription has a list of all.
    Group,
    /// Directly in a subscription.
    Subscription,
    /// On any resource or scope, which has a list of its own.
    Resource,
}

/// How a list is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Not at all.
    None,
    /// Into pages of at most so many.
    Of(usize),
    /// As well, and the last page links to an empty one.
    ThenEmpty(usize),
}

/// A type of resource, as a row of data: how it is listed, read and deleted, and what writes it.
pub(crate) struct Tracked {
    /// As the service names the type.
    pub(crate) kind: &'static str,
    /// As the service spells the type in ids, where that is another spelling.
    pub(crate) in_ids: Option<&'static str>,
    pub(crate) place: Place,
    /// Items on a page of a list.
    pub(crate) pages: Pages,
    /// Checks and stores what a `PUT` brings.
    pub(crate) put: fn(&mut World, &Call) -> Reply,
    /// Checks and stores what a `PATCH` brings. `None`: the type has none.
    pub(crate) patch: Option<fn(&mut World, &Call) -> Reply>,
    /// Takes the resource, with what hangs on it; whether it was there.
    pub(crate) delete: fn(&mut World, &Call) -> bool,
    /// The status of a `DELETE` for a resource that was there, and for one that was not.
    pub(crate) deleted: (u16, u16),
    /// Which resources the list of a request holds.
    pub(crate) listed: fn(&Call, &Value) -> bool,
    /// How a request sees a resource.
    pub(crate) shown: fn(&Call, &Value) -> Value,
    /// The answer for a resource that is not there.
    pub(crate) missing: fn(&Self, &Call) -> Reply,
}

impl Tracked {
    /// What most types have: a row names what is its own.
    pub(crate) const ROW: Self = Self {
        kind: "",
        in_ids: None,
        place: Place::Group,
        pages: Pages::Of(1000),
        put: |_, _| Reply::not_implemented("how this type is written"),
        patch: None,
        delete: |world, call| !world.resources.remove_tree(&call.id(call.len())).is_empty(),
        deleted: (200, 204),
        listed: |_, _| true,
        shown: |_, resource| resource.clone(),
        missing: Self::not_found,
    };

    /// Answers list, get, put, patch and delete of the type.
    pub(crate) fn answer(&self, world: &mut World, call: &Call) -> Option<Reply> {
        let (namespace, kind) = self.kind.split_once('/')?;
        let (at, rest) = call.extension(namespace, kind)?;
        let in_group = at == 4 && call.path().get(2) == Some(&"resourcegroups");
        let in_subscription = at == 2 && call.subscription().is_some();
        match (self.place, rest.as_slice()) {
            (Place::Group, []) if in_group || in_subscription => {}
            (Place::Group, [_]) if in_group => {}
            (Place::Subscription, [] | [_]) if in_subscription => {}
            (Place::Resource, [] | [_]) => {}
            _ => return None,
        }
        let id = call.id(call.len());
        match (call.method, rest.as_slice()) {
            (Method::Get, []) => Some(self.list(world, call, at)),
            (Method::Get, _) => Some(match world.resources.get(&id) {
                Some(found) => Reply::ok((self.shown)(call, found)),
                None => (self.missing)(self, call),
            }),
            (Method::Put, [_]) => Some((self.put)(world, call)),
            (Method::Patch, [_]) if !world.resources.contains(&id) => Some((self.missing)(self, call)),
            (Method::Patch, [_]) => self.patch.map(|patch| patch(world, call)),
            (Method::Delete, [_]) => {
                let (there, absent) = self.deleted;
                Some(Reply::empty(if (self.delete)(world, call) { there } else { absent }))
            }
            _ => None,
        }
    }

    fn list(&self, world: &World, call: &Call, at: usize) -> Reply {
        let scope = call.id(at);
        let own = |resource: &&Value| self.place != Place::Resource || is_on(resource, &scope);
        let all = world.resources.of_type(&scope, self.kind).filter(own);
        let all = all.filter(|resource| (self.listed)(call, resource)).map(|found| (self.shown)(call, found));
        match self.pages {
            Pages::None => Reply::ok(json!({ "value": all.collect::<Vec<_>>() })),
            Pages::Of(size) => paging::page_of(&world.paging, call, size, all, |shown| shown),
            Pages::ThenEmpty(size) => paging::page_then_empty(&world.paging, call, size, all),
        }
    }

    /// Recorded: the answer for a resource that is not there.
    pub(crate) fn not_found(&self, call: &Call) -> Reply {
        Reply::resource_not_found(&format!("{}/{}", self.kind, call.spelled(7)), call.spelled(3))
    }

    /// The id of the resource in the path. Recorded: in the service's spelling, however a request spells it; the
    /// names of the group and of the resource stay as they were when these were made.
    pub(crate) fn id(&self, world: &World, call: &Call) -> String {
        let own = |id: &str| world.resources.get(id)?["id"].as_str().map(str::to_owned);
        own(&call.id(call.len())).unwrap_or_else(|| {
            let scope = call.id(call.len().saturating_sub(4));
            let scope = own(&scope).unwrap_or(scope);
            let name = call.spelled(call.len().saturating_sub(1));
            format!("{scope}/providers/{}/{name}", self.in_ids.unwrap_or(self.kind))
        })
    }

    /// Stores a body under the id of the path; `201` when it is new.
    pub(crate) fn store(&self, world: &mut World, call: &Call, mut body: Value) -> Reply {
        let id = self.id(world, call);
        let new = !world.resources.contains(&id);
        body["name"] = json!(id.rsplit('/').next());
        body["id"] = json!(id);
        body["type"] = json!(self.kind);
        world.resources.put(body.clone());
        Reply::json(if new { 201 } else { 200 }, (self.shown)(call, &body))
    }

    /// The stored resource with a patch laid over it: top-level fields and properties, one by one.
    pub(crate) fn patched(world: &World, call: &Call) -> Value {
        let mut whole = world.resources.get(&call.id(call.len())).cloned().unwrap_or_default();
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

/// Whether a resource extends a scope itself, and not something below it.
fn is_on(resource: &Value, scope: &str) -> bool {
    let id = resource["id"].as_str().unwrap_or_default();
    let below = id.get(scope.len()..).unwrap_or_default();
    below.split('/').filter(|part| !part.is_empty()).count() == 4
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
