//! Rotations whose set got no answer, that were stopped, or that find something disabled: nothing is taken for their own
//! that is not, and nothing counts as revoked that was not. On the double.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use crate::support::{Bank, Lab, VAULT, enabled, name, seed, three_versions, vault};
use arm_core::{ArmClient, Secret};
use async_trait::async_trait;
use azure_core::http::{
    Context, Method, Request,
    policies::{Policy, PolicyResult},
};
use keyvault_ops::{
    Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, Ledger, LedgerAction, RotateFailure,
    SecretsClient,
};
use mock_azure::{Fault, MockAzure};

/// Somebody who sets a value just after a set of ours was lost, before we look for it.
#[derive(Debug, Default)]
struct SetsAfterLostSet {
    azure: OnceLock<MockAzure>,
    /// The value, and the tags, which a person's tool may have copied from our version.
    value: &'static str,
    tags: BTreeMap<String, String>,
    struck: AtomicBool,
}

#[async_trait]
impl Policy for SetsAfterLostSet {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let outcome = next[0].send(ctx, request, &next[1..]).await;
        if request.method() == Method::Put
            && request.url().path().contains("/secrets/db")
            && !self.struck.swap(true, SeqCst)
        {
            let azure = self.azure.get().unwrap();
            azure.clear_faults();
            rival(azure).set(&name("db"), Secret::new(self.value)).tags(self.tags.clone()).await.unwrap();
        }
        outcome
    }
}

fn rival(azure: &MockAzure) -> SecretsClient {
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
    SecretsClient::new(&arm, &vault()).unwrap()
}

#[tokio::test]
async fn a_version_that_somebody_set_after_a_lost_set_is_not_taken_for_our_own() {
    let marked = BTreeMap::from([("rotated".to_owned(), "r-1".to_owned())]);
    // Neither value nor mark, the mark alone, the value alone.
    for (value, tags) in
        [("by hand", BTreeMap::new()), ("by hand", marked), ("hunter2-canary-of-key-1", BTreeMap::new())]
    {
        let person = Arc::new(SetsAfterLostSet { value, tags: tags.clone(), ..Default::default() });
        let lab = Lab::with_policies(three_versions(), vec![person.clone()]).await;
        person.azure.set(lab.azure.clone()).unwrap();
        let bank = Bank::with(&["old-1", "old-2", "old-3", "by hand"]);
        lab.azure.inject(Fault::reset().on("PUT", "/secrets/db").always());

        let rotate = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1");
        let error = rotate.await.unwrap_err();
        assert!(matches!(*error.source, RotateFailure::Undetermined(_)), "{tags:?}: {error}");
        assert_eq!(error.completed.issuer.orphans, ["key-1"], "{tags:?}");
        assert!(bank.revoked.lock().unwrap().is_empty(), "{tags:?}");
        let versions = lab.azure.secret_versions(VAULT, "db");
        assert_eq!(versions.len(), 4, "{tags:?}: nothing but the value by hand was set");
        assert!(versions.iter().all(|version| version.enabled), "{tags:?}");
        assert!(versions.iter().any(|version| version.current && version.value == value), "{tags:?}");
    }
}

/// A bank beside which, once the new value is set, somebody goes back to the old one.
struct GoesBack {
    bank: Bank,
    rival: SecretsClient,
    back: AtomicBool,
}

#[async_trait]
impl Issuer for GoesBack {
    fn kind(&self) -> IssuerKind {
        IssuerKind::Many
    }
    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        self.bank.create(request).await
    }
    async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
        // What is to be revoked is asked for directly before it is.
        if *self.bank.made.lock().unwrap() > 0 && !self.back.swap(true, SeqCst) {
            self.rival.set(&name("db"), Secret::new("old-3")).await?;
        }
        self.bank.find(rotation).await
    }
    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        self.bank.identify(value).await
    }
    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        self.bank.verify(value).await
    }
    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        self.bank.revoke(id).await
    }
}

#[tokio::test]
async fn what_somebody_made_current_again_is_not_revoked_neither_first_nor_last() {
    for first in [true, false] {
        let lab = Lab::of(three_versions()).await;
        let issuer = Arc::new(GoesBack {
            bank: Bank::of(&["old-1", "old-2", "old-3"]),
            rival: lab.secrets.clone(),
            back: AtomicBool::new(false),
        });
        let rotate = lab.secrets.rotate(&name("db")).issuer(issuer.clone());
        let rotate = if first { rotate.revoke_first() } else { rotate };
        let error = rotate.await.unwrap_err();
        assert!(matches!(*error.source, RotateFailure::Overtaken { .. }), "{first}: {error}");
        assert!(issuer.bank.revoked.lock().unwrap().is_empty(), "{first}");
        assert!(enabled(&lab).contains(&("old-3".to_owned(), true)), "{first}: {:?}", enabled(&lab));
        assert_eq!(enabled(&lab).len(), 5, "{first}: nothing was disabled");
    }
}

#[tokio::test]
async fn after_a_stop_at_any_request_the_old_credentials_still_end_by_their_ids() {
    let (mut stopped_after_set, mut finished) = (0, false);
    for n in 1.. {
        let lab = Lab::of(three_versions()).await;
        let (bank, ledger) = (Bank::with(&["old-1", "old-2", "old-3"]), Ledger::in_memory());
        let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").ledger(&ledger);
        lab.azure.interrupt_at(n);
        finished = rotate().await.is_ok();
        lab.azure.clear_faults();
        if finished {
            break;
        }
        let set = lab.azure.secret_versions(VAULT, "db").len() == 4;
        stopped_after_set += u32::from(set && bank.revoked.lock().unwrap().is_empty());
        let rotation = rotate().await.unwrap();
        assert_eq!(rotation.resumed, set, "{n}: {rotation}");
        assert!(rotation.is_complete(), "{n}: {rotation}");
        let revoked = bank.revoked.lock().unwrap().clone();
        for old in ["old-key-1", "old-key-2", "old-key-3"] {
            assert!(revoked.iter().any(|id| id == old), "{n}: {old} is not in {revoked:?}");
        }
        assert_eq!(bank.good().len(), 1, "{n}: {:?}", bank.good());
    }
    assert!(
        finished && stopped_after_set > 0,
        "it was never stopped between its set and the first revocation"
    );
}

#[tokio::test]
async fn a_current_version_that_was_disabled_before_is_named_and_never_counts_as_revoked() {
    let lab = Lab::of(seed().secret(VAULT, "db", "old-1").disabled_secret(VAULT, "db", "old-2")).await;
    let bank = Bank::with(&["old-1", "old-2"]);
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap();
    assert_eq!(*bank.revoked.lock().unwrap(), ["old-key-1"]);
    assert_eq!(rotation.issuer.unrevoked.len(), 1, "{rotation}");
    assert!(!rotation.is_complete(), "{rotation}");
    assert_eq!(enabled(&lab).len(), 1);
}

#[tokio::test]
async fn a_version_disabled_after_the_beginning_is_revoked_by_what_the_ledger_knows_of_it() {
    let lab = Lab::of(three_versions()).await;
    let (bank, ledger) = (Bank::with(&["old-1", "old-2", "old-3"]), Ledger::in_memory());
    let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").ledger(&ledger);
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/db").always());
    rotate().await.unwrap_err();
    lab.azure.clear_faults();
    let old =
        lab.azure.secret_versions(VAULT, "db").into_iter().find(|version| version.value == "old-1").unwrap();
    lab.secrets.update(&name("db"), &old.id.parse().unwrap()).disable().await.unwrap();
    lab.azure.clear_requests();
    let rotation = rotate().await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    assert_eq!(bank.good().len(), 1, "{:?}", bank.good());
    let requests = lab.azure.requests();
    assert!(requests.iter().all(|request| !request.path.contains(&old.id)), "a disabled value is not read");
}

#[tokio::test]
async fn the_ledger_names_the_versions_and_the_credentials_that_it_speaks_of() {
    let lab = Lab::of(three_versions()).await;
    let (bank, ledger) = (Bank::with(&["old-1", "old-2", "old-3"]), Ledger::in_memory());
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank.clone()).ledger(&ledger).await.unwrap();
    let entries = ledger.entries().unwrap();
    let of = |action: LedgerAction| entries.iter().filter(move |entry| entry.action == action);
    for action in [LedgerAction::Set, LedgerAction::Finished] {
        let versions: Vec<_> = of(action).map(|entry| entry.version.clone()).collect();
        assert_eq!(versions, std::slice::from_ref(&rotation.current), "{action:?}");
    }
    for action in [LedgerAction::Revoking, LedgerAction::CredentialRevoked] {
        let mut ids: Vec<_> = of(action).map(|entry| entry.credential.clone().unwrap()).collect();
        ids.sort();
        assert_eq!(ids, ["old-key-1", "old-key-2", "old-key-3"], "{action:?}");
    }
    let disabled: Vec<_> = of(LedgerAction::Disabled).map(|entry| entry.version.clone()).collect();
    assert!(disabled.len() == 3 && disabled.iter().all(Option::is_some), "{disabled:?}");
}
