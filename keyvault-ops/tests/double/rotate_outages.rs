//! Rotations whose issuer cannot be asked for a while: what is not known is not told as if it were.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

use crate::support::{Bank, Disturbance, Disturbed, Key, Lab, VAULT, failure, name, seed};
use async_trait::async_trait;
use keyvault_ops::{IssuerKind, RotateFailure, SecretsClient};

/// Closed for these calls of `verify` and `identify`, counted from 1.
struct Closed {
    calls: AtomicU64,
    closed: Range<u64>,
    /// Who sets a value of their own during this call.
    someone: Option<(SecretsClient, u64)>,
}

impl Closed {
    async fn call(&self) -> azure_core::Result<()> {
        let call = self.calls.fetch_add(1, SeqCst) + 1;
        if let Some((secrets, at)) = self.someone.as_ref().filter(|(_, at)| *at == call) {
            secrets.set(&name("db"), format!("of someone else, at {at}").into()).await?;
        }
        if self.closed.contains(&call) { Err(failure("the line is busy")) } else { Ok(()) }
    }
}

#[async_trait]
impl Disturbance for Closed {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if matches!(operation, "verify" | "identify") { self.call().await } else { Ok(()) }
    }
}

type Counter = Disturbed<Closed>;

/// Of two slots. The first call identifies the old value, the second tests the new one, the third tries it again once it is set.
fn two_slots(closed: Range<u64>) -> Arc<Counter> {
    let bank = Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["old"]) };
    Arc::new(Counter { bank, by: Closed { calls: AtomicU64::new(0), closed, someone: None } })
}

#[tokio::test]
async fn a_test_after_the_set_that_cannot_be_made_is_no_dead_value() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old")).await;
    let counter = two_slots(3..4);
    let rotate = || lab.secrets.rotate(&name("db")).id("r").issuer(counter.clone());
    let error = rotate().await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Hook(_)), "{error}");
    assert!(error.to_string().contains("the line is busy"), "{error}");
    assert_eq!(error.completed.issuer.untried, None, "it was asked once more, and works");
    let rotation = rotate().await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
}

#[tokio::test]
async fn a_current_value_that_cannot_be_tried_is_named_and_not_called_dead() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old")).await;
    let counter = two_slots(3..20);
    let rotate = || lab.secrets.rotate(&name("db")).id("r").issuer(counter.clone());
    let error = rotate().await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Hook(_)), "{error}");
    let current = error.completed.current.clone();
    assert!(current.is_some() && error.completed.issuer.untried == current, "{error}");
    assert!(error.to_string().contains("could not be asked whether the current version"), "{error}");

    // When the issuer can be asked, it is dead or alive.
    counter.by.calls.store(100, SeqCst);
    counter.bank.good.lock().unwrap().clear();
    let error = rotate().await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::CurrentCredentialDead { .. }), "{error}");
}

#[tokio::test]
async fn who_is_overtaken_while_it_tidies_up_names_what_is_left() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old")).await;
    let bank = Bank::of(&["old"]);
    let left = Key { id: "left".into(), value: "in no secret".into(), rotation: "r".into() };
    bank.good.lock().unwrap().push(left);
    // The second look, after an earlier run's credential was found.
    let someone = Some((lab.secrets.clone(), 2));
    let counter = Counter { bank, by: Closed { calls: AtomicU64::new(0), closed: 0..0, someone } };
    let error = lab.secrets.rotate(&name("db")).id("r").issuer(Arc::new(counter)).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Overtaken { .. }), "{error}");
    assert_eq!(error.completed.issuer.orphans, ["left"]);
    assert!(error.to_string().contains("possibly left over at the issuer: left"), "{error}");
}
