//! Rotation on the double: what it does, in which order, and what it says.

use std::{sync::Arc, time::Duration};

use crate::support::{
    Bank, CANARY, Lab, VAULT, actions, canary, enabled, failure, name, seed, text, three_versions,
};
use arm_core::Secret;
use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use futures::{StreamExt as _, future::join};
use keyvault_ops::{
    Consumers, Ledger, LedgerAction, LedgerEntry, Rotate, RotateFailure, RotateStep, SecretErrorExt as _,
    SecretId, SecretRefusal, rotate_many,
};

/// Consumers that move, or do not.
struct Apps {
    move_over: bool,
}

#[async_trait]
impl Consumers for Apps {
    async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
        assert!(to.version.is_some());
        if self.move_over { Ok(()) } else { Err(failure("app 'web' still uses the old version")) }
    }
}

#[tokio::test]
async fn a_rotation_leaves_the_new_value_as_the_only_one_that_can_be_read() {
    for order in 0..5 {
        let lab = Lab::of(three_versions().version_order(order)).await;
        let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
        assert_eq!(enabled(&lab), [(CANARY.to_owned(), true)], "with order {order}");
        assert!(rotation.is_complete());
        assert_eq!(rotation.retirement.as_ref().unwrap().disabled, 3);
        let previous = &lab.azure.secret_versions(VAULT, "db")[2].id;
        assert_eq!(rotation.previous.as_ref().unwrap().as_str(), previous);
        assert!(
            rotation.to_string().contains("the old credential stays valid there until it is revoked"),
            "{rotation}"
        );
    }
}

#[tokio::test]
async fn without_a_value_a_random_one_is_set() {
    let lab = Lab::of(three_versions()).await;
    lab.secrets.rotate(&name("db")).await.unwrap();
    let first = enabled(&lab).remove(0).0;
    lab.secrets.rotate(&name("db")).await.unwrap();
    let second = enabled(&lab).remove(0).0;
    assert_eq!((first.len(), second.len()), (43, 43));
    assert_ne!(first, second);
}

#[tokio::test]
async fn what_the_user_said_about_the_secret_goes_over_to_the_new_version() {
    let lab = Lab::of(seed()).await;
    let expires = OffsetDateTime::now_utc() + Duration::from_secs(30 * 86_400);
    lab.secrets
        .set(&name("db"), Secret::new("x"))
        .tag("team", "sec")
        .content_type("text/plain")
        .expires_on(expires)
        .await
        .unwrap();
    let id = "incident-42";
    lab.secrets.rotate(&name("db")).reason("leaked").id(id).await.unwrap();
    let new = lab.secrets.get(&name("db")).await.unwrap().properties;
    assert_eq!(new.content_type.as_deref(), Some("text/plain"));
    let lifetime = new.expires.unwrap() - new.created.unwrap();
    assert!((lifetime.whole_days() - 30).abs() <= 1, "{lifetime}");
    let tags: Vec<&str> = new.tags.keys().map(String::as_str).collect();
    assert_eq!(tags, ["date", "reason", "replaces", "rotated", "team"]);
    assert_eq!((new.tags["rotated"].as_str(), new.tags["reason"].as_str()), (id, "leaked"));
    lab.secrets.rotate(&name("db")).expires_in(Duration::from_secs(86_400)).await.unwrap();
    let newer = lab.secrets.get(&name("db")).await.unwrap().properties;
    assert!((newer.expires.unwrap() - newer.created.unwrap()).whole_hours() <= 24);
    assert!(!newer.tags.contains_key("reason"), "why the one before was rotated is no news of this one");
}

#[tokio::test]
async fn a_secret_without_room_for_its_tags_is_refused_before_the_issuer_is_asked() {
    let lab = Lab::of(seed()).await;
    let set =
        (0..15).fold(lab.secrets.set(&name("db"), Secret::new("x")), |set, n| set.tag(format!("t{n}"), "v"));
    set.await.unwrap();
    let bank = Bank::with(&["x"]);
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
    assert!(error.to_string().contains("15 tags of at most 15, and a rotation needs room for 2"), "{error}");
    assert_eq!(*bank.made.lock().unwrap(), 0);
}

#[tokio::test]
async fn old_versions_can_be_kept_the_newest_first() {
    let lab = Lab::of(three_versions()).await;
    let rotation = lab.secrets.rotate(&name("db")).to(canary()).keep_enabled(2).await.unwrap();
    assert_eq!(enabled(&lab), [("old-3".to_owned(), false), (CANARY.to_owned(), true)]);
    assert!(rotation.is_complete());
    assert_eq!(rotation.active.unwrap().others, 1);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_says_what_would_be() {
    let lab = Lab::of(three_versions()).await;
    let ledger = Ledger::in_memory();
    let plan = lab.secrets.rotate(&name("db")).to(canary()).ledger(&ledger).dry_run().await.unwrap();
    assert!(plan.dry_run && plan.current.is_none());
    assert_eq!(plan.retirement.as_ref().unwrap().disabled, 3);
    assert!(plan.to_string().starts_with("would rotate 'db' of kv-lab.vault.azure.net"), "{plan}");
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
    assert!(ledger.contents().unwrap().is_empty());
}

#[tokio::test]
async fn what_cannot_be_rotated_is_reported_before_anything_changes() {
    let lab =
        Lab::of(three_versions().managed_secret(VAULT, "cert").deleted_secret(VAULT, "gone", "x")).await;
    let refused = |rotate: Rotate| async move { rotate.await.unwrap_err() };
    for (secret, expected) in [("none", SecretRefusal::NotFound), ("gone", SecretRefusal::SoftDeleted)] {
        let error = refused(lab.secrets.rotate(&name(secret))).await;
        let RotateFailure::Service(source) = &*error.source else { panic!("{error}") };
        assert_eq!(source.secret_refusal(), Some(expected));
        assert!(error.to_string().contains("nothing was changed in the vault"), "{error}");
    }
    assert!(refused(lab.secrets.rotate(&name("cert"))).await.to_string().contains("renew the certificate"));
    let db = lab.secrets.rotate(&name("db"));
    assert!(refused(db.clone().reason("x".repeat(513))).await.to_string().contains("512"));
    assert!(
        refused(db.clone().to(canary()).issuer(Bank::with(&[])))
            .await
            .to_string()
            .contains("use only one of them")
    );
    assert!(refused(db.clone().revoke_first()).await.to_string().contains("needs an issuer"));
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn a_secret_whose_current_version_is_disabled_gets_a_new_one() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old-1").disabled_secret(VAULT, "db", "old-2")).await;
    let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
    assert_eq!(rotation.previous, None);
    assert_eq!(enabled(&lab), [(CANARY.to_owned(), true)]);
}

#[tokio::test]
async fn two_who_rotate_at_once_never_disable_the_current_version() {
    for order in 0..10 {
        let lab = Lab::of(three_versions().version_order(order)).await;
        let rotate = |value: &str| lab.secrets.rotate(&name("db")).to(Secret::new(value)).into_future();
        let (a, b) = join(rotate("a"), rotate("b")).await;
        let versions = lab.azure.secret_versions(VAULT, "db");
        let current = versions.iter().find(|version| version.current).unwrap();
        assert!(current.enabled);
        let won = [&a, &b].into_iter().filter(|outcome| outcome.is_ok()).count();
        assert!(won >= 1, "{a:?} {b:?}");
        for lost in [a, b].into_iter().filter_map(Result::err) {
            assert!(matches!(*lost.source, RotateFailure::Overtaken { .. }), "{lost}");
        }
        lab.secrets.retire_old_versions(&name("db")).await.unwrap();
        assert_eq!(enabled(&lab).len(), 1);
    }
}

#[tokio::test]
async fn who_is_overtaken_before_disabling_disables_nothing() {
    struct Rival(keyvault_ops::SecretsClient);
    #[async_trait]
    impl Consumers for Rival {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            self.0.set(&name("db"), Secret::new("rival")).await.map(drop)
        }
    }
    let lab = Lab::of(three_versions()).await;
    let rival = Arc::new(Rival(lab.secrets.clone()));
    let error = lab.secrets.rotate(&name("db")).to(canary()).consumers(rival).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Retire);
    let RotateFailure::Overtaken { current } = &*error.source else { panic!("{error}") };
    let versions = lab.azure.secret_versions(VAULT, "db");
    assert_eq!(current.as_str(), versions.last().unwrap().id);
    assert!(versions.iter().all(|version| version.enabled));
}

#[tokio::test]
async fn the_issuer_is_asked_in_order_and_the_report_says_so() {
    let lab = Lab::of(three_versions()).await;
    let (bank, ledger) = (Bank::with(&["old-1", "old-2", "old-3"]), Ledger::in_memory());
    let rotation = lab
        .secrets
        .rotate(&name("db"))
        .issuer(bank.clone())
        .consumers(Arc::new(Apps { move_over: true }))
        .ledger(&ledger)
        .await
        .unwrap();
    assert_eq!(rotation.issuer.created.as_deref(), Some("key-1"));
    assert!(rotation.issuer.verified && rotation.consumers_moved);
    assert_eq!(rotation.issuer.revoked, ["old-key-1", "old-key-2", "old-key-3"]);
    assert_eq!(bank.good(), ["key-1"]);
    assert!(rotation.to_string().ends_with("3 old credentials revoked at the issuer"), "{rotation}");
    use LedgerAction::*;
    assert_eq!(
        actions(&ledger),
        [
            Begun,
            Creating,
            CredentialCreated,
            Verified,
            Setting,
            Set,
            ConsumersMoved,
            Revoking,
            CredentialRevoked,
            Revoking,
            CredentialRevoked,
            Revoking,
            CredentialRevoked,
            Retiring,
            Disabled,
            Disabled,
            Disabled,
            Finished
        ]
    );
    assert!(!text(&ledger).contains(CANARY));
}

#[tokio::test]
async fn consumers_that_do_not_move_keep_the_old_versions() {
    let lab = Lab::of(three_versions()).await;
    let stuck = Arc::new(Apps { move_over: false });
    let error = lab.secrets.rotate(&name("db")).to(canary()).id("r-1").consumers(stuck).await.unwrap_err();
    assert_eq!(error.step, RotateStep::WaitForConsumers);
    assert!(lab.azure.secret_versions(VAULT, "db").iter().all(|version| version.enabled));
    let moved = Arc::new(Apps { move_over: true });
    let rotation = lab.secrets.rotate(&name("db")).to(canary()).id("r-1").consumers(moved).await.unwrap();
    assert!(rotation.resumed && rotation.is_complete());
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4);
}

#[tokio::test]
async fn in_an_active_compromise_the_old_credential_goes_first() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-1", "old-2", "old-3"]);
    let stuck = Arc::new(Apps { move_over: false });
    let rotate = lab.secrets.rotate(&name("db")).issuer(bank.clone()).consumers(stuck).revoke_first();
    let error = rotate.await.unwrap_err();
    assert_eq!((error.step, error.completed.issuer.revoked.len()), (RotateStep::WaitForConsumers, 3));
    assert_eq!(bank.good(), ["key-1"]);
}

#[tokio::test]
async fn a_revocation_that_failed_is_made_up_for_by_the_next_run() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-3"]);
    *bank.fails_to_revoke.lock().unwrap() = 1;
    let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1");
    let error = rotate().await.unwrap_err();
    assert_eq!(error.step, RotateStep::Revoke);
    assert_eq!(bank.good(), ["old-key-1", "key-1"]);
    let rotation = rotate().await.unwrap();
    assert_eq!((rotation.issuer.revoked.len(), rotation.resumed), (1, true));
    assert_eq!(bank.good(), ["key-1"]);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_stops_the_rotation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rotations.jsonl");
    let ledger = Ledger::append_to(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let lab = Lab::of(three_versions()).await;
    let error = lab.secrets.rotate(&name("db")).to(canary()).ledger(&ledger).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Ledger(_)));
    assert!(error.to_string().contains("the ledger cannot be"), "{error}");
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 3);
}

#[tokio::test]
async fn a_ledger_in_a_file_grows_from_run_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rotations.jsonl");
    let lab = Lab::of(three_versions()).await;
    for value in ["one", "two"] {
        let ledger = Ledger::append_to(&path).unwrap();
        lab.secrets.rotate(&name("db")).to(Secret::new(value)).reason("drill").ledger(&ledger).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<LedgerEntry> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.iter().filter(|line| line.action == LedgerAction::Finished).count(), 2);
    assert_eq!(
        (lines[0].vault.as_str(), lines[0].detail.as_deref()),
        ("kv-lab.vault.azure.net", Some("drill"))
    );
    assert!(lines.iter().all(|line| line.rotation.is_some()));
}

#[tokio::test]
async fn many_secrets_are_rotated_each_with_its_own_outcome() {
    let mut seed = seed();
    for n in 0..6 {
        seed = seed.secret_versions(VAULT, &format!("s-{n}"), 3);
    }
    let lab = Lab::of(seed).await;
    let names = ["s-0", "s-1", "S-1", "none", "s-2", "s-3", "s-4", "s-5"];
    let rotations = names.iter().map(|secret| lab.secrets.rotate(&name(secret)).reason("finding 7"));
    let outcomes: Vec<_> = rotate_many(rotations, 3).collect().await;
    assert_eq!(outcomes.len(), 7, "a secret that is named twice is rotated once");
    for outcome in outcomes {
        match outcome.target.name.as_str() {
            "none" => assert!(outcome.result.is_err()),
            secret => {
                assert!(outcome.result.unwrap().is_complete());
                assert_eq!(
                    lab.azure.secret_versions(VAULT, secret).iter().filter(|version| version.enabled).count(),
                    1
                );
            }
        }
    }
}
