//! Resources with keys: what the management plane says of them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use azure_core::http::Method::{self, Get, Post};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use sha2::Sha256;
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

const BUS: &str = "Microsoft.ServiceBus/namespaces/authorizationRules";

fn id(path: &str) -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/{path}")
}

async fn status(azure: &MockAzure, method: Method, url: &str, headers: &[(&'static str, String)]) -> u16 {
    support::try_send_as(azure, method, url, Value::Null, headers).await.unwrap().status
}

/// A token of a rule, as documented.
fn token(host: &str, rule: &str, key: &str) -> [(&'static str, String); 1] {
    let resource = format!("https%3A%2F%2F{host}%2F");
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
    mac.update(format!("{resource}\n4102444800").as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    [(
        "authorization",
        format!("SharedAccessSignature sr={resource}&sig={signature}&se=4102444800&skn={rule}"),
    )]
}

#[tokio::test]
async fn a_namespace_takes_the_token_of_its_own_rule_for_itself_and_no_other() {
    let azure = MockAzure::seed()
        .keyed_resource(SUB, "rg", BUS, "bus/send")
        .keyed_resource(SUB, "rg", BUS, "bus/listen")
        .keyed_resource(SUB, "rg", BUS, "other/send")
        .start()
        .await;
    let key = |rule: &str| {
        let (namespace, rule) = rule.split_once('/').unwrap();
        let id = id(&format!("Microsoft.ServiceBus/namespaces/{namespace}/authorizationRules/{rule}"));
        azure.resource_key(&id, "primaryKey").unwrap()
    };
    let (host, send) = ("bus.servicebus.windows.net", key("bus/send"));
    let queues = format!("https://{host}/$resources/queues");
    for (rule, key, of, expected) in [
        ("send", &send, host, 200),
        ("listen", &key("bus/listen"), host, 200),
        ("listen", &send, host, 401),
        ("none", &send, host, 401),
        ("send", &key("other/send"), host, 401),
        ("send", &send, "other.servicebus.windows.net", 401),
    ] {
        assert_eq!(status(&azure, Get, &queues, &token(of, rule, key)).await, expected, "{rule} for {of}");
    }
    assert_eq!(status(&azure, Get, &queues, &[]).await, 401);
    assert_eq!(status(&azure, Get, &queues, &[("authorization", "Bearer x".to_owned())]).await, 401);
    let hubs = queues.replace("queues", "eventhubs");
    assert_eq!(status(&azure, Get, &hubs, &token(host, "send", &send)).await, 200);
    for unknown in [&queues, &hubs] {
        assert_eq!(status(&azure, Post, unknown, &token(host, "send", &send)).await, 501);
    }
}

#[tokio::test]
async fn keys_that_are_off_above_a_rule_are_off_for_it_however_many_rules_there_are() {
    let namespace = id("Microsoft.ServiceBus/namespaces/bus");
    let azure = MockAzure::seed()
        .keyed_resource(SUB, "rg", BUS, "bus/send")
        .resource_property(&namespace, "disableLocalAuth", true)
        .keyed_resource(SUB, "rg", BUS, "bus/listen")
        .start()
        .await;
    for rule in ["send", "listen"] {
        let id = format!("{namespace}/authorizationRules/{rule}");
        let key = azure.resource_key(&id, "primaryKey").unwrap();
        assert!(!azure.takes_key(&id, &key), "{rule}");
        let (host, url) =
            ("bus.servicebus.windows.net", "https://bus.servicebus.windows.net/$resources/queues");
        assert_eq!(status(&azure, Get, url, &token(host, rule, &key)).await, 401, "{rule}");
    }
}

#[tokio::test]
async fn a_batch_account_takes_keys_unless_its_modes_lack_them() {
    let account = id("Microsoft.Batch/batchAccounts/batch");
    for (modes, takes) in [(json!(["AAD", "SharedKey"]), true), (json!(["AAD"]), false), (Value::Null, true)]
    {
        let azure = MockAzure::seed()
            .keyed_resource(SUB, "rg", "Microsoft.Batch/batchAccounts", "batch")
            .resource_property(&account, "allowedAuthenticationModes", modes.clone())
            .start()
            .await;
        let key = azure.resource_key(&account, "primary").unwrap();
        assert_eq!(azure.takes_key(&account, &key), takes, "{modes}");
    }
}

#[tokio::test]
async fn a_search_service_and_a_model_take_their_keys_at_their_own_hosts_in_every_cloud() {
    for (kind, name, slot, hosts, path, wrong) in [
        (
            "Microsoft.Search/searchServices",
            "finder",
            "primaryKey",
            &["finder.search.windows.net", "finder.search.azure.us", "finder.search.azure.cn"][..],
            "/servicestats?api-version=2023-11-01",
            403,
        ),
        (
            "Microsoft.CognitiveServices/accounts",
            "models",
            "key1",
            &["models.openai.azure.com", "models.cognitiveservices.azure.com", "models.openai.azure.us"],
            "/openai/models?api-version=2024-10-21",
            401,
        ),
    ] {
        let id = id(&format!("{kind}/{name}"));
        let azure = MockAzure::seed().keyed_resource(SUB, "rg", kind, name).start().await;
        let key = [("api-key", azure.resource_key(&id, slot).unwrap())];
        for host in hosts {
            let url = format!("https://{host}{path}");
            assert_eq!(status(&azure, Get, &url, &key).await, 200, "{host}");
            assert_eq!(status(&azure, Get, &url, &[("api-key", "x".to_owned())]).await, wrong, "{host}");
            assert_eq!(status(&azure, Get, &url, &[]).await, wrong, "{host}");
            assert_eq!(status(&azure, Post, &url, &key).await, 501, "{host}");
        }
        let off = MockAzure::seed().keyed_resource(SUB, "rg", kind, name);
        let off = off.resource_property(&id, "disableLocalAuth", true).start().await;
        let key = [("api-key", off.resource_key(&id, slot).unwrap())];
        assert_eq!(status(&off, Get, &format!("https://{}{path}", hosts[0]), &key).await, 403);
    }
}

#[tokio::test]
async fn a_key_that_is_made_anew_counts_once_it_has_spread() {
    let minute = std::time::Duration::from_secs(60);
    let azure =
        MockAzure::seed().storage_account(SUB, "rg", "stone").key_propagation_time(minute).start().await;
    let id = id("Microsoft.Storage/storageAccounts/stone");
    let old = azure.resource_key(&id, "key1").unwrap();
    azure.regenerate_key(&id, "key1");
    let new = azure.resource_key(&id, "key1").unwrap();
    let taken = || (azure.takes_key(&id, &old), azure.takes_key(&id, &new));
    assert_eq!(taken(), (true, false));
    azure.advance(minute / 2);
    assert_eq!(taken(), (true, false));
    azure.advance(minute);
    assert_eq!(taken(), (false, true));
}
