//! Rotation on the double: what holds wherever it stops, and that running it again finishes it.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{Bank, CANARY, Lab, VAULT, canary, enabled, name, text, three_versions};
use arm_core::Secret;
use async_trait::async_trait;
use azure_core::http::{
    Context, Request,
    policies::{Policy, PolicyResult},
};
use keyvault_ops::{Ledger, RotateError, RotateStep, Rotation};
use mock_azure::Fault;
use tokio::sync::Notify;

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
            match &error.completed.active {
                Some(active) => {
                    assert_eq!(active.current.as_ref().unwrap().as_str(), current.id, "{what}: {told}");
                    assert_eq!(active.others, leftovers.len() as u64, "{what}: {told}");
                    assert!(told.contains("; now: current "), "{what}: {told}");
                }
                None if error.step >= RotateStep::Set => {
                    assert!(told.contains("it is unknown which versions are enabled"), "{what}: {told}");
                }
                None => assert_eq!(leftovers.len(), 2, "{what}: nothing was changed"),
            }
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

/// Runs a rotation again and again, broken at the first request, the second, and so on, until none is left to break;
/// runs each again without the fault, and checks what holds after each. Answers how many were stopped by the fault.
async fn break_at_every_request(kind: &str, broken: impl Fn(&Lab, u64)) -> u64 {
    let mut stopped = 0;
    for n in 1.. {
        let what = format!("{kind} request {n}");
        let lab = Lab::of(three_versions()).await;
        let ledger = Ledger::in_memory();
        let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(&ledger);
        broken(&lab, n);
        let outcome = rotate().await;
        check(&lab, &what, &outcome);
        let untouched = lab.azure.requests().len() < n as usize;
        stopped += u64::from(outcome.is_err());
        lab.azure.clear_faults();
        finish(&lab, &ledger, &what).await;
        if untouched {
            assert!(n > 10, "{what}: every request was tried");
            break;
        }
    }
    stopped
}

/// Runs the rotation again, and once more.
async fn finish(lab: &Lab, ledger: &Ledger, what: &str) {
    let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(ledger);
    let again = rotate().await;
    assert!(again.is_ok(), "{what}, run again: {}", again.unwrap_err());
    check(lab, &format!("{what}, run again"), &again);
    let set = lab.azure.secret_versions(VAULT, "db");
    let set = set.iter().filter(|version| version.value == CANARY).count();
    assert_eq!(set, 1, "{what}: the new value was set {set} times");
    assert!(ledger.unfinished().unwrap().is_empty(), "{what}");

    lab.azure.clear_requests();
    rotate().await.unwrap();
    let writes = lab.azure.requests().iter().filter(|request| request.method != "GET").count();
    assert_eq!(writes, 0, "{what}: a third run writes");
    assert!(!text(ledger).contains(CANARY) && !text(ledger).contains("old-"));
}

#[tokio::test]
async fn a_line_that_is_cut_at_any_request_leaves_a_secret_that_can_be_read() {
    let stopped = break_at_every_request("the line is cut at", |lab, n| lab.azure.interrupt_at(n)).await;
    assert!(stopped > 8, "{stopped} were stopped");
}

#[tokio::test]
async fn a_connection_lost_before_the_service_acts_is_recovered_from() {
    let lost = |lab: &Lab, n| lab.azure.inject(Fault::reset().skip(n - 1));
    let stopped = break_at_every_request("the connection is lost before acting at", lost).await;
    assert_eq!(stopped, 0, "one lost answer stops no rotation");
}

#[tokio::test]
async fn a_connection_lost_after_the_service_acted_is_recovered_from() {
    let lost = |lab: &Lab, n| lab.azure.inject(Fault::reset_after_acting().skip(n - 1));
    let stopped = break_at_every_request("the connection is lost after acting at", lost).await;
    assert_eq!(stopped, 0, "one lost answer stops no rotation");
}

#[tokio::test]
async fn a_service_that_acts_and_no_longer_answers_leaves_a_secret_that_can_be_read() {
    let lost = |lab: &Lab, n| lab.azure.inject(Fault::reset_after_acting().skip(n - 1).always());
    let stopped = break_at_every_request("no answer any more from", lost).await;
    assert!(stopped > 8, "{stopped} were stopped");
}

#[tokio::test]
async fn an_internal_error_is_recovered_from() {
    let fails = |lab: &Lab, n| lab.azure.inject(Fault::status(500).skip(n - 1));
    let stopped = break_at_every_request("500 at", fails).await;
    assert_eq!(stopped, 0, "one lost answer stops no rotation");
}

#[tokio::test]
async fn internal_errors_for_good_leave_a_secret_that_can_be_read() {
    let fails = |lab: &Lab, n| lab.azure.inject(Fault::status(500).skip(n - 1).always());
    let stopped = break_at_every_request("500 for good from", fails).await;
    assert!(stopped > 8, "{stopped} were stopped");
}

#[tokio::test]
async fn a_truncated_response_is_recovered_from() {
    let cut = |lab: &Lab, n| lab.azure.inject(Fault::truncated().skip(n - 1));
    let stopped = break_at_every_request("a truncated answer at", cut).await;
    assert_eq!(stopped, 0, "one lost answer stops no rotation");
}

#[tokio::test]
async fn a_response_that_is_too_late_is_recovered_from() {
    for n in 1..15 {
        let what = format!("no answer in time at request {n}");
        let lab = Lab::with_timeout(three_versions(), Duration::from_millis(250)).await;
        let ledger = Ledger::in_memory();
        lab.azure.inject(Fault::delay(Duration::from_secs(3)).skip(n - 1));
        let outcome = lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(&ledger).await;
        check(&lab, &what, &outcome);
        finish(&lab, &ledger, &what).await;
    }
}

/// Never sends the n-th request.
#[derive(Debug, Default)]
struct Hang {
    at: AtomicU64,
    seen: AtomicU64,
    reached: Notify,
}

#[async_trait]
impl Policy for Hang {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if self.seen.fetch_add(1, SeqCst) + 1 == self.at.load(SeqCst) {
            self.reached.notify_one();
            pending::<()>().await;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[tokio::test]
async fn a_program_that_dies_at_any_request_is_taken_up_again_from_its_ledger() {
    for n in 1.. {
        let what = format!("the program dies at request {n}");
        let hang = Arc::new(Hang::default());
        let policies: Vec<Arc<dyn Policy>> = vec![hang.clone()];
        let lab = Lab::with_policies(three_versions(), policies).await;
        hang.at.store(n, SeqCst);
        let ledger = Ledger::in_memory();
        let rotate = lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(&ledger);
        let died = tokio::select! {
            outcome = rotate.into_future() => { outcome.unwrap(); false }
            () = hang.reached.notified() => true,
        };
        hang.at.store(0, SeqCst);
        let begun = ledger.unfinished().unwrap();
        let ids: Vec<_> = begun.iter().map(|begun| begun.rotation.as_str()).collect();
        let writes = lab.azure.requests().iter().any(|request| request.method != "GET");
        assert!(!died || ids == ["r-1"] || !writes, "{what}: {ids:?}");
        let current = lab.azure.secret_versions(VAULT, "db").pop().unwrap();
        assert!(current.current && current.enabled, "{what}");
        finish(&lab, &ledger, &what).await;
        if !died {
            assert!(n > 8, "{what}: every request was tried");
            break;
        }
    }
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
    for n in 1..40 {
        let lab = Lab::of(three_versions()).await;
        let bank = Bank::with(&["old-1", "old-2", "old-3"]);
        let ledger = Ledger::in_memory();
        let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").ledger(&ledger);
        lab.azure.interrupt_at(n);
        let _ = rotate().await;
        lab.azure.clear_faults();
        let rotation = rotate().await.unwrap();
        assert!(rotation.is_complete(), "stopped at {n}: {rotation}");
        let current = lab.secrets.get(&name("db")).await.unwrap().properties.tags["credential"].clone();
        assert_eq!(bank.good(), [current], "stopped at {n}");
    }
}
