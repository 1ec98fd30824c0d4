use arm_core::{ArmErrorExt as _, Change, ResourceId};
use futures::TryStreamExt as _;
use mock_azure::MockAzure;
use monitor_ops::{
    ActionGroup, ActionGroupPatch, ActionGroupProperties, ActionGroupsClient, AppPushReceiver,
    EventHubReceiver, FunctionReceiver, ItsmReceiver, LogicAppReceiver, MailAddress, PhoneReceiver,
    ReceiverStatus, RoleReceiver, RunbookReceiver, TestNotification, TestNotificationResult, WebhookReceiver,
};
use serde_json::{Value, json};

use crate::lab::*;

fn client(azure: &MockAzure) -> ActionGroupsClient {
    ActionGroupsClient::new(&arm(azure))
}

fn mails() -> [MailAddress; 2] {
    ["soc@contoso.example", "owner@contoso.example"].map(|address| address.parse().unwrap())
}

fn id() -> String {
    format!("{}/providers/Microsoft.Insights/actionGroups/soc", group())
}

fn resource(text: &str) -> ResourceId {
    format!("{}/providers/{text}", group()).parse().unwrap()
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    let azure = seed().start().await;
    let (client, soc) = (client(&azure), name("soc"));
    let mut body = ActionGroup::in_location("Global", ActionGroupProperties::new("soc"));
    let receivers = &mut body.properties.receivers;
    receivers.webhook_receivers.push(WebhookReceiver::new("hook", "https://hook.example/?key=REDACTED"));
    receivers.sms_receivers.push(PhoneReceiver::new("phone", "49", "5550100"));
    receivers.logic_app_receivers.push(LogicAppReceiver::new(
        "flow",
        &resource("Microsoft.Logic/workflows/flow"),
        "https://flow.example/?sig=REDACTED",
    ));
    receivers.azure_function_receivers.push(FunctionReceiver::new(
        "function",
        &resource("Microsoft.Web/sites/app"),
        "run",
        "https://app.example/?code=REDACTED",
    ));
    receivers.arm_role_receivers.push(RoleReceiver::new("owners", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
    receivers.voice_receivers.push(PhoneReceiver::new("call", "49", "5550100"));
    receivers.event_hub_receivers.push(EventHubReceiver::new("hub", &subscription(), "ns", "alerts"));
    receivers.azure_app_push_receivers.push(AppPushReceiver::new("app", &mails()[0]));
    receivers.itsm_receivers.push(ItsmReceiver::new("ticket", "s|w", "c", "{}", "westeurope"));
    let account = resource("Microsoft.Automation/automationAccounts/a");
    let webhook = account.child("webhooks", "w").unwrap();
    let runbook =
        RunbookReceiver::new("runbook", &account, "run", &webhook, "https://a.example/?token=REDACTED");
    receivers.automation_runbook_receivers.push(runbook);
    let made = client.create_or_update(&group(), &soc, &body).await.unwrap();
    assert!(!format!("{made:?}").contains("REDACTED"));
    assert_eq!(made.properties.receivers.sms_receivers[0].status, Some(ReceiverStatus::Enabled));
    assert_eq!(client.get(&group(), &soc).await.unwrap(), made);
    let off = client.update(&group(), &soc, &ActionGroupPatch::new().enabled(false)).await.unwrap();
    assert!(!off.properties.enabled && off.properties.receivers == made.properties.receivers);
    let listed: Vec<_> = client.list(&subscription()).try_collect().await.unwrap();
    let in_group: Vec<_> = client.list_by_resource_group(&group()).try_collect().await.unwrap();
    assert_eq!((listed.len(), in_group.len()), (1, 1));

    let test = TestNotification::log_alert(&off);
    let done: TestNotificationResult = client.test_notifications(&group(), &soc, &test).await.unwrap();
    assert_eq!((done.state.as_str(), done.action_details.len()), ("Complete", 10));
    let polled =
        azure.requests().into_iter().rfind(|request| request.path.contains("notificationStatus")).unwrap();
    let id = name(polled.path.rsplit('/').next().unwrap());
    assert_eq!(client.notification_status(&group(), &soc, &id).await.unwrap(), Some(done));

    assert!(!client.enable_receiver(&group(), &soc, "phone").await.unwrap(), "it was on already");
    assert!(client.enable_receiver(&group(), &soc, "none").await.unwrap_err().is_not_found());
    client.delete(&group(), &soc).await.unwrap();
    client.delete(&group(), &soc).await.unwrap();
    assert!(client.get_opt(&group(), &soc).await.unwrap().is_none());
}

/// Recorded: why a receiver failed stands in `Message`; refusals to subscribe come without an envelope; all kinds of
/// receivers come as lists.
#[tokio::test]
async fn the_reason_why_a_receiver_failed_is_given_and_a_refused_subscription_has_its_code() {
    let full = "The mailbox is full.";
    let azure = seed().receiver_fails("owner@contoso.example", full).start().await;
    let (client, soc) = (client(&azure), name("soc"));
    let made = client.ensure_mail(&group(), &soc, "soc", &mails()).await.unwrap().into_current();
    assert!(made.properties.receivers.sms_receivers.is_empty() && made.unread().next().is_none());

    let test = TestNotification::log_alert(&made);
    let told: TestNotificationResult = client.test_notifications(&group(), &soc, &test).await.unwrap();
    let why: Vec<_> = told
        .action_details
        .iter()
        .map(|detail| (detail.status.as_str(), detail.message.as_deref()))
        .collect();
    assert_eq!(why, [("Succeeded", None), ("Failed", Some(full))]);

    let none = client.enable_receiver(&group(), &soc, "none").await.unwrap_err();
    assert!(none.is_code("ReceiverNotFound") && none.to_string().contains("ReceiverNotFound"), "{none}");
    assert!(!client.enable_receiver(&group(), &soc, "soc@contoso.example").await.unwrap());
}

#[tokio::test]
async fn both_mail_receivers_are_there_after_one_run_and_a_second_run_writes_nothing() {
    let azure = seed().start().await;
    let ensure = || client(&azure).ensure_mail(&group(), &name("soc"), "soc", &mails());
    assert!(matches!(ensure().dry_run().await.unwrap(), Change::Created(_)));
    assert!(azure.writes().is_empty());
    assert!(matches!(ensure().await.unwrap(), Change::Created(_)));
    let receiver =
        |address: &str| json!({ "name": address, "emailAddress": address, "useCommonAlertSchema": true });
    assert_eq!(
        azure.writes()[0].body,
        json!({ "location": "Global", "properties": {
            "groupShortName": "soc",
            "enabled": true,
            "emailReceivers": [receiver("soc@contoso.example"), receiver("owner@contoso.example")],
        } })
    );
    assert!(matches!(ensure().await.unwrap(), Change::Unchanged(_)));
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn receivers_of_others_and_of_unknown_kinds_stay_with_their_secrets() {
    let azure = seed().start().await;
    let there = json!({ "location": "Global", "properties": {
        "groupShortName": "soc",
        "enabled": true,
        "emailReceivers": [{ "name": "soc@contoso.example", "emailAddress": "someone@contoso.example", "new": 1 }],
        "webhookReceivers": [{ "name": "hook", "serviceUri": "https://hook.example/?key=REDACTED" }],
        "incidentReceivers": [{ "name": "i", "connection": { "id": "x" } }],
    } });
    let id: ResourceId = id().parse().unwrap();
    arm(&azure).put(&id, ActionGroupsClient::API_VERSION).body(&there).send_empty().await.unwrap();
    assert!(client(&azure).ensure_mail(&group(), &name("soc"), "soc", &mails()).await.unwrap().is_change());
    let now: Value = arm(&azure).get(&id, ActionGroupsClient::API_VERSION).json().await.unwrap();
    let properties = &now["properties"];
    assert_eq!(properties["incidentReceivers"], there["properties"]["incidentReceivers"]);
    assert_eq!(properties["webhookReceivers"][0]["serviceUri"], "https://hook.example/?key=REDACTED");
    assert_eq!(properties["emailReceivers"][0]["new"], 1);
    let names: Vec<_> =
        properties["emailReceivers"].as_array().unwrap().iter().map(|mail| mail["name"].clone()).collect();
    assert_eq!(names, ["soc@contoso.example", "soc@contoso.example (2)", "owner@contoso.example"]);
}

#[tokio::test]
async fn a_bad_address_or_short_name_is_refused_before_anything_is_sent() {
    let error = "not-a-mail".parse::<MailAddress>().unwrap_err().to_string();
    assert_eq!(error, "invalid mail address: 'not-a-mail' must look like name@example.com");
    let azure = seed().start().await;
    let long = client(&azure).ensure_mail(&group(), &name("soc"), "much-too-long-for-it", &mails()).await;
    assert!(long.unwrap_err().to_string().contains("1 to 12 characters"));
    assert!(azure.requests().is_empty());
    let twelve = client(&azure).ensure_mail(&group(), &name("soc"), "twelve-chars", &mails()).await.unwrap();
    assert_eq!(twelve.current().properties.group_short_name, "twelve-chars");
}

#[tokio::test]
async fn cut_at_any_request_the_task_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        seed,
        |arm| async move {
            ActionGroupsClient::new(&arm).ensure_mail(&group(), &name("soc"), "soc", &mails()).await.map(drop)
        },
        |azure| async move { stored(&azure, &id(), ActionGroupsClient::API_VERSION).await },
    )
    .await;
}
