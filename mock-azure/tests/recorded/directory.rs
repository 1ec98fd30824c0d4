//! Role assignments, role definitions, run command.

use azure_core::http::Method::{Get, Post};
use mock_azure::{MockAzure, ScriptOutput};
use serde_json::{Value, json};

use crate::{get, group, put, send, support, support::SUB};

const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";

/// Row 8.
#[tokio::test]
async fn a_role_assignment_written_again_with_another_description_is_201_and_has_it() {
    let azure = MockAzure::seed().resource_group(SUB, "rg", "westeurope").start().await;
    let path = format!(
        "{}/providers/Microsoft.Authorization/roleAssignments/88888888-0000-0000-0000-000000000001",
        group()
    );
    let role = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    let body = |text: &str| {
        json!({ "properties": {
            "roleDefinitionId": role, "principalId": azure.signed_in(), "principalType": "User", "description": text,
        } })
    };
    for text in ["the first", "another"] {
        let made = put(&azure, &path, "2022-04-01", body(text)).await;
        assert_eq!((made.status, &made.body["properties"]["description"]), (201, &json!(text)));
        assert_eq!(made.body["properties"]["roleDefinitionId"], json!(role));
    }
    assert_eq!(get(&azure, &path, "2022-04-01").await.body["properties"]["description"], "another");
}

/// Row 16.
#[tokio::test]
async fn permissions_of_a_role_have_a_condition() {
    let azure = MockAzure::seed().start().await;
    let path = format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}");
    let role = get(&azure, &path, "2022-05-01-preview").await.body;
    let permission = role["properties"]["permissions"][0].as_object().unwrap();
    assert!(permission.contains_key("condition") && permission.contains_key("conditionVersion"), "{role}");
}

/// Row 11.
#[tokio::test]
async fn the_status_of_a_run_command_holds_its_output_one_level_deeper() {
    let azure = MockAzure::seed()
        .virtual_machine(SUB, "rg", "vm-a")
        .on_run_command(|_, _| Some(ScriptOutput::printed("hello")))
        .operation_polls(0)
        .start()
        .await;
    let path = format!("{}/providers/Microsoft.Compute/virtualMachines/vm-a/runCommand", group());
    let script = json!({ "commandId": "RunShellScript", "script": ["echo hello"] });
    let accepted = send(&azure, Post, &path, "2024-07-01", script).await;
    assert_eq!(accepted.status, 202);
    let done = support::send(&azure, Get, accepted.header("azure-asyncoperation"), Value::Null).await;
    assert_eq!((done.status, &done.body["status"]), (200, &json!("Succeeded")));
    let value = &done.body["properties"]["output"]["value"];
    assert!(value[0]["message"].as_str().unwrap().contains("hello"), "{}", done.body);
    let result = support::send(&azure, Get, accepted.header("location"), Value::Null).await;
    assert_eq!(result.body["value"], *value, "the result itself has no such level");
}
