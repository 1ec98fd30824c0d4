//! `PUT`: replaces the whole plan. Single extensions may still fail.

use serde_json::{Map, Value, json};

use super::{
    PricingState, describe,
    plans::{Extension, Plan},
    read, resource,
    scope::Scope,
};
use crate::{
    http::{Call, Reply, timestamp},
    services::role_assignments,
    state::World,
};

/// Properties that only the service sets.
const READ_ONLY: &[&str] = &[
    "freeTrialRemainingTime",
    "enablementTime",
    "inherited",
    "inheritedFrom",
    "resourcesCoverageStatus",
    "deprecated",
    "replacedBy",
    "operationStatus",
];

const ROLE_WRITE: &str = "Microsoft.Authorization/roleAssignments/write";

type Checked<T> = Result<T, Box<Reply>>;

pub(super) fn update(world: &mut World, call: &Call, scope: &Scope, name: &str) -> Reply {
    let asked = match Asked::read(call.json()) {
        Ok(asked) => asked,
        Err(refusal) => return *refusal,
    };
    let before = read(world, scope, name);
    let checks = [
        idle(world, scope),
        asked.check_sub_plan(scope, name, &before),
        asked.check_extensions(name, &before),
        may_differ(world, scope),
    ];
    if let Some(refusal) = checks.into_iter().find_map(Result::err) {
        return *refusal;
    }
    let was_there = world.resources.contains(&scope.id_of(name));
    let after = write(world, call, scope, name, &asked, &before);
    if asked.enforced() && !scope.is_machine() {
        drop_overrides(world, scope);
    }
    let status = if scope.is_machine() && !was_there { 201 } else { 200 };
    let takes = world.states.get::<PricingState>().takes;
    if !takes.is_zero() {
        let until = world.now() + takes;
        world.states.get_mut::<PricingState>().busy_until.insert(scope.key(), until);
    }
    Reply::json(status, after).delayed(takes)
}

/// The valid part of a request's body.
struct Asked<'a> {
    properties: &'a Map<String, Value>,
    standard: bool,
    extensions: Option<Vec<&'a Map<String, Value>>>,
}

fn invalid(message: impl Into<String>) -> Box<Reply> {
    Box::new(Reply::arm_error(400, "InvalidInputJson", message))
}

impl<'a> Asked<'a> {
    /// Documented: the required members and their values.
    fn read(body: &'a Value) -> Checked<Self> {
        let Some(properties) = body["properties"].as_object() else {
            return Err(invalid("The request body is not valid: 'properties' is required."));
        };
        let standard = match properties.get("pricingTier").and_then(Value::as_str) {
            Some(tier) if tier.eq_ignore_ascii_case("Standard") => true,
            Some(tier) if tier.eq_ignore_ascii_case("Free") => false,
            _ => {
                return Err(invalid(
                    "'properties.pricingTier' is required. Possible values: Free, Standard.",
                ));
            }
        };
        let extensions = match properties.get("extensions") {
            None | Some(Value::Null) => None,
            Some(Value::Array(list)) => Some(list.iter().map(extension).collect::<Checked<_>>()?),
            Some(_) => return Err(invalid("'properties.extensions' must be an array.")),
        };
        Ok(Self { properties, standard, extensions })
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name).and_then(Value::as_str)
    }

    fn enforced(&self) -> bool {
        self.text("enforce").is_some_and(|enforce| enforce.eq_ignore_ascii_case("True"))
    }

    fn check_sub_plan(&self, scope: &Scope, name: &str, before: &Value) -> Checked<()> {
        let Some(plan) = Plan::find(name).filter(|_| self.standard) else { return Ok(()) };
        let before = &before["properties"];
        let on_already = before["pricingTier"] == "Standard";
        // Documented: a deprecated plan or sub-plan can no longer be turned on.
        if plan.is_deprecated() && !on_already {
            let message = format!(
                "The plan '{}' is deprecated and cannot be enabled on new subscriptions. Use: {}.",
                plan.name,
                plan.replaced_by.join(", ")
            );
            return Err(Box::new(Reply::arm_error(400, "DeprecatedPlan", message)));
        }
        let Some(asked) = self.text("subPlan") else {
            return if scope.is_machine() { Err(only_p1()) } else { Ok(()) };
        };
        if scope.is_machine() && !asked.eq_ignore_ascii_case("P1") {
            return Err(only_p1());
        }
        let among = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(asked));
        let has_it =
            on_already && before["subPlan"].as_str().is_some_and(|it| it.eq_ignore_ascii_case(asked));
        if among(plan.sub_plans) || has_it {
            return Ok(());
        }
        if among(plan.retired_sub_plans) {
            let message = format!(
                "The sub plan '{asked}' of '{}' is deprecated and cannot be enabled on new subscriptions. Use: {}.",
                plan.name,
                plan.sub_plans.join(", ")
            );
            return Err(Box::new(Reply::arm_error(400, "DeprecatedPlan", message)));
        }
        Err(Box::new(Reply::unknown(&format!("sub-plan of {}", plan.name), asked, plan.sub_plans)))
    }

    fn check_extensions(&self, name: &str, before: &Value) -> Checked<()> {
        let Some(extensions) = &self.extensions else { return Ok(()) };
        // Reported: a free plan has no extensions.
        if !self.standard && !extensions.is_empty() {
            return Err(invalid("Extensions cannot be set when 'pricingTier' is Free."));
        }
        for extension in extensions {
            let asked = name_of(extension);
            let documented = Plan::find(name).is_some_and(|plan| plan.extension(asked).is_some());
            if !documented && !listed(before).any(|there| there.eq_ignore_ascii_case(asked)) {
                let known: Vec<&str> =
                    Plan::find(name).into_iter().flat_map(|plan| plan.extensions).map(|it| it.name).collect();
                return Err(Box::new(Reply::unknown(&format!("extension of {name}"), asked, &known)));
            }
            let has_properties =
                extension.get("additionalExtensionProperties").is_some_and(|it| !it.is_null());
            // Reported: 500 for properties of an extension that is off.
            if has_properties && !is_on(extension) {
                let message = "The server encountered an internal error. Please retry the request.";
                return Err(Box::new(Reply::arm_error(500, "InternalServerError", message)));
            }
        }
        Ok(())
    }
}

/// Documented: a single machine can only have the sub-plan P1.
fn only_p1() -> Box<Reply> {
    invalid("The plan of a single resource can only have the sub plan P1.")
}

fn extension(value: &Value) -> Checked<&Map<String, Value>> {
    let object = value.as_object().ok_or_else(|| invalid("An extension must be an object."))?;
    if object.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        return Err(invalid("'name' of an extension is required."));
    }
    match object.get("isEnabled").and_then(Value::as_str) {
        Some(on) if on.eq_ignore_ascii_case("True") || on.eq_ignore_ascii_case("False") => Ok(object),
        _ => Err(invalid("'isEnabled' of an extension is required. Possible values: True, False.")),
    }
}

fn name_of(extension: &Map<String, Value>) -> &str {
    extension.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn is_on(extension: &Map<String, Value>) -> bool {
    extension.get("isEnabled").and_then(Value::as_str).is_some_and(|on| on.eq_ignore_ascii_case("True"))
}

/// The names of the extensions in a plan.
fn listed(plan: &Value) -> impl Iterator<Item = &str> {
    plan["properties"]["extensions"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str())
}

/// Reported: one update at a time for each subscription.
fn idle(world: &mut World, scope: &Scope) -> Checked<()> {
    let (now, state, key) = (world.now(), world.states.get_mut::<PricingState>(), scope.key());
    let refused = state.refusals.get_mut(&key).filter(|left| **left > 0);
    let busy = state.busy_until.get(&key).is_some_and(|until| *until > now);
    if let Some(left) = refused {
        *left -= 1;
    } else if !busy {
        return Ok(());
    }
    let message = "Another update operation is in progress. Please retry in a few minutes.";
    Err(Box::new(Reply::arm_error(409, "Conflict", message)))
}

/// Documented: if a subscription enforces its plan, no machine may differ.
fn may_differ(world: &World, scope: &Scope) -> Checked<()> {
    if scope.is_machine()
        && read(world, &scope.subscription(), "VirtualMachines")["properties"]["enforce"] == "True"
    {
        let message = "The plan is enforced by the subscription and cannot be changed on a single resource.";
        return Err(Box::new(Reply::arm_error(409, "Conflict", message)));
    }
    Ok(())
}

fn drop_overrides(world: &mut World, scope: &Scope) {
    let ids: Vec<String> = super::machines(world, scope)
        .filter_map(|machine| machine["id"].as_str().map(str::to_owned))
        .collect();
    for id in ids {
        world.resources.remove_tree(&id);
    }
}

/// Replaces the plan. Properties missing from the request return to their defaults.
fn write(
    world: &mut World,
    call: &Call,
    scope: &Scope,
    name: &str,
    asked: &Asked<'_>,
    before: &Value,
) -> Value {
    let before = &before["properties"];
    let mut properties = Map::new();
    for (key, value) in asked.properties.iter().filter(|(key, _)| !READ_ONLY.contains(&key.as_str())) {
        properties.insert(key.clone(), value.clone());
    }
    let mut properties = Value::Object(properties);
    properties["pricingTier"] = json!(if asked.standard { "Standard" } else { "Free" });
    properties["freeTrialRemainingTime"] = before["freeTrialRemainingTime"].clone();
    if scope.is_machine() {
        properties["inherited"] = json!("False");
        properties["inheritedFrom"] = Value::Null;
    } else {
        properties["enforce"] = json!(if asked.enforced() { "True" } else { "False" });
    }
    let plan = Plan::find(name);
    if let Some(plan) = plan {
        describe(&mut properties, plan);
    }
    let switched_on = asked.standard && before["pricingTier"] != "Standard";
    if switched_on {
        properties["enablementTime"] = json!(timestamp::precise(world.now()));
    } else if asked.standard && !before["enablementTime"].is_null() {
        properties["enablementTime"] = before["enablementTime"].clone();
    }
    let stamped = plan.and_then(|plan| plan.sub_plans.first()).copied();
    match (asked.standard, asked.text("subPlan").or(stamped)) {
        (true, Some(sub_plan)) => properties["subPlan"] = json!(canonical(plan, sub_plan)),
        _ => drop(properties.as_object_mut().and_then(|it| it.remove("subPlan"))),
    }
    let sub_plan = properties["subPlan"].as_str().map(str::to_owned);
    let extensions = extensions(world, call, scope, name, asked, before, sub_plan.as_deref());
    if !extensions.is_empty() {
        properties["extensions"] = extensions.into();
    }
    let after = resource(scope, name, properties);
    world.resources.put(after);
    read(world, scope, name)
}

fn canonical(plan: Option<&'static Plan>, sub_plan: &str) -> String {
    let known = plan.into_iter().flat_map(|plan| plan.sub_plans);
    known.copied().find(|known| known.eq_ignore_ascii_case(sub_plan)).unwrap_or(sub_plan).to_owned()
}

/// The extensions after a write: all of the plan's, and those it had before. A list in the request replaces the old one
/// entirely. Without a list, the plan gets the extensions that it turns on by itself. That is documented for a plan
/// that was free; for others, the documentation is silent.
fn extensions(
    world: &mut World,
    call: &Call,
    scope: &Scope,
    name: &str,
    asked: &Asked<'_>,
    before: &Value,
    sub_plan: Option<&str>,
) -> Vec<Value> {
    let plan = Plan::find(name);
    let documented =
        plan.into_iter().flat_map(|plan| plan.extensions).map(|extension| extension.name.to_owned());
    let mut names: Vec<String> = documented.collect();
    for shown in before["extensions"].as_array().into_iter().flatten().filter_map(|it| it["name"].as_str()) {
        if !names.iter().any(|known| known.eq_ignore_ascii_case(shown)) {
            names.push(shown.to_owned());
        }
    }
    let by_itself = plan.map(|plan| defaults(plan, sub_plan)).unwrap_or_default();
    let mut after = Vec::new();
    for extension in names {
        let same = |text: &str| text.eq_ignore_ascii_case(&extension);
        let wanted = match (&asked.extensions, asked.standard) {
            (Some(list), true) => list.iter().find(|it| same(name_of(it))).copied(),
            (None, true) => by_itself.iter().filter_map(Value::as_object).find(|it| same(name_of(it))),
            (_, false) => None,
        };
        let mut shown = Value::Object(wanted.cloned().unwrap_or_default());
        let on = wanted.is_some_and(is_on);
        shown["name"] = json!(extension);
        shown["isEnabled"] = json!(if on { "True" } else { "False" });
        if let Some(shown) = shown.as_object_mut() {
            shown.remove("operationStatus");
        }
        if on {
            let known = plan.and_then(|plan| plan.extension(&extension));
            // Recorded: an extension that is on shows its settings, or the service's defaults if none were given.
            if shown["additionalExtensionProperties"].is_null()
                && let Some(own) = known.and_then(|known| known.properties)
            {
                shown["additionalExtensionProperties"] = serde_json::from_str(own).unwrap_or_default();
            }
            shown["operationStatus"] = turn_on(world, call, scope, name, &extension, known);
        }
        after.push(shown);
    }
    after
}

/// Tries to turn an extension on. An extension that fails is shown as enabled and failed.
fn turn_on(
    world: &mut World,
    call: &Call,
    scope: &Scope,
    plan: &str,
    extension: &str,
    known: Option<&Extension>,
) -> Value {
    let key = scope.key();
    let scripted = world.states.get_mut::<PricingState>().failing.iter_mut().find(|failing| {
        failing.times > 0
            && failing.subscription == key
            && failing.plan.eq_ignore_ascii_case(plan)
            && failing.extension.eq_ignore_ascii_case(extension)
    });
    let failed = match scripted {
        Some(failing) => {
            failing.times -= 1;
            true
        }
        None => {
            let assigns_roles = known.is_some_and(|known| known.assigns_roles) && !call.caller.unchecked;
            let caller = call.caller.object_id.clone();
            assigns_roles && !role_assignments::may(world, &caller, ROLE_WRITE, &key)
        }
    };
    if failed {
        let message = format!(
            "Failed to enable the extension '{extension}': the role assignment of its identity could not be created. \
             Ask an owner of the subscription to enable it."
        );
        return json!({ "code": "Failed", "message": message });
    }
    json!({ "code": "Succeeded", "message": "Successfully enabled extension" })
}

/// The extensions of a plan on Standard if the request names none.
pub(super) fn defaults(plan: &Plan, sub_plan: Option<&str>) -> Vec<Value> {
    let full = sub_plan == plan.sub_plans.first().copied();
    let show = |extension: &Extension| {
        let on = extension.by_default && (full || !extension.full_plan_only);
        let mut shown = json!({ "name": extension.name, "isEnabled": if on { "True" } else { "False" } });
        if let Some(properties) = extension.properties.filter(|_| on) {
            shown["additionalExtensionProperties"] = serde_json::from_str(properties).unwrap_or_default();
        }
        shown
    };
    plan.extensions.iter().map(show).collect()
}
