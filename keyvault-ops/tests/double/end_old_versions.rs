//! The end of old versions that leaked, on the double.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
};

use crate::support::{
    Bank, CANARY, Disturbance, Disturbed, Lab, VAULT, actions, enabled, failure, name, seed, text,
    three_versions,
};
use arm_core::Secret;
use async_trait::async_trait;
use keyvault_ops::{
    Consumers, EndOldVersions, IssuerKind, Ledger, LedgerAction, RotateFailure, SecretId, SecretVersion,
    SecretsClient,
};
use mock_azure::Fault;

/// The ids of the secret's versions, in the order of their values.
fn versions(lab: &Lab) -> Vec<SecretVersion> {
    let mut versions = lab.azure.secret_versions(VAULT, "db");
    versions.sort_by(|one, other| one.value.cmp(&other.value));
    versions.iter().map(|version| version.id.rsplit('/').next().unwrap().parse().unwrap()).collect()
}

fn oldest(lab: &Lab) -> EndOldVersions {
    lab.secrets.end_old_versions(&name("db"), [versions(lab).remove(0)])
}

fn only_read(lab: &Lab) -> bool {
    lab.azure.requests().iter().all(|request| request.method == "GET")
}

#[tokio::test]
async fn an_old_version_that_leaked_ends_with_its_credential_and_nothing_beside_it() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-1", "old-2", "old-3"]);
    let ledger = Ledger::in_memory();
    lab.azure.clear_requests();
    let would = oldest(&lab).issuer(bank.clone()).dry_run().await.unwrap();
    assert_eq!((would.revoked.as_slice(), would.is_complete()), (["old-key-1".to_owned()].as_slice(), false));
    assert!(only_read(&lab) && bank.good().len() == 3);

    let done = oldest(&lab).issuer(bank.clone()).ledger(&ledger).await.unwrap();
    assert!(done.is_complete(), "{done}");
    assert_eq!(done.revoked, would.revoked);
    assert_eq!(bank.good(), ["old-key-2", "old-key-3"]);
    assert_eq!(enabled(&lab), [("old-2".to_owned(), false), ("old-3".to_owned(), true)]);
    let steps = [
        LedgerAction::Revoking,
        LedgerAction::CredentialRevoked,
        LedgerAction::Retiring,
        LedgerAction::Disabled,
    ];
    assert_eq!(actions(&ledger), steps);
    assert!(!text(&ledger).contains("old-1") && !format!("{done:?}").contains("old-1"));

    lab.azure.clear_requests();
    let again = oldest(&lab).issuer(bank.clone()).await.unwrap();
    assert!(only_read(&lab) && again.revoked.is_empty(), "{again}");
    assert!(again.to_string().contains("it was already disabled"), "{again}");
}

#[tokio::test]
async fn the_current_version_never_ends_though_it_is_named() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-1", "old-2", "old-3"]);
    let done = lab.secrets.end_old_versions(&name("db"), versions(&lab)).issuer(bank.clone()).await.unwrap();
    assert_eq!(bank.good(), ["old-key-3"]);
    assert_eq!(enabled(&lab), [("old-3".to_owned(), true)]);
    assert!(!done.is_complete() && done.to_string().contains("it is the current version"), "{done}");
}

#[tokio::test]
async fn a_credential_that_is_still_needed_stays_and_is_named() {
    // The current version holds the same credential in another form.
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-1", "old-3"]);
    bank.good.lock().unwrap().iter_mut().for_each(|key| key.id = "key1".to_owned());
    let done = oldest(&lab).issuer(bank.clone()).await.unwrap();
    assert!(done.revoked.is_empty() && bank.good().len() == 2, "{done}");
    assert!(done.to_string().contains("the current version contains the same credential"), "{done}");

    // Another secret holds it.
    let lab = Lab::of(three_versions().secret(VAULT, "other", "old-1")).await;
    let bank = Bank::with(&["old-1", "old-3"]);
    let end = || oldest(&lab).issuer(bank.clone()).beside(lab.secrets.clone(), name("other"));
    let done = end().await.unwrap();
    assert!(done.revoked.is_empty() && done.to_string().contains("'other' of kv-lab"), "{done}");
    assert_eq!(bank.good(), ["old-key-1", "old-key-2"]);

    // It cannot be read, so nobody knows.
    let lab = Lab::of(three_versions().secret(VAULT, "other", "another")).await;
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/other").always());
    let done = oldest(&lab).issuer(bank.clone()).beside(lab.secrets.clone(), name("other")).await.unwrap();
    assert!(done.revoked.is_empty() && done.to_string().contains("could not be read"), "{done}");
    lab.azure.clear_faults();

    // Nobody holds it any more; the version is enabled, as after a run that was stopped.
    let lab = Lab::of(three_versions().secret(VAULT, "other", "another")).await;
    let done = oldest(&lab).issuer(bank.clone()).beside(lab.secrets.clone(), name("other")).await.unwrap();
    assert!(done.is_complete(), "{done}");
    assert_eq!(bank.good(), ["old-key-2"]);
}

#[tokio::test]
async fn while_a_rotation_is_about_to_use_the_slot_it_is_left_to_it() {
    let lab = Lab::of(three_versions()).await;
    let current = lab.secrets.get(&name("db")).await.unwrap().properties.id.version.unwrap();
    lab.secrets
        .update(&name("db"), &current)
        .tags([("rotating".to_owned(), "r-1".to_owned())].into())
        .await
        .unwrap();
    let bank = Arc::new(Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["old-1", "old-3"]) });
    let done = oldest(&lab).issuer(bank.clone()).await.unwrap();
    assert!(done.revoked.is_empty() && bank.good().len() == 2, "{done}");
    assert!(done.to_string().contains("a rotation of the secret is in progress"), "{done}");
}

/// Counts, and fails for the first so many times.
struct Moving {
    asked: AtomicU32,
    fails: u32,
}

#[async_trait]
impl Consumers for Moving {
    async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
        assert!(to.version.is_some());
        match self.asked.fetch_add(1, SeqCst) < self.fails {
            true => Err(failure("app-1 still reads the old version")),
            false => Ok(()),
        }
    }
}

#[tokio::test]
async fn nothing_ends_before_its_consumers_have_moved_unless_it_is_misused() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-1", "old-3"]);
    let consumers = Arc::new(Moving { asked: AtomicU32::new(0), fails: 1 });
    let end = || oldest(&lab).issuer(bank.clone()).consumers(consumers.clone());
    let error = end().await.unwrap_err();
    assert!(error.to_string().contains("app-1 still reads"), "{error}");
    assert!(bank.good().len() == 2 && enabled(&lab).len() == 3);
    assert!(end().at_once().await.unwrap().is_complete());
    assert_eq!(consumers.asked.load(SeqCst), 1, "nobody was asked");
}

/// Somebody sets a value just as a credential is revoked.
struct Rival {
    secrets: SecretsClient,
    value: &'static str,
    struck: AtomicBool,
}

#[async_trait]
impl Disturbance for Rival {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if operation == "revoke" && !self.struck.swap(true, SeqCst) {
            self.secrets.set(&name("db"), Secret::new(self.value)).await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_version_set_by_somebody_else_meanwhile_is_kept_and_reported_if_dead() {
    let lab = async |value| {
        let lab = Lab::of(three_versions()).await;
        let by = Rival { secrets: lab.secrets.clone(), value, struck: AtomicBool::new(false) };
        let bank = Arc::new(Disturbed { bank: Bank::of(&["old-1", "old-3"]), by });
        let ended = oldest(&lab).issuer(bank).await;
        let current = lab.secrets.get(&name("db")).await.unwrap();
        assert_eq!(current.value.expose(), value);
        (lab, ended, current.properties.version().cloned())
    };
    let (estate, ended, current) = lab("by hand").await;
    let ended = ended.unwrap();
    assert_eq!((ended.current.clone(), ended.is_complete()), (current, true), "{ended}");
    assert_eq!(enabled(&estate).len(), 3);

    let (estate, ended, current) = lab("old-1").await;
    let error = ended.unwrap_err();
    let RotateFailure::CurrentCredentialDead { current: dead, revoked } = &*error.source else {
        panic!("{error}")
    };
    assert_eq!((Some(dead), revoked.as_slice()), (current.as_ref(), ["old-key-1".to_owned()].as_slice()));
    assert_eq!(enabled(&estate).len(), 4, "nothing was disabled");
}

#[tokio::test]
async fn stopped_at_any_request_running_it_again_finishes_it() {
    let mut cuts = 0;
    loop {
        let lab = Lab::of(three_versions()).await;
        let bank = Bank::with(&["old-1", "old-2", "old-3"]);
        let end = oldest(&lab).issuer(bank.clone());
        lab.azure.interrupt_at(cuts + 1);
        let first = end.clone().await;
        lab.azure.clear_faults();
        if first.is_ok() {
            break;
        }
        cuts += 1;
        let again = end.await.unwrap();
        assert_eq!(bank.good(), ["old-key-2", "old-key-3"], "cut {cuts}: {again}");
        assert_eq!(enabled(&lab).len(), 2, "cut {cuts}: {again}");
    }
    assert!(cuts > 4, "only {cuts} requests");
}

#[tokio::test]
async fn without_an_issuer_the_version_is_disabled_and_its_credential_is_open() {
    let lab = Lab::of(three_versions()).await;
    let done = oldest(&lab).await.unwrap();
    assert_eq!(enabled(&lab).len(), 2);
    assert!(!done.is_complete() && done.to_string().contains("no issuer was given"), "{done}");

    // The issuer does not confirm: the version stays enabled, and the error says so.
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY).secret(VAULT, "db", "new")).await;
    let bank = Bank { fails_to_revoke: 1.into(), ..Bank::of(&[CANARY, "new"]) };
    let leaked = versions(&lab).remove(0);
    let error = lab.secrets.end_old_versions(&name("db"), [leaked]).issuer(Arc::new(bank)).await.unwrap_err();
    assert!(error.to_string().contains("did not confirm"), "{error}");
    assert!(!error.to_string().contains(CANARY) && enabled(&lab).len() == 2);
}
