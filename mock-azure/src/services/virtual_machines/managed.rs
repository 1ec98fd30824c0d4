//! Managed run commands: scripts that are child resources of a machine.

use serde_json::{Value, json};

use super::{
    VirtualMachines,
    guest::{Script, ScriptOutput},
    now,
    run_command::{may_run, not_implemented, parameters},
};
use crate::{
    http::{Call, Reply},
    state::{Tracked, World, operations},
};

pub(super) const TYPE: &str = "Microsoft.Compute/virtualMachines/runCommands";

/// Write-only properties.
const SECRET: &[&str] = &["protectedParameters", "runAsPassword"];

pub(super) const COMMANDS: Tracked = Tracked {
    kind: TYPE,
    put,
    patch: Some(patch),
    delete,
    shown: |_, call, stored| show(call, stored),
    ..Tracked::ROW
};

/// The output is returned only on request.
fn show(call: &Call, stored: &Value) -> Value {
    let mut shown = stored.clone();
    let wanted = call.query("$expand").is_some_and(|expand| expand.eq_ignore_ascii_case("instanceView"));
    if let Some(properties) = shown["properties"].as_object_mut().filter(|_| !wanted) {
        properties.remove("instanceView");
    }
    shown
}

fn put(world: &mut World, call: &Call) -> Reply {
    let body = call.json();
    let Some(location) = body["location"].as_str() else {
        return Reply::arm_error(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        );
    };
    let was_there = world.resources.contains(&call.id(10));
    let resource = json!({
        "id": COMMANDS.id(world, call),
        "name": call.spelled(9),
        "type": TYPE,
        "location": location,
        "tags": if body["tags"].is_object() { body["tags"].clone() } else { json!({}) },
        "properties": if body["properties"].is_object() { body["properties"].clone() } else { json!({}) },
    });
    execute(world, call, resource, if was_there { 200 } else { 201 })
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let Some(mut resource) = world.resources.get(&call.id(10)).cloned() else {
        return COMMANDS.not_found(call);
    };
    if call.json()["tags"].is_object() {
        resource["tags"] = call.json()["tags"].clone();
    }
    for (key, value) in call.json()["properties"].as_object().into_iter().flatten() {
        resource["properties"][key.as_str()] = value.clone();
    }
    execute(world, call, resource, 200)
}

/// Stores the command and runs its script.
fn execute(world: &mut World, call: &Call, mut resource: Value, status: u16) -> Reply {
    let machine = &call.id(8);
    let source = &resource["properties"]["source"];
    let text = match (source["script"].as_str(), source["scriptUri"].as_str(), source["commandId"].as_str()) {
        (Some(text), ..) => text.to_owned(),
        (None, Some(elsewhere), _) | (None, None, Some(elsewhere)) => return not_implemented(elsewhere),
        (None, None, None) => {
            let message = "Required parameter 'properties.source' is missing (null).";
            return Reply::arm_error(400, "InvalidParameter", message);
        }
    };
    if let Some(refusal) = may_run(world, machine) {
        return refusal;
    }
    let mut given = parameters(&resource["properties"]["parameters"]);
    given.extend(parameters(&resource["properties"]["protectedParameters"]));
    let script = Script { machine, text: &text, parameters: &given };
    let Some(output) = world.states.get_mut::<VirtualMachines>().run(&script) else {
        return not_implemented(call.spelled(9));
    };
    let started = now(world);
    if let Some(properties) = resource["properties"].as_object_mut() {
        properties.retain(|key, _| !SECRET.contains(&key.as_str()));
        properties.entry("asyncExecution").or_insert(json!(false));
        properties.entry("treatFailureAsDeploymentFailure").or_insert(json!(false));
        properties.entry("timeoutInSeconds").or_insert(json!(0));
        properties.insert("provisioningState".to_owned(), json!("Creating"));
        properties.insert(
            "instanceView".to_owned(),
            json!({ "executionState": "Pending", "executionMessage": "", "output": "", "error": "" }),
        );
    }
    let id = resource["id"].as_str().unwrap_or_default().to_owned();
    world.resources.put(resource.clone());
    let target = id.clone();
    let operation = operations::start(world, &id, move |world, outcome| {
        if outcome.is_err() {
            if let Some(stored) = world.resources.get_mut(&target) {
                stored["properties"]["provisioningState"] = json!("Failed");
            }
            return None;
        }
        let ended = now(world);
        let stored = world.resources.get_mut(&target)?;
        let counts = stored["properties"]["treatFailureAsDeploymentFailure"] == true;
        let failed = counts && output.exit_code != 0;
        stored["properties"]["provisioningState"] = json!(if failed { "Failed" } else { "Succeeded" });
        stored["properties"]["instanceView"] = instance_view(&output, &started, &ended);
        None
    });
    operations::pace(world, Reply::json(status, show(call, &resource)))
        .header("azure-asyncoperation", operations::status_link(call, &operation))
}

fn instance_view(output: &ScriptOutput, started: &str, ended: &str) -> Value {
    json!({
        "executionState": if output.exit_code == 0 { "Succeeded" } else { "Failed" },
        "executionMessage": if output.exit_code == 0 { "Execution completed" } else { "Execution failed" },
        "exitCode": output.exit_code,
        "output": output.stdout,
        "error": output.stderr,
        "startTime": started,
        "endTime": ended,
    })
}

fn delete(row: &Tracked, world: &mut World, call: &Call) -> Reply {
    let id = call.id(10);
    if !world.resources.contains(&id) {
        return row.gone(false);
    }
    let target = id.clone();
    let operation = operations::start(world, &id, move |world, outcome| {
        if outcome.is_ok() {
            world.resources.remove_tree(&target);
        }
        None
    });
    operations::accepted(world, call, &operation)
        .header("azure-asyncoperation", operations::status_link(call, &operation))
}
