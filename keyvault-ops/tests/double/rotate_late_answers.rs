//! A vault that answers, for some seconds after a set, as it was before: its answers are waited for, and never taken
//! for someone else's work. On the double.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use crate::support::{
    Bank, CANARY, Disturbance, Disturbed, Lab, VAULT, canary, enabled, failure, name, seed, stopped_clock,
    three_versions,
};
use arm_core::Secret;
use async_trait::async_trait;
use azure_core::{
    http::{
        AsyncRawResponse, Context, Method, Request, StatusCode,
        headers::Headers,
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use keyvault_ops::{Consumers, Ledger, RotateFailure, SecretId, SecretsClient};
use mock_azure::{Fault, MockAzure, Seed};

/// Answers reads of a current version, or lists of versions, for a while as they were before the last set.
#[derive(Debug, Default)]
struct Late {
    azure: OnceLock<MockAzure>,
    lag: Duration,
    /// Whether it is the lists that are late, and not the reads.
    lists: bool,
    seen: Mutex<HashMap<String, (StatusCode, Vec<u8>)>>,
    until: Mutex<Option<OffsetDateTime>>,
}

impl Late {
    async fn lab(self, seed: Seed) -> (Arc<Self>, Lab) {
        let late = Arc::new(self);
        let lab = Lab::with_policies(stopped_clock(seed), vec![late.clone()]).await;
        late.azure.set(lab.azure.clone()).unwrap();
        (late, lab)
    }

    fn of_reads(lag: u64) -> Self {
        Self { lag: Duration::from_secs(lag), ..Self::default() }
    }

    /// From now on, as it was before the last set.
    fn begin(&self) {
        *self.until.lock().unwrap() = self.azure.get().map(|azure| azure.now() + self.lag);
    }

    fn old_answer(&self, key: &str) -> Option<(StatusCode, Vec<u8>)> {
        let until = (*self.until.lock().unwrap())?;
        let late = self.azure.get().is_some_and(|azure| azure.now() < until);
        if late { self.seen.lock().unwrap().get(key).cloned() } else { None }
    }
}

#[async_trait]
impl Policy for Late {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let path = request.url().path().trim_end_matches('/').to_owned();
        let concerned = path == if self.lists { "/secrets/db/versions" } else { "/secrets/db" };
        if request.method() == Method::Put && path == "/secrets/db" {
            let outcome = next[0].send(ctx, request, &next[1..]).await;
            if self.lag > Duration::ZERO && self.until.lock().unwrap().is_none() {
                self.begin();
            }
            return outcome;
        }
        if !concerned || request.method() != Method::Get {
            return next[0].send(ctx, request, &next[1..]).await;
        }
        if let Some((status, body)) = self.old_answer(&path) {
            return Ok(AsyncRawResponse::from_bytes(status, Headers::new(), body));
        }
        let (status, headers, body) = next[0].send(ctx, request, &next[1..]).await?.deconstruct();
        let body = body.collect().await?.to_vec();
        if self.until.lock().unwrap().is_none() {
            self.seen.lock().unwrap().insert(path, (status, body.clone()));
        }
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

fn with_disabled_current() -> Seed {
    seed().secret(VAULT, "db", "old-1").disabled_secret(VAULT, "db", "old-2")
}

#[tokio::test]
async fn what_is_answered_late_is_waited_for_whether_it_is_an_old_value_or_that_it_is_disabled() {
    for seed in [three_versions(), with_disabled_current()] {
        let (_, lab) = Late::of_reads(8).lab(seed).await;
        let before = lab.azure.now();
        let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
        assert!(rotation.is_complete(), "{rotation}");
        assert_eq!(enabled(&lab), [(CANARY.to_owned(), true)]);
        assert!(lab.azure.now() - before >= Duration::from_secs(8));
    }
}

#[tokio::test]
async fn a_vault_that_does_not_stop_answering_as_before_ends_the_rotation() {
    let (_, lab) = Late::of_reads(3_600).lab(three_versions()).await;
    let before = lab.azure.now();
    let error = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap_err();
    let RotateFailure::StillOld { current } = &*error.source else { panic!("{error}") };
    assert_eq!(current.as_str(), lab.azure.secret_versions(VAULT, "db")[2].id);
    assert!((15..60).contains(&(lab.azure.now() - before).whole_seconds()));

    let (_, lab) = Late::of_reads(3_600).lab(with_disabled_current()).await;
    let before = lab.azure.now();
    let error = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::CurrentDisabled), "{error}");
    assert!((15..60).contains(&(lab.azure.now() - before).whole_seconds()));
}

#[tokio::test]
async fn a_new_version_that_someone_disables_is_not_waited_for() {
    struct Disables(SecretsClient);
    #[async_trait]
    impl Consumers for Disables {
        async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
            self.0.update(&to.name, to.version.as_ref().unwrap()).disable().await.map(drop)
        }
    }
    let lab = Lab::of(stopped_clock(three_versions())).await;
    let (before, disables) = (lab.azure.now(), Arc::new(Disables(lab.secrets.clone())));
    let error = lab.secrets.rotate(&name("db")).to(canary()).consumers(disables).await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::CurrentDisabled), "{error}");
    assert!(lab.azure.now() - before < Duration::from_secs(15), "waiting does not enable it");
    assert_eq!(enabled(&lab).len(), 3, "nothing more was disabled");
}

#[tokio::test]
async fn a_rotation_that_is_taken_up_again_waits_for_late_answers_too() {
    struct Stuck;
    #[async_trait]
    impl Consumers for Stuck {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            Err(failure("not yet"))
        }
    }
    let (late, lab) = Late::of_reads(8).lab(three_versions()).await;
    let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1");
    rotate().consumers(Arc::new(Stuck)).await.unwrap_err();
    late.begin();
    let rotation = rotate().await.unwrap();
    assert!(rotation.resumed && rotation.is_complete(), "{rotation}");
}

#[tokio::test]
async fn a_set_without_answer_is_looked_for_until_the_lists_are_no_longer_late() {
    // A read is at most five seconds late; the look after that finds it.
    let late = Late { lag: Duration::from_millis(5_500), lists: true, ..Late::default() };
    let (_, lab) = late.lab(three_versions()).await;
    lab.azure.inject(Fault::reset_after_acting().on("PUT", "/secrets/db"));
    let rotation = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4, "it was set once");
}

#[tokio::test]
async fn a_set_that_the_ledger_says_was_begun_is_looked_for_again_before_another_is_made() {
    let (late, lab) =
        Late { lag: Duration::from_secs(4), lists: true, ..Late::default() }.lab(three_versions()).await;
    let ledger = Ledger::in_memory();
    let rotate = || lab.secrets.rotate(&name("db")).id("r-1").ledger(&ledger);
    lab.azure.inject(Fault::reset_after_acting().on("PUT", "/secrets/db"));
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/db/versions").skip(1).always());
    let error = rotate().await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::Undetermined(_)), "{error}");
    lab.azure.clear_faults();
    late.begin();
    let rotation = rotate().await.unwrap();
    assert!(rotation.resumed && rotation.is_complete(), "{rotation}");
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4, "it was set once");
}

#[tokio::test]
async fn a_set_that_is_refused_is_sent_once_and_one_without_answer_twice() {
    for (fault, sent) in [(Fault::status(403), 1), (Fault::status(500), 2)] {
        let lab = Lab::of(three_versions()).await;
        lab.azure.inject(fault.on("PUT", "/secrets/db").always());
        let error = lab.secrets.rotate(&name("db")).to(canary()).await.unwrap_err();
        assert_eq!(matches!(&*error.source, RotateFailure::Service(_)), sent == 1, "{error}");
        assert_eq!(matches!(&*error.source, RotateFailure::Undetermined(_)), sent == 2, "{error}");
        let puts = lab.azure.requests().into_iter().filter(|request| request.method == "PUT").count();
        assert_eq!(puts, sent, "{error}");
    }
}

#[tokio::test]
async fn who_goes_back_during_the_last_revocation_is_seen_although_reads_are_late() {
    struct GoesBack {
        rival: SecretsClient,
        late: Arc<Late>,
    }
    #[async_trait]
    impl Disturbance for GoesBack {
        async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
            if operation == "revoke" {
                self.rival.set(&name("db"), Secret::new("old-3")).await?;
                self.late.begin();
            }
            Ok(())
        }
    }
    let (late, lab) = Late { lag: Duration::from_secs(4), ..Late::default() }.lab(three_versions()).await;
    // The first set is seen at once.
    *late.until.lock().unwrap() = Some(OffsetDateTime::UNIX_EPOCH);
    let by = GoesBack { rival: lab.secrets.clone(), late: late.clone() };
    let issuer = Arc::new(Disturbed { bank: Bank::of(&["old-3"]), by });
    let consumers = Arc::new(Remember(lab.secrets.clone(), late));
    let error = lab.secrets.rotate(&name("db")).issuer(issuer).consumers(consumers).await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::CurrentCredentialDead { .. }), "{error}");
}

/// Has what is current now answered later.
struct Remember(SecretsClient, Arc<Late>);

#[async_trait]
impl Consumers for Remember {
    async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
        *self.1.until.lock().unwrap() = None;
        self.0.get(&name("db")).await?;
        *self.1.until.lock().unwrap() = Some(OffsetDateTime::UNIX_EPOCH);
        Ok(())
    }
}
