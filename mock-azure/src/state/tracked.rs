//! Common handling of resources that are listed, read, written and deleted individually.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging, timestamp},
    state::world::World,
};

/// The parent of resources of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A resource group. The subscription also has a list of all.
    Group,
    /// A subscription.
    Subscription,
    /// Any resource or scope, each with its own list.
    Resource,
}

/// How a list is split into pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// It is not split.
    None,
    /// Pages with at most this many items.
    Of(usize),
    /// Like `Of`, but the last page has a link to an empty one.
    ThenEmpty(usize),
}

/// A resource type, as a row of data: how its resources are listed, read, written and deleted.
pub(crate) struct Tracked {
    /// The type in the service's spelling. For a child type, `{namespace}/{parent}/{type}`.
    pub(crate) kind: &'static str,
    /// The spelling of the type in ids, if it differs.
    pub(crate) in_ids: Option<&'static str>,
    pub(crate) place: Place,
    /// How a list is split into pages.
    pub(crate) pages: Pages,
    /// Answers a list. The last argument is the number of segments of the scope.
    pub(crate) list: fn(&Self, &World, &Call, usize) -> Reply,
    /// Validates and stores the body of a `PUT`.
    pub(crate) put: fn(&mut World, &Call) -> Reply,
    /// Validates and stores the body of a `PATCH`. `None` if the type does not support it.
    pub(crate) patch: Option<fn(&mut World, &Call) -> Reply>,
    /// Deletes the resource and what depends on it.
    pub(crate) delete: fn(&Self, &mut World, &Call) -> Reply,
    /// The status of a `DELETE` if the resource existed, and if it did not.
    pub(crate) deleted: (u16, u16),
    /// Whether a request finds a resource.
    pub(crate) found: fn(&World, &Call, &Value) -> bool,
    /// The resource in the format that a request returns.
    pub(crate) shown: fn(&World, &Call, &Value) -> Value,
    /// The response if the resource does not exist.
    pub(crate) missing: fn(&Self, &Call) -> Reply,
}

impl Tracked {
    /// The defaults of a row, which most types share.
    pub(crate) const ROW: Self = Self {
        kind: "",
        in_ids: None,
        place: Place::Group,
        pages: Pages::Of(1000),
        list: Self::on_scope,
        put: |_, _| Reply::not_implemented("how this type is written"),
        patch: None,
        delete: |row, world, call| row.gone(!world.resources.remove_tree(&call.id(call.len())).is_empty()),
        deleted: (200, 204),
        found: |_, _, _| true,
        shown: |_, _, resource| resource.clone(),
        missing: Self::not_found,
    };

    /// Answers the list, get, put, patch and delete requests for the type.
    pub(crate) fn answer(&self, world: &mut World, call: &Call) -> Option<Reply> {
        let (at, one) = call.of_type(self.kind)?;
        let in_group = at == 4 && call.path().get(2) == Some(&"resourcegroups");
        let in_subscription = at == 2 && call.subscription().is_some();
        let parent = self.kind.rsplit_once('/').map(|(parent, _)| parent).filter(|kind| kind.contains('/'));
        let lies_here = match self.place {
            Place::Group => in_group || (in_subscription && !one && parent.is_none()),
            Place::Subscription => in_subscription,
            Place::Resource => true,
        };
        if !lies_here {
            return None;
        }
        if let Some(parent) = parent
            && !world.resources.contains(&call.id(at + 2 * parent.split('/').count()))
        {
            return Some(no_such(parent, call));
        }
        let id = call.id(call.len());
        let there = world.resources.get(&id).filter(|found| (self.found)(world, call, found));
        match (call.method, one) {
            (Method::Get, false) => {
                Some((self.list)(self, world, call, if parent.is_some() { call.len() - 1 } else { at }))
            }
            (Method::Get, true) => Some(match there {
                Some(found) => Reply::ok((self.shown)(world, call, found)),
                None => (self.missing)(self, call),
            }),
            (Method::Put, true) => Some((self.put)(world, call)),
            (Method::Patch, true) => {
                let patch = self.patch?;
                Some(if there.is_some() { patch(world, call) } else { (self.missing)(self, call) })
            }
            (Method::Delete, true) => Some((self.delete)(self, world, call)),
            _ => None,
        }
    }

    fn on_scope(&self, world: &World, call: &Call, at: usize) -> Reply {
        let scope = call.id(at);
        let below = self.kind.matches('/').count() > 1;
        let own = |resource: &&Value| below || self.place != Place::Resource || is_on(resource, &scope);
        let all = world.resources.of_type(&scope, self.kind).filter(own);
        let all = all.filter(|resource| (self.found)(world, call, resource));
        let all = all.map(|resource| (self.shown)(world, call, resource));
        match self.pages {
            Pages::None => Reply::ok(json!({ "value": all.collect::<Vec<_>>() })),
            Pages::Of(size) => paging::page_of(&world.paging, call, size, all, |shown| shown),
            Pages::ThenEmpty(size) => paging::page_then_empty(&world.paging, call, size, all),
        }
    }

    /// The response to a `DELETE`, which depends on whether the resource existed.
    pub(crate) fn gone(&self, there: bool) -> Reply {
        Reply::empty(if there { self.deleted.0 } else { self.deleted.1 })
    }

    /// Deletes the resource and returns it, as some types do.
    pub(crate) fn answer_gone(&self, world: &mut World, call: &Call) -> Reply {
        match world.resources.remove_tree(&call.id(call.len())).first() {
            Some(gone) => Reply::ok((self.shown)(world, call, gone)),
            None => self.gone(false),
        }
    }

    /// Recorded: the response if the resource does not exist.
    pub(crate) fn not_found(&self, call: &Call) -> Reply {
        no_such(self.kind, call)
    }

    /// The id of the resource in the path. Recorded: it is in the service's spelling, whatever the request's; the names
    /// of the group and of the resource keep their original spelling.
    pub(crate) fn id(&self, world: &World, call: &Call) -> String {
        let own = |id: &str| world.resources.get(id)?["id"].as_str().map(str::to_owned);
        own(&call.id(call.len())).unwrap_or_else(|| {
            let name = call.name();
            let kind = self.in_ids.unwrap_or(self.kind);
            let (up, below) = match kind.splitn(3, '/').nth(2) {
                Some(below) => (2, below.to_owned()),
                None => (4, format!("providers/{kind}")),
            };
            let scope = call.id(call.len().saturating_sub(up));
            format!("{}/{below}/{name}", own(&scope).unwrap_or(scope))
        })
    }

    /// Stores a body under the id in the path. Returns `201` if it is new.
    pub(crate) fn store(&self, world: &mut World, call: &Call, mut body: Value) -> Reply {
        let id = self.id(world, call);
        let new = !world.resources.contains(&id);
        body["name"] = json!(id.rsplit('/').next());
        body["id"] = json!(id);
        body["type"] = json!(self.kind);
        world.resources.put(body.clone());
        Reply::json(if new { 201 } else { 200 }, (self.shown)(world, call, &body))
    }

    /// The stored resource with a patch applied to its top-level fields and properties.
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

/// Recorded: the response for a resource of a group that does not exist, with its type and all names in its path.
fn no_such(kind: &str, call: &Call) -> Reply {
    let names = kind.split('/').skip(1).enumerate().map(|(depth, _)| call.spelled(7 + 2 * depth));
    let names: Vec<&str> = names.collect();
    Reply::resource_not_found(&format!("{kind}/{}", names.join("/")), call.spelled(3))
}

/// Whether a resource extends a scope directly, and not something below it.
pub(crate) fn is_on(resource: &Value, scope: &str) -> bool {
    let id = resource["id"].as_str().unwrap_or_default();
    let below = id.get(scope.len()..).unwrap_or_default();
    below.split('/').filter(|part| !part.is_empty()).count() == 4
}

/// The scope of an extension resource, in lower case.
pub(crate) fn scope_of(found: &Value) -> Option<String> {
    let id = found["id"].as_str()?.to_ascii_lowercase();
    id.rfind("/providers/").map(|end| id[..end].to_owned())
}

/// Whether a resource is a scope or is below it. Both are in lower case.
pub(crate) fn is_in(id: &str, scope: &str) -> bool {
    id.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Who created a resource and who last changed it, after the current request.
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

/// `400 LocationRequired` if the body has no location, `409` if it has a different one.
pub(crate) fn location(world: &World, call: &Call) -> Result<(), Box<Reply>> {
    // Documented: a location is required, and cannot change.
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
