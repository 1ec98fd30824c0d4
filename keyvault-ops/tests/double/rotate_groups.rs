//! Several secrets in one call: what one of them still needs is not ended by the rotation of another. On the double.

use std::sync::{
    Arc, Mutex, OnceLock,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use crate::support::{Bank, Disturbance, Disturbed, Lab, VAULT, name, seed, three_versions};
use arm_core::{Outcome, Secret};
use async_trait::async_trait;
use azure_core::http::{
    Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use futures::{StreamExt as _, future::BoxFuture};
use keyvault_ops::{
    Consumers, Ledger, RotateError, RotateFailure, Rotation, SecretId, SecretsClient, rotate_many,
};
use mock_azure::Fault;

type Act = Box<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// Something happens just before the bank revokes.
struct BeforeRevoke(Act);

type Scripted = Disturbed<BeforeRevoke>;

fn nothing() -> Act {
    Box::new(|| Box::pin(async {}))
}

#[async_trait]
impl Disturbance for BeforeRevoke {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if operation == "revoke" {
            (self.0)().await;
        }
        Ok(())
    }
}

/// Consumers who move at once, and write down which credentials were good until then.
struct Move {
    issuer: Arc<Scripted>,
    seen: Mutex<Vec<(String, Vec<String>)>>,
    then: Act,
}

impl Move {
    fn with(issuer: &Arc<Scripted>, then: Act) -> Arc<Self> {
        Arc::new(Self { issuer: issuer.clone(), seen: Mutex::default(), then })
    }

    /// Which credentials were good when the consumers of this secret had not moved yet.
    fn before(&self, secret: &str) -> Vec<String> {
        self.seen.lock().unwrap().iter().find(|(moved, _)| moved == secret).unwrap().1.clone()
    }
}

#[async_trait]
impl Consumers for Move {
    async fn wait_until_moved(&self, to: &SecretId) -> azure_core::Result<()> {
        self.seen.lock().unwrap().push((to.name.to_string(), self.issuer.bank.good()));
        (self.then)().await;
        Ok(())
    }
}

/// Lets something happen once, just after this secret was set.
#[derive(Default)]
struct AfterSet {
    secret: &'static str,
    act: OnceLock<Act>,
    struck: AtomicBool,
}

impl std::fmt::Debug for AfterSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.secret)
    }
}

#[async_trait]
impl Policy for AfterSet {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let outcome = next[0].send(ctx, request, &next[1..]).await;
        let set = request.method() == Method::Put
            && request.url().path() == format!("/secrets/{}", self.secret)
            && outcome.as_ref().is_ok_and(|answer| answer.status().is_success());
        if let Some(act) = self.act.get().filter(|_| set)
            && !self.struck.swap(true, SeqCst)
        {
            act().await;
        }
        outcome
    }
}

fn scripted(values: &[&str]) -> Arc<Scripted> {
    Arc::new(Scripted { bank: Bank::of(values), by: BeforeRevoke(nothing()) })
}

async fn rotate(
    secrets: &SecretsClient,
    names: [&str; 2],
    issuer: &Arc<Scripted>,
    consumers: &Arc<Move>,
) -> Vec<Outcome<SecretId, Rotation, RotateError>> {
    let rotations = names.map(|secret| {
        let rotate = secrets.rotate(&name(secret)).id(format!("r-{secret}"));
        rotate.issuer(issuer.clone()).consumers(consumers.clone())
    });
    rotate_many(rotations, 1).collect().await
}

fn outcome<'a>(
    outcomes: &'a [Outcome<SecretId, Rotation, RotateError>],
    secret: &str,
) -> &'a Result<Rotation, RotateError> {
    &outcomes.iter().find(|outcome| outcome.target.name.as_str() == secret).unwrap().result
}

#[tokio::test]
async fn one_credential_in_several_secrets_is_replaced_in_all_and_revoked_once() {
    let lab = Lab::of(
        seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared").secret(VAULT, "web", "own"),
    )
    .await;
    let bank = Bank::with(&["shared", "own"]);
    let rotations = ["db", "api", "web"].map(|secret| lab.secrets.rotate(&name(secret)).issuer(bank.clone()));
    let outcomes: Vec<_> = rotate_many(rotations, 3).collect().await;
    assert!(
        outcomes.iter().all(|outcome| outcome.result.as_ref().is_ok_and(keyvault_ops::Rotation::is_complete)),
        "{outcomes:?}"
    );
    let mut revoked = bank.revoked.lock().unwrap().clone();
    revoked.sort();
    assert_eq!(revoked, ["old-key-1", "old-key-2"]);
    let now = |secret| lab.azure.secret_versions(VAULT, secret).pop().unwrap().value;
    assert_eq!(now("db"), now("api"));
    assert_ne!(now("db"), now("web"));
}

#[tokio::test]
async fn if_one_of_a_group_cannot_be_set_nothing_is_revoked() {
    let lab = Lab::of(seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared")).await;
    let bank = Bank::with(&["shared"]);
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/api").always());
    let rotations = || {
        ["db", "api"]
            .map(|secret| lab.secrets.rotate(&name(secret)).issuer(bank.clone()).id(format!("r-{secret}")))
    };
    let outcomes: Vec<_> = rotate_many(rotations(), 2).collect().await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_err()));
    assert!(bank.revoked.lock().unwrap().is_empty());
    lab.azure.clear_faults();
    let outcomes: Vec<_> = rotate_many(rotations(), 2).collect().await;
    assert!(
        outcomes.iter().all(|outcome| outcome.result.as_ref().is_ok_and(keyvault_ops::Rotation::is_complete)),
        "{outcomes:?}"
    );
    assert_eq!(bank.good(), ["key-1"]);
}

#[tokio::test]
async fn what_an_earlier_run_left_over_is_revoked_though_another_secret_of_the_call_holds_another_credential()
{
    let lab = Lab::of(seed().secret(VAULT, "db", "first").secret(VAULT, "api", "own")).await;
    let bank = Bank::with(&["first", "own"]);
    lab.azure.inject(Fault::status(500).on("PUT", "/secrets/db").always());
    lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-db").await.unwrap_err();
    assert!(bank.good().contains(&"key-1".to_owned()), "it was created and never set");
    lab.azure.clear_faults();

    let rotations = ["db", "api"]
        .map(|secret| lab.secrets.rotate(&name(secret)).issuer(bank.clone()).id(format!("r-{secret}")));
    let outcomes: Vec<_> = rotate_many(rotations, 1).collect().await;

    assert!(
        outcomes.iter().all(|outcome| outcome.result.as_ref().is_ok_and(keyvault_ops::Rotation::is_complete)),
        "{outcomes:?}"
    );
    assert_eq!(bank.revoked.lock().unwrap().first().map(String::as_str), Some("key-1"));
    assert_eq!(bank.good(), ["key-2", "key-3"]);
}

#[tokio::test]
async fn what_only_an_older_version_of_another_secret_holds_is_revoked_after_that_one_has_moved() {
    let lab = Lab::of(
        seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared").secret(VAULT, "api", "own"),
    )
    .await;
    let issuer = scripted(&["shared", "own"]);
    let consumers = Move::with(&issuer, nothing());
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    assert!(consumers.before("api").contains(&"old-key-1".to_owned()), "api had not moved");
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert_eq!(db.issuer.unrevoked.len(), 1, "{db}");
    assert!(!db.is_complete(), "{db}");
    let api = outcome(&outcomes, "api").as_ref().unwrap();
    assert!(api.is_complete(), "{api}");
    assert_eq!(api.issuer.revoked, ["old-key-1", "old-key-2"]);
}

#[tokio::test]
async fn a_secret_that_was_disabled_and_is_enabled_again_is_looked_at_before_each_revocation() {
    let lab = Lab::of(seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared")).await;
    let current = lab.secrets.get(&name("api")).await.unwrap().properties.id.version.unwrap();
    lab.secrets.update(&name("api"), &current).disable().await.unwrap();
    let issuer = scripted(&["shared"]);
    let rival = lab.secrets.clone();
    let enable: Act = Box::new(move || {
        let (rival, current) = (rival.clone(), current.clone());
        Box::pin(async move { rival.update(&name("api"), &current).enable().await.map(drop).unwrap() })
    });
    let consumers = Move::with(&issuer, enable);
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    assert!(consumers.before("api").contains(&"old-key-1".to_owned()), "api had not moved");
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert!(!db.is_complete(), "{db}");
    let api = outcome(&outcomes, "api").as_ref().unwrap();
    assert_eq!(api.issuer.revoked, ["old-key-1"], "{api}");
}

#[tokio::test]
async fn a_secret_whose_rotation_was_overtaken_is_looked_at_again_before_another_one_revokes() {
    let lab = Lab::of(seed().secret(VAULT, "api", "own").secret(VAULT, "db", "first")).await;
    let issuer = scripted(&["own", "first", "theirs", "theirs too"]);
    let (rival, waits) = (lab.secrets.clone(), Arc::new(AtomicBool::new(false)));
    // While the first one waits, it is overtaken. While the second one waits, its credential is in the first for a
    // moment, where a consumer may have read it.
    let set: Act = Box::new(move || {
        let second = waits.swap(true, SeqCst);
        let values: &[&str] = if second { &["first", "theirs too"] } else { &["theirs"] };
        let rival = rival.clone();
        Box::pin(async move {
            for value in values {
                rival.set(&name("api"), Secret::new(*value)).await.unwrap();
            }
        })
    });
    let consumers = Move::with(&issuer, set);
    let outcomes = rotate(&lab.secrets, ["api", "db"], &issuer, &consumers).await;
    let api = outcome(&outcomes, "api").as_ref().unwrap_err();
    assert!(matches!(&*api.source, RotateFailure::Overtaken { .. }), "{api}");
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert!(issuer.bank.good().contains(&"old-key-2".to_owned()), "a consumer of api may use it: {db}");
    assert_eq!((db.issuer.unrevoked.len(), db.is_complete()), (1, false), "{db}");
}

#[tokio::test]
async fn a_secret_of_the_call_that_cannot_be_read_holds_up_what_it_may_hold() {
    let lab = Lab::of(seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared")).await;
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/api").always());
    let issuer = scripted(&["shared"]);
    let consumers = Move::with(&issuer, nothing());
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    assert!(outcome(&outcomes, "api").is_err());
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert_eq!((db.issuer.unrevoked.len(), db.is_complete()), (1, false), "{db}");
    assert_eq!(issuer.bank.good(), ["old-key-1", "key-1"]);
}

#[tokio::test]
async fn a_deleted_secret_of_the_call_does_not_block_the_others() {
    let lab = Lab::of(seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared")).await;
    lab.secrets.delete(&name("api")).await.unwrap();
    lab.secrets.wait_until_deleted(&name("api")).await.unwrap();
    let issuer = scripted(&["shared"]);
    let consumers = Move::with(&issuer, nothing());
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    assert!(outcome(&outcomes, "api").is_err());
    assert!(outcome(&outcomes, "db").as_ref().unwrap().is_complete(), "{outcomes:?}");
}

#[tokio::test]
async fn before_each_set_of_a_group_those_already_set_are_looked_at() {
    let after = Arc::new(AfterSet { secret: "db", ..AfterSet::default() });
    let lab = Lab::with_policies(
        seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared"),
        vec![after.clone()],
    )
    .await;
    let rival = lab.secrets.clone();
    let _ = after.act.set(Box::new(move || {
        let rival = rival.clone();
        Box::pin(async move { rival.set(&name("db"), Secret::new("by hand")).await.map(drop).unwrap() })
    }));
    let issuer = scripted(&["shared"]);
    let consumers = Move::with(&issuer, nothing());
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    let db = outcome(&outcomes, "db").as_ref().unwrap_err();
    assert!(matches!(*db.source, RotateFailure::Overtaken { .. }), "{db}");
    let api = outcome(&outcomes, "api").as_ref().unwrap_err();
    assert!(matches!(*api.source, RotateFailure::Group { .. }), "{api}");
    assert_eq!(lab.azure.secret_versions(VAULT, "api").len(), 1, "whoever has replaced it may end it");
    assert!(issuer.bank.revoked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_credential_revoked_while_it_was_set_in_the_next_secret_is_reported_dead() {
    let after = Arc::new(AfterSet { secret: "api", ..AfterSet::default() });
    let lab = Lab::with_policies(
        seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared"),
        vec![after.clone()],
    )
    .await;
    let issuer = scripted(&["shared"]);
    let bank = issuer.clone();
    let _ = after.act.set(Box::new(move || {
        bank.bank.good.lock().unwrap().retain(|key| key.id != "key-1");
        Box::pin(async {})
    }));
    let consumers = Move::with(&issuer, nothing());
    let outcomes = rotate(&lab.secrets, ["db", "api"], &issuer, &consumers).await;
    let db = outcome(&outcomes, "db").as_ref().unwrap_err();
    assert!(matches!(*db.source, RotateFailure::CurrentCredentialDead { .. }), "{db}");
    assert_eq!(issuer.bank.good(), ["old-key-1"], "the old one still works");
}

#[tokio::test]
async fn a_credential_in_use_that_the_issuer_once_returned_is_never_taken_for_left_over() {
    let lab = Lab::of(three_versions()).await;
    let ledger = Ledger::in_memory();
    let errs = Bank { returns: Some(("old-key-1".to_owned(), "old-3".to_owned())), ..Bank::of(&["old-3"]) };
    let rotate = || lab.secrets.rotate(&name("db")).id("r-1").ledger(&ledger);
    let error = rotate().issuer(Arc::new(errs)).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::SameCredential { .. }), "{error}");
    let in_use = lab.secrets.get(&name("db")).await.unwrap().properties.id.version.unwrap();
    lab.secrets.set(&name("db"), Secret::new("by hand")).await.unwrap();
    lab.secrets.update(&name("db"), &in_use).disable().await.unwrap();
    let issuer = scripted(&["old-3", "by hand"]);
    let consumers = Move::with(&issuer, nothing());
    let rotation = rotate().issuer(issuer.clone()).consumers(consumers.clone()).await.unwrap();
    assert_eq!(consumers.before("db"), ["old-key-1", "old-key-2", "key-1"], "the consumers had not moved");
    assert_eq!(issuer.bank.good(), ["key-1"], "{rotation}");
}

#[tokio::test]
async fn a_dead_current_value_is_found_by_the_same_read_that_shows_what_is_current() {
    let mut told = 0;
    for unanswered in 0..8 {
        let lab = Arc::new(Lab::of(seed().secret(VAULT, "db", "old")).await);
        let rival = lab.clone();
        let before_revoke: Act = Box::new(move || {
            let rival = rival.clone();
            Box::pin(async move {
                rival.secrets.set(&name("db"), Secret::new("old")).await.unwrap();
                rival.azure.inject(Fault::status(404).on("GET", "/secrets/db/?").times(unanswered));
            })
        });
        let issuer = Arc::new(Scripted { bank: Bank::of(&["old"]), by: BeforeRevoke(before_revoke) });
        let error = lab.secrets.rotate(&name("db")).issuer(issuer).await.unwrap_err();
        match &*error.source {
            RotateFailure::CurrentCredentialDead { .. } => told += 1,
            _ => assert!(error.completed.active.is_none(), "{unanswered} reads unanswered: {error}"),
        }
    }
    assert_eq!(told, 4, "one look after the revocation, and three at the end");
}
