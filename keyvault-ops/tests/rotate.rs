//! Rotation on the double: what holds wherever it stops, and that running it again finishes it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::{
    collections::BTreeSet,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use futures::{StreamExt as _, future::join};
use keyvault_ops::{
    Consumers, Credential, Issuer, Ledger, LedgerAction, LedgerEntry, OldCredential, RetireFailure, Rotate,
    RotateError, RotateFailure, RotateStep, Rotation, SecretErrorExt as _, SecretId, SecretRefusal,
    rotate_many,
};
use mock_azure::{Fault, Seed};
use support::{CANARY, Lab, VAULT, canary, name, seed};

/// A ledger in memory.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn actions(&self) -> Vec<LedgerAction> {
        self.text().lines().map(|line| serde_json::from_str::<LedgerEntry>(line).unwrap().action).collect()
    }
}

/// An issuer in memory: it knows which credentials are good.
#[derive(Default)]
struct Bank {
    good: Mutex<BTreeSet<String>>,
    made: Mutex<u32>,
    rejects_new: bool,
    fails_to_revoke: Mutex<u32>,
}

impl Bank {
    fn with(ids: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            good: Mutex::new(ids.iter().map(|id| (*id).to_owned()).collect()),
            ..Self::default()
        })
    }

    fn good(&self) -> Vec<String> {
        self.good.lock().unwrap().iter().cloned().collect()
    }
}

fn failure(text: &str) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Other, text.to_owned())
}

#[async_trait]
impl Issuer for Bank {
    async fn create(&self, _: &SecretId) -> azure_core::Result<Credential> {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let id = format!("key-{made}");
        self.good.lock().unwrap().insert(id.clone());
        Ok(Credential { value: Secret::new(format!("{CANARY}-of-{id}")), id })
    }

    async fn verify(&self, credential: &Credential) -> azure_core::Result<()> {
        let good = self.good.lock().unwrap().contains(&credential.id) && !self.rejects_new;
        if good { Ok(()) } else { Err(failure("the database refuses the new password")) }
    }

    async fn revoke(&self, old: &OldCredential) -> azure_core::Result<()> {
        let mut failures = self.fails_to_revoke.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(failure("the database is being maintained"));
        }
        self.good.lock().unwrap().remove(old.id.as_deref().unwrap_or("old"));
        Ok(())
    }
}

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

fn three_versions() -> Seed {
    seed().secret(VAULT, "db", "old-1").secret(VAULT, "db", "old-2").secret(VAULT, "db", "old-3")
}

fn enabled(lab: &Lab) -> Vec<(String, bool)> {
    let versions = lab.azure.secret_versions(VAULT, "db");
    versions
        .into_iter()
        .filter(|version| version.enabled)
        .map(|version| (version.value, version.current))
        .collect()
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
async fn a_secret_with_all_its_tags_taken_is_rotated_all_the_same() {
    let lab = Lab::of(seed()).await;
    let set =
        (0..15).fold(lab.secrets.set(&name("db"), Secret::new("x")), |set, n| set.tag(format!("t{n}"), "v"));
    set.await.unwrap();
    let bank = Bank::with(&["old"]);
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap();
    assert!(rotation.is_complete());
    assert_eq!(rotation.issuer.revoked, 1);
    assert_eq!(bank.good(), ["key-1"]);
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
    let lines = Lines::default();
    let ledger = Ledger::new(lines.clone());
    let plan = lab.secrets.rotate(&name("db")).to(canary()).ledger(&ledger).dry_run().await.unwrap();
    assert!(plan.dry_run && plan.current.is_none());
    assert_eq!(plan.retirement.as_ref().unwrap().disabled, 3);
    assert!(plan.to_string().starts_with("would rotate 'db' of kv-lab.vault.azure.net"), "{plan}");
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
    assert!(lines.text().is_empty());
}

#[tokio::test]
async fn what_cannot_be_rotated_is_said_before_anything_changes() {
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
        refused(db.clone().to(canary()).issuer(Bank::with(&[]))).await.to_string().contains("choose one")
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

/// Checks what must hold whenever a rotation has ended, well or not.
fn check(lab: &Lab, what: &str, outcome: &Result<Rotation, RotateError>) {
    let versions = lab.azure.secret_versions(VAULT, "db");
    let current = versions.iter().find(|version| version.current).unwrap();
    assert!(current.enabled, "{what}: the current version is disabled");
    let leftovers: Vec<_> = versions.iter().filter(|version| version.enabled && !version.current).collect();
    match outcome {
        Ok(rotation) => {
            assert!(rotation.is_complete(), "{what}: {rotation}");
            assert_eq!(rotation.current.as_ref().unwrap().as_str(), current.id, "{what}");
            assert!(leftovers.is_empty(), "{what}: {leftovers:?}");
        }
        Err(error) => {
            let told = error.to_string();
            assert!(
                error.completed.active.is_none(),
                "{what}: an interrupted rotation does not claim to be done"
            );
            assert!(told.contains("run it again with the id 'r-1'"), "{what}: {told}");
            if error.completed.current.is_none() && error.step < RotateStep::Set {
                assert_eq!(current.value, "old-3", "{what}: {told}");
            }
        }
    }
    let shown =
        format!("{outcome:?} {}", outcome.as_ref().map_or_else(ToString::to_string, ToString::to_string));
    assert!(!shown.contains(CANARY) && !shown.contains("old-"), "{what}: a value is in {shown}");
}

#[tokio::test]
async fn wherever_a_rotation_stops_the_secret_can_be_read_and_running_it_again_finishes() {
    type Break = fn(&Lab, u64);
    let breaks: [(&str, Break); 7] = [
        ("the program stops at", |lab, n| lab.azure.interrupt_at(n)),
        ("the connection is lost before acting at", |lab, n| lab.azure.inject(Fault::reset().skip(n - 1))),
        ("the connection is lost after acting at", |lab, n| {
            lab.azure.inject(Fault::reset_after_acting().skip(n - 1))
        }),
        ("500 at", |lab, n| lab.azure.inject(Fault::status(500).skip(n - 1))),
        ("500 for good from", |lab, n| lab.azure.inject(Fault::status(500).skip(n - 1).always())),
        ("a truncated answer at", |lab, n| lab.azure.inject(Fault::truncated().skip(n - 1))),
        ("acting without an answer for good from", |lab, n| {
            lab.azure.inject(Fault::reset_after_acting().skip(n - 1).always())
        }),
    ];
    let mut stopped = 0;
    for (kind, broken) in breaks {
        for n in 1.. {
            let what = format!("{kind} request {n}");
            let lab = Lab::of(three_versions()).await;
            let lines = Lines::default();
            let ledger = Ledger::new(lines.clone());
            let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(&ledger);
            broken(&lab, n);
            let outcome = rotate().await;
            check(&lab, &what, &outcome);
            let untouched = lab.azure.requests().len() < n as usize;
            stopped += u32::from(outcome.is_err());

            lab.azure.clear_faults();
            let again = rotate().await;
            assert!(again.is_ok(), "{what}, run again: {}", again.unwrap_err());
            check(&lab, &format!("{what}, run again"), &again);
            let set: Vec<_> = lab.azure.secret_versions(VAULT, "db");
            let set = set.iter().filter(|version| version.value == CANARY).count();
            assert_eq!(set, 1, "{what}: the new value was set {set} times");

            lab.azure.clear_requests();
            rotate().await.unwrap();
            let writes = lab.azure.requests().iter().filter(|request| request.method != "GET").count();
            assert_eq!(writes, 0, "{what}: a third run writes");
            assert!(!lines.text().contains(CANARY) && !lines.text().contains("old-"));
            if untouched {
                assert!(n > 10, "{what}: every request was tried");
                break;
            }
        }
    }
    assert!(stopped > 30, "only {stopped} rotations were stopped");
}

#[tokio::test]
async fn a_set_whose_answer_was_lost_is_looked_for_within_the_same_rotation() {
    for fault in [Fault::reset(), Fault::reset_after_acting(), Fault::truncated(), Fault::status(500)] {
        let lab = Lab::of(three_versions()).await;
        lab.azure.inject(fault.on("PUT", "/secrets/db"));
        let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
        assert!(rotation.is_complete());
        assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4, "the new value was set once");
    }
}

#[tokio::test]
async fn a_rotation_that_is_not_taken_up_again_is_overtaken_by_the_next() {
    for n in 1..14 {
        let lab = Lab::of(three_versions()).await;
        lab.azure.interrupt_at(n);
        let _ = lab.secrets.rotate(&name("db")).to(Secret::new("lost")).await;
        lab.azure.clear_faults();
        let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
        assert!(rotation.is_complete());
        assert_eq!(enabled(&lab), [(CANARY.to_owned(), true)], "stopped at {n}");
    }
}

#[tokio::test]
async fn with_an_issuer_no_credential_is_lost_wherever_it_stops() {
    for n in 1..30 {
        let lab = Lab::of(three_versions()).await;
        let bank = Bank::with(&["old"]);
        let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1");
        lab.azure.interrupt_at(n);
        let first = rotate().await;
        lab.azure.clear_faults();
        let orphan = match &first {
            Ok(_) => None,
            Err(error) => error.completed.issuer.orphan.clone(),
        };
        let rotation = rotate().await.unwrap();
        assert!(rotation.is_complete());
        let current = lab.secrets.get(&name("db")).await.unwrap().properties.tags["credential"].clone();
        let good: Vec<String> = bank.good().into_iter().filter(|id| Some(id) != orphan.as_ref()).collect();
        assert_eq!(good, [current], "stopped at {n}; orphan {orphan:?}");
    }
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

/// Lets a rival set a version just before a page of versions is read.
#[derive(Debug, Default)]
struct Ambush {
    rival: Mutex<Option<keyvault_ops::SecretsClient>>,
}

#[async_trait]
impl Policy for Ambush {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let second_page = request.url().query().is_some_and(|query| query.contains("skiptoken"));
        let rival = self.rival.lock().unwrap().take_if(|_| second_page);
        if let Some(rival) = rival {
            rival.set(&name("db"), Secret::new("rival")).await?;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[tokio::test]
async fn a_version_set_while_the_list_is_read_is_never_disabled() {
    let mut seen_in_list = 0;
    for order in 0..12 {
        let ambush = Arc::new(Ambush::default());
        let policies: Vec<Arc<dyn Policy>> = vec![ambush.clone()];
        let seed = seed().version_order(order).page_size(2).secret_versions(VAULT, "db", 5);
        let lab = Lab::with_policies(seed, policies).await;
        *ambush.rival.lock().unwrap() = Some(lab.secrets.clone());
        let error = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
        let RetireFailure::Overtaken { current } = &error.source else { panic!("{error}") };
        let versions = lab.azure.secret_versions(VAULT, "db");
        let rival = versions.last().unwrap();
        assert!(rival.current && rival.enabled, "with order {order}");
        assert_eq!(current.as_str(), rival.id);
        seen_in_list += u32::from(versions.iter().filter(|version| version.id < rival.id).count() >= 2);
    }
    assert!(seen_in_list > 3, "the new version stood in the rest of the list {seen_in_list} times");
}

#[tokio::test]
async fn the_issuer_is_asked_in_order_and_the_report_says_so() {
    let lab = Lab::of(three_versions()).await;
    let (bank, lines) = (Bank::with(&["old"]), Lines::default());
    let rotation = lab
        .secrets
        .rotate(&name("db"))
        .issuer(bank.clone())
        .consumers(Arc::new(Apps { move_over: true }))
        .ledger(&Ledger::new(lines.clone()))
        .await
        .unwrap();
    assert_eq!(rotation.issuer.created.as_deref(), Some("key-1"));
    assert!(rotation.issuer.verified && rotation.consumers_moved);
    assert_eq!(rotation.issuer.revoked, 3);
    assert_eq!(bank.good(), ["key-1"]);
    assert!(rotation.to_string().ends_with("3 old credentials revoked at the issuer"), "{rotation}");
    use LedgerAction::*;
    assert_eq!(
        lines.actions(),
        [
            Begun,
            CredentialCreated,
            Set,
            Verified,
            ConsumersMoved,
            Disabled,
            Disabled,
            Disabled,
            CredentialRevoked,
            CredentialRevoked,
            CredentialRevoked,
            Finished
        ]
    );
    assert!(!lines.text().contains(CANARY));
}

#[tokio::test]
async fn a_credential_that_does_not_work_is_taken_back() {
    let lab = Lab::of(three_versions()).await;
    let bank = Arc::new(Bank { rejects_new: true, ..Bank::default() });
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify);
    assert!(error.completed.rolled_back_to.is_some());
    assert!(error.to_string().contains("the old value was set again and no version was disabled"), "{error}");
    let now = lab.secrets.get(&name("db")).await.unwrap();
    assert_eq!(now.value.expose(), "old-3");
    assert!(bank.good().is_empty(), "the credential that does not work was revoked");
    assert!(lab.azure.secret_versions(VAULT, "db").iter().all(|version| version.enabled));
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
    let bank = Bank::with(&["old"]);
    let stuck = Arc::new(Apps { move_over: false });
    let rotate = lab.secrets.rotate(&name("db")).issuer(bank.clone()).consumers(stuck).revoke_first();
    let error = rotate.await.unwrap_err();
    assert_eq!((error.step, error.completed.issuer.revoked), (RotateStep::WaitForConsumers, 3));
    assert_eq!(bank.good(), ["key-1"]);
}

#[tokio::test]
async fn a_revocation_that_failed_is_made_up_for_by_the_next_run() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old"]);
    *bank.fails_to_revoke.lock().unwrap() = 1;
    let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1");
    let error = rotate().await.unwrap_err();
    assert_eq!(error.step, RotateStep::Revoke);
    assert_eq!(bank.good(), ["key-1", "old"]);
    let rotation = rotate().await.unwrap();
    assert_eq!((rotation.issuer.revoked, rotation.resumed), (3, true));
    assert_eq!(bank.good(), ["key-1"]);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_stops_the_rotation() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space left"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lab = Lab::of(three_versions()).await;
    let error = lab.secrets.rotate(&name("db")).to(canary()).ledger(&Ledger::new(Full)).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Ledger(_)));
    assert!(error.to_string().contains("no space left"), "{error}");
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 3);
}

#[tokio::test]
async fn a_ledger_in_a_file_grows_from_run_to_run() {
    let path = std::env::temp_dir().join(format!("keyvault-ops-ledger-{}.jsonl", std::process::id()));
    let lab = Lab::of(three_versions()).await;
    for _ in 0..2 {
        let ledger = Ledger::append_to(&path).unwrap();
        lab.secrets.rotate(&name("db")).to(canary()).reason("drill").ledger(&ledger).await.unwrap();
    }
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
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

#[tokio::test]
async fn old_versions_are_retired_and_a_second_run_changes_nothing() {
    let lab = Lab::of(seed().page_size(7).secret_versions(VAULT, "db", 60)).await;
    let active = lab.secrets.verify_single_active(&name("db")).await.unwrap();
    assert_eq!((active.others, active.versions, active.is_single()), (59, 60, false));
    let preview = lab.secrets.retire_old_versions(&name("db")).dry_run().await.unwrap();
    assert_eq!((preview.disabled, preview.dry_run), (59, true));
    assert_eq!(enabled(&lab).len(), 60);
    let lines = Lines::default();
    let done =
        lab.secrets.retire_old_versions(&name("db")).ledger(&Ledger::new(lines.clone())).await.unwrap();
    assert_eq!((done.disabled, done.kept, done.seen), (59, 1, 60));
    assert_eq!(lines.actions().len(), 59);
    assert_eq!(enabled(&lab), [("db-value-60".to_owned(), true)]);
    assert!(lab.secrets.verify_single_active(&name("db")).await.unwrap().is_single());
    lab.azure.clear_requests();
    let again = lab.secrets.retire_old_versions(&name("db")).await.unwrap();
    assert_eq!((again.disabled, again.disabled_before), (0, 59));
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[tokio::test]
async fn versions_of_the_same_second_are_not_told_apart_and_all_kept() {
    let lab = Lab::of(seed().secret_versions(VAULT, "db", 5)).await;
    let done = lab.secrets.retire_old_versions(&name("db")).keep_enabled(2).await.unwrap();
    assert_eq!((done.disabled, done.kept), (0, 5));
}

#[tokio::test]
async fn nothing_is_retired_while_the_current_version_is_disabled() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old").disabled_secret(VAULT, "db", "off")).await;
    let error = lab.secrets.retire_old_versions(&name("db")).await.unwrap_err();
    assert!(matches!(error.source, RetireFailure::CurrentDisabled));
    assert_eq!(enabled(&lab), [("old".to_owned(), false)]);
    let active = lab.secrets.verify_single_active(&name("db")).await.unwrap();
    assert_eq!((active.current.clone(), active.others, active.is_single()), (None, 1, false));
    assert!(active.to_string().contains("no one can read the secret"));
}

#[tokio::test]
async fn a_retirement_that_stops_says_how_far_it_came() {
    let lab = Lab::of(seed().page_size(5).secret_versions(VAULT, "db", 20)).await;
    lab.azure.inject(Fault::status(403).on("PATCH", "/secrets/db").skip(7).always());
    let error = lab.secrets.retire_old_versions(&name("db")).concurrency(1).await.unwrap_err();
    assert_eq!(error.completed.as_ref().unwrap().disabled, 7, "{error}");
    assert!(error.to_string().contains("7 were disabled; run it again for the rest"), "{error}");
    assert_eq!(enabled(&lab).len(), 13);
}

#[tokio::test]
async fn a_thousand_versions_are_retired_page_by_page_with_progress() {
    let lab = Lab::of(seed().secret_versions(VAULT, "big", 1_000)).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let hear = seen.clone();
    let done = lab
        .secrets
        .retire_old_versions(&name("big"))
        .concurrency(25)
        .on_progress(move |progress| hear.lock().unwrap().push(progress.disabled))
        .await
        .unwrap();
    assert_eq!((done.disabled, done.kept), (999, 1));
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 40);
    assert!(seen.is_sorted());
}
