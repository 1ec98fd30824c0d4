//! Which versions a rotation takes for its own, for old, for ended before. On the double.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use crate::support::{
    Bank, Disturbance, Disturbed, Lab, VAULT, canary, enabled, name, seed, stopped_clock, three_versions,
};
use arm_core::Secret;
use async_trait::async_trait;
use azure_core::time::OffsetDateTime;
use keyvault_ops::{RotateFailure, RotateStep, SecretVersion, SecretsClient};
use mock_azure::Fault;

fn version(lab: &Lab, value: &str) -> SecretVersion {
    let versions = lab.azure.secret_versions(VAULT, "db");
    versions.into_iter().find(|version| version.value == value).unwrap().id.parse().unwrap()
}

#[tokio::test]
async fn a_copied_tag_on_another_value_is_not_taken_for_our_version() {
    let lab = Lab::of(three_versions()).await;
    let tags = BTreeMap::from([("rotated".to_owned(), "r-1".to_owned())]);
    lab.secrets.set(&name("db"), Secret::new("by hand")).tags(tags).await.unwrap();
    let error = lab.secrets.rotate(&name("db")).to(canary()).id("r-1").await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::Undetermined(_)), "{error}");
    assert!(error.to_string().contains("which somebody else may have set"), "{error}");
    assert_eq!(enabled(&lab).len(), 4, "nothing was disabled");
}

#[tokio::test]
async fn a_copied_tag_on_the_value_before_is_not_taken_for_a_rotation() {
    let lab = Lab::of(three_versions()).await;
    let replaced = version(&lab, "old-3").to_string();
    let tags = [("rotated", "r-1".to_owned()), ("replaces", replaced)];
    let tags = tags.map(|(name, value)| (name.to_owned(), value));
    lab.secrets.set(&name("db"), Secret::new("old-3")).tags(BTreeMap::from(tags)).await.unwrap();
    let error = lab.secrets.rotate(&name("db")).id("r-1").await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::Undetermined(_)), "{error}");
    assert_eq!(enabled(&lab).len(), 4, "nothing was set or disabled");
}

#[tokio::test]
async fn a_copied_tag_on_another_credential_is_not_taken_for_a_rotation() {
    let lab = Lab::of(three_versions()).await;
    let bank = Bank::with(&["old-3", "by hand"]);
    let tags = [("rotated", "r-1"), ("credential", "key-1")].map(|(name, value)| (name.into(), value.into()));
    lab.secrets.set(&name("db"), Secret::new("by hand")).tags(BTreeMap::from(tags)).await.unwrap();
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").await.unwrap_err();
    assert!(matches!(&*error.source, RotateFailure::Undetermined(_)), "{error}");
    assert_eq!(bank.good(), ["old-key-1", "old-key-2"], "nothing was created or revoked");
    assert_eq!(enabled(&lab).len(), 4, "nothing was set or disabled");
}

/// Someone disables a version while the issuer is asked about another one.
struct Disables {
    secrets: SecretsClient,
    version: SecretVersion,
    struck: AtomicBool,
}

#[async_trait]
impl Disturbance for Disables {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if operation == "identify" && !self.struck.swap(true, SeqCst) {
            self.secrets.update(&name("db"), &self.version).disable().await?;
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_version_that_is_disabled_before_it_is_read_is_named_as_not_revoked() {
    let mut named = 0;
    for order in 0..4 {
        let lab = Lab::of(three_versions().version_order(order)).await;
        let old = version(&lab, "old-1");
        let by =
            Disables { secrets: lab.secrets.clone(), version: old.clone(), struck: AtomicBool::new(false) };
        let issuer = Arc::new(Disturbed { bank: Bank::of(&["old-1", "old-2", "old-3"]), by });
        let rotation = lab.secrets.rotate(&name("db")).issuer(issuer.clone()).await.unwrap();
        // It may have been the first to be asked about.
        named += u32::from(rotation.issuer.unrevoked == [old] && !rotation.is_complete());
        assert_eq!(enabled(&lab).len(), 1);
    }
    assert!(named > 0, "in no order it was read after it was disabled");
}

#[tokio::test]
async fn an_old_version_that_may_not_be_read_stops_before_anything_is_created() {
    let lab = Lab::of(three_versions()).await;
    let path = format!("/secrets/db/{}", version(&lab, "old-1"));
    lab.azure.inject(Fault::status(403).on("GET", &path).always());
    let bank = Bank::with(&["old-1", "old-2", "old-3"]);
    let error = lab.secrets.rotate(&name("db")).issuer(bank.clone()).await.unwrap_err();
    assert_eq!(error.step, RotateStep::Snapshot);
    assert!(matches!(&*error.source, RotateFailure::Service(_)), "{error}");
    assert_eq!(*bank.made.lock().unwrap(), 0);
}

#[tokio::test]
async fn versions_that_were_disabled_before_are_not_read_and_not_named_while_a_newer_one_works() {
    // All of one second, which cannot be told apart by their age.
    let lab = Lab::of(stopped_clock(three_versions())).await;
    let off = version(&lab, "old-1");
    lab.secrets.update(&name("db"), &off).disable().await.unwrap();
    lab.azure.clear_requests();
    let bank = Bank::with(&["old-2", "old-3"]);
    let rotation = lab.secrets.rotate(&name("db")).issuer(bank).await.unwrap();
    assert!(rotation.is_complete(), "{rotation}");
    let path = format!("/secrets/db/{off}");
    assert!(lab.azure.requests().iter().all(|request| !request.path.contains(&path)));
}

#[tokio::test]
async fn of_a_disabled_current_version_all_of_its_second_are_named_and_none_before_it() {
    for order in 0..4 {
        let seed = stopped_clock(seed().version_order(order));
        let lab = Lab::of(seed.secret(VAULT, "db", "older").secret(VAULT, "db", "in use")).await;
        lab.azure.advance(Duration::from_secs(60));
        for value in ["new-1", "new-2"] {
            lab.secrets.set(&name("db"), Secret::new(value)).await.unwrap();
        }
        for value in ["older", "new-1", "new-2"] {
            lab.secrets.update(&name("db"), &version(&lab, value)).disable().await.unwrap();
        }
        let bank = Bank::with(&["older", "in use", "new-1", "new-2"]);
        let rotation = lab.secrets.rotate(&name("db")).issuer(bank).await.unwrap();
        let mut expected = vec![version(&lab, "new-1"), version(&lab, "new-2")];
        let mut named = rotation.issuer.unrevoked.clone();
        expected.sort();
        named.sort();
        assert_eq!(named, expected, "order {order}: {rotation}");
        assert_eq!(rotation.issuer.revoked, ["old-key-2"], "order {order}");
    }
}

#[tokio::test]
async fn the_users_own_tags_go_over_even_if_they_have_the_name_of_one_of_ours() {
    let lab = Lab::of(seed()).await;
    let set = lab.secrets.set(&name("db"), Secret::new("x"));
    set.tag("reason", "the user's").tag("date", "2026").await.unwrap();
    lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
    let tags = lab.secrets.get(&name("db")).await.unwrap().properties.tags;
    assert_eq!(tags["reason"], "the user's");
}

#[tokio::test]
async fn the_tags_that_must_find_room_do_and_the_others_give_way() {
    for (users, issuer, taken) in [(13, true, true), (14, true, false), (14, false, true), (15, false, false)]
    {
        let lab = Lab::of(seed()).await;
        let set = lab.secrets.set(&name("db"), Secret::new("x"));
        (0..users).fold(set, |set, n| set.tag(format!("t{n}"), "v")).await.unwrap();
        let rotate = lab.secrets.rotate(&name("db")).reason("drill");
        let rotate = if issuer { rotate.issuer(Bank::with(&["x"])) } else { rotate };
        match rotate.await {
            Ok(_) => {
                let tags = lab.secrets.get(&name("db")).await.unwrap().properties.tags;
                assert!(taken && tags.len() == 15, "{users}: {tags:?}");
                assert_eq!((tags.contains_key("rotated"), tags.contains_key("credential")), (true, issuer));
            }
            Err(error) => {
                assert!(!taken && matches!(&*error.source, RotateFailure::Invalid(_)), "{users}: {error}");
                assert_eq!(error.step, RotateStep::Snapshot, "{users}");
            }
        }
    }
}

#[tokio::test]
async fn ids_and_reasons_of_512_characters_are_taken_and_longer_ones_refused_without_a_request() {
    let lab = Lab::of(three_versions()).await;
    let text = |length: usize| "x".repeat(length);
    lab.secrets.rotate(&name("db")).id(text(512)).reason(text(512)).await.unwrap();
    lab.azure.clear_requests();
    for rotate in [
        lab.secrets.rotate(&name("db")).id(text(513)),
        lab.secrets.rotate(&name("db")).id(text(600)),
        lab.secrets.rotate(&name("db")).reason(text(513)),
        lab.secrets.rotate(&name("db")).reason(text(600)),
        lab.secrets.rotate(&name("db")).issuer(Bank::with(&[])).revoke_first().keep_enabled(2),
    ] {
        let error = rotate.await.unwrap_err();
        assert!(matches!(&*error.source, RotateFailure::Invalid(_)), "{error}");
    }
    assert!(lab.azure.requests().is_empty());
}

#[tokio::test]
async fn a_version_that_expired_before_it_was_made_hands_on_no_lifetime() {
    let lab = Lab::of(seed()).await;
    let long_ago = OffsetDateTime::from_unix_timestamp(1_500_000_000).unwrap();
    lab.secrets.set(&name("db"), Secret::new("x")).expires_on(long_ago).await.unwrap();
    lab.secrets.rotate(&name("db")).to(canary()).await.unwrap();
    assert_eq!(lab.secrets.get(&name("db")).await.unwrap().properties.expires, None);
}
