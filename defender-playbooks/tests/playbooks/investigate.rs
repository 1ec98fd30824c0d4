use arm_core::ResourceId;
use azure_core::time::OffsetDateTime;
use defender_alerts::Alert;
use defender_playbooks::{Investigation, InvestigationsClient, VaultLog};
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::LogSource;
use serde_json::json;

use crate::lab::*;

/// An alert about the vault, whose caller is who signs in to the double.
fn alert(azure: &MockAzure, is_sample: bool) -> Alert {
    let now = OffsetDateTime::now_utc();
    let text = now.format(&time::format_description::well_known::Rfc3339).unwrap();
    serde_json::from_value(json!({
        "id": format!("/subscriptions/{}/providers/Microsoft.Security/locations/westeurope/alerts/a", subscription()),
        "name": "a",
        "properties": {
            "alertType": if is_sample { "SIMULATED_KV_ListGetAnomaly" } else { "KV_ListGetAnomaly" },
            "alertDisplayName": if is_sample { "[SAMPLE ALERT] listing" } else { "listing" },
            "startTimeUtc": text,
            "endTimeUtc": text,
            "resourceIdentifiers": [{ "type": "AzureResource", "azureResourceId": vault().as_str() }],
            "entities": [{ "type": "account", "name": "lab.user", "aadUserId": azure.signed_in() }],
        },
    }))
    .unwrap()
}

fn logged() -> Seed {
    seed().diagnostic_setting(vault().as_str(), "x", &workspace().to_string(), &["AuditEvent"])
}

async fn investigate(azure: &MockAzure, alert: &Alert) -> Investigation {
    InvestigationsClient::new(&arm(azure)).investigate(alert).await
}

#[tokio::test]
async fn an_alert_is_joined_with_what_the_log_says_of_its_caller() {
    let azure = logged().start().await;
    secrets(&azure, "kv-prod").get_secret("db", None).await.unwrap();
    let found = investigate(&azure, &alert(&azure, false)).await;
    assert!(found.finding.has_log());
    assert_eq!(found.finding.secrets, ["db"]);
    assert_eq!(found.secrets_known_read().into_iter().collect::<Vec<_>>(), ["db"]);
    assert_eq!(found.secrets_read(), None, "logs of the last minutes can still come");
    let [(of, VaultLog::Read(evidence))] = &found.logs[..] else { panic!("{:?}", found.logs) };
    assert_eq!((of, &evidence.source), (&vault(), &LogSource::Present));
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn a_vault_without_a_log_tells_nothing_and_not_that_nothing_happened() {
    let azure = seed().start().await;
    let found = investigate(&azure, &alert(&azure, false)).await;
    assert!(matches!(&found.logs[..], [(_, VaultLog::NotLogged)]), "{:?}", found.logs);
    assert_eq!(found.secrets_read(), None);
    assert!(found.secrets_known_read().is_empty() && !found.is_conclusive());
}

#[tokio::test]
async fn a_log_that_cannot_be_read_hides_nothing_of_what_the_alert_says() {
    let azure = logged().start().await;
    azure.inject(Fault::status(403).on("POST", "/query").always());
    let found = investigate(&azure, &alert(&azure, false)).await;
    assert!(matches!(&found.logs[..], [(_, VaultLog::Failed(_))]), "{:?}", found.logs);
    assert_eq!(found.finding.vaults, [vault()]);
    assert_eq!(found.finding.caller.object_id.as_deref(), Some(azure.signed_in()));
}

#[tokio::test]
async fn a_sample_sends_no_request() {
    let azure = logged().start().await;
    let found = investigate(&azure, &alert(&azure, true)).await;
    assert!(found.logs.iter().all(|(_, log): &(ResourceId, _)| matches!(log, VaultLog::Sample)));
    assert_eq!(azure.requests().len(), 0);
}
