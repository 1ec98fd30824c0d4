//! Virtual machines against the double.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use crate::support::{arm, group, subscription};
use arm_core::{ArmClient, ArmErrorExt as _, Change, ResourceName};
use async_trait::async_trait;
use azure_core::http::{
    Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure, ScriptOutput, Seed};
use resource_ops::{
    ExecutionState, IdentityType, OsType, PrincipalType, RoleAssignmentsClient, RoleId, RunCommandInput,
    RunCommandProperties, ScriptSource, VirtualMachineId, VirtualMachineRunCommandSpec,
    VirtualMachineRunCommandUpdate, VirtualMachineUpdate, VirtualMachinesClient,
};
use serde_json::{Value, json};

const IDENTITY: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
                        Microsoft.ManagedIdentity/userAssignedIdentities/app";

fn vm() -> VirtualMachineId {
    VirtualMachineId::new(&group("rg"), "vm").unwrap()
}

fn seed() -> Seed {
    crate::support::seed()
        .virtual_machine(subscription(), "rg", "vm")
        .virtual_machine(subscription(), "rg-2", "vm-2")
        .vm_file(vm(), "/etc/environment", "LANG=C\nDB_PASSWORD=REDACTED\n")
}

fn client(azure: &MockAzure) -> VirtualMachinesClient {
    VirtualMachinesClient::new(&arm(azure))
}

#[tokio::test]
async fn machines_are_listed_and_read_with_and_without_their_status() {
    let azure = seed().page_size(1).empty_pages().start().await;
    let machines = client(&azure);
    let one = machines.get(&vm()).await.unwrap();
    assert_eq!((one.os_type.clone(), one.vm_size.as_deref()), (Some(OsType::Linux), Some("Standard_B2s")));
    assert_eq!(one.instance_view, None);
    assert_eq!(azure.requests()[0].query("api-version"), Some("2024-03-01"));
    let of_group: Vec<_> = machines.list_by_resource_group(&group("rg")).try_collect().await.unwrap();
    assert_eq!(of_group, std::slice::from_ref(&one));
    let all: Vec<_> = machines.list(&subscription()).try_collect().await.unwrap();
    assert_eq!(all.iter().map(|vm| vm.name.as_str()).collect::<Vec<_>>(), ["vm-2", "vm"]);
    let view = machines.instance_view(&vm()).await.unwrap();
    assert!(view.is_running());
    assert_eq!(machines.get_with_status(&vm()).await.unwrap().instance_view, Some(view.clone()));
    let shown: Vec<_> = machines.list_with_status(&subscription()).try_collect().await.unwrap();
    assert_eq!(shown[1].instance_view, Some(view));
    let gone = VirtualMachineId::new(&group("rg"), "gone").unwrap();
    assert_eq!(machines.get_opt(&gone).await.unwrap(), None);
    assert!(machines.get(&gone).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_change_is_waited_for_and_leaves_the_rest() {
    let azure = seed().operation_polls(3).start().await;
    let machines = client(&azure);
    let update = VirtualMachineUpdate {
        tags: Some([("owner".into(), "soc".into())].into()),
        properties: json!({ "licenseType": "None" }).as_object().unwrap().clone(),
        ..Default::default()
    };
    let changed = machines.update_if_match(&vm(), &update, Some("\"1\"")).await.unwrap();
    assert_eq!(changed.provisioning_state.as_deref(), Some("Succeeded"));
    assert_eq!((changed.tags["owner"].as_str(), changed.vm_size.as_deref()), ("soc", Some("Standard_B2s")));
    let sent = &azure.writes()[0];
    assert_eq!((sent.method.as_str(), sent.header("if-match")), ("PATCH", Some("\"1\"")));
    assert_eq!(sent.body, json!({ "tags": { "owner": "soc" }, "properties": { "licenseType": "None" } }));
}

#[tokio::test]
async fn a_machine_gets_an_identity_and_keeps_those_it_has() {
    let azure = seed().vm_user_identity(vm(), IDENTITY).start().await;
    let machines = client(&azure);
    let preview = machines.enable_system_identity(&vm()).dry_run().await.unwrap();
    assert!(preview.is_change() && azure.writes().is_empty());
    let Change::Updated { before, after } = machines.enable_system_identity(&vm()).await.unwrap() else {
        panic!("nothing was written")
    };
    assert_eq!(before.identity.unwrap().identity_type, IdentityType::UserAssigned);
    let identity = after.identity.unwrap();
    assert!(identity.is_system_assigned() && identity.principal_id.is_some());
    assert!(identity.user_assigned_identities.contains_key(IDENTITY));
    assert_eq!(
        azure.writes()[0].body,
        json!({ "identity": {
            "type": "SystemAssigned, UserAssigned",
            "userAssignedIdentities": { IDENTITY: {} },
        }})
    );
    assert!(!machines.enable_system_identity(&vm()).await.unwrap().is_change());
    assert_eq!(azure.writes().len(), 1);
}

/// Gives the machine an identity directly before another's first change of it.
#[derive(Debug)]
struct Meanwhile(ArmClient, AtomicBool);

#[async_trait]
impl Policy for Meanwhile {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if request.method() == Method::Patch && !self.1.swap(true, Ordering::SeqCst) {
            let identity = json!({ "type": "UserAssigned", "userAssignedIdentities": { IDENTITY: {} } });
            let patch = self.0.patch(&vm(), "2024-03-01").body(&json!({ "identity": identity }));
            patch.poller::<Value>().await?;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[tokio::test]
async fn an_identity_that_somebody_gives_the_machine_meanwhile_is_not_lost() {
    let azure = seed().start().await;
    let mut options = azure.client_options();
    options.per_call_policies.push(Arc::new(Meanwhile(arm(&azure), AtomicBool::new(false))));
    let arm = ArmClient::new(azure.credential(), Some(options.into())).unwrap();
    let change = VirtualMachinesClient::new(&arm).enable_system_identity(&vm()).await.unwrap();
    let identity = change.into_current().identity.unwrap();
    assert!(identity.is_system_assigned() && identity.user_assigned_identities.contains_key(IDENTITY));
    assert_eq!(
        azure.writes().iter().map(|write| write.status).collect::<Vec<_>>(),
        [Some(200), Some(412), Some(200)]
    );
    let etags: Vec<_> =
        azure.writes().iter().map(|write| write.header("if-match").map(str::to_owned)).collect();
    assert!(etags[0].is_none() && etags[1].is_some() && etags[1] != etags[2], "{etags:?}");
}

#[tokio::test]
async fn an_identity_that_is_accepted_but_missing_is_an_error() {
    let azure = seed().start().await;
    let shown = json!({
        "id": vm().to_string(),
        "name": "vm",
        "location": "westeurope",
        "identity": { "type": "SystemAssigned" },
        "properties": {},
    });
    let read_back = Fault::body(200, shown.to_string()).on("GET", "virtualMachines/vm").skip(2);
    azure.inject(read_back);
    let error = client(&azure).enable_system_identity(&vm()).await.unwrap_err();
    assert!(error.to_string().contains("returns the machine without it"), "{error}");
}

#[tokio::test]
async fn a_role_can_be_given_to_an_identity_that_the_directory_does_not_know_yet() {
    let azure = seed().principal_replication(9).start().await;
    let machine = client(&azure).enable_system_identity(&vm()).await.unwrap().into_current();
    let principal = machine.identity.unwrap().principal_id.unwrap();
    let roles = RoleAssignmentsClient::new(&arm(&azure));
    let error = roles.ensure(group("rg"), RoleId::KEY_VAULT_SECRETS_USER, principal).await.unwrap_err();
    assert!(error.to_string().contains("set its principal_type"), "{error}");
    let ensure = roles.ensure(group("rg"), RoleId::KEY_VAULT_SECRETS_USER, principal);
    assert!(ensure.principal_type(PrincipalType::ServicePrincipal).await.unwrap().is_change());
}

#[tokio::test]
async fn an_interrupted_identity_is_finished_by_the_next_run() {
    for at in 1..=4 {
        let azure = seed().vm_user_identity(vm(), IDENTITY).start().await;
        let machines = client(&azure);
        azure.interrupt_at(at);
        assert!(machines.enable_system_identity(&vm()).await.is_err(), "at {at}");
        azure.clear_faults();
        let identity = machines.enable_system_identity(&vm()).await.unwrap().into_current().identity.unwrap();
        assert!(identity.is_system_assigned() && identity.user_assigned_identities.contains_key(IDENTITY));
    }
}

#[tokio::test]
async fn a_script_changes_the_machine_and_its_output_comes_back() {
    let azure = seed()
        .operation_polls(2)
        .on_run_command(|script, files| {
            let name = script.parameter("variable")?;
            let file = files.get_mut("/etc/environment")?;
            *file =
                file.lines().filter(|line| !line.starts_with(name)).map(|line| format!("{line}\n")).collect();
            Some(ScriptOutput::printed(format!("removed {name}\n")))
        })
        .start()
        .await;
    let script = "set -e\nsed -i \"/^$1=/d\" /etc/environment\necho removed $1\necho careful >> /dev/null";
    let input = RunCommandInput::shell(script).parameter("variable", "DB_PASSWORD");
    let result = client(&azure).run_command(&vm(), &input).await.unwrap();
    assert!(result.succeeded());
    assert_eq!((result.stdout().as_str(), result.stderr().as_str()), ("removed DB_PASSWORD\n", ""));
    assert_eq!(azure.vm_file(&vm().to_string(), "/etc/environment").unwrap(), "LANG=C\n");
    let sent = &azure.writes()[0];
    assert_eq!(sent.body["commandId"], "RunShellScript");
    assert_eq!(sent.body["script"].as_array().unwrap().len(), 4);
    assert_eq!(sent.body["parameters"], json!([{ "name": "variable", "value": "DB_PASSWORD" }]));
}

#[tokio::test]
async fn a_script_that_ends_with_an_error_says_so_itself_and_one_that_cannot_run_is_an_error() {
    let azure = seed()
        .vm_deallocated(VirtualMachineId::new(&group("rg-2"), "vm-2").unwrap())
        .on_run_command(|_, _| {
            let stderr = "cat: /none: No such file or directory\n".to_owned();
            Some(ScriptOutput { exit_code: 1, stderr, ..Default::default() })
        })
        .start()
        .await;
    let machines = client(&azure);
    let input = RunCommandInput::shell("cat /none");
    let result = machines.run_command(&vm(), &input).await.unwrap();
    assert!(result.succeeded(), "the command did what it was asked for, whatever the script ended with");
    assert_eq!(result.stderr(), "cat: /none: No such file or directory\n");
    let off = VirtualMachineId::new(&group("rg-2"), "vm-2").unwrap();
    let error = machines.run_command(&off, &input).await.unwrap_err();
    assert!(error.is_conflict() && error.is_code("OperationNotAllowed"), "{error}");
    let windows = machines.run_command(&vm(), &RunCommandInput::powershell("dir")).await.unwrap_err();
    assert_eq!(windows.status(), Some(501), "the double has no Windows machines and says so");
}

#[tokio::test]
async fn a_script_whose_answer_was_lost_is_not_started_again() {
    let azure = seed().on_run_command(|_, _| Some(ScriptOutput::printed("once\n"))).start().await;
    azure.inject(Fault::reset_after_acting().on("POST", "/runCommand"));
    let input = RunCommandInput::shell("echo once");
    assert!(client(&azure).run_command(&vm(), &input).await.is_err());
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn a_managed_command_is_written_read_changed_listed_and_deleted() {
    let azure = seed()
        .on_run_command(|script, files| match script.text {
            "false" => Some(ScriptOutput { exit_code: 1, ..Default::default() }),
            _ => {
                let name = script.parameter("name")?;
                let found =
                    files.get("/etc/environment")?.lines().filter(|line| line.starts_with(name)).count();
                Some(ScriptOutput::printed(format!("{found}\n")))
            }
        })
        .start()
        .await;
    let machines = client(&azure);
    let name: ResourceName = "check".parse().unwrap();
    let properties = RunCommandProperties::builder()
        .source(ScriptSource::script("grep -c \"^$name=\" /etc/environment"))
        .protected_parameters(RunCommandInput::shell("").parameter("name", "DB_PASSWORD").parameters)
        .run_as_password("hunter2")
        .timeout_in_seconds(60)
        .build();
    let spec = VirtualMachineRunCommandSpec::builder().location("westeurope").properties(properties).build();
    assert!(!format!("{spec:?}").contains("hunter2") && !format!("{spec:?}").contains("DB_PASSWORD"));
    let made = machines.create_or_update_run_command(&vm(), &name, &spec).await.unwrap();
    assert_eq!((made.name.as_str(), made.provisioning_state.as_deref()), ("check", Some("Succeeded")));
    assert_eq!(azure.writes()[0].body["properties"]["runAsPassword"], "hunter2");
    assert_eq!(machines.get_run_command(&vm(), &name).await.unwrap().instance_view, None);
    let view = machines.get_run_command_with_output(&vm(), &name).await.unwrap().instance_view.unwrap();
    assert_eq!((view.execution_state, view.output.as_str()), (ExecutionState::Succeeded, "1\n"));
    let update = VirtualMachineRunCommandUpdate {
        properties: RunCommandProperties::builder().source(ScriptSource::script("false")).build(),
        ..Default::default()
    };
    machines.update_run_command(&vm(), &name, &update).await.unwrap();
    let view = machines.get_run_command_with_output(&vm(), &name).await.unwrap().instance_view.unwrap();
    assert_eq!((view.execution_state, view.exit_code), (ExecutionState::Failed, Some(1)));
    let all: Vec<_> = machines.list_run_commands(&vm()).try_collect().await.unwrap();
    assert_eq!(all.len(), 1);
    machines.delete_run_command(&vm(), &name).await.unwrap();
    assert!(machines.get_run_command(&vm(), &name).await.unwrap_err().is_not_found());
    machines.delete_run_command(&vm(), &name).await.unwrap();
}
