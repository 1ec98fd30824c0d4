//! Log Analytics workspaces: long-running create and delete, soft delete, recovery by name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging, timestamp},
    services::{resource_groups, subscriptions::Subscriptions},
    state::{Seed, Surface, Tracked, World, operations, stable_id},
};

pub(crate) const TYPE: &str = "Microsoft.OperationalInsights/workspaces";

const VERSIONS: &[&str] = &[
    "2020-03-01-preview",
    "2020-08-01",
    "2021-06-01",
    "2021-12-01-preview",
    "2022-10-01",
    "2023-09-01",
    "2025-02-01",
    "2025-07-01",
    "2026-03-01",
];

const LOCATION: &str = "westeurope";

const SKUS: &[&str] = &[
    "Free",
    "Standard",
    "Premium",
    "PerNode",
    "PerGB2018",
    "Standalone",
    "CapacityReservation",
    "LACluster",
];

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, VERSIONS), ("Microsoft.OperationalInsights/deletedWorkspaces", VERSIONS)],
    answer,
    ..Surface::EMPTY
};

/// Deleted workspaces that can be recovered, by lower-case id.
#[derive(Debug, Default)]
pub(crate) struct Workspaces {
    deleted: BTreeMap<String, Value>,
}

impl Seed {
    /// Adds a workspace in `westeurope`, and its resource group if that does not exist.
    pub fn workspace(self, subscription: impl ToString, group: &str, name: &str) -> Self {
        let (subscription, group, name) = (subscription.to_string(), group.to_owned(), name.to_owned());
        self.step(move |world| {
            lay_out(world, &subscription, &group, &name, "Succeeded");
        })
    }

    /// Adds a workspace with another caller's operation in progress. `state` is a provisioning state, such as
    /// `Updating`, `LinkingAccount` or `Deleting`. The operation completes like other long-running ones; the workspace
    /// is then ready, or gone if `state` was `Deleting`.
    pub fn workspace_in_state(
        self,
        subscription: impl ToString,
        group: &str,
        name: &str,
        state: &str,
    ) -> Self {
        let (subscription, group, name) = (subscription.to_string(), group.to_owned(), name.to_owned());
        let state = state.to_owned();
        self.step(move |world| {
            let id = lay_out(world, &subscription, &group, &name, &state);
            operations::start(world, &id.clone(), move |world, outcome| {
                if outcome.is_ok() && state == "Deleting" {
                    soft_delete(world, &id);
                    return None;
                }
                let workspace = world.resources.get_mut(&id)?;
                let after = if outcome.is_ok() { "Succeeded" } else { "Failed" };
                workspace["properties"]["provisioningState"] = json!(after);
                Some(workspace.clone())
            });
        })
    }
}

fn lay_out(world: &mut World, subscription: &str, group: &str, name: &str, state: &str) -> String {
    let group = resource_groups::ensure(world, subscription, group, LOCATION);
    let id = format!("{group}/providers/{TYPE}/{name}");
    let mut workspace = fresh(world, &id, name, &json!({ "location": LOCATION }));
    workspace["properties"]["provisioningState"] = json!(state);
    world.resources.put(workspace);
    id
}

/// Finds a workspace by its customer id.
pub(crate) fn by_customer_id<'a>(world: &'a World, customer_id: &str) -> Option<&'a Value> {
    let matches = |workspace: &&Value| {
        workspace["properties"]["customerId"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(customer_id))
    };
    world.resources.of_type("/subscriptions", TYPE).find(matches)
}

/// Checks that the caller can reach a workspace that a request names. The error is a status, code and message.
pub(crate) fn reachable(world: &World, id: Option<&str>) -> Result<(), (u16, &'static str, String)> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return Ok(()) };
    let segments: Vec<&str> = id.split('/').filter(|part| !part.is_empty()).collect();
    let is_workspace =
        id.to_ascii_lowercase().contains("/providers/microsoft.operationalinsights/workspaces/");
    let ["subscriptions", subscription, _, _, "providers", _, _, name] = segments.as_slice() else {
        let message = format!("The resource id '{id}' is not a valid workspace resource id.");
        return Err((400, "LinkedInvalidPropertyId", message));
    };
    if !is_workspace {
        let message = format!("The resource id '{id}' is not a valid workspace resource id.");
        return Err((400, "LinkedInvalidPropertyId", message));
    }
    if !world.states.get::<Subscriptions>().contains(&subscription.to_ascii_lowercase()) {
        let message = format!(
            "The client has permission to perform action \
             'Microsoft.OperationalInsights/workspaces/sharedKeys/action' on scope '{id}', however the current \
             tenant '{}' is not authorized to access linked subscription '{subscription}'.",
            world.tenant
        );
        return Err((403, "LinkedAuthorizationFailed", message));
    }
    if !world.resources.contains(id) {
        return Err((
            404,
            "ResourceNotFound",
            format!("The workspace '{name}' with id '{id}' was not found."),
        ));
    }
    Ok(())
}

const WORKSPACES: Tracked = Tracked { kind: TYPE, put, patch: Some(patch), delete, ..Tracked::ROW };

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.path().as_slice()) {
        (
            Method::Get,
            ["subscriptions", _, rest @ ..] | ["subscriptions", _, "resourcegroups", _, rest @ ..],
        ) if *rest == ["providers", "microsoft.operationalinsights", "deletedworkspaces"] => {
            let prefix = format!("{}/", call.id(call.len() - 3).to_ascii_lowercase());
            let deleted = world.states.get::<Workspaces>().deleted.iter();
            let below = deleted.filter(|(id, _)| id.starts_with(&prefix)).map(|(_, workspace)| workspace);
            Some(paging::page(&world.paging, call, 1000, below))
        }
        _ => WORKSPACES.answer(world, call),
    }
}

fn put(world: &mut World, call: &Call) -> Reply {
    let (id, name) = (WORKSPACES.id(world, call), call.spelled(7));
    if let Some(refusal) = invalid(name, call.json(), world.resources.get(&id)) {
        return refusal;
    }
    let (now, etag) = (timestamp::precise(world.now()), world.fresh_etag());
    if let Some(existing) = world.resources.get_mut(&id) {
        merge(existing, call.json());
        touch(existing, &now, &etag);
        return Reply::ok(existing.clone());
    }
    if let Some(mut recovered) = world.states.get_mut::<Workspaces>().deleted.remove(&id.to_ascii_lowercase())
    {
        // Recorded: a PUT with the name of a deleted workspace restores it.
        merge(&mut recovered, call.json());
        recovered["properties"]["provisioningState"] = json!("Succeeded");
        touch(&mut recovered, &now, &etag);
        world.resources.put(recovered.clone());
        return Reply::ok(recovered);
    }
    let mut workspace = fresh(world, &id, name, call.json());
    workspace["properties"]["provisioningState"] = json!("Creating");
    world.resources.put(workspace.clone());
    // Recorded: the link of a new workspace is the workspace itself, which is still being created.
    let link = call.link(&format!("{id}?api-version={}", call.api_version()));
    operations::start(world, &id.clone(), move |world, outcome| {
        let workspace = world.resources.get_mut(&id)?;
        let state = if outcome.is_ok() { "Succeeded" } else { "Failed" };
        workspace["properties"]["provisioningState"] = json!(state);
        Some(workspace.clone())
    });
    Reply::json(201, workspace).header("location", link)
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let (now, etag) = (timestamp::precise(world.now()), world.fresh_etag());
    let existing = world.resources.get(&call.id(8));
    if let Some(refusal) = invalid(call.spelled(7), &with_location(call.json(), existing), existing) {
        return refusal;
    }
    let Some(existing) = world.resources.get_mut(&call.id(8)) else { return WORKSPACES.not_found(call) };
    merge(existing, call.json());
    touch(existing, &now, &etag);
    Reply::ok(existing.clone())
}

fn with_location(body: &Value, existing: Option<&Value>) -> Value {
    let mut body = body.clone();
    if body["location"].is_null() {
        body["location"] = existing.map_or(Value::Null, |existing| existing["location"].clone());
    }
    body
}

/// Recorded: a workspace is deleted immediately.
fn delete(row: &Tracked, world: &mut World, call: &Call) -> Reply {
    let id = call.id(8);
    let forced = call.query("force").is_some_and(|force| force.eq_ignore_ascii_case("true"));
    row.gone(if forced { !world.resources.remove_tree(&id).is_empty() } else { soft_delete(world, &id) })
}

/// Soft-deletes a workspace. Returns whether it existed.
fn soft_delete(world: &mut World, id: &str) -> bool {
    let Some(gone) = world.resources.remove_tree(id).into_iter().next() else { return false };
    world.states.get_mut::<Workspaces>().deleted.insert(id.to_ascii_lowercase(), gone);
    true
}

/// Documented: the rule for names, that the location cannot change, and the range of days.
fn invalid(name: &str, body: &Value, existing: Option<&Value>) -> Option<Reply> {
    let allowed = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !(4..=63).contains(&name.len()) || !allowed || name.starts_with('-') || name.ends_with('-') {
        let message = format!(
            "The workspace name '{name}' is not valid. It must have 4 to 63 letters, digits or '-', and neither \
             begin nor end with '-'."
        );
        return Some(Reply::arm_error(400, "InvalidParameter", message));
    }
    let Some(location) = body["location"].as_str() else {
        return Some(Reply::arm_error(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        ));
    };
    let other =
        existing.and_then(|existing| existing["location"].as_str()).filter(|known| *known != location);
    if let Some(other) = other {
        let message = format!(
            "The resource '{name}' already exists in location '{other}'. A resource with the same name cannot be \
             created in location '{location}'. Please select a new resource name."
        );
        return Some(Reply::arm_error(409, "InvalidResourceLocation", message));
    }
    let properties = &body["properties"];
    if let Some(sku) = properties["sku"]["name"].as_str()
        && !SKUS.iter().any(|known| known.eq_ignore_ascii_case(sku))
    {
        return Some(Reply::unknown("pricing tier of a workspace", sku, SKUS));
    }
    if let Some(days) = properties["retentionInDays"].as_i64()
        && !(7..=730).contains(&days)
    {
        let message = format!("'properties.retentionInDays' is {days}; it must be from 7 to 730.");
        return Some(Reply::arm_error(400, "InvalidParameter", message));
    }
    None
}

fn merge(existing: &mut Value, body: &Value) {
    for (key, value) in body.as_object().into_iter().flatten() {
        match key.as_str() {
            "id" | "name" | "type" | "location" => {}
            "properties" => {
                for (name, value) in value.as_object().into_iter().flatten() {
                    let read_only = matches!(
                        name.as_str(),
                        "customerId" | "provisioningState" | "createdDate" | "modifiedDate"
                    );
                    if !read_only {
                        lay_over(&mut existing["properties"][name], value);
                    }
                }
            }
            _ => existing[key] = value.clone(),
        }
    }
}

/// Merges the members of an object into another; replaces any other value.
fn lay_over(there: &mut Value, new: &Value) {
    match (there, new) {
        (there @ Value::Object(_), Value::Object(new)) => {
            for (name, value) in new {
                lay_over(&mut there[name.as_str()], value);
            }
        }
        (there, new) => *there = new.clone(),
    }
}

fn touch(workspace: &mut Value, now: &str, etag: &str) {
    workspace["properties"]["modifiedDate"] = json!(now);
    workspace["etag"] = json!(etag);
}

fn fresh(world: &mut World, id: &str, name: &str, body: &Value) -> Value {
    let now = timestamp::precise(world.now());
    let mut workspace = json!({
        "properties": {
            "sku": { "name": "PerGB2018", "lastSkuUpdate": now },
            "retentionInDays": 30,
            "features": { "legacy": 0, "searchVersion": 1, "enableLogAccessUsingOnlyResourcePermissions": true },
            "workspaceCapping": {
                "dailyQuotaGb": -1.0,
                "quotaNextResetTime": now,
                "dataIngestionStatus": "RespectQuota",
            },
            "source": "Azure",
            "publicNetworkAccessForIngestion": "Enabled",
            "publicNetworkAccessForQuery": "Enabled",
        },
    });
    merge(&mut workspace, body);
    workspace["id"] = json!(id);
    workspace["name"] = json!(name);
    workspace["type"] = json!(TYPE);
    workspace["location"] = body["location"].clone();
    workspace["properties"]["customerId"] =
        json!(stable_id(&format!("workspace{}", id.to_ascii_lowercase())));
    workspace["properties"]["createdDate"] = json!(now);
    touch(&mut workspace, &now, &world.fresh_etag());
    workspace
}
