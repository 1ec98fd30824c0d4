//! Workspaces, rules, action groups, diagnostic settings, Sentinel.

use azure_core::http::Method::{Delete, Get, Patch, Post};
use mock_azure::MockAzure;
use serde_json::{Value, json};

use crate::{a_rule, get, group, members, put, send, support, without, workspace};

const RULES: &str = "2023-12-01";

fn seed() -> mock_azure::Seed {
    MockAzure::seed().workspace(support::SUB, "rg", "law-a")
}

fn new_workspace() -> String {
    workspace().replace("law-a", "law-new")
}

/// Row 1.
#[tokio::test]
async fn the_location_of_a_new_workspace_is_the_workspace_itself_which_is_still_being_created() {
    let azure = seed().start().await;
    let path = new_workspace();
    let body = json!({ "location": "westeurope", "properties": { "sku": { "name": "PerGB2018" } } });
    let made = put(&azure, &path, "2023-09-01", body).await;
    assert_eq!((made.status, &made.body["properties"]["provisioningState"]), (201, &json!("Creating")));
    let link = format!("https://management.azure.com{path}?api-version=2023-09-01");
    assert_eq!(made.header("location"), link);
    assert_eq!(made.header("azure-asyncoperation"), "");
    let looked = support::send(&azure, Get, &link, Value::Null).await;
    assert_eq!((looked.status, &looked.body["properties"]["provisioningState"]), (200, &json!("Creating")));
    let done = support::send(&azure, Get, &link, Value::Null).await;
    assert_eq!((done.status, &done.body["properties"]["provisioningState"]), (200, &json!("Succeeded")));
}

/// Rows 10 and 16.
#[tokio::test]
async fn a_workspace_has_these_members_and_is_gone_at_once() {
    let azure = seed().start().await;
    let shown = get(&azure, &workspace(), "2023-09-01").await.body;
    assert_eq!(members(&shown), ["etag", "id", "location", "name", "properties", "type"]);
    assert_eq!(members(&shown["properties"]["sku"]), ["lastSkuUpdate", "name"]);
    assert_eq!(
        members(&shown["properties"]["workspaceCapping"]),
        ["dailyQuotaGb", "dataIngestionStatus", "quotaNextResetTime"]
    );
    let gone = send(&azure, Delete, &workspace(), "2023-09-01", Value::Null).await;
    assert_eq!((gone.status, gone.header("location"), gone.header("azure-asyncoperation")), (200, "", ""));
    assert_eq!(get(&azure, &workspace(), "2023-09-01").await.status, 404);
}

/// Row 2.
#[tokio::test]
async fn the_operator_of_a_rule_is_equal_and_never_equals() {
    let azure = seed().start().await;
    let path = format!("{}/providers/Microsoft.Insights/scheduledQueryRules/r", group());
    let with = |operator: &str| {
        let mut rule = a_rule();
        rule["properties"]["criteria"]["allOf"][0]["operator"] = json!(operator);
        rule
    };
    let refused = put(&azure, &path, RULES, with("Equals")).await;
    assert_eq!((refused.status, refused.code()), (400, "BadRequest"));
    assert!(refused.message().contains("Equals"), "{}", refused.message());
    assert_eq!(get(&azure, &path, RULES).await.status, 404);
    let made = put(&azure, &path, RULES, with("Equal")).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["properties"]["criteria"]["allOf"][0]["operator"], "Equal");
}

/// The whole answer to a new rule.
#[tokio::test]
async fn a_new_rule_is_answered_with_its_defaults_and_without_empty_actions() {
    let azure = seed().start().await;
    let path = format!("{}/providers/Microsoft.Insights/scheduledQueryRules/r", group());
    let mut asked = a_rule();
    asked["properties"]["actions"] = json!({ "actionGroups": [], "customProperties": {} });
    let made = put(&azure, &path, "2021-08-01", asked).await;
    let mut expected = a_rule();
    expected["id"] = json!(format!("{}/providers/microsoft.insights/scheduledqueryrules/r", group()));
    expected["name"] = json!("r");
    expected["type"] = json!("Microsoft.Insights/scheduledQueryRules");
    expected["properties"]["createdWithApiVersion"] = json!("2021-08-01");
    expected["properties"]["autoMitigate"] = json!(true);
    expected["properties"]["skipQueryValidation"] = json!(false);
    assert_eq!((made.status, without(&made.body, "", &["systemData"])), (201, expected));
}

/// Rules of the first version, in a shape of their own and in small letters.
#[tokio::test]
async fn a_rule_of_the_first_version_has_another_shape_and_its_own_list() {
    let azure = seed().start().await;
    let path = format!("{}/providers/Microsoft.Insights/scheduledQueryRules/old", group());
    let body = json!({ "location": "eastus", "properties": {
        "enabled": "true",
        "schedule": { "frequencyInMinutes": 15, "timeWindowInMinutes": 15 },
        "source": { "dataSourceId": workspace(), "query": "Heartbeat | count", "queryType": "ResultCount" },
        "action": { "odata.type": "AlertingAction", "severity": "1" },
    } });
    let made = put(&azure, &path, "2018-04-16", body.clone()).await;
    let mut expected = body;
    expected["id"] = json!(format!("{}/providers/microsoft.insights/scheduledqueryrules/old", group()));
    expected["name"] = json!("old");
    expected["type"] = json!("microsoft.insights/scheduledqueryrules");
    expected["properties"]["displayName"] = json!("old");
    expected["properties"]["provisioningState"] = json!("Succeeded");
    let shown = without(&without(&made.body, "", &["etag"]), "/properties", &["lastUpdatedTime"]);
    assert_eq!((made.status, shown), (201, expected));
    let off = json!({ "properties": { "enabled": "false" } });
    let patched = send(&azure, Patch, &path, "2018-04-16", off).await;
    assert_eq!((patched.status, &patched.body["properties"]["enabled"]), (200, &json!("false")));
    let list = format!("{}/providers/Microsoft.Insights/scheduledQueryRules", group());
    assert_eq!(get(&azure, &list, "2018-04-16").await.body["value"].as_array().unwrap().len(), 1);
    assert_eq!(get(&azure, &list, RULES).await.body, json!({ "value": [] }));
    assert_eq!(get(&azure, &path, RULES).await.status, 501, "nobody knows how it is shown there");
}

const RECEIVERS: [&str; 11] = [
    "armRoleReceivers",
    "automationRunbookReceivers",
    "azureAppPushReceivers",
    "azureFunctionReceivers",
    "emailReceivers",
    "eventHubReceivers",
    "itsmReceivers",
    "logicAppReceivers",
    "smsReceivers",
    "voiceReceivers",
    "webhookReceivers",
];

/// Row 7.
#[tokio::test]
async fn all_eleven_kinds_of_receivers_come_as_lists_and_refusals_to_subscribe_are_unwrapped() {
    let azure = seed().start().await;
    let path = format!("{}/providers/Microsoft.Insights/actionGroups/soc", group());
    let mail = json!({ "name": "a", "emailAddress": "a@contoso.example", "useCommonAlertSchema": true });
    let body = json!({ "location": "global", "properties": {
        "groupShortName": "soc", "enabled": true, "emailReceivers": [mail],
    } });
    let made = put(&azure, &path, "2022-06-01", body).await;
    let mut properties = json!({ "groupShortName": "soc", "enabled": true, "tags": null });
    for list in RECEIVERS {
        properties[list] = json!([]);
    }
    properties["emailReceivers"] = json!([{
        "name": "a", "emailAddress": "a@contoso.example", "useCommonAlertSchema": true, "status": "Enabled",
    }]);
    let expected = json!({
        "id": format!("{}/providers/microsoft.insights/actionGroups/soc", group()),
        "type": "Microsoft.Insights/ActionGroups",
        "name": "soc",
        "location": "Global",
        "kind": null,
        "tags": null,
        "identity": null,
        "properties": properties,
    });
    assert_eq!((made.status, made.body), (201, expected));

    let subscribe = format!("{path}/subscribe");
    for (receiver, status, code) in [("a", 409, "ReceiverAlreadyEnabled"), ("b", 404, "ReceiverNotFound")] {
        let answer = send(&azure, Post, &subscribe, "2022-06-01", json!({ "receiverName": receiver })).await;
        assert_eq!((answer.status, members(&answer.body)), (status, vec!["code", "message"]));
        assert_eq!(answer.body["code"], code);
    }
}

/// Row 6.
#[tokio::test]
async fn message_says_why_a_receiver_failed() {
    let azure = seed().receiver_fails("b", "The mailbox is full.").operation_polls(0).start().await;
    let path = format!("{}/providers/Microsoft.Insights/actionGroups/soc", group());
    let mails = json!([
        { "name": "a", "emailAddress": "a@contoso.example" },
        { "name": "b", "emailAddress": "b@contoso.example" },
    ]);
    let body =
        json!({ "location": "Global", "properties": { "groupShortName": "soc", "emailReceivers": mails } });
    put(&azure, &path, "2022-06-01", body).await;
    let test = json!({ "alertType": "logalertv2", "emailReceivers": mails });
    let sent = send(&azure, Post, &format!("{path}/createNotifications"), "2022-06-01", test).await;
    assert_eq!(sent.status, 202);
    let told = support::send(&azure, Get, sent.header("location"), Value::Null).await;
    let details = &told.body["actionDetails"];
    let of =
        |index: usize| [&details[index]["Status"], &details[index]["Message"], &details[index]["Detail"]];
    assert_eq!(of(0), [&json!("Succeeded"), &Value::Null, &Value::Null]);
    assert_eq!(of(1), [&json!("Failed"), &json!("The mailbox is full."), &Value::Null]);
}

/// Rows 16 and 17.
#[tokio::test]
async fn onboarding_says_who_switched_it_on_once_and_has_neither_key_nor_etag() {
    let azure = seed().start().await;
    let path = format!("{}/providers/Microsoft.SecurityInsights/onboardingStates/default", workspace());
    let body = json!({ "properties": { "customerManagedKey": false } });
    let on = put(&azure, &path, "2025-09-01", body).await;
    let mut expected = json!({
        "id": path, "name": "default", "type": "Microsoft.SecurityInsights/onboardingStates", "properties": {},
    });
    assert_eq!((on.status, without(&on.body, "", &["systemData"])), (201, expected.clone()));
    assert_eq!(
        members(&on.body["systemData"]),
        ["createdAt", "createdBy", "createdByType", "lastModifiedAt", "lastModifiedBy", "lastModifiedByType"]
    );
    expected["systemData"] = json!({});
    assert_eq!(get(&azure, &path, "2025-09-01").await.body, expected);
}

/// Row 16.
#[tokio::test]
async fn incidents_count_what_they_hold_and_their_alerts_say_when_and_what() {
    const ID: &str = "73e01a99-5cd7-4139-a149-9f2736ff2ab5";
    let azure = seed().sentinel(&workspace()).incident(&workspace(), ID, "Bulk", "High").start().await;
    let path = format!("{}/providers/Microsoft.SecurityInsights/Incidents/{ID}", workspace());
    let shown = get(&azure, &path, "2025-09-01").await.body;
    assert_eq!(
        members(&shown["properties"]["additionalData"]),
        ["alertProductNames", "alertsCount", "bookmarksCount", "commentsCount", "tactics", "techniques"]
    );
    assert_eq!(shown["properties"]["relatedAnalyticRuleIds"], json!([]));
    assert_eq!(
        members(&shown["properties"]["owner"]),
        ["assignedTo", "email", "objectId", "userPrincipalName"]
    );
    let alerts = send(&azure, Post, &format!("{path}/alerts"), "2025-09-01", Value::Null).await.body;
    let alert = &alerts["value"][0]["properties"];
    for name in ["tactics", "startTimeUtc", "endTimeUtc", "resourceIdentifiers"] {
        assert!(!alert[name].is_null(), "{name} of {alert}");
    }
}

/// Row 18.
#[tokio::test]
async fn a_security_group_takes_a_setting_that_sends_nothing_and_a_vault_does_not() {
    let nsg = format!("{}/providers/Microsoft.Network/networkSecurityGroups/nsg-a", group());
    let azure = seed()
        .vault(support::SUB, "rg", "kv-a")
        .resource(json!({ "id": nsg, "name": "nsg-a", "type": "Microsoft.Network/networkSecurityGroups" }))
        .start()
        .await;
    let storage = format!("{}/providers/Microsoft.Storage/storageAccounts/st", group());
    let body = json!({ "properties": { "storageAccountId": storage } });
    let setting = format!("{nsg}/providers/Microsoft.Insights/diagnosticSettings/to-st");
    let made = put(&azure, &setting, "2021-05-01-preview", body.clone()).await;
    let expected = json!({
        "id": format!(
            "{}/providers/microsoft.network/networksecuritygroups/nsg-a/providers/microsoft.insights\
             /diagnosticSettings/to-st",
            group().to_lowercase()
        ),
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": "to-st",
        "location": null, "kind": null, "tags": null, "identity": null,
        "properties": {
            "storageAccountId": storage,
            "serviceBusRuleId": null, "workspaceId": null, "eventHubAuthorizationRuleId": null,
            "eventHubName": null, "marketplacePartnerId": null,
            "metrics": [], "logs": [], "logAnalyticsDestinationType": null,
        },
    });
    assert_eq!((made.status, &made.body), (200, &expected));
    assert_eq!(get(&azure, &setting, "2021-05-01-preview").await.body, expected);
    let vault = format!("{}/providers/Microsoft.Insights/diagnosticSettings/to-st", crate::vault());
    assert_eq!(put(&azure, &vault, "2021-05-01-preview", body).await.status, 400);
}
