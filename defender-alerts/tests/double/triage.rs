use azure_core::time::OffsetDateTime;
use defender_alerts::{
    Alert, AlertsClient, EntityKind, Finding, KeyVaultAlertType, Missing, ResponsePhase, VaultAccess,
};
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

/// The one step that says where to look for what was read.
fn measure(finding: &Finding) -> &str {
    let mut steps = finding.steps.iter().filter(|step| step.phase == ResponsePhase::Measure);
    let only = (steps.next(), steps.next());
    let (Some(step), None) = only else { panic!("{only:?}") };
    &step.text
}

#[tokio::test]
async fn without_a_log_every_secret_counts_as_read_and_a_log_of_others_is_none() {
    let finding = Finding::of(&seeded("KV_ListGetAnomaly").await, None);
    let others = finding.clone().with_log([&access(1, "SecretGet", Some("db-password"), "else", true)]);

    for finding in [finding, others] {
        assert!(!finding.has_log());
        assert!(finding.secrets.is_empty() && finding.missing.contains(&Missing::Secrets));
        let step = measure(&finding);
        assert!(step.contains("every secret") && step.contains("kv-prod between 20"), "{step}");
    }
}

#[tokio::test]
async fn of_refused_calls_it_is_measured_whether_others_of_the_caller_succeeded() {
    let finding = Finding::of(&seeded("KV_UserAccessDeniedAnomaly").await, None);
    let step = measure(&finding);
    assert!(step.contains("refused") && step.contains(finding.caller.name().unwrap()), "{step}");
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
    assert!(measure(&finding).contains("shows 1 secret accessed between 1970-01-01T00:01:00"));
    assert_eq!(finding.first, Some(log[0].time));
    assert_eq!(finding.missing, []);
    assert!(finding.steps.iter().any(|step| step.text.contains("Rotate db-password")));
}

#[tokio::test]
async fn a_step_names_whole_seconds_around_the_calls() {
    let alert = json!({
        "startTimeUtc": "2026-03-01T11:59:59.1234567Z",
        "endTimeUtc": "2026-03-01T12:00:58.0000001Z",
    });
    let finding = Finding::of(&decoded(alert), None);
    let step = measure(&finding);
    assert!(step.contains(" between 2026-03-01T11:59:59Z and 2026-03-01T12:00:59Z,"), "{step}");
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

/// In the shape of the samples that the service makes (recorded, 2022-01-01), which differs from its documentation.
#[test]
fn a_sample_of_the_real_service_names_caller_operations_and_secret() {
    let alert = decoded(json!({
        "alertType": "SIMULATED_KV_ListGetAnomaly",
        "intent": "Unknown",
        "status": "Active",
        "severity": "Medium",
        "startTimeUtc": "2026-03-01T12:00:00.0000000Z",
        "endTimeUtc": "2026-03-01T12:05:00.0000000Z",
        "resourceIdentifiers": [{ "azureResourceId": vault().to_string(), "type": "AzureResource" }],
        "extendedProperties": {
            "suspicious Operations": "[SecretGet:2, VaultGet:2]",
            "attacker IP Address": "203.0.113.7",
            "attacker Object ID": "00000000-0000-0000-0000-0000000000b0",
            "target": "https://kv-prod.vault.azure.net/secrets/db-password/0123456789abcdef0123456789abcdef",
            "resourceType": "Key Vault",
        },
        "entities": [],
    }));

    let finding = Finding::of(&alert, None);

    assert!(finding.is_sample);
    assert_eq!(finding.operations, ["SecretGet", "VaultGet"]);
    assert_eq!(finding.operation_count, Some(4));
    assert_eq!(finding.caller.object_id.as_deref(), Some("00000000-0000-0000-0000-0000000000b0"));
    assert_eq!(finding.caller.addresses[0].address, "203.0.113.7");
    assert_eq!(finding.secrets, ["db-password"]);
    assert_eq!(finding.missing, [Missing::User]);
}

#[test]
fn identifiers_and_entities_in_pascal_case_are_read() {
    let pascal = decoded(json!({
        "alertType": "KV_ListGetAnomaly",
        "resourceIdentifiers": [{ "AzureResourceId": vault().to_string(), "Type": "AzureResource" }],
        "entities": [
            { "Type": "account", "Name": "ada", "UpnSuffix": "contoso.example", "AadUserId": "u-1" },
            { "type": "ip", "Address": "203.0.113.7", "Location": { "CountryCode": "de", "City": "Kiel" } },
            { "TYPE": "azure-resource", "resourceid": vault().to_string() },
        ],
    }));

    let finding = Finding::of(&pascal, None);

    assert_eq!(finding.vaults, [vault()]);
    assert_eq!(finding.caller.user_principal_name.as_deref(), Some("ada@contoso.example"));
    assert_eq!(finding.caller.object_id.as_deref(), Some("u-1"));
    let address = &finding.caller.addresses[0];
    assert_eq!(address.location.as_ref().unwrap().city.as_deref(), Some("Kiel"));
    assert!(pascal.unreadable().is_empty());
    assert!(finding.missing.iter().all(|missing| !matches!(missing, Missing::Part(_) | Missing::Vault)));
}

/// None of these names begins with a capital, so that nothing but the missing value tells that they are spelled
/// otherwise.
#[test]
fn an_entity_of_which_nothing_was_read_is_read_again_in_any_spelling() {
    let alert = decoded(json!({
        "alertType": "KV_ListGetAnomaly",
        "entities": [
            { "type": "azure-resource", "resourceid": vault().to_string() },
            { "type": "ip", "aDDRESS": "203.0.113.7" },
            { "type": "account", "upnsuffix": "contoso.example" },
            { "type": "host", "hostname": "vm-web" },
            { "type": "process", "commandline": "cat" },
            { "TYPE": "url", "URL": "https://contoso.example/" },
        ],
    }));

    let finding = Finding::of(&alert, None);

    assert_eq!(finding.vaults, [vault()]);
    assert_eq!(finding.caller.addresses[0].address, "203.0.113.7");
    assert!(alert.unreadable().is_empty());
    let kinds: Vec<EntityKind> = alert.entities().unwrap().into_iter().map(|it| it.kind).collect();
    assert!(
        matches!(&kinds[2], EntityKind::Account(it) if it.upn_suffix.as_deref() == Some("contoso.example"))
    );
    assert!(matches!(&kinds[3], EntityKind::Host(it) if it.host_name.as_deref() == Some("vm-web")));
    assert!(matches!(&kinds[4], EntityKind::Process { command_line: Some(it), .. } if it == "cat"));
    assert!(matches!(&kinds[5], EntityKind::Url(Some(it)) if it == "https://contoso.example/"));
}

#[test]
fn a_name_in_another_spelling_is_read_beside_documented_ones() {
    let alert = decoded(json!({
        "alertType": "KV_ListGetAnomaly",
        "entities": [{ "type": "account", "Name": "ada", "upnSuffix": "contoso.example" }],
    }));
    let finding = Finding::of(&alert, None);
    assert_eq!(finding.caller.user_principal_name.as_deref(), Some("ada@contoso.example"));
}

#[test]
fn a_resource_of_azure_whose_id_cannot_be_read_is_named_and_the_vault_is_not_called_missing() {
    for id in [json!("kv-prod in rg-app"), json!(null)] {
        let entity = json!({ "type": "azure-resource", "resourceId": id });
        let finding =
            Finding::of(&decoded(json!({ "alertType": "KV_TORAccess", "entities": [entity] })), None);
        assert!(finding.missing.iter().any(|missing| matches!(missing, Missing::Part(_))), "{id}");
        assert!(finding.vaults.is_empty() && !finding.missing.contains(&Missing::Vault), "{id}");
    }
}

#[test]
fn what_cannot_be_read_is_named_and_the_vault_is_not_called_missing() {
    let alert = decoded(json!({
        "alertType": "KV_ListGetAnomaly",
        "resourceIdentifiers": [{ "Type": "AzureResource", "AzureResourceId": "kv-prod in rg-app" }],
        "entities": [{ "kind": "account" }],
    }));

    let finding = Finding::of(&alert, None);

    let parts: Vec<String> = finding
        .missing
        .iter()
        .filter_map(|missing| match missing {
            Missing::Part(part) => Some(part.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        parts,
        [
            "a resource identifier of the type AzureResource cannot be read",
            "an entity without a type cannot be read"
        ]
    );
    assert!(finding.vaults.is_empty() && !finding.missing.contains(&Missing::Vault));
}
