//! What a rotation must never do: beside others, after lost answers, with an issuer that errs. On the double.

use std::{
    future::pending,
    io::Write as _,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{
    Bank, CANARY, Disturbance, Disturbed, Lab, VAULT, canary, enabled, failure, name, seed, three_versions,
    vault,
};
use arm_core::{ArmClient, Secret};
use async_trait::async_trait;
use azure_core::{
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
    time::OffsetDateTime,
};
use keyvault_ops::{
    Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, Ledger, RotateFailure,
    RotateStep, SecretId, SecretsClient, ValueSource,
};
use mock_azure::Fault;

/// Someone sets a value: while the new credential is tested, or just as one is revoked.
struct Ambush {
    rival: SecretsClient,
    value: &'static str,
    at: &'static str,
    struck: AtomicBool,
}

#[async_trait]
impl Disturbance for Ambush {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if self.at == operation && !self.struck.swap(true, SeqCst) {
            if self.value.is_empty() {
                pending::<()>().await;
            }
            self.rival.set(&name("db"), Secret::new(self.value)).await?;
        }
        Ok(())
    }
}

fn ambushed(lab: &Lab, bank: Bank, value: &'static str, at: &'static str) -> Arc<Disturbed<Ambush>> {
    let by = Ambush { rival: lab.secrets.clone(), value, at, struck: AtomicBool::new(false) };
    Arc::new(Disturbed { bank, by })
}

fn current(lab: &Lab) -> String {
    lab.azure.secret_versions(VAULT, "db").into_iter().find(|version| version.current).unwrap().value
}

#[tokio::test]
async fn a_credential_that_does_not_work_is_never_set_and_a_newer_value_is_kept() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank { rejects_new: true, ..Bank::of(&["old-3", "by hand"]) };
    let issuer = ambushed(&lab, bank, "by hand", "verify");
    let error = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Verify);
    assert!(error.to_string().contains("nothing was changed in the vault"), "{error}");
    assert_eq!(current(&lab), "by hand");
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4, "nothing but the value by hand was set");
    assert_eq!(issuer.bank.good(), ["old-key-1", "old-key-2"], "what does not work was revoked");
}

#[tokio::test]
async fn a_value_set_by_hand_while_the_new_one_is_tested_is_not_overwritten() {
    let lab = Lab::of(three_versions()).await;
    let issuer = ambushed(&lab, Bank::of(&["old-3", "by hand"]), "by hand", "verify");
    let error = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Overtaken { .. }), "{error}");
    assert_eq!(current(&lab), "by hand");
    assert_eq!(issuer.bank.good(), ["old-key-1", "old-key-2"]);
}

#[tokio::test]
async fn of_a_set_without_answer_only_the_version_with_its_tag_and_value_is_taken_for_its_own() {
    /// Lets someone set a value after the set that is lost.
    struct Rival(SecretsClient);
    #[async_trait]
    impl Consumers for Rival {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            self.0.set(&name("db"), Secret::new("by hand")).await.map(drop)
        }
    }
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-3", "by hand"]);
    lab.azure.inject(Fault::status(500).on("PUT", "/secrets/db").always());
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Undetermined(_)), "{error}");
    assert!(error.to_string().contains("nothing was disabled or revoked"), "{error}");
    assert_eq!(error.completed.issuer.orphans, ["key-1"]);
    assert_eq!(bank.good(), ["old-key-1", "old-key-2", "key-1"]);
    lab.azure.clear_faults();
    let rival = Arc::new(Rival(lab.secrets.clone()));
    let rotate = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").consumers(rival);
    let error = rotate.await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::Overtaken { .. }), "{error}");
    assert_eq!(current(&lab), "by hand");
    assert!(lab.azure.secret_versions(VAULT, "db").iter().all(|version| version.enabled));
}

#[tokio::test]
async fn resuming_without_the_issuer_is_refused() {
    let lab = Lab::of(three_versions()).await;
    let (bank, ledger) = (Bank::with(&["old-1", "old-2", "old-3"]), Ledger::in_memory());
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/db").always());
    lab.secrets.rotate(&name("db")).issuer(bank.clone()).ledger(&ledger).await.unwrap_err();
    lab.azure.clear_faults();
    let begun = ledger.unfinished().unwrap();
    assert_eq!((begun.len(), begun[0].source), (1, ValueSource::Issuer));
    for without in [lab.secrets.resume(&begun[0]), lab.secrets.resume(&begun[0]).to(canary()).ledger(&ledger)]
    {
        let error = without.await.unwrap_err();
        assert!(matches!(*error.source, RotateFailure::Invalid(_)), "{error}");
        assert!(error.to_string().contains("was started with an issuer"), "{error}");
    }
    assert_eq!(current(&lab), "old-3");
    let rotation = lab.secrets.resume(&begun[0]).issuer(bank.clone()).ledger(&ledger).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert!(ledger.unfinished().unwrap().is_empty());
}

/// Lets someone set a value directly before one of the requests.
#[derive(Debug)]
struct BeforeRequest {
    at: u32,
    seen: AtomicU32,
    rival: OnceLock<SecretsClient>,
}

#[async_trait]
impl Policy for BeforeRequest {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        if let Some(rival) = self.rival.get()
            && self.seen.fetch_add(1, SeqCst) + 1 == self.at
        {
            rival.set(&name("db"), Secret::new("by hand")).await?;
        }
        next[0].send(ctx, request, &next[1..]).await
    }
}

#[tokio::test]
async fn a_rotation_beside_which_somebody_set_a_value_is_told_as_done_only_if_its_own_is_current() {
    for at in 1.. {
        let before = Arc::new(BeforeRequest { at, seen: AtomicU32::new(0), rival: OnceLock::new() });
        let lab = Lab::with_policies(three_versions(), vec![before.clone()]).await;
        // A client of its own, which is not disturbed.
        let theirs = ArmClient::new(lab.azure.credential(), Some(lab.azure.client_options().into())).unwrap();
        before.rival.set(SecretsClient::new(&theirs, &vault()).unwrap()).unwrap();

        let outcome = lab.secrets.rotate(&name("db")).to(canary()).await;

        let undisturbed = before.seen.load(SeqCst) < at;
        match outcome {
            Ok(rotation) => {
                assert_eq!(current(&lab), CANARY, "before request {at}: {rotation}");
                let versions = lab.azure.secret_versions(VAULT, "db");
                let theirs = versions.iter().any(|version| version.value == "by hand" && version.enabled);
                assert_eq!(rotation.is_complete(), !theirs, "before request {at}: {rotation}");
            }
            Err(error) => {
                assert!(!undisturbed, "before request {at}: {error}");
                assert!(
                    matches!(*error.source, RotateFailure::Overtaken { .. }),
                    "before request {at}: {error}"
                );
                assert_eq!(current(&lab), "by hand");
            }
        }
        if undisturbed {
            assert!(at > 6, "it reads, sets, disables and reads again");
            break;
        }
    }
}

#[tokio::test]
async fn what_became_current_while_it_was_revoked_is_the_first_thing_said() {
    for first in [true, false] {
        let lab = Lab::of(three_versions()).await;
        let issuer = ambushed(&lab, Bank::of(&["old-3"]), "old-3", "revoke");
        let rotate = lab.secrets.rotate(&name("db")).issuer(issuer);
        let error = if first { rotate.revoke_first().await } else { rotate.await }.unwrap_err();
        let RotateFailure::CurrentCredentialDead { current, revoked } = &*error.source else {
            panic!("{error}")
        };
        assert_eq!(revoked, &["old-key-1"]);
        assert_eq!(current.as_str(), lab.azure.secret_versions(VAULT, "db").last().unwrap().id);
        assert!(error.to_string().starts_with("THE CURRENT VERSION "), "{error}");
        assert!(lab.azure.secret_versions(VAULT, "db").iter().all(|version| version.enabled));
    }
}

#[tokio::test]
async fn setting_the_same_value_is_not_a_rotation_and_nothing_is_revoked() {
    let lab = Lab::of(three_versions()).await;
    let error = lab.secrets.rotate(&name("db")).to(Secret::new("old-3")).await.unwrap_err();
    assert!(error.to_string().contains("the new value is the current one"), "{error}");
    let returns = Some(("old-key-1".to_owned(), "old-3".to_owned()));
    let bank = Arc::new(Bank { returns, ..Bank::of(&["old-3"]) });
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::SameCredential { .. }), "{error}");
    assert!(bank.revoked.lock().unwrap().is_empty());
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 3);
}

#[tokio::test]
async fn a_credential_that_was_not_identified_is_named_and_the_report_is_not_complete() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-3"]);
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap();
    assert_eq!(*bank.revoked.lock().unwrap(), ["old-key-1"]);
    assert_eq!((rotation.issuer.unrevoked.len(), rotation.is_complete()), (2, false));
    assert!(rotation.to_string().contains("NOT COMPLETE"), "{rotation}");
    assert_eq!(enabled(&lab).len(), 1);
}

#[tokio::test]
async fn a_credential_left_by_a_stop_between_create_and_set_is_found_and_revoked() {
    let lab = Lab::of(three_versions()).await;
    let issuer = ambushed(&lab, Bank::of(&["old-1", "old-2", "old-3"]), "", "verify");
    let stopped = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").into_future();
    assert!(tokio::time::timeout(Duration::from_millis(300), stopped).await.is_err());
    assert_eq!(issuer.bank.good().len(), 4, "the new one was created and not set");
    let rotation = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).id("r-1").await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(issuer.bank.good(), ["key-2"]);
}

#[tokio::test]
async fn what_no_vault_takes_is_refused_before_the_issuer_or_the_vault_is_asked() {
    let lab = Lab::of(seed()).await;
    let never = OffsetDateTime::from_unix_timestamp(253_402_300_799).unwrap();
    lab.secrets.set(&name("db"), Secret::new("x")).expires_on(never).await.unwrap();
    lab.azure.clear_requests();
    let bank = Bank::with(&["x"]);
    let db = || lab.secrets.rotate(&name("db"));
    let refused = [
        (db().to(Secret::new("v".repeat(25 * 1024 + 1))), "a vault accepts at most 25600"),
        (db().issuer(bank.clone()).expires_in(Duration::MAX), "before the year 10000"),
        (db().issuer(bank.clone()).expires_in(Duration::from_secs(8_000 * 366 * 86_400)), "year 10000"),
        (db().expires_in(Duration::ZERO), "must be positive"),
        (db().id(""), "must not be empty"),
        (db().issuer(Arc::new(Bank { kind: Some(IssuerKind::One), ..Bank::default() })), "accept_outage()"),
    ];
    for (rotate, reason) in refused {
        let error = rotate.await.unwrap_err();
        assert!(matches!(*error.source, RotateFailure::Invalid(_)), "{error}");
        assert!(error.to_string().contains(reason), "{error}");
    }
    assert!(lab.azure.requests().is_empty());
    let rotation = db().issuer(bank).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let new = lab.secrets.get(&name("db")).await.unwrap().properties;
    assert_eq!(new.expires, Some(never), "what expires at the end of time still does");
}

#[tokio::test]
async fn a_vault_that_goes_on_answering_the_old_version_is_not_someone_else() {
    let lab = Lab::of(three_versions()).await;
    let before = lab.secrets.get(&name("db")).await.unwrap().properties.id;
    let stale = format!(r#"{{"value":"old-3","id":"{before}","attributes":{{"enabled":true}}}}"#);
    lab.azure.inject(Fault::body(200, stale).on("GET", "/secrets/db/?").skip(2).times(8));
    let rotation = lab.secrets.rotate(&name("db")).to(canary()).await;
    assert!(rotation.as_ref().is_ok_and(keyvault_ops::Rotation::is_complete), "{rotation:?}");
    let reads = lab.azure.requests().into_iter().filter(|request| request.path.ends_with("/secrets/db/"));
    assert!(reads.count() > 10, "the old version was answered eight times");
}

#[tokio::test]
async fn a_ledger_line_that_was_cut_off_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rotations.jsonl");
    std::fs::File::create(&path).unwrap().write_all(b"{\"time\":\"2026-11-24T10:00:00Z\",\"vau\xff").unwrap();
    let ledger = Ledger::append_to(&path).unwrap();
    let lab = Lab::of(three_versions()).await;
    lab.secrets.rotate(&name("db")).to(canary()).id("r-1").ledger(&ledger).await.unwrap();
    let entries = ledger.entries().unwrap();
    assert_eq!(entries.first().unwrap().action, keyvault_ops::LedgerAction::Begun);
    assert_eq!(entries.last().unwrap().action, keyvault_ops::LedgerAction::Finished);
    assert_eq!(
        std::fs::read(&path).unwrap().iter().filter(|byte| **byte == b'\n').count(),
        entries.len() + 1
    );
}

#[tokio::test]
async fn a_hook_that_hangs_ends_with_its_limit() {
    struct Never;
    #[async_trait]
    impl Consumers for Never {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            pending().await
        }
    }
    let lab = Lab::of(three_versions()).await;
    let rotate = lab.secrets.rotate(&name("db")).to(canary()).consumers(Arc::new(Never));
    let error = rotate.consumers_limit(Duration::from_millis(20)).await.unwrap_err();
    assert!(matches!(*error.source, RotateFailure::HookTimedOut { hook: "wait_until_moved", .. }), "{error}");
    assert!(lab.azure.secret_versions(VAULT, "db").iter().all(|version| version.enabled));
}

#[tokio::test]
async fn of_two_slots_a_foreign_intent_refuses_and_ones_own_is_taken_up() {
    let lab = Lab::of(seed()).await;
    lab.secrets.set(&name("db"), Secret::new("x")).tag("rotating", "r-2").await.unwrap();
    let bank = Arc::new(Bank { kind: Some(IssuerKind::TwoSlots), ..Bank::of(&["x"]) });
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").await.unwrap_err();
    assert!(
        matches!(&*error.source, RotateFailure::ForeignIntent { rotation } if rotation == "r-2"),
        "{error}"
    );
    assert_eq!(*bank.made.lock().unwrap(), 0);
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-2").await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let tags = lab.secrets.get(&name("db")).await.unwrap().properties.tags;
    assert!(!tags.contains_key("rotating"), "{tags:?}");
}

#[tokio::test]
async fn a_secret_deleted_meanwhile_is_neither_recovered_nor_recreated() {
    struct Deleter(SecretsClient);
    #[async_trait]
    impl Consumers for Deleter {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            self.0.delete(&name("db")).await.map(drop).map_err(|_| failure("not deleted"))
        }
    }
    let lab = Lab::of(three_versions()).await;
    let rotate =
        lab.secrets.rotate(&name("db")).to(canary()).consumers(Arc::new(Deleter(lab.secrets.clone())));
    assert!(matches!(*rotate.await.unwrap_err().source, RotateFailure::Service(_)));
    assert!(lab.secrets.get_opt(&name("db")).await.unwrap().is_none());
}

#[tokio::test]
async fn an_only_credential_that_someone_else_ends_between_its_test_and_its_set_is_told_dead() {
    /// Someone makes another one as soon as the new one was tested.
    struct Only {
        bank: Bank,
        tests: AtomicU32,
    }
    #[async_trait]
    impl Issuer for Only {
        fn kind(&self) -> IssuerKind {
            IssuerKind::One
        }
        async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
            self.bank.create(request).await
        }
        async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
            let tested = self.bank.verify(value).await;
            if self.tests.fetch_add(1, SeqCst) == 0 {
                self.bank.good.lock().unwrap().clear();
            }
            tested
        }
        async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
            self.bank.find(rotation).await
        }
        async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
            self.bank.identify(value).await
        }
        async fn revoke(&self, id: &str) -> azure_core::Result<()> {
            self.bank.revoke(id).await
        }
    }
    let lab = Lab::of(three_versions()).await;
    let issuer = Arc::new(Only { bank: Bank::of(&["old-3"]), tests: AtomicU32::new(0) });
    let error = lab.secrets.rotate(&name("db")).issuer(issuer).accept_outage().await.unwrap_err();
    let RotateFailure::CurrentCredentialDead { current, .. } = &*error.source else { panic!("{error}") };
    assert_eq!(error.completed.current.as_ref(), Some(current));
    assert_eq!(enabled(&lab).len(), 4, "nothing was disabled for a value that does not work");
}

#[tokio::test]
async fn what_an_issuer_names_as_left_over_is_not_revoked_while_the_current_version_cannot_be_read() {
    let lab = Lab::of(three_versions()).await;
    let in_use = crate::support::Key {
        id: "in-use".to_owned(),
        value: "old-3".to_owned(),
        rotation: "r-1".to_owned(),
    };
    let bank = Arc::new(Bank { good: vec![in_use].into(), ..Bank::default() });
    let versions = lab.azure.secret_versions(VAULT, "db");
    let current = versions.into_iter().find(|version| version.current).unwrap().id.parse().unwrap();
    lab.secrets.update(&name("db"), &current).disable().await.unwrap();
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").await.unwrap_err();
    assert!(
        error.to_string().contains("'in-use' of rotation 'r-1' may be the one of the current version"),
        "{error}"
    );
    assert_eq!((bank.good(), lab.azure.secret_versions(VAULT, "db").len()), (vec!["in-use".to_owned()], 3));
    lab.secrets.update(&name("db"), &current).enable().await.unwrap();
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").await.unwrap_err();
    assert!(error.to_string().contains("is stored in a version without the rotation's tag"), "{error}");
    assert_eq!(bank.good(), ["in-use"]);
}
