//! Resources with keys: what the management plane says of them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use azure_core::http::Method::{Get, Post};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{Answer, SUB};

async fn post(azure: &MockAzure, path: &str, version: &str, body: Value) -> Answer {
    let url = format!(
        "https://management.azure.com/subscriptions/{SUB}/resourceGroups/rg/providers/{path}?api-version={version}"
    );
    support::send(azure, Post, &url, body).await
}

#[tokio::test]
async fn a_storage_key_is_made_anew_and_both_are_answered_at_once() {
    let azure = MockAzure::seed().storage_account(SUB, "rg", "stone").start().await;
    let account = "Microsoft.Storage/storageAccounts/stone";
    let before = post(&azure, &format!("{account}/listKeys"), "2023-05-01", Value::Null).await;
    let named = |answer: &Answer, at: usize, member: &str| {
        answer.body["keys"][at][member].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!((named(&before, 0, "keyName"), named(&before, 1, "keyName")), ("key1".into(), "key2".into()));
    assert_eq!((named(&before, 0, "permissions"), named(&before, 0, "value").len()), ("FULL".into(), 88));

    let after =
        post(&azure, &format!("{account}/regenerateKey"), "2023-05-01", json!({ "keyName": "key1" })).await;
    assert_eq!(after.status, 200);
    assert_ne!(named(&after, 0, "value"), named(&before, 0, "value"));
    assert_eq!(named(&after, 1, "value"), named(&before, 1, "value"));
    let third = json!({ "keyName": "key3" });
    assert_eq!(post(&azure, &format!("{account}/regenerateKey"), "2023-05-01", third).await.status, 501);
}

#[tokio::test]
async fn signalr_accepts_with_the_keys_and_cosmos_only_queues() {
    let azure = MockAzure::seed()
        .keyed_resource(SUB, "rg", "Microsoft.SignalRService/signalR", "signals")
        .keyed_resource(SUB, "rg", "Microsoft.DocumentDB/databaseAccounts", "cosmos")
        .start()
        .await;
    let signals = "Microsoft.SignalRService/signalR/signals/regenerateKey";
    let answer = post(&azure, signals, "2023-02-01", json!({ "keyType": "secondary" })).await;
    assert_eq!(answer.status, 202);
    let string = answer.body["secondaryConnectionString"].as_str().unwrap();
    let key = answer.body["secondaryKey"].as_str().unwrap();
    assert_eq!(string, format!("Endpoint=https://signals.service.signalr.net;AccessKey={key};Version=1.0;"));
    assert!(!answer.header("azure-asyncoperation").is_empty());

    let list = "Microsoft.DocumentDB/databaseAccounts/cosmos/listKeys";
    let before = post(&azure, list, "2023-11-15", Value::Null).await.body;
    let cosmos = "Microsoft.DocumentDB/databaseAccounts/cosmos/regenerateKey";
    let answer = post(&azure, cosmos, "2023-11-15", json!({ "keyKind": "primary" })).await;
    assert_eq!((answer.status, &answer.body), (202, &json!({ "status": "Enqueued" })));
    assert_eq!(post(&azure, list, "2023-11-15", Value::Null).await.body, before, "not yet");
    let link = answer.header("location").to_owned();
    while support::send(&azure, Get, &link, Value::Null).await.status == 202 {}
    let after = post(&azure, list, "2023-11-15", Value::Null).await.body;
    assert_ne!(after["primaryMasterKey"], before["primaryMasterKey"]);
    assert_eq!(after["secondaryMasterKey"], before["secondaryMasterKey"]);
}

#[tokio::test]
async fn disabled_keys_work_nowhere_and_a_caller_who_may_not_list_them_is_told_so() {
    let id =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/stone");
    let azure = MockAzure::seed()
        .signed_in_role("Reader")
        .storage_account(SUB, "rg", "stone")
        .resource_property(&id, "allowSharedKeyAccess", false)
        .start()
        .await;
    let key = azure.resource_key(&id, "key1").unwrap();
    assert!(!azure.takes_key(&id, &key));
    let refused =
        post(&azure, "Microsoft.Storage/storageAccounts/stone/listKeys", "2023-05-01", Value::Null).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    let url = format!(
        "https://management.azure.com{id}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
    );
    let permissions = support::send(&azure, Get, &url, Value::Null).await;
    assert_eq!(permissions.body["value"][0]["actions"], json!(["*/read"]));
}
