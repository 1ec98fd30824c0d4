//! The examples, as a stranger writes them, on the double.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "the examples' own main")]

#[path = "../examples/answer_alert.rs"]
mod answer_alert;
#[path = "../examples/cover_vaults.rs"]
mod cover_vaults;

use std::{collections::BTreeMap, time::Duration};

use arm_core::{ArmClient, ResourceId, SubscriptionId};
use defender_alerts::{AlertId, AlertStatus, AlertsClient};
use keyvault_ops::{Ledger, SecretsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault, MockAzure, Seed};
use monitor_ops::WorkspaceId;
use serde_json::json;
use time::OffsetDateTime;

fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn resource(text: &str) -> ResourceId {
    format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-sec/providers/{text}").parse().unwrap()
}

fn workspace() -> WorkspaceId {
    WorkspaceId::new(&subscription().resource_group("rg-sec").unwrap(), "law-sec").unwrap()
}

fn alert() -> AlertId {
    format!(
        "/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/locations/westeurope/alerts/a1"
    )
    .parse()
    .unwrap()
}

fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
        .workspace(subscription(), "rg-sec", "law-sec")
        .vault(subscription(), "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .storage_account(subscription(), "rg-sec", "stprod")
}

fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

#[tokio::test]
async fn vaults_whose_plan_or_log_is_off_are_listed_then_fixed_and_then_nothing_is_left_to_do() {
    let azure = seed().vault(subscription(), "rg-sec", "kv-other").start().await;
    let (arm, subscription, workspace) = (arm(&azure), subscription(), workspace());
    azure.inject(Fault::status(403).on("PUT", "kv-other"));
    let off = cover_vaults::gaps(&arm, &subscription, &workspace).await.unwrap();
    assert_eq!(off.len(), 4, "plan and log of two vaults: {off:#?}");
    assert!(off.iter().all(|line| line.starts_with("kv-prod: ") || line.starts_with("kv-other: ")));

    let left = cover_vaults::fix(&arm, &subscription, &workspace).await.unwrap();
    assert!(left.len() == 1 && left[0].starts_with("kv-other: "), "the other one is fixed: {left:?}");
    assert_eq!(cover_vaults::fix(&arm, &subscription, &workspace).await.unwrap(), [] as [&str; 0]);
    assert_eq!(cover_vaults::gaps(&arm, &subscription, &workspace).await.unwrap(), [] as [&str; 0]);
    azure.clear_requests();
    cover_vaults::fix(&arm, &subscription, &workspace).await.unwrap();
    assert!(azure.writes().is_empty() && azure.unknown_requests().is_empty());
}

/// A vault with a log, whose secret was read by the alert's caller then.
async fn read(when: OffsetDateTime) -> MockAzure {
    let caller = MockAzure::seed().start().await.signed_in().to_owned();
    let azure = seed()
        .starts_at(when)
        .log_delay(Duration::ZERO)
        .diagnostic_setting(
            resource("Microsoft.KeyVault/vaults/kv-prod").as_str(),
            "audit",
            &workspace().to_string(),
            &["AuditEvent"],
        )
        .alert_json(json!({
            "id": alert().to_string(),
            "name": "a1",
            "type": "Microsoft.Security/Locations/alerts",
            "properties": {
                "status": "Active",
                "severity": "High",
                "alertType": "KV_ListGetAnomaly",
                "alertDisplayName": "Suspicious secret listing and query in a key vault",
                "startTimeUtc": arm_core::wire::instant::format(when),
                "endTimeUtc": arm_core::wire::instant::format(when),
                "resourceIdentifiers":
                    [{ "type": "AzureResource", "azureResourceId": resource("Microsoft.KeyVault/vaults/kv-prod").as_str() }],
                "entities": [{ "type": "account", "name": "lab.user", "aadUserId": caller }],
            },
        }))
        .start()
        .await;
    let key =
        azure.resource_key(resource("Microsoft.Storage/storageAccounts/stprod").as_str(), "key1").unwrap();
    let secrets = SecretsClient::new(&arm(&azure), &"kv-prod".parse().unwrap()).unwrap();
    let name = "storage".parse().unwrap();
    secrets.set(&name, key.into()).await.unwrap();
    secrets.get(&name).await.unwrap();
    azure
}

async fn status(azure: &MockAzure) -> AlertStatus {
    AlertsClient::new(&arm(azure)).get(&alert()).await.unwrap().status
}

#[tokio::test]
async fn what_an_alert_s_caller_read_is_rotated_and_an_alert_is_resolved_only_when_nothing_is_open() {
    let azure = read(OffsetDateTime::now_utc() - Duration::from_secs(2 * 3600)).await;
    let account = resource("Microsoft.Storage/storageAccounts/stprod");
    let old = azure.resource_key(account.as_str(), "key1").unwrap();
    let ledger = Ledger::in_memory();
    let answer = |issuers: BTreeMap<String, ResourceId>| {
        let (arm, ledger) = (arm(&azure), ledger.clone());
        async move { answer_alert::answer(&arm, &alert(), &issuers, &ledger).await.unwrap() }
    };
    let without = answer(BTreeMap::new()).await;
    assert_eq!(without, ["storage: no resource is given for it: rotate it by hand"]);
    assert_eq!(status(&azure).await, AlertStatus::Active);

    let issuers = BTreeMap::from([("storage".to_owned(), account.clone())]);
    assert_eq!(answer(issuers.clone()).await, [] as [&str; 0]);
    assert!(!azure.takes_key(account.as_str(), &old), "the key that was read is dead");
    assert_eq!(status(&azure).await, AlertStatus::Resolved);
    azure.clear_requests();
    assert_eq!(answer(issuers).await, [] as [&str; 0]);
    assert!(azure.writes().is_empty(), "{:?}", azure.writes());
}

#[tokio::test]
async fn an_alert_of_the_last_minutes_stays_open_since_its_log_may_still_come() {
    let azure = read(OffsetDateTime::now_utc()).await;
    let issuers = [("storage".to_owned(), resource("Microsoft.Storage/storageAccounts/stprod"))].into();
    let done = answer_alert::answer(&arm(&azure), &alert(), &issuers, &Ledger::in_memory()).await.unwrap();
    assert!(done.len() == 1 && done[0].starts_with("the logs are incomplete"), "{done:?}");
    assert_eq!(status(&azure).await, AlertStatus::Active);
}
