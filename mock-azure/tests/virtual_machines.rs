//! Virtual machines.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::{MockAzure, Seed};
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
async fn a_script_runs_to_its_end_and_really_changes_the_machine() {
    let azure = seed().start().await;
    let body = json!({
        "commandId": "RunShellScript",
        "script": ["set -e", "sed -i \"/^$1=/d\" /etc/environment", "echo removed $1"],
        "parameters": [{ "name": "variable", "value": "DB_PASSWORD" }],
    });
    let accepted = send(&azure, Post, &format!("{}/runCommand", vm()), body.clone()).await;
    assert_eq!(accepted.status, 202);
    let busy = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    assert_eq!((busy.status, busy.code()), (409, "Conflict"));
    let result = follow(&azure, accepted.header("location")).await;
    assert_eq!(result.status, 200);
    let status = &result.body["value"][0];
    assert_eq!(status["code"], "ProvisioningState/succeeded");
    assert_eq!(status["message"], "Enable succeeded: \n[stdout]\nremoved DB_PASSWORD\n\n[stderr]\n");
    assert_eq!(azure.vm_file(&vm(), "/etc/environment").unwrap(), "LANG=C\n");
}

#[tokio::test]
async fn a_script_that_fails_says_so() {
    let azure = seed().start().await;
    let body = json!({ "commandId": "RunShellScript", "script": ["grep -q NOTHING /etc/environment"] });
    let accepted = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    let result = follow(&azure, accepted.header("location")).await.body;
    assert_eq!(result["value"][0]["level"], "Error");
    assert!(result["value"][0]["message"].as_str().unwrap().contains("exit status=1"));
}

#[tokio::test]
async fn a_script_that_the_double_cannot_run_is_501_and_not_half_run() {
    let azure = seed().start().await;
    let body = json!({ "commandId": "RunShellScript", "script": ["rm /etc/environment", "apt-get update"] });
    let answer = send(&azure, Post, &format!("{}/runCommand", vm()), body).await;
    assert_eq!(answer.status, 501);
    assert!(answer.message().contains("apt-get"), "{}", answer.message());
    assert_eq!(azure.unknown_requests().len(), 1);
    assert!(azure.vm_file(&vm(), "/etc/environment").is_some());
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
    let azure = seed().start().await;
    let path = format!("{}/runCommands/check", vm());
    let body = json!({
        "location": "westeurope",
        "properties": {
            "source": { "script": "grep -c \"^$name=\" /etc/environment; grep -q $name /etc/none" },
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
