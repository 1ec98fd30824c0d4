//! Assignments of policies and initiatives. They are stored; `policy_refusals` enforces one policy.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, filter::quoted, timestamp},
    state::{Accepts, Place, Surface, Tracked, World, system_data, tracked::is_in},
};

pub(crate) const TYPE: &str = "Microsoft.Authorization/policyAssignments";

/// Recorded: the last version in which an assignment has a SKU.
const LAST_WITH_SKU: &str = "2019-09-01";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(
        TYPE,
        &[
            "2016-12-01",
            "2018-03-01",
            "2018-05-01",
            "2019-01-01",
            "2019-06-01",
            LAST_WITH_SKU,
            "2020-09-01",
            "2021-06-01",
            "2022-06-01",
            "2023-04-01",
            "2024-04-01",
            "2024-05-01",
            "2025-01-01",
            "2025-03-01",
        ],
    )],
    options: &[("$filter", Accepts::Read)],
    answer: |world, call| ASSIGNMENTS.answer(world, call),
    ..Surface::EMPTY
};

const ASSIGNMENTS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    list,
    put,
    delete: Tracked::answer_gone,
    shown,
    missing: |_, call| {
        let name = call.name();
        let message = format!("The policy assignment '{name}' is not found.");
        Reply::arm_error(404, "PolicyAssignmentNotFound", message)
    },
    ..Tracked::ROW
};

/// Recorded: a list contains the assignments at the scope, above it and below it.
fn list(_: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let scope = call.id(at).to_ascii_lowercase();
    let filter = call.query("$filter").unwrap_or_default();
    let by_definition = filter.strip_prefix("policyDefinitionId eq ").and_then(quoted);
    if !matches!(filter, "" | "atScope()") && by_definition.is_none() {
        return Reply::unknown("$filter", filter, &["atScope()", "policyDefinitionId eq '{id}'"]);
    }
    let owner = call.id(2);
    let all = world.resources.of_type(&owner, TYPE).filter(|one| {
        let own = one["properties"]["scope"].as_str().unwrap_or_default().to_ascii_lowercase();
        is_in(&scope, &own) || (filter != "atScope()" && is_in(&own, &scope))
    });
    let all = all.filter(|one| {
        let definition = one["properties"]["policyDefinitionId"].as_str().unwrap_or_default();
        by_definition.as_ref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(definition))
    });
    let value: Vec<Value> = all.map(|one| shown(world, call, one)).collect();
    Reply::ok(json!({ "value": value }))
}

fn put(world: &mut World, call: &Call) -> Reply {
    let given = &call.json()["properties"];
    if given["policyDefinitionId"].as_str().is_none_or(str::is_empty) {
        let message =
            "The policy assignment create request is invalid. The policy definition id is required.";
        return Reply::arm_error(400, "InvalidCreatePolicyAssignmentRequest", message);
    }
    let (who, now) = (call.caller.object_id.clone(), timestamp::precise(world.now()));
    let before =
        world.resources.get(&call.id(call.len())).map(|found| found["properties"]["metadata"].clone());
    let mut properties = given.clone();
    properties["scope"] = json!(call.id(call.len().saturating_sub(4)));
    if properties["enforcementMode"].is_null() {
        properties["enforcementMode"] = json!("Default");
    }
    let metadata = &mut properties["metadata"];
    match before {
        None => {
            metadata["createdBy"] = json!(who);
            metadata["createdOn"] = json!(now);
            metadata["updatedBy"] = Value::Null;
            metadata["updatedOn"] = Value::Null;
        }
        Some(before) => {
            metadata["createdBy"] = before["createdBy"].clone();
            metadata["createdOn"] = before["createdOn"].clone();
            metadata["updatedBy"] = json!(who);
            metadata["updatedOn"] = json!(now);
        }
    }
    let before = world.resources.get(&call.id(call.len()));
    let mut body = json!({ "properties": properties, "systemData": system_data(world, call, before) });
    for other in ["identity", "location"] {
        if !call.json()[other].is_null() {
            body[other] = call.json()[other].clone();
        }
    }
    // Recorded: 201 even if it existed.
    ASSIGNMENTS.store(world, call, body).with_status(201)
}

fn shown(_: &World, call: &Call, assignment: &Value) -> Value {
    let mut shown = assignment.clone();
    if call.api_version() <= LAST_WITH_SKU {
        shown.as_object_mut().map(|members| members.remove("systemData"));
    }
    if call.api_version() <= LAST_WITH_SKU && call.api_version() >= "2018-03-01" {
        shown["sku"] = json!({ "name": "A0", "tier": "Free" });
    }
    shown
}
