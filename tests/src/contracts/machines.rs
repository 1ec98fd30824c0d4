//! Virtual machines and their run commands.

use crate::{Contract, all, delete, done, get, one, patch, post, put};
use futures::FutureExt as _;
use resource_ops::{
    IdentityUpdate, RunCommandInput, RunCommandProperties, ScriptSource, VirtualMachineId,
    VirtualMachineRunCommandSpec, VirtualMachineRunCommandUpdate, VirtualMachineUpdate,
    VirtualMachinesClient,
};
use serde_json::json;

use super::common::{GROUP, MACHINE, SUBSCRIPTION, group, name, subscription};

const VERSION: &str = "2024-03-01";

fn id() -> VirtualMachineId {
    MACHINE.parse().unwrap()
}

pub(super) fn contracts() -> Vec<Contract> {
    [machines(), run_commands()].concat()
}

fn machines() -> Vec<Contract> {
    let client = VirtualMachinesClient::new;
    let machines = "/providers/Microsoft.Compute/virtualMachines";
    let list =
        |contract: Contract| contract.answers("virtual_machines/list.json").pages().model("VirtualMachine");
    let single = |contract: Contract| {
        contract
            .answers("virtual_machines/get.json")
            .model("VirtualMachine")
            .fixed_words(&["provisioningState"])
    };
    vec![
        list(get("VirtualMachines_List", format!("{GROUP}{machines}"), VERSION))
            .call(move |arm| all(client(&arm).list_by_resource_group(&group()))),
        list(get("VirtualMachines_ListAll", format!("{SUBSCRIPTION}{machines}"), VERSION))
            .call(move |arm| all(client(&arm).list(&subscription()))),
        list(get("VirtualMachines_ListAll", format!("{SUBSCRIPTION}{machines}?statusOnly=true"), VERSION))
            .variant("with_status")
            .call(move |arm| all(client(&arm).list_with_status(&subscription()))),
        single(get("VirtualMachines_Get", MACHINE, VERSION))
            .call(move |arm| one(async move { client(&arm).get(&id()).await })),
        single(get("VirtualMachines_Get", format!("{MACHINE}?$expand=instanceView"), VERSION))
            .variant("with_status")
            .call(move |arm| one(async move { client(&arm).get_with_status(&id()).await })),
        get("VirtualMachines_InstanceView", format!("{MACHINE}/instanceView"), VERSION)
            .answers("virtual_machines/instance_view.json")
            .call(move |arm| one(async move { client(&arm).instance_view(&id()).await })),
        single(patch("VirtualMachines_Update", MACHINE, VERSION))
            .header("if-match", "\"1\"")
            .sends(json!({ "identity": { "type": "SystemAssigned" } }))
            .long_running()
            .call(move |arm| {
                let identity = Some(IdentityUpdate::with_system_identity(None));
                let update = VirtualMachineUpdate { identity, ..Default::default() };
                done(client(&arm).update_if_match(&id(), &update, Some("\"1\"")))
            }),
        post("VirtualMachines_RunCommand", format!("{MACHINE}/runCommand"), VERSION)
            .sends(json!({
                "commandId": "RunShellScript",
                "script": ["echo hello", "echo warned >&2"],
                "parameters": [{ "name": "path", "value": "REDACTED" }],
            }))
            .answers("virtual_machines/run_command.json")
            .long_running()
            .call(move |arm| {
                let input =
                    RunCommandInput::shell("echo hello\necho warned >&2").parameter("path", "REDACTED");
                let command = client(&arm).run_command(&id(), &input);
                async move {
                    let result = command.await?;
                    Ok(vec![format!("{} {:?} {:?}", result.succeeded(), result.stdout(), result.stderr())])
                }
                .boxed()
            }),
    ]
}

fn run_commands() -> Vec<Contract> {
    let client = VirtualMachinesClient::new;
    let commands = format!("{MACHINE}/runCommands");
    let scan = format!("{commands}/scan");
    let single = |contract: Contract| {
        contract
            .answers("run_commands/get.json")
            .model("VirtualMachineRunCommand")
            .fixed_words(&["provisioningState"])
    };
    vec![
        get("VirtualMachineRunCommands_ListByVirtualMachine", &commands, VERSION)
            .answers("run_commands/list.json")
            .pages()
            .model("VirtualMachineRunCommand")
            .call(move |arm| all(client(&arm).list_run_commands(&id()))),
        single(get(
            "VirtualMachineRunCommands_GetByVirtualMachine",
            format!("{scan}?$expand=instanceView"),
            VERSION,
        ))
        .call(move |arm| {
            one(async move { client(&arm).get_run_command_with_output(&id(), &name("scan")).await })
        }),
        single(put("VirtualMachineRunCommands_CreateOrUpdate", &scan, VERSION))
            .sends(json!({
                "location": "westeurope",
                "properties": { "source": { "script": "echo hello" }, "timeoutInSeconds": 60 },
            }))
            .long_running()
            .call(move |arm| {
                let properties = RunCommandProperties::builder()
                    .source(ScriptSource::script("echo hello"))
                    .timeout_in_seconds(60)
                    .build();
                let spec = VirtualMachineRunCommandSpec::builder()
                    .location("westeurope")
                    .properties(properties)
                    .build();
                done(client(&arm).create_or_update_run_command(&id(), &name("scan"), &spec))
            }),
        single(patch("VirtualMachineRunCommands_Update", &scan, VERSION))
            .sends(json!({ "properties": { "runAsUser": "operator", "runAsPassword": "REDACTED" } }))
            .long_running()
            .call(move |arm| {
                let properties = RunCommandProperties::builder()
                    .run_as_user("operator")
                    .run_as_password("REDACTED")
                    .build();
                let update = VirtualMachineRunCommandUpdate { properties, ..Default::default() };
                done(client(&arm).update_run_command(&id(), &name("scan"), &update))
            }),
        delete("VirtualMachineRunCommands_Delete", &scan, VERSION)
            .long_running()
            .call(move |arm| done(client(&arm).delete_run_command(&id(), &name("scan")))),
    ]
}
