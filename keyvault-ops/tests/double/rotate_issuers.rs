//! What an issuer answers, and what a rotation makes of it: left-over credentials, ids, slow ones, two slots. On the
//! double.

use std::{
    future::pending,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{
    Bank, Disturbance, Disturbed, Key, Lab, VAULT, enabled, failure, name, seed, stopped_clock,
    three_versions,
};
use arm_core::Secret;
use async_trait::async_trait;
use keyvault_ops::{
    Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, Ledger, RotateFailure,
    RotateStep, SecretId, SecretsClient,
};
use tokio::sync::Notify;

/// A bank that differs in one thing from the others, and counts how often a credential is tried.
#[derive(Default)]
struct Peculiar {
    bank: Bank,
    /// Finds nothing of what it created.
    forgets: bool,
    /// Shows the values of what it finds.
    shows: bool,
    settle_time: Duration,
    /// A new credential works from this try on, counted from 1.
    works_from: u32,
    tries: AtomicU32,
    /// Does not answer the next try.
    hangs: AtomicBool,
    hanging: Notify,
}

#[async_trait]
impl Issuer for Peculiar {
    fn kind(&self) -> IssuerKind {
        self.bank.kind()
    }
    fn settle_time(&self) -> Duration {
        self.settle_time
    }
    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        self.bank.create(request).await
    }
    async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
        let good = self.bank.good.lock().unwrap();
        let found = good.iter().filter(|key| key.rotation == rotation && !self.forgets);
        let value = |key: &Key| self.shows.then(|| Secret::new(key.value.clone()));
        Ok(found.map(|key| FoundCredential { id: key.id.clone(), value: value(key) }).collect())
    }
    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        self.bank.identify(value).await
    }
    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        if self.hangs.swap(false, SeqCst) {
            self.hanging.notify_one();
            pending::<()>().await;
        }
        if self.tries.fetch_add(1, SeqCst) + 1 < self.works_from {
            return Err(failure("it is not known there yet"));
        }
        self.bank.verify(value).await
    }
    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        self.bank.revoke(id).await
    }
}

fn left(bank: &Bank, ids: &[&str]) {
    let key =
        |id: &&str| Key { id: (*id).to_owned(), value: format!("value of {id}"), rotation: "r-1".to_owned() };
    bank.good.lock().unwrap().extend(ids.iter().map(key));
}

fn revoked(bank: &Bank, id: &str) -> usize {
    bank.revoked.lock().unwrap().iter().filter(|revoked| *revoked == id).count()
}

/// The ledger of a program that died between its create and its set.
async fn died_before_the_set(lab: &Lab, issuer: &Arc<Peculiar>) -> Ledger {
    let ledger = Ledger::in_memory();
    let rotate = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").ledger(&ledger);
    issuer.hangs.store(true, SeqCst);
    tokio::select! {
        outcome = rotate.into_future() => panic!("{outcome:?}"),
        () = issuer.hanging.notified() => ledger,
    }
}

#[tokio::test]
async fn what_only_the_ledger_knows_as_created_is_revoked_by_the_next_run_once() {
    for forgets in [true, false] {
        let lab = Lab::of(three_versions()).await;
        let issuer = Arc::new(Peculiar {
            bank: Bank::of(&["old-1", "old-2", "old-3"]),
            forgets,
            ..Peculiar::default()
        });
        let ledger = died_before_the_set(&lab, &issuer).await;
        let rotate = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").ledger(&ledger);
        let rotation = rotate.await.unwrap();
        assert!(rotation.is_complete(), "{rotation}");
        assert_eq!(issuer.bank.good(), ["key-2"], "{forgets}");
        assert_eq!(revoked(&issuer.bank, "key-1"), 1, "{forgets}");
    }
}

#[tokio::test]
async fn what_was_discarded_is_not_revoked_again_by_the_next_run() {
    let lab = Lab::of(three_versions()).await;
    let issuer = Arc::new(Peculiar { bank: Bank::of(&["old-3"]), works_from: 2, ..Peculiar::default() });
    let ledger = Ledger::in_memory();
    let rotate = || lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").ledger(&ledger);
    let error = rotate().await.unwrap_err();
    assert_eq!((error.step, revoked(&issuer.bank, "key-1")), (RotateStep::Verify, 1));
    rotate().await.unwrap();
    assert_eq!(revoked(&issuer.bank, "key-1"), 1, "it was revoked when it did not work");
    assert_eq!(issuer.bank.good(), ["key-2"]);
}

#[tokio::test]
async fn one_left_over_credential_that_shows_its_value_is_used_and_the_others_are_revoked() {
    let lab = Lab::of(three_versions()).await;
    let issuer = Arc::new(Peculiar { bank: Bank::of(&["old-3"]), shows: true, ..Peculiar::default() });
    left(&issuer.bank, &["left-1", "left-2"]);
    let rotation = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").await.unwrap();
    assert_eq!(rotation.issuer.created.as_deref(), Some("left-1"));
    assert_eq!(enabled(&lab), [("value of left-1".to_owned(), true)]);
    assert_eq!(issuer.bank.good(), ["left-1"]);
    assert_eq!(*issuer.bank.made.lock().unwrap(), 0, "there was no need for another");
}

#[tokio::test]
async fn of_left_over_credentials_that_cannot_be_revoked_all_are_named() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::of(&["old-3"]);
    left(&bank, &["left-1", "left-2"]);
    *bank.fails_to_revoke.lock().unwrap() = 1;
    let error = lab.secrets.rotate(&name("db")).issuer(Arc::new(bank)).id("r-1").await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Hook(_)), "{error}");
    assert_eq!(error.completed.issuer.orphans, ["left-1", "left-2"]);
}

#[tokio::test]
async fn the_credential_in_use_is_not_revoked_although_the_issuer_names_it_as_left_over() {
    let lab = Lab::of(three_versions()).await;
    let issuer = Arc::new(Peculiar { shows: true, ..Peculiar::default() });
    let in_use = Key { id: "in-use".to_owned(), value: "old-3".to_owned(), rotation: "r-1".to_owned() };
    issuer.bank.good.lock().unwrap().push(in_use);
    let error = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::SameCredential { id } if id == "in-use"), "{error}");
    assert_eq!(issuer.bank.good(), ["in-use"]);
}

#[tokio::test]
async fn an_id_or_a_value_that_is_in_use_is_no_new_credential() {
    // The id that an older version holds, with a new value; the current value, with a new id.
    for (id, value) in [("old-key-1", "fresh"), ("key-9", "old-3")] {
        let lab = Lab::of(three_versions()).await;
        let returns = Some((id.to_owned(), value.to_owned()));
        let bank = Arc::new(Bank { returns, ..Bank::of(&["old-1", "old-2", "old-3"]) });
        let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
        assert!(
            matches!(&*error.source, RotateFailure::SameCredential { id: same } if same == id),
            "{error}"
        );
        assert!(bank.revoked.lock().unwrap().is_empty(), "{id}");
        assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 3, "{id}");
    }
}

#[tokio::test]
async fn an_id_must_fit_a_tag() {
    for (length, taken) in [(0, false), (1, true), (512, true), (513, false), (600, false)] {
        let lab = Lab::of(three_versions()).await;
        let returns = Some(("i".repeat(length), "fresh".to_owned()));
        let bank = Arc::new(Bank { returns, ..Bank::of(&["old-3"]) });
        match lab.secrets.rotate(&name("db")).issuer(bank.clone()).await {
            Ok(rotation) => assert!(taken && rotation.current.is_some(), "{length}: {rotation}"),
            Err(error) => {
                assert!(!taken, "{length}: {error}");
                assert!(error.to_string().contains("must have 1 to 512 characters"), "{error}");
                assert!(bank.good().iter().all(|id| id.len() != length), "{length}: it was revoked");
            }
        }
    }
}

#[tokio::test]
async fn a_credential_that_works_only_after_a_while_is_tried_again_more_and_more_rarely() {
    let settle_time = Duration::from_secs(60);
    for (works_from, tries, waited) in [(1, 1, 0), (2, 2, 1), (5, 5, 15), (8, 8, 60)] {
        let lab = Lab::of(stopped_clock(seed().secret(VAULT, "db", "old"))).await;
        let bank = Bank::of(&["old"]);
        let issuer = Arc::new(Peculiar { bank, settle_time, works_from, ..Peculiar::default() });
        let before = lab.azure.now();
        let rotate = lab.secrets.rotate(&name("db")).issuer(issuer.clone());
        let stuck = Arc::new(Asked { calls: Mutex::default(), issuer: issuer.clone(), moves: false });
        let error = rotate.consumers(stuck).await.unwrap_err();
        assert_eq!(error.step, RotateStep::WaitForConsumers, "{error}");
        assert_eq!(issuer.tries.load(SeqCst), tries, "works from {works_from}");
        assert_eq!((lab.azure.now() - before).whole_seconds(), waited, "works from {works_from}");
    }
    let lab = Lab::of(seed().secret(VAULT, "db", "old")).await;
    let issuer = Peculiar { bank: Bank::of(&["old"]), settle_time, works_from: 100, ..Peculiar::default() };
    let issuer = Arc::new(issuer);
    let error = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).await.unwrap_err();
    assert_eq!((error.step, issuer.bank.good()), (RotateStep::Verify, vec!["old-key-1".to_owned()]));
    assert!(issuer.tries.load(SeqCst) >= 8);
}

/// Consumers who write down what they were asked, and how many credentials there were by then.
struct Asked {
    calls: Mutex<Vec<(String, u32)>>,
    issuer: Arc<Peculiar>,
    moves: bool,
}

#[async_trait]
impl Consumers for Asked {
    async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
        let made = *self.issuer.bank.made.lock().unwrap();
        let version = to.version.as_ref().unwrap().to_string();
        self.calls.lock().unwrap().push((version, made));
        if self.moves { Ok(()) } else { Err(failure("not yet")) }
    }
}

#[tokio::test]
async fn of_two_slots_the_idle_one_is_waited_for_unless_the_old_ones_go_first() {
    for first in [false, true] {
        let lab = Lab::of(seed().secret(VAULT, "db", "x")).await;
        let bank = Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) };
        let issuer = Arc::new(Peculiar { bank, ..Peculiar::default() });
        let consumers = Arc::new(Asked { calls: Mutex::default(), issuer: issuer.clone(), moves: true });
        let rotate = lab.secrets.rotate(&name("db")).issuer(issuer).consumers(consumers.clone());
        let rotation = if first { rotate.revoke_first().await } else { rotate.await }.unwrap();
        let (old, new) = (rotation.previous.unwrap().to_string(), rotation.current.unwrap().to_string());
        let asked = consumers.calls.lock().unwrap().clone();
        match first {
            true => assert_eq!(asked, [(new, 1)]),
            false => assert_eq!(asked, [(old, 0), (new, 1)], "before the idle slot is regenerated"),
        }
    }
}

#[tokio::test]
async fn a_new_key_of_two_slots_that_does_not_work_is_not_revoked() {
    let lab = Lab::of(seed().secret(VAULT, "db", "x")).await;
    let bank = Bank { kind: Some(IssuerKind::TwoSlots), rejects_new: true, ..Bank::of(&["x"]) };
    let bank = Arc::new(bank);
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify);
    assert!(bank.revoked.lock().unwrap().is_empty(), "it is in the idle slot, which has no other");
}

/// A rival whose intent comes right after ours, or who sets a value the moment that a slot is regenerated.
struct Rival {
    secrets: SecretsClient,
    at: &'static str,
    struck: AtomicBool,
}

#[tokio::test]
async fn of_two_slots_an_intent_that_stands_refuses_at_once() {
    let lab = Lab::of(stopped_clock(seed())).await;
    lab.secrets.set(&name("db"), Secret::new("x")).tag("rotating", "r-2").await.unwrap();
    lab.azure.clear_requests();
    let bank = Arc::new(Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) });
    let before = lab.azure.now();
    let error = lab.secrets.rotate(&name("db")).issuer(bank).id("r-1").await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::ForeignIntent { .. }), "{error}");
    assert_eq!(lab.azure.now(), before, "there is nothing to wait for");
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
}

#[async_trait]
impl Disturbance for Rival {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if operation != self.at || self.struck.swap(true, SeqCst) {
            return Ok(());
        }
        let current = self.secrets.get(&name("db")).await?.properties;
        let tags = [("rotating".to_owned(), "r-2".to_owned())].into();
        self.secrets.update(&name("db"), current.version().unwrap()).tags(tags).await.map(drop)
    }
}

#[tokio::test]
async fn of_two_slots_an_intent_that_replaced_ours_refuses_before_the_set() {
    let lab = Lab::of(seed().secret(VAULT, "db", "x")).await;
    let bank = Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) };
    let by = Rival { secrets: lab.secrets.clone(), at: "verify", struck: AtomicBool::new(false) };
    let issuer = Arc::new(Disturbed { bank, by });
    let error = lab.secrets.rotate(&name("db")).issuer(issuer).id("r-1").await.unwrap_err();
    assert!(
        matches!(&*error.source, RotateFailure::ForeignIntent { rotation } if rotation == "r-2"),
        "{error}"
    );
    assert_eq!(enabled(&lab), [("x".to_owned(), true)]);
}

#[tokio::test]
async fn of_two_slots_the_intent_needs_room_among_the_tags() {
    // Set by an earlier rotation, with so many tags of the user's.
    for (users, room) in [(10, true), (11, false)] {
        let lab = Lab::of(seed()).await;
        let set = lab.secrets.set(&name("db"), Secret::new("x"));
        let set = set.tag("rotated", "r-0").tag("replaces", "0").tag("reason", "drill").tag("date", "d");
        (0..users).fold(set, |set, n| set.tag(format!("t{n}"), "v")).await.unwrap();
        let bank = Arc::new(Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) });
        let outcome = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await;
        match outcome {
            Ok(rotation) => assert!(room && rotation.is_complete(), "{rotation}"),
            Err(error) => {
                assert!(!room && error.to_string().contains("no room for the tag 'rotating'"), "{error}");
                assert_eq!(*bank.made.lock().unwrap(), 0);
            }
        }
    }
}

#[tokio::test]
async fn a_run_that_only_left_its_intent_may_have_ended_the_idle_key() {
    let lab = Lab::of(seed().secret(VAULT, "db", "x")).await;
    let bank = Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x", "idle"]) };
    let issuer = Arc::new(Peculiar { bank, ..Peculiar::default() });
    let rotate = || lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1");
    let by = |at| Lost { at, bank: issuer.clone() };
    // The run before regenerated the idle key, whose value someone set meanwhile, and left its intent only.
    let first = Arc::new(Disturbed {
        bank: Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) },
        by: by("create"),
    });
    let error = lab.secrets.rotate(&name("db")).issuer(first).id("r-1").await.unwrap_err();
    assert_eq!(error.step, RotateStep::CreateCredential, "{error}");
    issuer.bank.good.lock().unwrap().retain(|key| key.value != "idle");
    let tags = lab.secrets.get(&name("db")).await.unwrap().properties.tags;
    assert_eq!(tags["rotating"], "r-1");
    lab.secrets.set(&name("db"), Secret::new("idle")).tags(tags).await.unwrap();
    let error = rotate().await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::CurrentCredentialDead { .. }), "{error}");
}

/// Loses the answer of one operation.
struct Lost {
    at: &'static str,
    bank: Arc<Peculiar>,
}

#[async_trait]
impl Disturbance for Lost {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        assert!(self.bank.bank.made.lock().unwrap().eq(&0));
        if operation == self.at { Err(failure("the line is cut")) } else { Ok(()) }
    }
}

#[tokio::test]
async fn a_working_value_set_by_hand_during_a_revocation_is_not_called_dead() {
    struct ByHand(SecretsClient);
    #[async_trait]
    impl Disturbance for ByHand {
        async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
            if operation == "revoke" {
                self.0.set(&name("db"), Secret::new("by hand")).await?;
            }
            Ok(())
        }
    }
    let lab = Lab::of(three_versions()).await;
    let by = ByHand(lab.secrets.clone());
    let issuer = Arc::new(Disturbed { bank: Bank::of(&["old-3", "by hand"]), by });
    let error = lab.secrets.rotate(&name("db")).issuer(issuer).await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::Overtaken { .. }), "{error}");
}

#[tokio::test]
async fn one_secret_with_many_credentials_is_tried_once_before_the_set_and_not_again() {
    let lab = Lab::of(three_versions()).await;
    let issuer = Arc::new(Peculiar { bank: Bank::of(&["old-3"]), ..Peculiar::default() });
    lab.secrets.rotate(&name("db")).issuer(issuer.clone()).await.unwrap();
    assert_eq!(issuer.tries.load(SeqCst), 1);
}
