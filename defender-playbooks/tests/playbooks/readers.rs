use std::{sync::Arc, time::Duration};

use arm_core::Secret;
use defender_playbooks::VaultReaders;
use keyvault_ops::{RotateStep, SecretName, SecretVersion, SecretsClient, VaultId};
use mock_azure::{AuditEvent, MockAzure, Seed};
use time::OffsetDateTime;

use crate::lab::*;

const APP: &str = "00000000-0000-0000-0000-0000000000e1";

fn logged() -> Seed {
    seed().vault_role("kv-prod", "Key Vault Secrets Officer").diagnostic_setting(
        vault().as_str(),
        "x",
        &workspace().to_string(),
        &["AuditEvent"],
    )
}

fn db() -> SecretName {
    "db".parse().unwrap()
}

fn secrets_of(azure: &MockAzure) -> SecretsClient {
    SecretsClient::new(&arm(azure), &"kv-prod".parse().unwrap()).unwrap()
}

fn readers(azure: &MockAzure) -> VaultReaders {
    let vault: VaultId = vault().as_str().parse().unwrap();
    VaultReaders::new(&arm(azure), &vault, &workspace()).unwrap().window(Duration::from_secs(10 * 86_400))
}

/// A read by an application: of the version that it asks for by its id, or of the current one.
fn read(at: OffsetDateTime, answered: &str, by_id: bool) -> AuditEvent {
    let mut event = AuditEvent::new("SecretGet", vault(), at);
    let url = "https://kv-prod.vault.azure.net/secrets/db";
    event.object_id = APP.to_owned();
    event.secret_id = Some(format!("{url}/{answered}"));
    event.request_uri = match by_id {
        true => format!("{url}/{answered}?api-version=7.5"),
        false => format!("{url}/?api-version=7.5"),
    };
    event
}

/// A double whose log reaches back beyond the window, and the version that its secret began with.
async fn estate() -> (MockAzure, String) {
    let azure = logged().start().await;
    let now = azure.now();
    azure.audit_event(AuditEvent::new("VaultGet", vault(), now - time::Duration::days(12)));
    let old = azure.secret_versions("kv-prod", "db").remove(0).id;
    azure.audit_event(read(now - time::Duration::days(2), &old, false));
    (azure, old)
}

async fn set(azure: &MockAzure) -> SecretVersion {
    let set = secrets_of(azure).set(&db(), Secret::new("new")).await.unwrap();
    set.version().unwrap().clone()
}

#[tokio::test]
async fn a_reader_has_moved_once_the_log_shows_the_new_version_and_has_caught_up() {
    let (azure, _) = estate().await;
    let version = set(&azure).await;
    let seen = readers(&azure).moved_to(&db(), &version).await.unwrap();
    assert_eq!((seen.silent.as_slice(), seen.moved.len()), ([APP.to_owned()].as_slice(), 0), "{seen}");
    assert!(seen.unknown[0].contains("not caught up"), "{seen}");

    azure.advance(Duration::from_secs(1200));
    azure.audit_event(read(azure.now(), version.as_str(), false));
    let seen = readers(&azure).moved_to(&db(), &version).await.unwrap();
    assert!(seen.is_complete() && seen.moved == [APP], "{seen}");
    assert_eq!(seen.to_string(), format!("all have moved; moved: {APP}"));
}

#[tokio::test]
async fn a_rotation_waits_for_the_log_and_stops_before_anything_ends_where_a_reader_is_pinned() {
    let (azure, old) = estate().await;
    let consumers = readers(&azure).patience(Duration::from_secs(1800));
    azure.audit_event(read(azure.now() - time::Duration::hours(3), &old, true));
    azure.audit_event(read(azure.now() - time::Duration::hours(2), &old, false));
    let rotate = secrets_of(&azure).rotate(&db()).consumers(Arc::new(consumers.clone()));
    let error = rotate.clone().id("r-1").await.unwrap_err();
    assert_eq!(error.step, RotateStep::WaitForConsumers, "{error}");
    assert!(error.to_string().contains(APP), "{error}");
    assert_eq!(
        azure.secret_versions("kv-prod", "db").iter().filter(|it| it.enabled).count(),
        2,
        "the old one is enabled"
    );

    let hurried = consumers.go_on_after(Duration::from_secs(1800));
    let rotation =
        secrets_of(&azure).rotate(&db()).id("r-1").consumers(Arc::new(hurried.clone())).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let breaks = hurried.last().unwrap();
    assert_eq!(breaks.pinned, [(APP.to_owned(), old)], "who breaks is named: {breaks}");
}

#[tokio::test]
async fn without_a_log_or_with_one_that_begins_too_late_nothing_is_known() {
    let unlogged = seed().vault_role("kv-prod", "Key Vault Secrets Officer").start().await;
    let version = set(&unlogged).await;
    let seen = readers(&unlogged).moved_to(&db(), &version).await.unwrap();
    assert!(!seen.is_complete() && seen.to_string().starts_with("NOT KNOWN"), "{seen}");
    assert!(seen.unknown.iter().any(|why| why.contains("sends no audit log")), "{seen}");

    let young = logged().start().await;
    let version = set(&young).await;
    young.advance(Duration::from_secs(1200));
    readers(&young).moved_to(&db(), &version).await.unwrap();
    let seen = readers(&young).moved_to(&db(), &version).await.unwrap();
    assert!(seen.unknown.iter().any(|why| why.contains("no rows from before the window")), "{seen}");

    let late = logged().log_delay(Duration::from_secs(7200)).start().await;
    late.audit_event(AuditEvent::new("VaultGet", vault(), late.now() - time::Duration::days(12)));
    let version = set(&late).await;
    late.advance(Duration::from_secs(3600));
    let seen = readers(&late).moved_to(&db(), &version).await.unwrap();
    assert!(seen.unknown.iter().any(|why| why.contains("does not show that the version was set")), "{seen}");
}

#[tokio::test]
async fn the_readers_of_a_secret_are_a_report_of_their_own() {
    let (azure, old) = estate().await;
    azure.audit_event(read(azure.now() - time::Duration::hours(3), &old, true));
    let found = readers(&azure).readers(&db()).await.unwrap();
    assert_eq!(found.readers.len(), 1);
    let reader = &found.readers[0];
    assert_eq!((reader.who.as_str(), reader.reads, reader.is_person), (APP, 2, false));
    assert!(
        reader.pinned.contains_key(&old)
            && reader.current.as_ref().is_some_and(|(version, _)| *version == old)
    );
    assert!(found.unknown.is_empty(), "{found}");
    assert!(found.to_string().contains(&format!("requests version {old} by its id")), "{found}");
}
