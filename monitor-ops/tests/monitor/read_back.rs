//! What a task says it did is what a read shows afterwards, whatever the service answered to the write.

use arm_core::{ArmErrorExt as _, unmet};
use mock_azure::{Fault, MockAzure};
use monitor_ops::{
    ActionGroupsClient, AlertRule, DataConnector, MailAddress, OnboardingProperties, OnboardingState,
    QueryRule, QueryRulesClient, Resource, SentinelClient, WorkspaceSpec, WorkspacesClient,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::lab::*;

/// The answer to a write that is not carried out.
async fn answers(azure: &MockAzure, path: &str, answer: &impl Serialize) {
    azure.inject(Fault::body(200, serde_json::to_vec(answer).unwrap()).on("PUT", path));
}

/// What each read behind the first `skip` ones shows.
async fn shows(azure: &MockAzure, path: &str, skip: u64, shown: Value) {
    azure.inject(Fault::body(200, shown.to_string()).on("GET", path).skip(skip).always());
}

async fn onboarded() -> (MockAzure, SentinelClient) {
    let azure = seed().sentinel(&workspace().to_string()).start().await;
    let client = SentinelClient::new(&arm(&azure));
    (azure, client)
}

#[tokio::test]
async fn sentinel_that_was_not_turned_on_is_an_error() {
    let azure = seed().start().await;
    let state: OnboardingState = Resource::new(OnboardingProperties::default());
    answers(&azure, "onboardingStates/default", &state).await;
    let client = SentinelClient::new(&arm(&azure));
    assert!(client.onboard(&workspace()).await.is_err());
    assert_eq!(client.onboarding_state(&workspace()).await.unwrap(), None);
    assert!(client.onboard(&workspace()).await.unwrap().is_change());
}

#[tokio::test]
async fn a_connector_that_is_shown_without_alerts_is_an_error() {
    let (azure, client) = onboarded().await;
    let connector = serde_json::to_value(DataConnector::defender_for_cloud(&subscription())).unwrap();
    let mut off = connector.clone();
    off["properties"]["dataTypes"]["alerts"]["state"] = json!("Disabled");
    answers(&azure, "dataConnectors/", &connector).await;
    shows(&azure, "dataConnectors/", 0, off).await;
    assert!(client.connect_defender(&workspace(), &subscription()).await.is_err());
    // Nor is a refusal turned into a success by what is there.
    let (azure, client) = onboarded().await;
    azure.inject(Fault::status(403).on("PUT", "dataConnectors/"));
    let error = client.connect_defender(&workspace(), &subscription()).await.unwrap_err();
    assert!(error.is_forbidden(), "{error}");
}

#[tokio::test]
async fn a_connector_whose_first_answer_was_lost_and_whose_repeat_is_refused_is_connected() {
    let (azure, client) = onboarded().await;
    azure.inject(Fault::reset_after_acting().on("PUT", "dataConnectors/"));
    azure.inject(Fault::status(409).on("PUT", "dataConnectors/").skip(1));
    let change = client.connect_defender(&workspace(), &subscription()).await.unwrap();
    assert!(change.current().takes_alerts());
}

#[tokio::test]
async fn a_sentinel_rule_that_is_not_there_or_has_another_query_is_an_error() {
    let (azure, client) = onboarded().await;
    let rule: AlertRule = SentinelClient::vault_rules(&workspace()).unwrap().remove(0);
    answers(&azure, "alertRules/", &rule).await;
    assert!(client.install_vault_rules(&workspace()).await.is_err());

    let (azure, client) = onboarded().await;
    let mut other = serde_json::to_value(&rule).unwrap();
    other["properties"]["query"] = json!("nothing");
    shows(&azure, "alertRules/", 1, other).await;
    let error = client.install_vault_rules(&workspace()).await.unwrap_err();
    assert!(error.to_string().contains(r#"properties.query is "nothing""#), "{error}");

    let (azure, client) = onboarded().await;
    azure.inject(Fault::reset_after_acting().on("PUT", "alertRules/"));
    azure.inject(Fault::status(409).on("PUT", "alertRules/").skip(1));
    assert_eq!(client.install_vault_rules(&workspace()).await.unwrap().len(), 2, "it is there all the same");
}

#[tokio::test]
async fn mail_receivers_that_are_not_shown_are_an_error() {
    let addresses: Vec<MailAddress> = vec!["soc@contoso.example".parse().unwrap()];
    let ensure = |azure: &MockAzure| {
        ActionGroupsClient::new(&arm(azure)).ensure_mail(&group(), &name("soc"), "soc", &addresses)
    };
    for (enabled, receivers) in [
        (true, json!([])),
        (true, json!([{ "name": "a", "emailAddress": "other@contoso.example" }])),
        (false, json!([{ "name": "soc@contoso.example", "emailAddress": "soc@contoso.example" }])),
    ] {
        let azure = seed().start().await;
        let shown = json!({
            "id": "/x", "name": "soc", "location": "Global",
            "properties": { "groupShortName": "soc", "enabled": enabled, "emailReceivers": receivers },
        });
        shows(&azure, "actionGroups/soc", 1, shown).await;
        let error = ensure(&azure).await.unwrap_err();
        assert!(!unmet(&error).is_empty(), "{error}");
    }
}

#[tokio::test]
async fn a_workspace_that_is_not_there_or_is_another_is_an_error() {
    let id = monitor_ops::WorkspaceId::new(&group(), "law-new").unwrap();
    let spec = WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build();
    let shown = |days: u32| {
        json!({
            "id": id.to_string(), "name": "law-new", "location": "westeurope",
            "properties": { "provisioningState": "Succeeded", "retentionInDays": days },
        })
    };
    let azure = seed().start().await;
    answers(&azure, "workspaces/law-new", &shown(90)).await;
    assert!(WorkspacesClient::new(&arm(&azure)).ensure(&id, &spec).await.is_err());

    let azure = seed().start().await;
    shows(&azure, "workspaces/law-new", 1, shown(30)).await;
    let error = WorkspacesClient::new(&arm(&azure)).ensure(&id, &spec).await.unwrap_err();
    assert!(unmet(&error).iter().any(|unmet| unmet.member.ends_with("retentionInDays")), "{error}");
}

#[tokio::test]
async fn a_query_rule_that_is_not_there_or_is_another_is_an_error() {
    let rule = QueryRule::refused_requests(&workspace(), "westeurope", 5);
    let ensure = |azure: &MockAzure| QueryRulesClient::new(&arm(azure)).ensure(&group(), &name("r"), &rule);
    let azure = seed().start().await;
    answers(&azure, "scheduledQueryRules/r", &rule).await;
    assert!(ensure(&azure).await.unwrap_err().is_resource_not_found());

    for (member, other) in
        [("windowSize", json!("P1D")), ("enabled", json!(false)), ("displayName", json!("x"))]
    {
        let azure = seed().start().await;
        let mut shown = serde_json::to_value(&rule).unwrap();
        shown["properties"][member] = other;
        shows(&azure, "scheduledQueryRules/r", 1, shown).await;
        let error = ensure(&azure).await.unwrap_err();
        assert!(unmet(&error).iter().any(|unmet| unmet.member.ends_with(member)), "{member}: {error}");
    }
}
