use crate::caller::*;

const VERSION: &str = "2023-01-01";

fn path() -> String {
    format!("{}/providers/Microsoft.Insights/actionGroups/soc", group())
}

fn body() -> Value {
    json!({ "location": "Global", "properties": {
        "groupShortName": "soc",
        "enabled": true,
        "emailReceivers": [{ "name": "one", "emailAddress": "one@contoso.example" }],
        "newReceivers": [{ "x": 1 }],
    } })
}

#[tokio::test]
async fn a_group_is_created_read_patched_listed_and_deleted() {
    let azure = seed().start().await;
    assert_eq!(arm(&azure, Put, VERSION, &path(), body()).await.status, 201);
    assert_eq!(arm(&azure, Put, VERSION, &path(), body()).await.status, 200);
    let read = arm(&azure, Get, VERSION, &path(), Value::Null).await.body;
    assert_eq!(read["properties"]["emailReceivers"][0]["status"], "Enabled");
    assert_eq!(read["properties"]["newReceivers"], json!([{ "x": 1 }]));
    let patched =
        arm(&azure, Patch, VERSION, &path(), json!({ "properties": { "enabled": false } })).await.body;
    assert_eq!(patched["properties"]["enabled"], false);
    assert_eq!(patched["properties"]["emailReceivers"], read["properties"]["emailReceivers"]);
    let list = format!("/subscriptions/{SUB}/providers/Microsoft.Insights/actionGroups");
    assert_eq!(
        arm(&azure, Get, VERSION, &list, Value::Null).await.body["value"].as_array().unwrap().len(),
        1
    );
    assert_eq!(arm(&azure, Delete, VERSION, &path(), Value::Null).await.status, 200);
    assert_eq!(arm(&azure, Get, VERSION, &path(), Value::Null).await.status, 404);
}

#[tokio::test]
async fn bad_mail_addresses_and_names_are_refused() {
    let azure = seed().start().await;
    for (field, value) in [
        ("groupShortName", json!("far-too-long-for-it")),
        ("emailReceivers", json!([{ "name": "one", "emailAddress": "nobody" }])),
        ("emailReceivers", json!([{ "name": "one" }])),
        ("webhookReceivers", json!([{ "name": "ONE", "serviceUri": "https://hook.example" }])),
    ] {
        let mut bad = body();
        bad["properties"][field] = value;
        let put = arm(&azure, Put, VERSION, &path(), bad).await;
        assert_eq!(put.status, 400, "{field}: {}", put.body);
    }
}

#[tokio::test]
async fn a_test_notification_is_under_way_before_it_is_done() {
    let azure = seed().start().await;
    arm(&azure, Put, VERSION, &path(), body()).await;
    let ask = json!({ "alertType": "logalertv2", "emailReceivers": [{ "name": "one", "emailAddress": "one@contoso.example" }] });
    let sent = arm(&azure, Post, VERSION, &format!("{}/createNotifications", path()), ask).await;
    assert_eq!(sent.status, 202);
    let poll = sent.header("location").replace("https://management.azure.com", "");
    let poll = poll.split('?').next().unwrap();
    assert_eq!(arm(&azure, Get, VERSION, poll, Value::Null).await.status, 202);
    let done = arm(&azure, Get, VERSION, poll, Value::Null).await;
    assert_eq!((done.status, &done.body["actionDetails"][0]["MechanismType"]), (200, &json!("Email")));
}

#[tokio::test]
async fn an_enabled_receiver_cannot_be_enabled_again() {
    let azure = seed().start().await;
    arm(&azure, Put, VERSION, &path(), body()).await;
    let subscribe = format!("{}/subscribe", path());
    assert_eq!(arm(&azure, Post, VERSION, &subscribe, json!({ "receiverName": "one" })).await.status, 409);
    assert_eq!(arm(&azure, Post, VERSION, &subscribe, json!({ "receiverName": "two" })).await.status, 404);
}
