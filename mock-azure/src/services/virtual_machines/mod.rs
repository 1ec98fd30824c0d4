//! Virtual machines: identity, status, and scripts that run on them.

mod guest;
mod managed;
mod run_command;
mod seeds;

use serde_json::{Value, json};

pub(crate) use self::guest::VirtualMachines;
pub use self::guest::{Files, Script, ScriptOutput};
use crate::{
    http::{
        Call, Method, Reply,
        identity::{Principal, PrincipalKind},
        timestamp,
    },
    services::directory,
    state::{Accepts, At, Surface, Tracked, World, operations, stable_id},
};

const TYPE: &str = "Microsoft.Compute/virtualMachines";
const VERSIONS: &[&str] = &[
    "2020-06-01",
    "2021-07-01",
    "2022-08-01",
    "2022-11-01",
    "2023-03-01",
    "2023-07-01",
    "2023-09-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
    "2025-11-01",
    "2026-04-01",
];

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(TYPE, VERSIONS), (managed::TYPE, VERSIONS)],
    options: &[("$expand", Accepts::Words(&["instanceView"]))],
    answer,
    ..Surface::EMPTY
};

const MACHINES: Tracked = Tracked {
    kind: TYPE,
    patch: Some(patch),
    delete: |_, _, _| Reply::not_implemented("how a machine is deleted"),
    shown: |world, call, machine| show(world, machine, wants_status(call)),
    ..Tracked::ROW
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if let Some(reply) = [MACHINES, managed::COMMANDS].iter().find_map(|kind| kind.answer(world, call)) {
        return Some(reply);
    }
    let (4, rest) = call.extension("microsoft.compute", "virtualmachines")? else { return None };
    let act: fn(&mut World, &Call, &str) -> Reply = match (call.method, rest.as_slice()) {
        (Method::Get, [_, "instanceview"]) => |world, _, id| Reply::ok(instance_view(world, id)),
        (Method::Post, [_, "runcommand"]) => run_command::run,
        _ => return None,
    };
    let id = call.id(8);
    Some(if world.resources.contains(&id) { act(world, call, &id) } else { MACHINES.not_found(call) })
}

/// Whether the response includes the status: with `$expand=instanceView` or, in a list, `statusOnly=true`.
fn wants_status(call: &Call) -> bool {
    call.query("$expand").is_some_and(|expand| expand.eq_ignore_ascii_case("instanceView"))
        || call.query("statusOnly").is_some_and(|only| only.eq_ignore_ascii_case("true"))
}

fn show(world: &World, machine: &Value, with_status: bool) -> Value {
    let mut shown = machine.clone();
    if with_status {
        let id = machine["id"].as_str().unwrap_or_default();
        shown["properties"]["instanceView"] = instance_view(world, id);
    }
    shown
}

fn instance_view(world: &World, id: &str) -> Value {
    let power = world.states.get::<VirtualMachines>().power(id);
    let machine = world.resources.get(id).unwrap_or(&Value::Null);
    let linux = machine["properties"]["storageProfile"]["osDisk"]["osType"] != "Windows";
    let time = "2026-03-01T12:42:42+00:00";
    let mut view = json!({
        "computerName": machine["name"],
        "osName": if linux { "ubuntu" } else { "Windows Server 2022 Datacenter" },
        "osVersion": if linux { "22.04" } else { "10.0.20348.2227" },
        "hyperVGeneration": "V2",
        "statuses": [
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "time": time,
            },
            { "code": format!("PowerState/{power}"), "level": "Info", "displayStatus": format!("VM {power}") },
        ],
    });
    if power == "running" {
        view["vmAgent"] = json!({
            "vmAgentVersion": "2.9.1.1",
            "statuses": [{
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Ready",
                "message": "Guest Agent is running",
                "time": time,
            }],
        });
    }
    view
}

/// Updates tags, identity and properties; other members stay.
fn patch(world: &mut World, call: &Call) -> Reply {
    let (id, body) = (call.id(8), call.json());
    let etag = world.fresh_etag();
    let current = world.resources.get(&id).and_then(|machine| machine["etag"].as_str());
    // Documented: `If-Match` prevents overwriting other callers' changes.
    if call.header("if-match").zip(current).is_some_and(|(asked, current)| asked != "*" && asked != current) {
        let message = "The precondition given in the request headers is not met.";
        return Reply::arm_error(412, "PreconditionFailed", message);
    }
    let identity = match identity(world, &id, &body["identity"]) {
        Ok(identity) => identity,
        Err(refusal) => return *refusal,
    };
    let Some(machine) = world.resources.get_mut(&id) else { return MACHINES.not_found(call) };
    if let Some(identity) = identity {
        machine["identity"] = identity;
        if machine["identity"].is_null()
            && let Some(machine) = machine.as_object_mut()
        {
            machine.remove("identity");
        }
    }
    if body["tags"].is_object() {
        machine["tags"] = body["tags"].clone();
    }
    merge(&mut machine["properties"], &body["properties"]);
    machine["etag"] = json!(etag);
    machine["properties"]["provisioningState"] = json!("Updating");
    let shown = machine.clone();
    let operation = operations::start(world, &id.clone(), move |world, outcome| {
        let machine = world.resources.get_mut(&id)?;
        let state = if outcome.is_ok() { "Succeeded" } else { "Failed" };
        machine["properties"]["provisioningState"] = json!(state);
        None
    });
    operations::pace(world, Reply::ok(shown))
        .header("azure-asyncoperation", operations::status_link(call, &operation))
}

/// Merges the fields of one object into another, recursively.
fn merge(there: &mut Value, new: &Value) {
    match (there, new) {
        (there @ Value::Object(_), Value::Object(new)) => {
            for (key, value) in new {
                merge(&mut there[key.as_str()], value);
            }
        }
        (_, Value::Null) => {}
        (there, new) => *there = new.clone(),
    }
}

/// The identity after a request. `None` if the request does not contain one. A type without `UserAssigned` removes all
/// user-assigned identities. Documented: the types of identity.
fn identity(world: &mut World, id: &str, asked: &Value) -> Result<Option<Value>, Box<Reply>> {
    let Some(kind) = asked["type"].as_str() else { return Ok(None) };
    let (mut system, mut user) = (false, false);
    for part in kind.split(',').map(str::trim) {
        match part.to_ascii_lowercase().as_str() {
            "systemassigned" => system = true,
            "userassigned" => user = true,
            "none" if kind.trim().eq_ignore_ascii_case("none") => return Ok(Some(Value::Null)),
            _ => {
                let message = format!("The value '{kind}' of parameter 'identity.type' is invalid.");
                return Err(Box::new(Reply::arm_error(400, "InvalidParameter", message)));
            }
        }
    }
    let there = world.resources.get(id).map(|machine| machine["identity"].clone()).unwrap_or_default();
    let mut identity = json!({});
    if system {
        let principal = match there["principalId"].as_str() {
            Some(principal) => principal.to_owned(),
            None => create_principal(world, id),
        };
        identity["principalId"] = json!(principal);
        identity["tenantId"] = json!(world.tenant);
    }
    if user {
        let mut assigned = there["userAssignedIdentities"].as_object().cloned().unwrap_or_default();
        for (name, value) in asked["userAssignedIdentities"].as_object().into_iter().flatten() {
            let known = assigned.keys().find(|known| known.eq_ignore_ascii_case(name)).cloned();
            match (value, known) {
                (Value::Null, known) => drop(known.and_then(|known| assigned.remove(&known))),
                (_, Some(_)) => {}
                (_, None) => drop(assigned.insert(name.clone(), user_assigned(name))),
            }
        }
        if assigned.is_empty() {
            let message = "The identity type 'UserAssigned' needs at least one user assigned identity.";
            return Err(Box::new(Reply::arm_error(400, "InvalidIdentityValue", message)));
        }
        identity["userAssignedIdentities"] = Value::Object(assigned);
    }
    identity["type"] = json!(match (system, user) {
        (true, true) => "SystemAssigned, UserAssigned",
        (true, false) => "SystemAssigned",
        _ => "UserAssigned",
    });
    Ok(Some(identity))
}

fn user_assigned(id: &str) -> Value {
    json!({ "principalId": stable_id(&format!("principal/{id}")), "clientId": stable_id(&format!("client/{id}")) })
}

/// Creates the service principal of a machine, which the directory may not find immediately.
fn create_principal(world: &mut World, id: &str) -> String {
    let object_id = stable_id(&format!("principal/{}", id.to_ascii_lowercase()));
    let principal = Principal {
        object_id: object_id.clone(),
        display_name: id.rsplit('/').next().unwrap_or_default().to_owned(),
        kind: PrincipalKind::ServicePrincipal {
            app_id: stable_id(&format!("client/{}", id.to_ascii_lowercase())),
        },
    };
    directory::add(world, principal);
    object_id
}

fn now(world: &World) -> String {
    timestamp::precise(world.now())
}
