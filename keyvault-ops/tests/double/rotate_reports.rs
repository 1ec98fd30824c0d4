//! What a rotation tells in the end: its report, its error, its lines in the ledger.

use std::{error::Error as _, sync::Arc};

use crate::support::{Bank, Disturbance, Disturbed, Lab, VAULT, canary, failure, name, seed, three_versions};
use arm_core::{Outcome, Secret};
use async_trait::async_trait;
use keyvault_ops::{
    ActiveVersions, Consumers, Ledger, LedgerAction, LedgerEntry, RotateError, RotateFailure, RotateStep,
    Rotation, RotationState, Rotations, SecretId,
};
use mock_azure::Fault;

/// Consumers that never move.
struct Stuck;

#[async_trait]
impl Consumers for Stuck {
    async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
        Err(failure("app 'web' still uses the old version"))
    }
}

/// Fails one of the issuer's operations.
struct Fails(&'static str);

#[async_trait]
impl Disturbance for Fails {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
        if self.0 == operation { Err(failure("the database is down")) } else { Ok(()) }
    }
}

fn last(ledger: &Ledger) -> LedgerEntry {
    ledger.entries().unwrap().pop().unwrap()
}

fn line_of(ledger: &Ledger, action: LedgerAction) -> LedgerEntry {
    ledger.entries().unwrap().into_iter().find(|entry| entry.action == action).unwrap()
}

/// Two old versions with a credential each, and one that was disabled before.
async fn complete() -> Rotation {
    let lab = Lab::of(three_versions()).await;
    let first = lab.azure.secret_versions(VAULT, "db").remove(0).id.parse().unwrap();
    lab.secrets.update(&name("db"), &first).disable().await.unwrap();
    lab.secrets.rotate(&name("db")).issuer(Bank::with(&["old-2", "old-3"])).id("r-1").await.unwrap()
}

#[tokio::test]
async fn a_complete_rotation_reports_all_that_it_did_and_no_more() {
    let rotation = complete().await;
    assert!(rotation.is_complete());
    let current = rotation.current.as_ref().unwrap();
    assert_eq!(
        rotation.to_string(),
        format!(
            "rotated 'db' of kv-lab.vault.azure.net: version {current}; 2 old disabled, 1 enabled; 2 old credentials \
             revoked at the issuer"
        )
    );
    let retirement = rotation.retirement.as_ref().unwrap();
    assert_eq!((retirement.seen, retirement.disabled, retirement.disabled_before), (4, 2, 1));
    assert_eq!((retirement.current.as_ref(), retirement.kept, retirement.dry_run), (Some(current), 1, false));
    assert_eq!((rotation.issuer.unrevoked.len(), rotation.later.len()), (0, 0));
}

#[tokio::test]
async fn a_rotation_is_not_complete_if_any_part_of_it_is_not() {
    let rotation = complete().await;
    let old = rotation.previous.clone().unwrap();
    let active = |change: fn(&mut ActiveVersions)| {
        let mut active = rotation.active.clone().unwrap();
        change(&mut active);
        Some(active)
    };
    type Breaks<'a> = (&'static str, Box<dyn Fn(&mut Rotation) + 'a>);
    let broken: Vec<Breaks<'_>> = vec![
        ("another is enabled", Box::new(|it| it.active = active(|active| active.others = 1))),
        (
            "none is current, as none was set",
            Box::new(|it| {
                it.active = active(|active| active.current = None);
                it.current = None;
            }),
        ),
        ("another is current", Box::new(|it| it.current = it.previous.clone())),
        ("it was not looked at", Box::new(|it| it.active = None)),
        ("nothing was disabled", Box::new(|it| it.retirement = None)),
        ("a dry run", Box::new(|it| it.dry_run = true)),
        ("one came later", Box::new(|it| it.later.push(old.clone()))),
        ("one is not revoked", Box::new(|it| it.issuer.unrevoked.push(old.clone()))),
        ("one is left over", Box::new(|it| it.issuer.orphans.push("key-9".to_owned()))),
        ("the new one was not used", Box::new(|it| it.issuer.verified = false)),
    ];
    for (what, change) in broken {
        let mut rotation = rotation.clone();
        change(&mut rotation);
        assert!(!rotation.is_complete(), "{what}");
        assert_eq!(rotation.to_string().contains("NOT COMPLETE"), !rotation.dry_run, "{what}: {rotation}");
    }
    let mut without = rotation.clone();
    (without.issuer.configured, without.issuer.verified) = (false, false);
    assert!(without.is_complete(), "without an issuer, nothing was to be verified");
}

#[tokio::test]
async fn a_dry_run_counts_what_would_be_and_asks_neither_issuer_nor_consumers() {
    let lab = Lab::of(three_versions().secret(VAULT, "db", "old-4")).await;
    let versions = lab.azure.secret_versions(VAULT, "db");
    lab.secrets.update(&name("db"), &versions[0].id.parse().unwrap()).disable().await.unwrap();
    let never = Arc::new(Disturbed { bank: Bank::of(&[]), by: Fails("identify") });
    let rotate = lab.secrets.rotate(&name("db")).issuer(never).consumers(Arc::new(Stuck));
    let plan = rotate.keep_enabled(2).dry_run().await.unwrap();
    let retirement = plan.retirement.as_ref().unwrap();
    assert_eq!((retirement.seen, retirement.disabled, retirement.disabled_before), (5, 2, 1));
    assert_eq!((&retirement.current, retirement.kept), (&None, 2), "the new version does not exist yet");
    let active = plan.active.as_ref().unwrap();
    assert_eq!((active.versions, active.others, &active.current), (5, 1, &None));
    let kept: Vec<&str> = active.other_ids.iter().map(|version| version.as_str()).collect();
    assert_eq!(kept, [versions[3].id.as_str()]);
    assert_eq!(plan.to_string(), "would rotate 'db' of kv-lab.vault.azure.net; 2 old to disable, 2 enabled");
}

#[tokio::test]
async fn a_dry_run_of_what_is_set_already_counts_no_other_version() {
    let lab = Lab::of(three_versions()).await;
    let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1");
    rotate().consumers(Arc::new(Stuck)).await.unwrap_err();
    let plan = rotate().dry_run().await.unwrap();
    let active = plan.active.as_ref().unwrap();
    assert_eq!((plan.resumed, active.versions, plan.retirement.as_ref().unwrap().seen), (true, 4, 4));
    assert_eq!(active.current, plan.current);
}

#[tokio::test]
async fn an_error_says_in_which_step_it_stopped_and_what_holds_now() {
    let lab = Lab::of(three_versions()).await;
    let rotate = || lab.secrets.rotate(&name("db")).id("r-1");
    let failing = |operation| {
        let issuer = Disturbed { bank: Bank::of(&["old-1", "old-2", "old-3"]), by: Fails(operation) };
        rotate().issuer(Arc::new(issuer))
    };
    let again = "; run it again with the id 'r-1' to resume it";
    let created = failing("create").await.unwrap_err().to_string();
    assert_eq!(
        created,
        format!(
            "rotating 'db' of kv-lab.vault.azure.net stopped while creating a credential at the issuer: the database is \
             down; nothing was changed in the vault; possibly left over at the issuer: what was created for rotation 'r-1'\
             {again}"
        )
    );
    let invalid = rotate().to(Secret::new("old-3")).await.unwrap_err().to_string();
    assert_eq!(
        invalid,
        "rotating 'db' of kv-lab.vault.azure.net stopped while reading the current version: the new value is the current \
         one: give another one, or let one be generated; nothing was changed in the vault"
    );
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/db").always());
    let set = rotate().to(canary()).await.unwrap_err();
    assert_eq!(set.step, RotateStep::Set);
    let (set, now) = (set.to_string(), set.completed.active.clone().unwrap());
    assert!(set.contains("stopped while setting the new version: "), "{set}");
    assert!(set.ends_with(&format!("; nothing was changed in the vault; now: {now}{again}")), "{set}");
    lab.azure.clear_faults();
    let stuck = rotate().to(canary()).consumers(Arc::new(Stuck)).await.unwrap_err();
    let current = stuck.completed.current.clone().unwrap();
    assert_eq!(
        stuck.to_string(),
        format!(
            "rotating 'db' of kv-lab.vault.azure.net stopped while waiting for the consumers: app 'web' still uses the old \
             version; version {current} was set, 0 old versions were disabled; now: current {current}, 3 other versions \
             are enabled{again}"
        )
    );
}

#[tokio::test]
async fn the_words_of_every_step_differ_but_for_the_two_that_revoke() {
    use RotateStep::*;
    let steps = [Snapshot, CreateCredential, Verify, Set, Confirm, WaitForConsumers, Revoke, Retire, Report];
    let words: std::collections::BTreeSet<String> = steps.iter().map(ToString::to_string).collect();
    assert_eq!(words.len(), steps.len(), "{words:?}");
    assert!(words.iter().all(|words| !words.is_empty()));
    assert_eq!(RevokeFirst.to_string(), Revoke.to_string());
}

#[tokio::test]
async fn the_cause_of_an_error_can_be_followed() {
    let lab = Lab::of(three_versions()).await;
    let cause = |error: &RotateError| error.source().unwrap().source().map(ToString::to_string);
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/db").always());
    let service = lab.secrets.rotate(&name("db")).await.unwrap_err();
    assert!(cause(&service).is_some_and(|cause| cause.starts_with("reading secret 'db' of ")), "{service:?}");
    lab.azure.clear_faults();
    let hook = lab.secrets.rotate(&name("db")).consumers(Arc::new(Stuck)).await.unwrap_err();
    assert_eq!(cause(&hook).as_deref(), Some("app 'web' still uses the old version"));
    let invalid = lab.secrets.rotate(&name("db")).id("").await.unwrap_err();
    assert_eq!(cause(&invalid), None, "there is nothing behind it");
}

#[tokio::test]
async fn a_stop_is_written_down_with_its_version_and_its_reason() {
    let lab = Lab::of(three_versions()).await;
    let ledger = Ledger::in_memory();
    let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1").reason("leaked").ledger(&ledger);
    let error = rotate().consumers(Arc::new(Stuck)).await.unwrap_err();
    let line = last(&ledger);
    assert_eq!((line.action, &line.version), (LedgerAction::Stopped, &error.completed.current));
    assert_eq!(
        line.detail.as_deref(),
        Some("waiting for the consumers: app 'web' still uses the old version")
    );
    let begun = line_of(&ledger, LedgerAction::Begun);
    let old = lab.azure.secret_versions(VAULT, "db").remove(2).id;
    assert_eq!(begun.version.as_ref().map(|version| version.as_str()), Some(old.as_str()));
    assert_eq!(line_of(&ledger, LedgerAction::Set).detail.as_deref(), Some("leaked"));
    rotate().await.unwrap();
    assert_eq!(line_of(&ledger, LedgerAction::Retiring).detail.as_deref(), Some("3 old versions"));
}

#[tokio::test]
async fn who_was_overtaken_is_not_unfinished() {
    struct Rival(keyvault_ops::SecretsClient);
    #[async_trait]
    impl Consumers for Rival {
        async fn wait_until_moved(&self, _: &SecretId) -> azure_core::Result<()> {
            self.0.set(&name("db"), Secret::new("by hand")).await.map(drop)
        }
    }
    let lab = Lab::of(three_versions()).await;
    let (ledger, rival) = (Ledger::in_memory(), Arc::new(Rival(lab.secrets.clone())));
    lab.secrets.rotate(&name("db")).to(canary()).ledger(&ledger).consumers(rival).await.unwrap_err();
    assert_eq!(last(&ledger).action, LedgerAction::Overtaken);
    assert!(ledger.unfinished().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_resumed_keeps_its_reason_and_stands_once_among_the_unfinished() {
    let lab = Lab::of(three_versions()).await;
    let ledger = Ledger::in_memory();
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/db").always());
    let rotate = || lab.secrets.rotate(&name("db")).id("r-1").reason("leaked").ledger(&ledger);
    rotate().await.unwrap_err();
    rotate().await.unwrap_err();
    lab.azure.clear_faults();
    let begun = ledger.unfinished().unwrap();
    assert_eq!(begun.len(), 1, "it was begun twice, and is one rotation");
    let rotation = lab.secrets.resume(&begun[0]).ledger(&ledger).await.unwrap();
    assert_eq!(rotation.id, "r-1");
    assert_eq!(lab.secrets.get(&name("db")).await.unwrap().properties.tags["reason"], "leaked");
}

#[tokio::test]
async fn the_ledger_alone_shows_a_later_run_what_was_set_and_what_was_before() {
    let lab = Lab::of(three_versions()).await;
    let (ledger, bank) = (Ledger::in_memory(), Bank::with(&["old-1", "old-2", "old-3"]));
    let rotate = || lab.secrets.rotate(&name("db")).issuer(bank.clone()).id("r-1").ledger(&ledger);
    let stopped = rotate().consumers(Arc::new(Stuck)).await.unwrap_err().completed;
    // Someone tidies up the tags: neither the rotation nor what it replaced stands there any more.
    let current = stopped.current.clone().unwrap();
    lab.secrets.update(&name("db"), &current).tags(Default::default()).await.unwrap();
    let rotation = rotate().await.unwrap();
    assert!(rotation.resumed && rotation.is_complete(), "{rotation}");
    assert_eq!((&rotation.current, &rotation.previous), (&stopped.current, &stopped.previous));
    assert_eq!(lab.azure.secret_versions(VAULT, "db").len(), 4, "it was set once");
}

#[tokio::test]
async fn without_a_ledger_the_tags_show_a_later_run_what_was_before() {
    let lab = Lab::of(three_versions()).await;
    let rotate = || lab.secrets.rotate(&name("db")).to(canary()).id("r-1");
    let stopped = rotate().consumers(Arc::new(Stuck)).await.unwrap_err().completed;
    let rotation = rotate().await.unwrap();
    assert!(rotation.previous.is_some() && rotation.resumed, "{rotation}");
    assert_eq!((&rotation.current, &rotation.previous), (&stopped.current, &stopped.previous));
}

#[tokio::test]
async fn tasks_and_ledgers_show_what_they_are_about_and_no_value() {
    let lab = Lab::of(seed()).await;
    let shown = format!("{:?}", lab.secrets.rotate(&name("db")).to(canary()).id("r-1"));
    assert_eq!(
        shown,
        r#"Rotate { vault: "kv-lab.vault.azure.net", secret: SecretName("db"), id: "r-1", .. }"#
    );
    let shown = format!("{:?}", lab.secrets.retire_old_versions(&name("db")));
    assert_eq!(shown, r#"RetireOldVersions { secret: SecretName("db"), .. }"#);
    assert_eq!(format!("{:?}", Ledger::in_memory()), "Ledger(..)");
}

#[tokio::test]
async fn one_dead_value_is_the_worst_of_many_outcomes() {
    struct GoesBack(keyvault_ops::SecretsClient);
    #[async_trait]
    impl Disturbance for GoesBack {
        async fn before(&self, operation: &'static str) -> azure_core::Result<()> {
            if operation == "revoke" {
                self.0.set(&name("db"), Secret::new("old-3")).await?;
            }
            Ok(())
        }
    }
    let lab = Lab::of(three_versions()).await;
    let issuer = Disturbed { bank: Bank::of(&["old-3"]), by: GoesBack(lab.secrets.clone()) };
    let dead = lab.secrets.rotate(&name("db")).issuer(Arc::new(issuer)).await;
    assert!(matches!(*dead.as_ref().unwrap_err().source, RotateFailure::CurrentCredentialDead { .. }));
    let target =
        |id: &str| -> SecretId { format!("https://kv-lab.vault.azure.net/secrets/{id}").parse().unwrap() };
    let complete = complete().await;
    let done = || Outcome { target: target("api"), result: Ok(complete.clone()) };
    let done_report: Rotations = [done()].into_iter().collect();
    assert!(done_report.is_complete() && done_report.to_string().starts_with("1 rotation: 1 complete"));
    let report: Rotations = [done(), Outcome { target: target("db"), result: dead }].into_iter().collect();
    assert_eq!(report.all[0].state, RotationState::Dead, "{report}");
    assert!(
        !report.is_complete() && report.to_string().starts_with("2 rotations: 1 dead, 1 complete\ndead ")
    );
}
