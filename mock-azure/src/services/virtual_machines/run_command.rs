//! Run command, the action: one script at a time, its output in the final answer.

use serde_json::{Value, json};

use super::{guest::Outcome, shell::Script, status};
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
    if !command.eq_ignore_ascii_case("RunShellScript") {
        return unknown_command(command);
    }
    let lines: Vec<&str> =
        body["script"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if lines.is_empty() {
        let message = "Required parameter 'script' is missing (null).";
        return Reply::arm_error(400, "InvalidParameter", message);
    }
    let (script, parameters) = match (Script::parse(&lines.join("\n")), parameters(&body["parameters"])) {
        (Ok(script), parameters) => (script, parameters),
        (Err(unknown), _) => return not_implemented(&unknown),
    };
    if let Some(refusal) = may_run(world, id) {
        return refusal;
    }
    // A target of its own: reading the machine does not move the script on.
    let target = format!("{id}/runCommand");
    if operations::running_on(world, &target).is_some() {
        let message = "Run command extension execution is in progress. Please wait for completion before invoking a \
                       run command.";
        return Reply::arm_error(409, "Conflict", message);
    }
    let machine = id.to_owned();
    let operation = operations::start(world, &target, move |world, outcome| {
        outcome.ok()?;
        let outcome = world.states.virtual_machines.guest(&machine).run(&script, &parameters);
        Some(result(&outcome))
    });
    operations::accepted(world, call, &operation)
        .header("azure-asyncoperation", operations::status_link(call, &operation))
}

fn unknown_command(command: &str) -> Reply {
    let known = ["RunPowerShellScript", "EnableRemotePS", "ifconfig", "RDPSettings"];
    if known.iter().any(|known| known.eq_ignore_ascii_case(command)) {
        return not_implemented(command);
    }
    let message = format!("The entity '{command}' was not found.");
    Reply::arm_error(404, "NotFound", message)
}

/// The double does not pretend to have run what it does not know.
pub(super) fn not_implemented(what: &str) -> Reply {
    let message = format!("mock-azure does not know how to run '{what}' in a machine; nothing was run");
    Reply::arm_error(501, "MockNotImplemented", message)
}

/// Whether a script can run in the machine now.
pub(super) fn may_run(world: &mut World, id: &str) -> Option<Reply> {
    if world.states.virtual_machines.guest(id).power == "running" {
        return None;
    }
    let message = "The operation requires the VM to be running (or set to run).";
    Some(Reply::arm_error(409, "OperationNotAllowed", message))
}

/// Name and value of each parameter.
pub(super) fn parameters(list: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    list.as_array().into_iter().flatten().map(|item| (text(&item["name"]), text(&item["value"]))).collect()
}

fn result(outcome: &Outcome) -> Value {
    let streams = format!("\n[stdout]\n{}\n[stderr]\n{}", outcome.stdout, outcome.stderr);
    let shown = match outcome.exit_code {
        0 => status(
            "ProvisioningState/succeeded",
            "Info",
            "Provisioning succeeded",
            format!("Enable succeeded: {streams}"),
        ),
        code => status(
            "ProvisioningState/failed/1",
            "Error",
            "Provisioning failed",
            format!(
                "Enable failed: failed to execute command: command terminated with exit status={code}{streams}"
            ),
        ),
    };
    json!({ "value": [shown] })
}
