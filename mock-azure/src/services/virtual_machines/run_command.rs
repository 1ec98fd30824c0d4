//! Run command as an action: one script at a time, with its output in the final response.

use serde_json::{Value, json};

use super::{
    VirtualMachines,
    guest::{Script, ScriptOutput},
};
use crate::{
    http::{Call, Reply},
    state::{World, operations},
};

pub(super) fn run(world: &mut World, call: &Call, id: &str) -> Reply {
    let body = call.json();
    let Some(command) = body["commandId"].as_str() else {
        let message = "Required parameter 'commandId' is missing (null).";
        return Reply::arm_error(400, "InvalidParameter", message);
    };
    let lines: Vec<&str> =
        body["script"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    // A command without its own script lines runs one of Azure's scripts, which are unknown here.
    if !command.eq_ignore_ascii_case("RunShellScript") || lines.is_empty() {
        return not_implemented(command);
    }
    if let Some(refusal) = may_run(world, id) {
        return refusal;
    }
    // A separate target, so that reading the machine does not advance the script.
    let target = format!("{id}/runCommand");
    // Documented: one script at a time.
    if operations::running_on(world, &target).is_some() {
        let message = "Run command extension execution is in progress. Please wait for completion before invoking a \
                       run command.";
        return Reply::arm_error(409, "Conflict", message);
    }
    let (text, parameters) = (lines.join("\n"), parameters(&body["parameters"]));
    let script = Script { machine: id, text: &text, parameters: &parameters };
    let Some(output) = world.states.get_mut::<VirtualMachines>().run(&script) else {
        return not_implemented(command);
    };
    let operation = operations::start(world, &target, move |_, outcome| {
        outcome.ok()?;
        Some(result(&output))
    });
    operations::accepted(world, call, &operation)
        .header("azure-asyncoperation", operations::status_link(call, &operation))
}

/// The response to a script that nothing here can run.
pub(super) fn not_implemented(what: &str) -> Reply {
    Reply::not_implemented(format!(
        "how to run '{what}' on a machine; nothing was run. Define its effect with Seed::on_run_command"
    ))
}

/// Returns the refusal if no script can run on the machine now. Documented: it must be running.
pub(super) fn may_run(world: &World, id: &str) -> Option<Reply> {
    if world.states.get::<VirtualMachines>().power(id) == "running" {
        return None;
    }
    let message = "The operation requires the VM to be running (or set to run).";
    Some(Reply::arm_error(409, "OperationNotAllowed", message))
}

/// The name and value of each parameter.
pub(super) fn parameters(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().into_iter().flatten().map(|item| (text(&item["name"]), text(&item["value"]))).collect()
}

/// The result of the extension, which succeeds if the script ran to its end, whatever its exit code.
fn result(output: &ScriptOutput) -> Value {
    json!({ "value": [{
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "message": format!("Enable succeeded: \n[stdout]\n{}\n[stderr]\n{}", output.stdout, output.stderr),
    }] })
}
