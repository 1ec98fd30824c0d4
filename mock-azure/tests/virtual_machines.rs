//! Virtual machines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::{MockAzure, ScriptOutput, Seed};
use serde_json::{Value, json};
use support::{Answer, SUB};

const IDENTITY: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
                        Microsoft.ManagedIdentity/userAssignedIdentities/app";

fn vm() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm")
}

fn seed() -> Seed {
    MockAzure::seed().virtual_machine(SUB, "rg", "vm").virtual_machine(SUB, "rg-other", "vm-2").vm_file(
        vm(),
        "/etc/environment",
        "LANG=C\nDB_PASSWORD=REDACTED\n",
    )
}

async fn send(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    let url = format!("https://management.azure.com{path}{mark}api-version=2024-03-01");
    support::send(azure, method, &url, body).await
}

async fn follow(azure: &MockAzure, url: &str) -> Answer {
    loop {
        let answer = support::send(azure, Get, url, Value::Null).await;
        if answer.status != 202 && answer.body["status"] != "InProgress" {
            return answer;
        }
    }
}

#[tokio::test]
async fn machines_are_listed_by_group_and_by_subscription() {
    let azure = seed().page_size(1).start().await;
    let group = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines");
    let list = send(&azure, Get, &group, Value::Null).await.body;
    assert_eq!((list["value"].as_array().unwrap().len(), &list["nextLink"]), (1, &Value::Null));
    let all = format!("/subscriptions/{SUB}/providers/Microsoft.Compute/virtualMachines?statusOnly=true");
    let first = send(&azure, Get, &all, Value::Null).await.body;
    assert_eq!(first["value"][0]["properties"]["instanceView"]["statuses"][1]["code"], "PowerState/running");
    assert!(first["nextLink"].is_string());
}

#[tokio::test]
async fn a_machine_shows_its_status_only_when_asked() {
    let azure = seed().vm_deallocated(vm()).start().await;
    let plain = send(&azure, Get, &vm(), Value::Null).await.body;
    assert_eq!(plain["properties"]["instanceView"], Value::Null);
    let expanded = send(&azure, Get, &format!("{}?$expand=instanceView", vm()), Value::Null).await.body;
    let view = send(&azure, Get, &format!("{}/instanceView", vm()), Value::Null).await.body;
    assert_eq!(expanded["properties"]["instanceView"], view);
    assert_eq!(view["statuses"][1]["code"], "PowerState/deallocated");
    let missing = send(&azure, Get, &vm().replace("/vm", "/gone"), Value::Null).await;
    assert_eq!((missing.status, missing.code()), (404, "ResourceNotFound"));
}

#[tokio::test]
async fn an_identity_is_given_by_a_long_running_patch() {
    let azure = seed().start().await;
    let body = json!({ "identity": { "type": "SystemAssigned" }, "properties": { "futureSetting": 1 } });
    let answer = send(&azure, Patch, &vm(), body).await;
    assert_eq!(answer.body["properties"]["provisioningState"], "Updating");
    let ended = follow(&azure, answer.header("azure-asyncoperation")).await;
    assert_eq!(ended.body["status"], "Succeeded");
    let read = send(&azure, Get, &vm(), Value::Null).await.body;
    assert_eq!(read["properties"]["provisioningState"], "Succeeded");
    assert_eq!(read["properties"]["futureSetting"], 1);
    assert_eq!(read["properties"]["hardwareProfile"]["vmSize"], "Standard_B2s");
    assert_eq!(read["identity"]["type"], "SystemAssigned");
    assert!(uuid::Uuid::parse_str(read["identity"]["principalId"].as_str().unwrap()).is_ok());
}

#[tokio::test]
async fn a_type_without_user_assigned_takes_those_identities_away() {
    let azure = seed().vm_user_identity(vm(), IDENTITY).start().await;
    let both = json!({ "identity": { "type": "SystemAssigned, UserAssigned" } });
    let kept = send(&azure, Patch, &vm(), both).await.body;
    assert!(kept["identity"]["userAssignedIdentities"][IDENTITY].is_object());
    let one = json!({ "identity": { "type": "SystemAssigned" } });
    let lost = send(&azure, Patch, &vm(), one).await.body;
    assert_eq!(lost["identity"]["userAssignedIdentities"], Value::Null);
    assert_eq!(lost["identity"]["principalId"], kept["identity"]["principalId"]);
}

#[tokio::test]
async fn the_directory_takes_a_while_to_know_a_new_identity() {
    let azure = seed().principal_replication(1).start().await;
    let body = json!({ "identity": { "type": "SystemAssigned" } });
    let principal = send(&azure, Patch, &vm(), body).await.body["identity"]["principalId"].clone();
    let assign = async || {
        let path = format!(
            "https://management.azure.com/subscriptions/{SUB}/providers/Microsoft.Authorization/roleAssignments/\
             00000000-0000-0000-0000-00000000000e?api-version=2022-04-01"
        );
        let role = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
        let role = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{role}");
        let body = json!({ "properties": { "roleDefinitionId": role, "principalId": principal } });
        support::send(&azure, Put, &path, body).await
    };
    assert_eq!(assign().await.code(), "PrincipalNotFound");
    assert_eq!(assign().await.status, 201);
}

#[tokio::test]
async fn a_script_is_given_to_the_closure_and_its_output_comes_with_the_end_of_the_operation() {
    let azure = seed()
        .on_run_command(|script, files| {
            assert_eq!((script.machine, script.text), (vm().as_str(), "set -e\nremove $1"));
            let name = script.parameter("variable")?;
            files.get_mut("/etc/environment")?.retain(|c| c != 'L');
            Some(ScriptOutput { stderr: "careful\n".to_owned(), ..ScriptOutput::printed(name) })
        })
        .start()
        .await;
    let body = json!({
        "commandId": "RunShellScript",
        "script": ["set -e", "remove $1"],
        "parameters": [{ "name": "variable", "value": "DB_PASSWORD" }],
    });
    let accepted = send(&azure, Post, &format!("{}/runCommand", vm()), body.clone()).await;
    assert_eq!((accepted.status, &accepted.body), (202, &Value::Null));
    let busy = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    assert_eq!((busy.status, busy.code()), (409, "Conflict"));
    let result = follow(&azure, accepted.header("location")).await;
    assert_eq!(result.status, 200);
    let status = &result.body["value"][0];
    assert_eq!(status["code"], "ProvisioningState/succeeded");
    assert_eq!(status["message"], "Enable succeeded: \n[stdout]\nDB_PASSWORD\n[stderr]\ncareful\n");
    let status = follow(&azure, accepted.header("azure-asyncoperation")).await.body;
    assert_eq!(status["properties"]["output"], result.body);
    assert_eq!(azure.vm_file(&vm(), "/etc/environment").unwrap(), "ANG=C\nDB_PASSWORD=REDACTED\n");
}

#[tokio::test]
async fn a_script_that_ends_with_an_error_is_no_failure_of_the_command() {
    let azure = seed()
        .on_run_command(|_, _| {
            Some(ScriptOutput {
                exit_code: 127,
                stderr: "sh: 1: foo: not found\n".to_owned(),
                ..Default::default()
            })
        })
        .start()
        .await;
    let body = json!({ "commandId": "RunShellScript", "script": ["foo"] });
    let accepted = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    let result = follow(&azure, accepted.header("location")).await.body;
    assert_eq!((&result["value"][0]["level"], &result["value"][1]), (&json!("Info"), &Value::Null));
    let message = "Enable succeeded: \n[stdout]\n\n[stderr]\nsh: 1: foo: not found\n";
    assert_eq!(result["value"][0]["message"], message);
}

#[tokio::test]
async fn a_script_that_no_one_knows_is_501_and_recorded() {
    let body = json!({ "commandId": "RunShellScript", "script": ["apt-get update"] });
    let managed = json!({ "location": "westeurope", "properties": { "source": { "script": "reboot" } } });
    let without = seed().start().await;
    let declining = seed().on_run_command(|_, _| None).start().await;
    for azure in [without, declining] {
        let answer = send(&azure, Post, &format!("{}/runCommand", vm()), body.clone()).await;
        assert_eq!(answer.status, 501);
        let path = format!("{}/runCommands/check", vm());
        assert_eq!(send(&azure, Put, &path, managed.clone()).await.status, 501);
        assert_eq!(azure.unknown_requests().len(), 2);
        assert_eq!(send(&azure, Get, &path, Value::Null).await.status, 404);
    }
}

#[tokio::test]
async fn the_demo_knows_its_two_scripts_and_no_other() {
    let azure = MockAzure::seed().demo(SUB).start().await;
    let machine = format!(
        "/subscriptions/{SUB}/resourceGroups/rg-lab/providers/Microsoft.Compute/virtualMachines/vm-lab/runCommand"
    );
    let run = async |script: &str| {
        let body = json!({ "commandId": "RunShellScript", "script": [script] });
        let answer = send(&azure, Post, &machine, body).await;
        if answer.status == 202 {
            let result = follow(&azure, answer.header("location")).await.body;
            return result["value"][0]["message"].as_str().unwrap().to_owned();
        }
        answer.status.to_string()
    };
    assert!(run("cat /etc/environment").await.contains("DB_PASSWORD=REDACTED"));
    run("sed -i '/^DB_PASSWORD=/d' /etc/environment").await;
    let left = run("cat /etc/environment").await;
    assert!(left.contains("PATH=") && !left.contains("DB_PASSWORD"), "{left}");
    for unknown in ["cat /etc/none", "sed -i '/^.*=/d' /etc/environment", "rm -r /"] {
        assert_eq!(run(unknown).await, "501");
    }
}

#[tokio::test]
async fn nothing_runs_in_a_machine_that_is_off() {
    let azure = seed().vm_deallocated(vm()).start().await;
    let body = json!({ "commandId": "RunShellScript", "script": ["true"] });
    let refused = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    assert_eq!((refused.status, refused.code()), (409, "OperationNotAllowed"));
}

#[tokio::test]
async fn a_managed_command_keeps_its_output_and_hides_its_secrets() {
    let azure = seed()
        .on_run_command(|script, files| match script.text {
            "look" => {
                let name = script.parameter("name")?;
                let found = files.get("/etc/environment")?.contains(name);
                Some(ScriptOutput {
                    exit_code: 2,
                    ..ScriptOutput::printed(if found { "1\n" } else { "0\n" })
                })
            }
            "hostname" => Some(ScriptOutput::printed("vm\n")),
            _ => None,
        })
        .start()
        .await;
    let path = format!("{}/runCommands/check", vm());
    let body = json!({
        "location": "westeurope",
        "properties": {
            "source": { "script": "look" },
            "protectedParameters": [{ "name": "name", "value": "DB_PASSWORD" }],
        },
    });
    let made = send(&azure, Put, &path, body).await;
    assert_eq!((made.status, &made.body["properties"]["provisioningState"]), (201, &json!("Creating")));
    assert!(!made.body.to_string().contains("DB_PASSWORD"));
    follow(&azure, made.header("azure-asyncoperation")).await;
    let plain = send(&azure, Get, &path, Value::Null).await.body;
    assert_eq!(plain["properties"]["instanceView"], Value::Null);
    assert_eq!(plain["properties"]["provisioningState"], "Succeeded");
    let shown = send(&azure, Get, &format!("{path}?$expand=instanceView"), Value::Null).await.body;
    let view = &shown["properties"]["instanceView"];
    assert_eq!((&view["executionState"], &view["exitCode"]), (&json!("Failed"), &json!(2)));
    assert_eq!(view["output"], "1\n");
    let changed = json!({ "properties": { "source": { "script": "hostname" } } });
    let patched = send(&azure, Patch, &path, changed).await;
    follow(&azure, patched.header("azure-asyncoperation")).await;
    let list =
        send(&azure, Get, &format!("{}/runCommands?$expand=instanceView", vm()), Value::Null).await.body;
    assert_eq!(list["value"][0]["properties"]["instanceView"]["output"], "vm\n");
    let deleted = send(&azure, Delete, &path, Value::Null).await;
    assert_eq!(deleted.status, 202);
    follow(&azure, deleted.header("location")).await;
    assert_eq!(send(&azure, Get, &path, Value::Null).await.status, 404);
    assert_eq!(send(&azure, Delete, &path, Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_failed_update_says_why() {
    let azure =
        seed().operation_fails("virtualMachines/vm", "AllocationFailed", "No capacity.").start().await;
    let body = json!({ "identity": { "type": "SystemAssigned" } });
    let answer = send(&azure, Patch, &vm(), body).await;
    let ended = follow(&azure, answer.header("azure-asyncoperation")).await.body;
    assert_eq!((&ended["status"], &ended["error"]["code"]), (&json!("Failed"), &json!("AllocationFailed")));
}
