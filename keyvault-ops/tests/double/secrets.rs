//! Secrets on the double: every operation of the data plane, and what its refusals mean.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use crate::support::{CANARY, Lab, VAULT, canary, name, seed};
use arm_core::{ArmErrorExt as _, Secret};
use azure_core::time::OffsetDateTime;
use futures::TryStreamExt as _;
use keyvault_ops::{
    RecoveryLevel, SecretErrorExt as _, SecretRefusal, SecretState, SecretVersion, SecretsClient,
};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, Fault, MockAzure};
use serde_json::json;

fn refusal<T: std::fmt::Debug>(outcome: azure_core::Result<T>) -> Option<SecretRefusal> {
    outcome.unwrap_err().secret_refusal()
}

#[tokio::test]
async fn a_secret_is_set_with_all_that_can_be_said_about_it_and_read_back() {
    let lab = Lab::of(seed()).await;
    let (from, to) =
        (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::from_unix_timestamp(2_000_000_000).unwrap());
    let set = lab
        .secrets
        .set(&name("db"), canary())
        .content_type("text/plain")
        .tag("team", "sec")
        .not_before(from)
        .expires_on(to)
        .await
        .unwrap();
    let read = lab.secrets.get(&name("DB")).await.unwrap();
    assert_eq!(read.value.expose(), CANARY);
    assert_eq!(read.properties, set);
    assert_eq!((set.content_type.as_deref(), set.tags["team"].as_str()), (Some("text/plain"), "sec"));
    assert_eq!((set.not_before, set.expires, set.enabled), (Some(from), Some(to), true));
    assert_eq!(
        (&set.recovery_level, set.recoverable_days),
        (&Some(RecoveryLevel::RecoverablePurgeable), Some(90))
    );
    assert_eq!(set.id.vault_host, "kv-lab.vault.azure.net");
    let put = lab.azure.requests().into_iter().rfind(|request| request.method == "PUT").unwrap();
    assert_eq!(
        put.body,
        json!({ "value": CANARY, "contentType": "text/plain", "tags": { "team": "sec" },
                "attributes": { "nbf": 0, "exp": 2_000_000_000 } })
    );
    assert_eq!((put.path.as_str(), put.query("api-version")), ("/secrets/db", Some("2025-07-01")));
    assert!(lab.azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn an_expired_secret_can_still_be_read() {
    let lab = Lab::of(seed()).await;
    let past = OffsetDateTime::from_unix_timestamp(1_000_000_000).unwrap();
    lab.secrets.set(&name("old"), canary()).expires_on(past).await.unwrap();
    let read = lab.secrets.get(&name("old")).await.unwrap();
    assert!(read.properties.is_expired(OffsetDateTime::now_utc()));
}

#[tokio::test]
async fn an_update_changes_one_version_and_keeps_what_it_does_not_name() {
    let lab = Lab::of(seed()).await;
    let set = lab.secrets.set(&name("db"), canary()).tag("a", "b").await.unwrap();
    let version = set.version().unwrap();
    let updated = lab.secrets.update(&name("db"), version).disable().content_type("x").await.unwrap();
    assert_eq!(
        (updated.enabled, updated.tags["a"].as_str(), updated.content_type.as_deref()),
        (false, "b", Some("x"))
    );
    assert_eq!(refusal(lab.secrets.get(&name("db")).await), Some(SecretRefusal::Disabled));
    assert_eq!(refusal(lab.secrets.get_version(&name("db"), version).await), Some(SecretRefusal::Disabled));
    assert_eq!(lab.secrets.state(&name("db")).await.unwrap(), SecretState::Disabled);
    lab.secrets.update(&name("db"), version).enable().await.unwrap();
    assert_eq!(lab.secrets.get_version(&name("db"), version).await.unwrap().value.expose(), CANARY);
    let none: SecretVersion = "0".repeat(32).parse().unwrap();
    assert_eq!(refusal(lab.secrets.get_version(&name("db"), &none).await), Some(SecretRefusal::NotFound));
}

/// Recorded: the secret of a certificate names the key of the certificate.
#[tokio::test]
async fn the_secret_of_a_certificate_names_its_key() {
    let lab = Lab::of(seed().managed_secret(VAULT, "cert").secret(VAULT, "own", CANARY)).await;
    let of_certificate = lab.secrets.get(&name("cert")).await.unwrap().properties;
    let key = format!("https://{VAULT}.vault.azure.net/keys/cert/");
    assert!(of_certificate.kid.unwrap().starts_with(&key) && of_certificate.managed);
    assert_eq!(lab.secrets.get(&name("own")).await.unwrap().properties.kid, None);
}

#[tokio::test]
async fn lists_go_over_all_pages_and_know_managed_secrets() {
    let mut seed = seed().empty_pages().managed_secret(VAULT, "cert").secret_versions(VAULT, "many", 60);
    for n in 0..30 {
        seed = seed.secret(VAULT, &format!("s-{n:02}"), CANARY);
    }
    let lab = Lab::of(seed).await;
    let all: Vec<_> = lab.secrets.list().try_collect().await.unwrap();
    assert_eq!(all.len(), 32);
    assert_eq!(all.iter().filter(|secret| secret.managed).count(), 1);
    assert!(all.iter().all(|secret| secret.version().is_none()));
    let versions: Vec<_> = lab.secrets.list_versions(&name("many")).try_collect().await.unwrap();
    assert_eq!(versions.len(), 60);
    assert!(versions.iter().all(|version| version.version().is_some()));
    let cert = lab.secrets.set(&name("cert"), canary()).await;
    assert_eq!(refusal(cert), Some(SecretRefusal::ManagedByKeyVault));
}

#[tokio::test]
async fn a_list_resumes_where_another_stopped() {
    let lab = Lab::of(seed().page_size(10).secret_versions(VAULT, "many", 25)).await;
    let mut pages = lab.secrets.list_versions(&name("many")).into_pages();
    let first = pages.try_next().await.unwrap().unwrap();
    assert_eq!(first.items.len(), 10);
    assert!(first.continuation.unwrap().starts_with("https://kv-lab.vault.azure.net"));
}

#[tokio::test]
async fn a_deleted_secret_is_waited_for_recovered_and_purged() {
    let lab = Lab::of(seed().secret_settling(3).secret_versions(VAULT, "db", 2)).await;
    let db = name("db");
    let deleted = lab.secrets.delete(&db).await.unwrap();
    assert_eq!(deleted.recovery_id.as_deref(), Some("https://kv-lab.vault.azure.net/deletedsecrets/db"));
    assert_eq!(deleted.days_left(deleted.deleted.unwrap()), Some(90));
    assert_eq!(refusal(lab.secrets.set(&db, canary()).await), Some(SecretRefusal::BeingDeleted));
    lab.secrets.wait_until_deleted(&db).await.unwrap();
    let listed: Vec<_> = lab.secrets.list_deleted().try_collect().await.unwrap();
    assert_eq!(listed[0].properties.name(), &db);
    assert_eq!(refusal(lab.secrets.set(&db, canary()).await), Some(SecretRefusal::SoftDeleted));
    let read = lab.secrets.get(&db).await.unwrap_err();
    assert_eq!(read.secret_refusal(), Some(SecretRefusal::SoftDeleted));
    assert!(read.is_not_found() && read.to_string().contains("recover it, or purge it"), "{read}");
    assert!(lab.secrets.get_opt(&db).await.unwrap().is_none());
    assert!(matches!(lab.secrets.state(&db).await.unwrap(), SecretState::SoftDeleted(_)));

    lab.secrets.recover(&db).await.unwrap();
    assert_eq!(refusal(lab.secrets.set(&db, canary()).await), Some(SecretRefusal::BeingRecovered));
    lab.secrets.wait_until_recovered(&db).await.unwrap();
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 2);
    assert!(matches!(lab.secrets.state(&db).await.unwrap(), SecretState::Live(_)));

    lab.secrets.delete(&db).await.unwrap();
    lab.secrets.wait_until_deleted(&db).await.unwrap();
    lab.secrets.purge(&db).await.unwrap();
    assert_eq!(lab.secrets.state(&db).await.unwrap(), SecretState::Absent);
    assert_eq!(refusal(lab.secrets.get(&db).await), Some(SecretRefusal::NotFound));
}

#[tokio::test]
async fn a_backup_is_restored_and_never_shown() {
    let lab = Lab::of(seed().secret_versions(VAULT, "db", 2)).await;
    let backup = lab.secrets.backup(&name("db")).await.unwrap();
    assert_eq!(format!("{backup:?}"), "SecretBackup(..)");
    assert_eq!(refusal(lab.secrets.restore(&backup).await), Some(SecretRefusal::Conflict));
    lab.secrets.delete(&name("db")).await.unwrap();
    lab.secrets.wait_until_deleted(&name("db")).await.unwrap();
    lab.secrets.purge(&name("db")).await.unwrap();
    assert_eq!(refusal(lab.secrets.restore(&backup).await), Some(SecretRefusal::BeingDeleted));
    assert_eq!(lab.secrets.restore(&backup).await.unwrap().name(), &name("db"));
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 2);
}

#[tokio::test]
async fn a_caller_without_permission_gets_the_reason() {
    let db = name("db");
    let bare = || MockAzure::seed().vault(SUB, "rg", VAULT).secret(VAULT, "db", CANARY);
    let rules = json!({ "defaultAction": "Deny", "ipRules": [] });
    for (seed, expected) in [
        (bare(), SecretRefusal::ForbiddenByRbac),
        (bare().access_policy(VAULT, &["list"]), SecretRefusal::ForbiddenByPolicy),
        (bare().vault_property(VAULT, "networkAcls", rules), SecretRefusal::ForbiddenByFirewall),
        (bare().vault_property(VAULT, "publicNetworkAccess", "Disabled"), SecretRefusal::ForbiddenByFirewall),
    ] {
        let lab = Lab::of(seed).await;
        let error = lab.secrets.get(&db).await.unwrap_err();
        assert_eq!(error.secret_refusal(), Some(expected), "{error}");
        assert!(error.is_forbidden() && !error.may_have_acted());
        assert_eq!(lab.azure.requests().len(), 2, "the challenge, and one request");
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_with_what_was_attempted() {
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY)).await;
    let error = lab.secrets.get(&name("none")).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with(
            "reading secret 'none' of kv-lab.vault.azure.net: 404 SecretNotFound: A secret with"
        ),
        "{text}"
    );
    assert!(!text.contains('\n'), "{text}");
    let bare = Lab::of(MockAzure::seed().vault(SUB, "rg", VAULT)).await;
    let text = bare.secrets.get(&name("db")).await.unwrap_err().to_string();
    assert!(
        text.contains("403 ForbiddenByRbac: Caller is not authorized to perform action on resource. If role"),
        "{text}"
    );
}

#[tokio::test]
async fn after_an_assignment_of_ones_own_the_role_is_waited_for_and_the_waits_are_seen() {
    let lab =
        Lab::of(MockAzure::seed().role_propagation(3).vault(SUB, "rg", VAULT).secret(VAULT, "db", CANARY))
            .await;
    assign(&lab).await;
    let waits = Arc::new(Mutex::new(Vec::new()));
    let seen = waits.clone();
    let patient = lab
        .secrets
        .after_role_assignment(Duration::from_secs(600), move |wait| seen.lock().unwrap().push(wait))
        .unwrap();
    assert_eq!(patient.get(&name("db")).await.unwrap().value.expose(), CANARY);
    let waits: Vec<u64> = waits.lock().unwrap().iter().map(|wait| wait.wait.as_secs()).collect();
    assert_eq!(waits, [2, 4, 8]);
}

#[tokio::test]
async fn the_wait_for_a_role_is_bounded_and_shared_by_all_requests() {
    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", VAULT).secret(VAULT, "db", CANARY)).await;
    let patient = lab.secrets.after_role_assignment(Duration::from_secs(60), |_| {}).unwrap();
    let error = patient.get(&name("db")).await.unwrap_err();
    assert_eq!(error.secret_refusal(), Some(SecretRefusal::ForbiddenByRbac));
    assert!(error.to_string().contains("waited 60s for the role assignment to propagate"), "{error}");
    lab.azure.clear_requests();
    patient.get(&name("db")).await.unwrap_err();
    assert_eq!(lab.azure.requests().len(), 1, "the budget is spent");
}

#[tokio::test]
async fn a_body_survives_the_wait_for_a_role() {
    let lab = Lab::of(MockAzure::seed().role_propagation(2).vault(SUB, "rg", VAULT)).await;
    assign(&lab).await;
    let patient = lab.secrets.after_role_assignment(Duration::from_secs(600), |_| {}).unwrap();
    patient.set(&name("db"), canary()).await.unwrap();
    assert_eq!(lab.azure.secret_versions(VAULT, "db")[0].value, CANARY);
}

/// Gives the signed-in principal a role by a request, as a program does: it spreads late.
async fn assign(lab: &Lab) {
    let vault = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}");
    let vault: arm_core::ResourceId = vault.parse().unwrap();
    let path = arm_core::ArmPath::from(&vault)
        .provider("Microsoft.Authorization")
        .literal("roleAssignments/00000000-0000-0000-0000-0000000000d1");
    let officer = format!(
        "/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/b86a8fe4-44ce-4948-aee5-eccb2c155cd7"
    );
    let body = json!({ "properties": { "roleDefinitionId": officer, "principalId": lab.azure.signed_in() } });
    lab.arm.put(path, "2022-04-01").body(&body).send_empty().await.unwrap();
}

#[tokio::test]
async fn throttling_is_waited_out() {
    let lab = Lab::of(seed().secret_throttling(1, 1).secret(VAULT, "db", CANARY)).await;
    for _ in 0..4 {
        lab.secrets.get(&name("db")).await.unwrap();
    }
    let lab = Lab::of(seed().secret_throttling(0, 1).secret(VAULT, "db", CANARY)).await;
    assert_eq!(refusal(lab.secrets.get(&name("db")).await), Some(SecretRefusal::Throttled));
}

#[tokio::test]
async fn a_set_that_may_have_been_carried_out_is_not_repeated() {
    for fault in [Fault::reset_after_acting(), Fault::truncated(), Fault::status(500)] {
        let lab = Lab::of(seed().secret(VAULT, "other", "x")).await;
        lab.secrets.get(&name("other")).await.unwrap();
        lab.azure.inject(fault.on("PUT", "/secrets/db"));
        let error = lab.secrets.set(&name("db"), canary()).await.unwrap_err();
        assert!(error.may_have_acted(), "{error}");
        assert!(lab.azure.secret_versions(VAULT, "db").len() <= 1);
        let puts = lab.azure.requests().iter().filter(|request| request.method == "PUT").count();
        assert_eq!(puts, 1);
    }
}

#[tokio::test]
async fn a_set_that_was_surely_refused_is_repeated_with_its_body() {
    let lab = Lab::of(seed()).await;
    lab.azure.inject(Fault::throttled(Duration::ZERO).on("PUT", "/secrets/db").times(2));
    lab.secrets.set(&name("db"), canary()).await.unwrap();
    let versions = lab.azure.secret_versions(VAULT, "db");
    assert_eq!((versions.len(), versions[0].value.as_str()), (1, CANARY));
}

#[tokio::test]
async fn a_lost_challenge_never_sends_a_set_without_its_value() {
    let lab = Lab::of(seed()).await;
    lab.azure.inject(Fault::status(503).with_header("retry-after", "0").on("PUT", "/secrets/db"));
    lab.secrets.set(&name("db"), canary()).await.unwrap();
    assert_eq!(lab.azure.secret_versions(VAULT, "db")[0].value, CANARY);
}

#[tokio::test]
async fn a_truncated_read_and_an_expired_token_are_repeated() {
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY)).await;
    lab.azure.inject(Fault::truncated().on("GET", "/secrets/db").times(2));
    lab.secrets.get(&name("db")).await.unwrap();
    lab.azure.revoke_tokens();
    lab.secrets.get(&name("db")).await.unwrap();
}

#[tokio::test]
async fn links_to_another_host_are_not_followed() {
    let lab = Lab::of(seed().secret_versions(VAULT, "db", 3)).await;
    lab.secrets.get(&name("db")).await.unwrap();
    for link in ["https://evil.example/secrets", "https://kv-other.vault.azure.net/secrets"] {
        lab.azure.inject(Fault::foreign_next_link(link).on("GET", "/versions"));
        let listed: azure_core::Result<Vec<_>> = lab.secrets.list_versions(&name("db")).try_collect().await;
        let error = listed.unwrap_err();
        assert!(error.to_string().contains("refused to follow a link"), "{error}");
    }
    assert!(lab.azure.foreign_requests().is_empty());
    assert!(lab.azure.requests().iter().all(|request| request.host == "kv-lab.vault.azure.net"));
}

#[tokio::test]
async fn a_challenge_for_another_audience_is_refused() {
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY)).await;
    let challenge =
        r#"Bearer authorization="https://login.microsoftonline.com/x", resource="https://evil.example""#;
    lab.azure.inject(Fault::header("www-authenticate", challenge).on("GET", "/secrets/db"));
    let error = lab.secrets.get(&name("db")).await.unwrap_err();
    assert!(error.to_string().contains("doesn't match the requested domain"), "{error}");
    assert!(lab.azure.token_requests().is_empty());
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_sent() {
    let lab = Lab::of(seed()).await;
    let db = name("db");
    let set = |value: &str| lab.secrets.set(&db, Secret::new(value));
    let message = |outcome: azure_core::Result<_>| -> String {
        let error: azure_core::Error = Result::<keyvault_ops::SecretProperties, _>::unwrap_err(outcome);
        error.to_string()
    };
    assert!(message(set(&"x".repeat(25 * 1024 + 1)).await).contains("a vault accepts at most 25600"));
    assert!(message(set("v").content_type("x".repeat(256)).await).contains("255 characters"));
    assert!(message(set("v").tag("t", "x".repeat(513)).await).contains("512 characters"));
    assert!(
        message((0..16).fold(set("v"), |set, n| set.tag(n.to_string(), "")).await)
            .contains("more than 15 tags")
    );
    let (early, late) = (OffsetDateTime::UNIX_EPOCH, OffsetDateTime::now_utc());
    assert!(message(set("v").not_before(late).expires_on(early).await).contains("would expire before"));
    assert!(lab.azure.requests().is_empty());
    set(&"x".repeat(25 * 1024)).await.unwrap();
}

#[tokio::test]
async fn a_vault_with_a_foreign_address_gets_no_token() {
    let lab =
        Lab::of(seed().vault_property(VAULT, "vaultUri", "https://kv-lab.vault.azure.net.evil.example/"))
            .await;
    let id = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}");
    let found = lab.vaults.get(&id.parse().unwrap()).await.unwrap();
    let error = SecretsClient::of(&lab.arm, &found).unwrap_err();
    assert!(error.to_string().contains("does not belong to this cloud"), "{error}");
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY)).await;
    let found = lab.vaults.get(&id.parse().unwrap()).await.unwrap();
    SecretsClient::of(&lab.arm, &found).unwrap().get(&name("db")).await.unwrap();
}

#[tokio::test]
async fn a_vault_that_does_not_exist_has_no_address() {
    let lab = Lab::of(seed()).await;
    let none = SecretsClient::new(&lab.arm, &"kv-none".parse().unwrap()).unwrap();
    let error = none.get(&name("db")).await.unwrap_err();
    assert!(error.to_string().contains("no such host"), "{error}");
    assert!(!error.may_have_acted());
}
