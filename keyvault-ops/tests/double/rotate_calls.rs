//! What a call for several secrets reads before it begins, and what one of its rotations knows of the others. On the
//! double.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::SeqCst},
};

use crate::support::{Bank, Disturbance, Disturbed, Lab, VAULT, failure, name, seed};
use arm_core::{Outcome, Secret};
use async_trait::async_trait;
use azure_core::http::{
    Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use futures::StreamExt as _;
use keyvault_ops::{
    Issuer, RotateError, RotateFailure, RotateStep, Rotation, SecretId, SecretsClient, rotate_many,
};
use mock_azure::{Fault, Seed};

type Outcomes = Vec<Outcome<SecretId, Rotation, RotateError>>;

fn outcome<'a>(outcomes: &'a Outcomes, secret: &str) -> &'a Result<Rotation, RotateError> {
    &outcomes.iter().find(|outcome| outcome.target.name.as_str() == secret).unwrap().result
}

async fn rotate(lab: &Lab, names: &[&str], issuer: Arc<dyn Issuer>) -> Outcomes {
    let rotations = names.iter().map(|secret| lab.secrets.rotate(&name(secret)).issuer(issuer.clone()));
    rotate_many(rotations.collect::<Vec<_>>(), 1).collect().await
}

/// Of each secret: an older version, one that is disabled, and the current one.
fn two_with_older_versions() -> Seed {
    ["db", "api"].iter().fold(seed(), |seed, secret| {
        let seed = seed.secret(VAULT, secret, &format!("{secret}-old"));
        seed.disabled_secret(VAULT, secret, "off").secret(VAULT, secret, &format!("{secret}-now"))
    })
}

/// The values of the versions of both secrets that were read by their ids.
fn read_by_id(lab: &Lab) -> Vec<String> {
    let requests = lab.azure.requests();
    let versions = ["db", "api"].map(|secret| lab.azure.secret_versions(VAULT, secret)).concat();
    let read = |id: &str| {
        requests.iter().any(|request| request.method == "GET" && request.path.ends_with(&format!("/{id}")))
    };
    versions.into_iter().filter(|version| read(&version.id)).map(|version| version.value).collect()
}

#[tokio::test]
async fn older_versions_are_read_only_if_something_is_to_be_revoked() {
    let lab = Lab::of(two_with_older_versions()).await;
    let plain = || ["db", "api"].map(|secret| lab.secrets.rotate(&name(secret)));
    let bank = Bank::with(&["db-old", "db-now", "api-old", "api-now"]);
    let planned = plain().map(|rotate| rotate.issuer(bank.clone()).dry_run());
    let outcomes: Outcomes = rotate_many(planned, 2).collect().await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    let outcomes: Outcomes = rotate_many(plain(), 2).collect().await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    assert_eq!(read_by_id(&lab), [""; 0], "nothing could be revoked");
}

#[tokio::test]
async fn what_is_disabled_is_not_read_and_what_is_current_only_as_current() {
    let lab = Lab::of(two_with_older_versions()).await;
    let bank = Bank::with(&["db-old", "db-now", "api-old", "api-now"]);
    let outcomes = rotate(&lab, &["db", "api"], bank).await;
    assert!(outcomes.iter().all(|outcome| outcome.result.as_ref().is_ok_and(Rotation::is_complete)));
    assert_eq!(read_by_id(&lab), ["db-old", "api-old"]);
}

#[tokio::test]
async fn an_older_version_of_another_secret_that_may_not_be_read_holds_up_what_it_may_hold() {
    let lab = Lab::of(two_with_older_versions()).await;
    let versions = lab.azure.secret_versions(VAULT, "api");
    let old = versions.into_iter().find(|version| version.value == "api-old").unwrap().id;
    lab.azure.inject(Fault::status(403).on("GET", &format!("/secrets/api/{old}")).always());
    let bank = Bank::with(&["db-old", "db-now", "api-now"]);
    let outcomes = rotate(&lab, &["db", "api"], bank.clone()).await;
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert_eq!((db.issuer.unrevoked.len(), db.is_complete()), (2, false), "{db}");
    assert!(bank.revoked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn of_two_credentials_only_the_one_that_another_secret_holds_waits_for_it() {
    let lab = Lab::of(
        seed().secret(VAULT, "db", "shared").secret(VAULT, "db", "own").secret(VAULT, "api", "shared"),
    )
    .await;
    let api = lab.azure.secret_versions(VAULT, "api").remove(0).id;
    // It cannot be rotated, so that its value goes on being used.
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/api").always());
    let bank = Bank::with(&["shared", "own"]);
    let outcomes = rotate(&lab, &["db", "api"], bank.clone()).await;
    let db = outcome(&outcomes, "db").as_ref().unwrap();
    assert_eq!(
        (&db.issuer.revoked[..], db.issuer.unrevoked.len()),
        (&["old-key-2".to_owned()][..], 1),
        "{db}"
    );
    assert!(bank.good().contains(&"old-key-1".to_owned()), "version {api} of api holds it");
}

#[tokio::test]
async fn secrets_of_one_value_are_one_group_without_an_issuer_and_refused_with_two() {
    let lab = Lab::of(seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared")).await;
    let now = |secret| lab.azure.secret_versions(VAULT, secret).pop().unwrap().value;
    let rotations = ["db", "api"].map(|secret| lab.secrets.rotate(&name(secret)));
    let (one, other) = (Bank::with(&["shared"]), Bank::with(&["shared"]));
    for different in [
        [rotations[0].clone().issuer(one.clone()), rotations[1].clone().issuer(other.clone())],
        [rotations[0].clone().issuer(one.clone()), rotations[1].clone()],
    ] {
        let outcomes: Outcomes = rotate_many(different, 2).collect().await;
        for secret in ["db", "api"] {
            let error = outcome(&outcomes, secret).as_ref().unwrap_err();
            assert!(matches!(&*error.source, RotateFailure::Invalid(_)), "{error}");
            assert!(error.to_string().contains("have the same value but another issuer"), "{error}");
        }
        assert_eq!((now("db"), now("api")), ("shared".to_owned(), "shared".to_owned()));
    }
    assert_eq!((*one.made.lock().unwrap(), *other.made.lock().unwrap()), (0, 0));
    let outcomes: Outcomes = rotate_many(rotations, 2).collect().await;
    assert!(outcomes.iter().all(|outcome| outcome.result.is_ok()), "{outcomes:?}");
    assert_eq!(now("db"), now("api"));
    assert_ne!(now("db"), "shared");
}

/// Someone sets a value just before the n-th read of `api`.
#[derive(Debug)]
struct BeforeRead {
    nth: u32,
    reads: AtomicU32,
    rival: std::sync::OnceLock<SecretsClient>,
}

#[async_trait]
impl Policy for BeforeRead {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let read =
            request.method() == Method::Get && request.url().path().trim_end_matches('/') == "/secrets/api";
        if read && self.reads.fetch_add(1, SeqCst) + 1 == self.nth {
            self.rival.get().unwrap().set(&name("api"), Secret::new("by hand")).await?;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[tokio::test]
async fn a_secret_that_changed_since_its_group_was_put_together_stops_the_group() {
    let before = Arc::new(BeforeRead { nth: 2, reads: AtomicU32::new(0), rival: Default::default() });
    let seed = seed().secret(VAULT, "db", "shared").secret(VAULT, "api", "shared");
    let lab = Lab::with_policies(seed, vec![before.clone()]).await;
    before.rival.set(lab.secrets.clone()).unwrap();
    let bank = Bank::with(&["shared", "by hand"]);
    let outcomes = rotate(&lab, &["db", "api"], bank.clone()).await;
    let api = outcome(&outcomes, "api").as_ref().unwrap_err();
    assert!(api.to_string().contains("has just been changed: rotate it again"), "{api}");
    assert!(matches!(&*outcome(&outcomes, "db").as_ref().unwrap_err().source, RotateFailure::Group { .. }));
    assert_eq!((bank.good().len(), *bank.made.lock().unwrap()), (2, 0));
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 1);
}

/// Just before the second credential is created, someone sets a value that was revoked; and the creation fails.
struct SetsWhatWasRevoked {
    rival: SecretsClient,
    created: AtomicU32,
}

#[async_trait]
impl Disturbance for SetsWhatWasRevoked {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if operation != "create" || self.created.fetch_add(1, SeqCst) == 0 {
            return Ok(());
        }
        self.rival.set(&name("api"), Secret::new("db-now")).await?;
        Err(failure("the database is down"))
    }
}

#[tokio::test]
async fn who_stops_looks_whether_another_rotation_of_the_call_ended_its_current_value() {
    let lab = Lab::of(seed().secret(VAULT, "db", "db-now").secret(VAULT, "api", "api-now")).await;
    let by = SetsWhatWasRevoked { rival: lab.secrets.clone(), created: AtomicU32::new(0) };
    let issuer = Arc::new(Disturbed { bank: Bank::of(&["db-now", "api-now"]), by });
    let outcomes = rotate(&lab, &["db", "api"], issuer).await;
    assert!(outcome(&outcomes, "db").as_ref().unwrap().is_complete());
    let api = outcome(&outcomes, "api").as_ref().unwrap_err();
    assert_eq!(api.step, RotateStep::CreateCredential, "{api}");
    assert!(matches!(&*api.source, RotateFailure::CurrentCredentialDead { .. }), "{api}");
}
