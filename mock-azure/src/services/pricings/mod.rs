//! Defender plans of subscriptions and of single machines.

mod plans;
mod scope;
mod seeds;
mod update;

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use self::{
    plans::{PLANS, Plan},
    scope::Scope,
};
use crate::{
    http::{Body, Call, Method, Reply},
    state::{Accepts, At, GraphRow, Surface, World},
};

const TYPE: &str = "Microsoft.Security/pricings";

/// The latest api-version, and the properties that it added to plans.
const LATEST: &str = "2024-01-01";
const LATER_PROPERTIES: &[&str] = &["enforce", "resourcesCoverageStatus", "inherited", "inheritedFrom"];
/// Recorded: in this version, a plan has only a tier.
const TIERS_ONLY: &str = "2018-06-01";
const FIRST_MEMBERS: &[&str] = &["pricingTier", "freeTrialRemainingTime"];
const BEFORE_EXTENSIONS: &str = "2022-03-01";
const FIRST_PROPERTIES: &[&str] =
    &["pricingTier", "subPlan", "freeTrialRemainingTime", "deprecated", "replacedBy"];

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(TYPE, &[TIERS_ONLY, BEFORE_EXTENSIONS, "2023-01-01", "2024-01-01"])],
    options: &[("$filter", Accepts::Read)],
    graph_rows: Some(graph_rows),
    answer,
    ..Surface::EMPTY
};

/// State besides the plans that were set, which are stored as resources.
#[derive(Debug, Default)]
pub(crate) struct PricingState {
    /// How many more updates of each subscription are refused because another one is in progress.
    refusals: HashMap<String, u32>,
    /// How long an update takes. `busy_until` is when each subscription's running update ends.
    takes: Duration,
    busy_until: HashMap<String, time::OffsetDateTime>,
    failing: Vec<FailingExtension>,
}

/// An extension that cannot be turned on.
#[derive(Debug)]
struct FailingExtension {
    subscription: String,
    plan: String,
    extension: String,
    times: u32,
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (segments, rest) = call.extension("microsoft.security", "pricings")?;
    let (is_list, is_one) = (rest.is_empty(), rest.len() == 1);
    let known = match call.method {
        Method::Get => is_list || is_one,
        Method::Put | Method::Delete => is_one,
        _ => false,
    };
    if !known {
        return None;
    }
    let scope = match Scope::read(world, call, segments) {
        Ok(scope) => scope,
        Err(refusal) => return Some(*refusal),
    };
    if is_list {
        return Some(in_version(call, list(world, call, &scope)));
    }
    let name = call.spelled(segments + 3);
    if Plan::find(name).is_none() && !world.resources.contains(&scope.id_of(name)) {
        return Some(unknown_plan(name));
    }
    // Documented: a single resource has only the plan VirtualMachines.
    if scope.is_machine() && !name.eq_ignore_ascii_case("VirtualMachines") {
        let message =
            format!("The plan '{name}' cannot be set on a single resource. Possible plans: VirtualMachines.");
        return Some(Reply::arm_error(400, "InvalidResourceName", message));
    }
    let reply = match call.method {
        Method::Put => update::update(world, call, &scope, name),
        Method::Delete => delete(world, &scope, name),
        _ => Reply::ok(read(world, &scope, name)),
    };
    Some(in_version(call, reply))
}

/// Converts a response to the format of the requested api-version.
fn in_version(call: &Call, mut reply: Reply) -> Reply {
    if call.api_version() < LATEST
        && let Body::Json(body) = &mut reply.body
    {
        let plans: Vec<&mut Value> = match body.get("value") {
            Some(_) => body["value"].as_array_mut().into_iter().flatten().collect(),
            None => vec![body],
        };
        for properties in plans.into_iter().filter_map(|plan| plan.get_mut("properties")?.as_object_mut()) {
            if call.api_version() == TIERS_ONLY {
                properties.retain(|name, _| FIRST_MEMBERS.contains(&name.as_str()));
            }
            if call.api_version() == BEFORE_EXTENSIONS {
                properties.retain(|name, _| FIRST_PROPERTIES.contains(&name.as_str()));
            }
            // Recorded and documented: what 2024-01-01 added.
            properties.retain(|name, _| !LATER_PROPERTIES.contains(&name.as_str()));
        }
    }
    reply
}

fn unknown_plan(name: &str) -> Reply {
    let known: Vec<&str> = PLANS.iter().map(|plan| plan.name).collect();
    Reply::unknown("plan", name, &known)
}

/// The list has no pages. Its only filter is `name in (A,B)`.
fn list(world: &World, call: &Call, scope: &Scope) -> Reply {
    let wanted = match call.query("$filter").map(names_in) {
        None => None,
        Some(Some(names)) => Some(names),
        Some(None) => {
            let filter = call.query("$filter").unwrap_or_default();
            return Reply::unknown("$filter", filter, &["name in ({plan},{plan})"]);
        }
    };
    let value: Vec<Value> = all(world, scope)
        .into_iter()
        .filter(|plan| match &wanted {
            Some(names) => {
                names.iter().any(|name| plan["name"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(name)))
            }
            None => true,
        })
        .collect();
    Reply::ok(json!({ "value": value }))
}

fn names_in(filter: &str) -> Option<Vec<String>> {
    let (name, rest) = filter.trim().split_once(char::is_whitespace)?;
    let rest = rest.trim();
    let list = rest.get(2..).filter(|_| rest.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("in")))?;
    let list = list.trim().strip_prefix('(')?.strip_suffix(')')?;
    let names = list.split(',').map(|name| name.trim().trim_matches('\'').to_owned()).collect();
    name.eq_ignore_ascii_case("name").then_some(names)
}

/// All plans of a scope: the documented ones, then any others that were seeded.
fn all(world: &World, scope: &Scope) -> Vec<Value> {
    if scope.is_machine() {
        return vec![read(world, scope, "VirtualMachines")];
    }
    let documented = PLANS.iter().map(|plan| read(world, scope, plan.name));
    let prefix = scope.id_of("");
    let others = world
        .resources
        .below(prefix.trim_end_matches('/'))
        .filter(|stored| stored["name"].as_str().is_some_and(|name| Plan::find(name).is_none()))
        .cloned();
    documented.chain(others).collect()
}

/// A plan as a GET returns it.
fn read(world: &World, scope: &Scope, name: &str) -> Value {
    let mut shown = match world.resources.get(&scope.id_of(name)) {
        Some(stored) => stored.clone(),
        None if scope.is_machine() => inherited(world, scope),
        None => untouched(scope, name),
    };
    if !scope.is_machine() {
        shown["properties"]["resourcesCoverageStatus"] = json!(coverage(world, scope, &shown));
    }
    shown
}

/// A plan that was never changed: free, with every extension off.
fn untouched(scope: &Scope, name: &str) -> Value {
    let mut properties = json!({
        "pricingTier": "Free",
        "freeTrialRemainingTime": "PT0S",
        "enforce": "False",
    });
    if let Some(plan) = Plan::find(name) {
        describe(&mut properties, plan);
        if !plan.extensions.is_empty() {
            let off = |extension: &plans::Extension| json!({ "name": extension.name, "isEnabled": "False" });
            properties["extensions"] = plan.extensions.iter().map(off).collect();
        }
    }
    resource(scope, name, properties)
}

/// Adds the service's own information about a plan.
fn describe(properties: &mut Value, plan: &Plan) {
    if plan.is_deprecated() {
        properties["deprecated"] = json!(true);
        properties["replacedBy"] = json!(plan.replaced_by);
    }
}

fn resource(scope: &Scope, name: &str, properties: Value) -> Value {
    let name = Plan::find(name).map_or(name, |plan| plan.name);
    json!({ "id": scope.id_of(name), "name": name, "type": TYPE, "properties": properties })
}

/// The plan that a machine inherits from its subscription.
fn inherited(world: &World, scope: &Scope) -> Value {
    let above = scope.subscription();
    let mut properties = read(world, &above, "VirtualMachines")["properties"].take();
    if let Some(properties) = properties.as_object_mut() {
        properties.remove("enforce");
        properties.remove("resourcesCoverageStatus");
    }
    properties["inherited"] = json!("True");
    properties["inheritedFrom"] = json!(above.id());
    resource(scope, "VirtualMachines", properties)
}

/// Whether all, some or none of a plan's resources are covered. Machines can differ from their subscription.
fn coverage(world: &World, scope: &Scope, plan: &Value) -> &'static str {
    let is_standard = |plan: &Value| plan["properties"]["pricingTier"] == "Standard";
    let own = is_standard(plan);
    let differs = plan["name"] == "VirtualMachines"
        && machines(world, scope).any(|machine| is_standard(machine) != own);
    match (differs, own) {
        (true, _) => "PartiallyCovered",
        (false, true) => "FullyCovered",
        (false, false) => "NotCovered",
    }
}

/// The plans that were set on single machines of a subscription.
fn machines<'a>(world: &'a World, scope: &'a Scope) -> impl Iterator<Item = &'a Value> {
    let groups = format!("{}/resourceGroups", scope.id());
    let below: Vec<&Value> = world.resources.of_type(&groups, TYPE).collect();
    below.into_iter()
}

/// Deletes the plan of a machine, which then inherits that of its subscription. Other plans cannot be deleted.
fn delete(world: &mut World, scope: &Scope, name: &str) -> Reply {
    if !scope.is_machine() {
        let message = "Delete operation is supported only for single resources scope (not subscriptions). Use PUT to \
                       Enabled or Disable specific pricing bundles on a subscription.";
        return Reply::arm_error(400, "InvalidUrlConfiguration", message);
    }
    let there = !world.resources.remove_tree(&scope.id_of(name)).is_empty();
    Reply::empty(if there { 200 } else { 204 })
}

fn graph_rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let scope = Scope::of_subscription(subscription);
    let own = all(world, &scope).into_iter();
    own.chain(machines(world, &scope).cloned()).map(|plan| ("securityresources", plan)).collect()
}
