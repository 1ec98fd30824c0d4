use crate::caller::*;

const VERSION: &str = "2025-07-01";

#[tokio::test]
async fn a_workspace_is_created_in_the_background_and_comes_back_after_a_delete() {
    let azure = mock_azure::MockAzure::seed().resource_group(SUB, "rg-sec", "westeurope").start().await;
    let body = json!({ "location": "westeurope", "properties": { "retentionInDays": 90, "new": 1 } });
    let created = arm(&azure, Put, VERSION, &workspace(), body.clone()).await;
    assert_eq!((created.status, &created.body["properties"]["provisioningState"]), (201, &json!("Creating")));
    let itself = format!("https://management.azure.com{}?api-version={VERSION}", workspace());
    assert_eq!(created.header("location"), itself, "the link of a new workspace is the workspace");
    assert!(
        created.body["etag"].is_string() && created.body["properties"]["sku"]["lastSkuUpdate"].is_string()
    );
    arm(&azure, Get, VERSION, &workspace(), Value::Null).await;
    let ready = arm(&azure, Get, VERSION, &workspace(), Value::Null).await.body;
    assert_eq!(ready["properties"]["provisioningState"], "Succeeded");
    assert_eq!(
        (&ready["properties"]["retentionInDays"], &ready["properties"]["new"]),
        (&json!(90), &json!(1))
    );

    assert_eq!(arm(&azure, Delete, VERSION, &workspace(), Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Get, VERSION, &workspace(), Value::Null).await.status, 404);
    let deleted = format!("/subscriptions/{SUB}/providers/Microsoft.OperationalInsights/deletedWorkspaces");
    assert_eq!(
        arm(&azure, Get, VERSION, &deleted, Value::Null).await.body["value"].as_array().unwrap().len(),
        1
    );

    let back = arm(&azure, Put, VERSION, &workspace(), body).await;
    assert_eq!((back.status, &back.body["properties"]["provisioningState"]), (200, &json!("Succeeded")));
    assert_eq!(back.body["properties"]["customerId"], ready["properties"]["customerId"]);
    assert_eq!(
        arm(&azure, Delete, VERSION, &workspace().replace("law-sec", "none"), Value::Null).await.status,
        204
    );
}

#[tokio::test]
async fn a_patch_changes_what_it_names() {
    let azure = seed().start().await;
    let patch = json!({ "tags": { "team": "sec" }, "properties": { "retentionInDays": 60 } });
    let patched = arm(&azure, Patch, VERSION, &workspace(), patch).await;
    assert_eq!((patched.status, &patched.body["tags"]["team"]), (200, &json!("sec")));
    assert_eq!(patched.body["properties"]["sku"]["name"], "PerGB2018");
    let list = format!("/subscriptions/{SUB}/providers/Microsoft.OperationalInsights/workspaces");
    assert_eq!(arm(&azure, Get, VERSION, &list, Value::Null).await.body["value"][0]["tags"]["team"], "sec");
}

#[tokio::test]
async fn bad_names_and_retentions_are_refused() {
    let azure = seed().start().await;
    for (name, properties) in [("x", json!({})), ("law-two", json!({ "retentionInDays": 1 }))] {
        let path = workspace().replace("law-sec", name);
        let body = json!({ "location": "westeurope", "properties": properties });
        assert_eq!(arm(&azure, Put, VERSION, &path, body).await.status, 400, "{name} {properties}");
    }
    let moved = arm(&azure, Put, VERSION, &workspace(), json!({ "location": "eastus" })).await;
    assert_eq!((moved.status, moved.code()), (409, "InvalidResourceLocation"));
}
