use azure_core::time::OffsetDateTime;
use defender_alerts::{Alert, AlertsClient, Finding, KeyVaultAlertType, Missing, ResponsePhase, VaultAccess};
use mock_azure::{DEFAULT_TENANT, MockAzure};
use serde_json::json;

use crate::{all, arm, decoded, subscription, vault};

async fn seeded(kind: &str) -> Alert {
    let azure = MockAzure::seed().alert(vault(), kind).start().await;
    all(AlertsClient::new(&arm(&azure)).list(&subscription())).await.remove(0)
}

fn access(minute: i64, operation: &str, secret: Option<&str>, object_id: &str, allowed: bool) -> VaultAccess {
    VaultAccess {
        time: OffsetDateTime::UNIX_EPOCH + azure_core::time::Duration::minutes(minute),
        operation: operation.to_owned(),
        secret: secret.map(str::to_owned),
        object_id: Some(object_id.to_owned()),
        address: None,
        allowed,
    }
}

fn phases(finding: &Finding) -> Vec<ResponsePhase> {
    finding.steps.iter().map(|step| step.phase).collect()
}

#[tokio::test]
async fn a_user_of_the_own_tenant_is_named_and_the_secrets_are_missing_without_a_log() {
    let alert = seeded("KV_ListGetAnomaly").await;

    let finding = Finding::of(&alert, Some(DEFAULT_TENANT));

    assert_eq!(finding.kind, Some(KeyVaultAlertType::ListGetAnomaly));
    assert_eq!(finding.vaults, [vault()]);
    assert!(finding.caller.name().unwrap().ends_with("@contoso.example"));
    assert_eq!((finding.caller.in_tenant, finding.caller.addresses.len()), (Some(true), 1));
    assert_eq!(finding.operations, ["SecretList", "SecretGet"]);
    assert_eq!((finding.first, finding.last), (alert.start_time, alert.end_time));
    assert_eq!(finding.missing, [Missing::Secrets]);
    use ResponsePhase::{Act, Contain, Identify, Measure};
    assert_eq!(phases(&finding), [Identify, Contain, Contain, Measure, Act, Act]);
    assert_eq!(Finding::of(&alert, Some("other")).caller.in_tenant, Some(false));
    assert_eq!(Finding::of(&alert, None).caller.in_tenant, None);
}

#[tokio::test]
async fn an_application_has_no_user_and_an_outsider_no_object_id() {
    let application = Finding::of(&seeded("KV_AppAnomaly").await, None);
    let outsider = Finding::of(&seeded("KV_TORAccess").await, None);

    assert_eq!(application.missing, [Missing::UserOfApplication, Missing::Secrets]);
    assert!(application.caller.application_id.is_some());
    assert_eq!(outsider.missing, [Missing::ObjectId, Missing::Secrets]);
    assert_eq!(outsider.caller.name(), Some(outsider.caller.addresses[0].address.as_str()));
}

#[tokio::test]
async fn refused_calls_read_nothing_so_nothing_is_rotated() {
    let finding = Finding::of(&seeded("KV_UserAccessDeniedAnomaly").await, None);
    assert!(!finding.missing.contains(&Missing::Secrets));
    assert!(!phases(&finding).contains(&ResponsePhase::Act));

    let caller = finding.caller.object_id.clone().unwrap();
    let later = finding.with_log([&access(1, "SecretGet", Some("db-password"), &caller, true)]);
    assert!(phases(&later).contains(&ResponsePhase::Act), "the log shows that one call was not refused");
}

#[tokio::test]
async fn the_log_adds_what_the_same_caller_did() {
    let finding = Finding::of(&seeded("KV_ListGetAnomaly").await, None);
    let caller = finding.caller.object_id.clone().unwrap();
    let log = [
        access(1, "SecretList", None, &caller, true),
        access(2, "SecretGet", Some("db-password"), &caller, true),
        access(3, "SecretGet", Some("db-password"), &caller, true),
        access(4, "SecretGet", Some("locked"), &caller, false),
        access(5, "SecretGet", Some("not-his"), "someone-else", true),
    ];

    let finding = finding.with_log(&log);

    assert_eq!(finding.secrets, ["db-password"]);
    assert_eq!((finding.operation_count, finding.has_log()), (Some(4), true));
    assert_eq!(finding.first, Some(log[0].time));
    assert_eq!(finding.missing, []);
    assert!(finding.steps.iter().any(|step| step.text.contains("Rotate db-password")));
}

#[tokio::test]
async fn an_alert_with_nothing_in_it_says_what_is_missing() {
    let finding = Finding::of(&decoded(json!({})), None);
    let expected = [
        Missing::ObjectId,
        Missing::Address,
        Missing::Operations,
        Missing::Secrets,
        Missing::TimeSpan,
        Missing::Vault,
    ];
    assert_eq!(finding.missing, expected);
    assert!(expected.iter().all(|missing| missing.to_string().starts_with("no ")));
    assert!(!finding.steps.is_empty());
}

#[tokio::test]
async fn a_sample_is_told_apart_from_a_real_alert() {
    let finding = Finding::of(&decoded(json!({ "alertType": "SIMULATED_KV_TORAccess" })), None);
    assert!(finding.is_sample && finding.steps.len() == 1);
}
