//! Seeding, sweeping and cleaning up on the double.

use std::time::Duration;

use crate::support::{CANARY, Lab, VAULT, name, seed};
use arm_core::Outcome;
use futures::TryStreamExt as _;
use keyvault_ops::{
    AlertsExpected, Remains, SecretErrorExt as _, SecretName, SecretRefusal, Seeded, SweepReport, VaultId,
    VaultRemains, WhenDeleted,
};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, Fault, MockAzure};

#[tokio::test]
async fn twenty_secrets_are_seeded_swept_and_cleaned() {
    let lab = Lab::of(seed()).await;
    let seeded = lab.secrets.seed("lab", 20).await.unwrap();
    assert!(seeded.is_complete(), "{seeded}");
    let swept = lab.secrets.sweep(AlertsExpected::confirmed()).await.unwrap();
    assert_eq!((swept.read, swept.listings, swept.secrets), (20, 3, 20));
    let names: Vec<SecretName> = seeded.names().cloned().collect();
    let cleaned = lab.secrets.clean_up(names).purge().await.unwrap();
    assert!(cleaned.is_complete() && cleaned.soft_deleted().next().is_none(), "{cleaned}");
    let left: Vec<_> = lab.secrets.list().try_collect().await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn seeding_again_sets_only_what_is_missing() {
    let lab = Lab::of(seed()).await;
    lab.azure.inject(Fault::status(400).on("PUT", "/secrets/lab-3"));
    let first = lab.secrets.seed("lab", 5).concurrency(2).await.unwrap();
    let failed: Vec<String> = first.failures().map(|(name, _)| name.to_string()).collect();
    assert_eq!((failed, first.count(Seeded::Created)), (vec!["lab-3".to_owned()], 4));
    let value = |lab: &Lab| lab.azure.secret_versions(VAULT, "lab-1")[0].value.clone();
    let before = value(&lab);
    let second = lab.secrets.seed("lab", 5).await.unwrap();
    assert_eq!((second.count(Seeded::Created), second.count(Seeded::Unchanged)), (1, 4));
    assert_eq!(value(&lab), before);
    lab.azure.clear_requests();
    assert!(lab.secrets.seed("lab", 5).await.unwrap().is_complete());
    assert!(lab.azure.requests().iter().all(|request| request.method == "GET"));
    let mut seeded = lab.secrets.seeded("lab").await.unwrap();
    seeded.sort();
    assert_eq!(seeded.len(), 5);
}

#[tokio::test]
async fn a_seed_whose_answer_was_lost_is_looked_for() {
    let lab = Lab::of(seed()).await;
    lab.secrets.get_opt(&name("warm-up")).await.unwrap();
    lab.azure.inject(Fault::reset_after_acting().on("PUT", "/secrets/lab-1"));
    let report = lab.secrets.seed("lab", 1).await.unwrap();
    assert_eq!(report.count(Seeded::Created), 1, "{report}");
    assert_eq!(lab.azure.secret_versions(VAULT, "lab-1").len(), 1);
}

/// A vault whose secret `lab-1` was seeded and is soft-deleted; with the value that it had.
async fn seeded_and_deleted() -> (Lab, String) {
    let lab = Lab::of(seed().secret_settling(2)).await;
    assert!(lab.secrets.seed("lab", 1).await.unwrap().is_complete());
    let value = lab.azure.secret_versions(VAULT, "lab-1")[0].value.clone();
    assert!(lab.secrets.clean_up([name("lab-1")]).await.unwrap().is_complete());
    (lab, value)
}

#[tokio::test]
async fn a_soft_deleted_name_is_reported_recovered_or_purged() {
    let (lab, value) = seeded_and_deleted().await;
    let report = lab.secrets.seed("lab", 2).await.unwrap();
    let (taken, error) = report.failures().next().unwrap();
    assert_eq!((taken.as_str(), error.secret_refusal()), ("lab-1", Some(SecretRefusal::SoftDeleted)));
    assert!(error.to_string().contains("seed with WhenDeleted::Recover or Purge"), "{error}");
    assert!(!report.is_complete());

    let report = lab.secrets.seed("lab", 2).when_deleted(WhenDeleted::Recover).await.unwrap();
    assert_eq!((report.count(Seeded::Recovered), report.count(Seeded::Unchanged)), (1, 1));
    assert_eq!(
        (lab.azure.secret_versions(VAULT, "lab-1")[0].value.clone(), report.created().count()),
        (value, 0)
    );

    let (lab, value) = seeded_and_deleted().await;
    let report = lab.secrets.seed("lab", 1).when_deleted(WhenDeleted::Purge).await.unwrap();
    assert_eq!((report.count(Seeded::Replaced), report.created().count()), (1, 1), "{report}");
    assert_ne!(lab.azure.secret_versions(VAULT, "lab-1")[0].value, value);
}

#[tokio::test]
async fn a_soft_deleted_secret_of_somebody_else_is_neither_purged_nor_recovered() {
    let lab = Lab::of(seed().secret_settling(0).deleted_secret(VAULT, "lab-1", CANARY)).await;
    for what in [WhenDeleted::Recover, WhenDeleted::Purge] {
        let seeding = || lab.secrets.seed("lab", 1).when_deleted(what);
        for report in [seeding().dry_run().await.unwrap(), seeding().await.unwrap()] {
            let (_, error) = report.failures().next().unwrap();
            assert!(error.to_string().contains("was not seeded with this prefix"), "{error}");
            assert_eq!(error.secret_refusal(), Some(SecretRefusal::SoftDeleted), "{error}");
        }
        let written =
            lab.azure.requests().into_iter().filter(|it| matches!(it.method.as_str(), "DELETE" | "POST"));
        assert_eq!(written.count(), 0, "{what:?}");
    }
    assert!(lab.secrets.get_deleted(&name("lab-1")).await.is_ok());
}

/// Asserts that only reads were sent since the last call.
fn only_read(lab: &Lab) -> bool {
    let only = lab.azure.requests().iter().all(|request| request.method == "GET");
    lab.azure.clear_requests();
    only
}

#[tokio::test]
async fn a_dry_run_of_a_seeding_tells_what_the_run_does_and_sets_nothing() {
    for what in [WhenDeleted::Report, WhenDeleted::Recover, WhenDeleted::Purge] {
        let (lab, _) = seeded_and_deleted().await;
        lab.secrets.set(&name("lab-2"), crate::support::canary()).await.unwrap();
        lab.azure.clear_requests();
        let seeding = || lab.secrets.seed("lab", 4).when_deleted(what);
        let would = seeding().dry_run().await.unwrap();
        assert!(only_read(&lab), "{what:?}");
        let did = seeding().await.unwrap();
        assert_eq!(would.to_string(), did.to_string(), "{what:?}");
        for (would, did) in would.outcomes.iter().zip(&did.outcomes) {
            assert_eq!(would.target, did.target);
            assert_eq!(would.result.as_ref().ok(), did.result.as_ref().ok(), "{what:?}");
            let refusal = |it: &Outcome<SecretName, Seeded>| it.result.as_ref().err()?.secret_refusal();
            assert_eq!(refusal(would), refusal(did), "{what:?}");
        }
        if what == WhenDeleted::Report {
            let error = would.outcomes[0].result.as_ref().unwrap_err();
            assert_eq!(error.secret_refusal(), Some(SecretRefusal::SoftDeleted), "{error}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_of_a_clean_up_tells_what_the_run_leaves_and_deletes_nothing() {
    for (protected, purge) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut seed = seed().secret_settling(0).secret(VAULT, "a", "x").deleted_secret(VAULT, "b", "x");
        if protected {
            seed = seed.vault_property(VAULT, "enablePurgeProtection", true);
        }
        let lab = Lab::of(seed).await;
        let cleaning = || {
            let clean_up = lab.secrets.clean_up(["a", "b", "none"].map(name));
            if purge { clean_up.purge() } else { clean_up }
        };
        let would = cleaning().dry_run().await.unwrap();
        assert!(only_read(&lab), "protected {protected}, purge {purge}");
        let did = cleaning().await.unwrap();
        assert!(would.is_complete() && did.is_complete());
        for (would, did) in would.outcomes.iter().zip(&did.outcomes) {
            let told = format!("protected {protected}, purge {purge}: {}", would.target);
            assert_eq!(would.result.as_ref().unwrap(), did.result.as_ref().unwrap(), "{told}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_of_a_sweep_lists_once_and_reads_nothing() {
    let seed = seed().secret(VAULT, "a", CANARY).disabled_secret(VAULT, "b", "x").managed_secret(VAULT, "c");
    let lab = Lab::of(seed).await;
    let sweep = || lab.secrets.sweep(AlertsExpected::confirmed()).listings(4).reads(2);
    let would = sweep().dry_run().await.unwrap();
    let operations: Vec<_> = lab.azure.audit_events().into_iter().map(|event| event.operation).collect();
    assert!(!operations.iter().any(|operation| operation == "SecretGet"), "{operations:?}");
    assert_eq!(operations.iter().filter(|operation| **operation == "SecretList").count(), 1);
    let did = sweep().await.unwrap();
    let figures = |it: &keyvault_ops::SweepReport| {
        (it.listings, it.secrets, it.managed, it.read, it.disabled, it.forbidden, it.requests)
    };
    assert_eq!(figures(&would), figures(&did));
}

#[tokio::test]
async fn a_dry_run_of_a_removal_tells_what_the_run_leaves_and_deletes_nothing() {
    let id: VaultId =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}")
            .parse()
            .unwrap();
    for (protected, purge) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut seed = MockAzure::seed().vault(SUB, "rg", VAULT);
        if protected {
            seed = seed.vault_property(VAULT, "enablePurgeProtection", true);
        }
        let lab = Lab::of(seed).await;
        let removing = || if purge { lab.vaults.remove(&id).purge() } else { lab.vaults.remove(&id) };
        for _ in 0..2 {
            let would = removing().dry_run().await.unwrap();
            assert!(only_read(&lab));
            let did = removing().await.unwrap();
            lab.azure.clear_requests();
            assert_eq!(would.to_string(), did.to_string(), "protected {protected}, purge {purge}");
            if let (
                VaultRemains::SoftDeleted { deleted: would, .. },
                VaultRemains::SoftDeleted { deleted: did, .. },
            ) = (would.remains, did.remains)
            {
                assert_eq!(
                    (&would.id.to_lowercase(), &would.location),
                    (&did.id.to_lowercase(), &did.location)
                );
            }
        }
    }
}

#[tokio::test]
async fn a_bad_prefix_is_refused_before_anything_is_sent() {
    let lab = Lab::of(seed()).await;
    let error = lab.secrets.seed("lab_", 3).await.unwrap_err();
    assert!(error.to_string().contains("may contain only letters, digits and hyphens"), "{error}");
    assert!(lab.azure.requests().is_empty());
}

#[tokio::test]
async fn a_sweep_lists_first_then_reads_one_after_the_other_and_counts_what_it_may_not() {
    let mut seed = seed().managed_secret(VAULT, "cert").disabled_secret(VAULT, "off", "x");
    for n in 0..30 {
        seed = seed.secret(VAULT, &format!("s-{n:02}"), CANARY);
    }
    let lab = Lab::of(seed).await;
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/s-05").always());
    let report = lab.secrets.sweep(AlertsExpected::confirmed()).listings(2).reads(10).await.unwrap();
    assert_eq!((report.secrets, report.managed, report.read), (32, 1, 8));
    assert_eq!((report.disabled, report.forbidden), (1, 1));
    assert_eq!(report.requests, 2 * 2 + 10);
    assert!(report.to_string().contains("14 requests"), "{report}");
    let operations: Vec<_> = lab.azure.audit_events().into_iter().map(|event| event.operation).collect();
    assert_eq!(operations[1..5], ["SecretList"; 4]);
    assert!(operations[5..].iter().all(|operation| *operation == "SecretGet"));
    assert!(!format!("{report:?}").contains(CANARY));
}

#[tokio::test]
async fn a_sweep_waits_before_it_exceeds_its_limit() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x").secret(VAULT, "b", "x").secret(VAULT, "c", "x")).await;
    let sweep = lab.secrets.sweep(AlertsExpected::confirmed()).listings(3).at_most_in_10_seconds(2);
    let report = sweep.await.unwrap();
    assert_eq!((report.requests, report.most_in_window), (6, 2));
    assert!(report.paced > Duration::from_secs(15), "{report}");
    let sweep = lab.secrets.sweep(AlertsExpected::confirmed()).listings(2).at_most_in_10_seconds(2);
    let report = sweep.await.unwrap();
    // Five requests: before the third and the fifth, for what is left of ten seconds.
    assert_eq!((report.requests, report.most_in_window), (5, 2));
    assert!(report.paced > Duration::from_secs(10) && report.paced <= Duration::from_secs(20), "{report}");
    let unpaced = lab.secrets.sweep(AlertsExpected::confirmed()).await.unwrap();
    assert_eq!((unpaced.paced, unpaced.most_in_window), (Duration::ZERO, 6), "far from 2,000 requests");
}

#[tokio::test]
async fn a_sweep_counts_what_has_gone_and_what_the_limits_refuse() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x").secret(VAULT, "b", "x").secret(VAULT, "c", "x")).await;
    lab.azure.inject(Fault::status(404).code("SecretNotFound").on("GET", "/secrets/a").always());
    lab.azure.inject(Fault::status(429).on("GET", "/secrets/b").always());
    let report = lab.secrets.sweep(AlertsExpected::confirmed()).await.unwrap();
    assert_eq!((report.read, report.gone, report.throttled), (1, 1, 1), "{report}");
    assert!(report.to_string().contains("1 read, 0 forbidden, 0 disabled, 1 gone"), "{report}");
}

#[test]
fn a_sweep_speaks_of_waits_and_refusals_only_if_there_were_any() {
    let mut report = SweepReport::default();
    assert!(
        report.to_string().ends_with("at most 0 of the 4000 requests that the vault allows in 10 s"),
        "{report}"
    );
    report.paced = Duration::from_secs(12);
    assert!(report.to_string().ends_with("in 10 s; waited 12.0s to stay below 2000"), "{report}");
    report.throttled = 2;
    assert!(report.to_string().ends_with("below 2000; 2 refused by the vault's limits"), "{report}");
}

#[tokio::test]
async fn what_someone_else_deletes_or_purges_meanwhile_is_gone_all_the_same() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x")).await;
    lab.azure.inject(Fault::status(404).code("SecretNotFound").on("DELETE", "/deletedsecrets/a"));
    let report = lab.secrets.clean_up([name("a")]).purge().await.unwrap();
    assert_eq!(*report.outcomes[0].result.as_ref().unwrap(), Remains::Nothing, "someone purged it");

    let lab = Lab::of(seed().secret_settling(2).secret(VAULT, "a", "x")).await;
    lab.secrets.delete(&name("a")).await.unwrap();
    lab.azure.inject(Fault::status(409).code("ObjectIsBeingDeleted").on("DELETE", "/secrets/a"));
    let report = lab.secrets.clean_up([name("a")]).await.unwrap();
    let expected = Remains::SoftDeleted { days_left: Some(90), purge_refused: false };
    assert_eq!(*report.outcomes[0].result.as_ref().unwrap(), expected, "its delete was waited for");
}

#[tokio::test]
async fn what_may_not_be_searched_is_not_reported_as_gone() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x")).await;
    lab.azure.inject(Fault::status(403).on("GET", "/secrets/a/versions").always());
    lab.azure.inject(Fault::status(403).on("GET", "/deletedsecrets/none").always());
    let clean_up = || lab.secrets.clean_up(["a", "none"].map(name));
    let planned = clean_up().dry_run().await.unwrap();
    assert_eq!(planned.failures().count(), 2, "{planned}");
    let done = clean_up().await.unwrap();
    let failed: Vec<_> = done.failures().map(|(name, _)| name.as_str()).collect();
    assert_eq!(failed, ["none"], "{done}");
}

#[tokio::test]
async fn a_vault_that_keeps_nothing_leaves_nothing() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x")).await;
    let id = lab.secrets.get(&name("a")).await.unwrap().properties.id;
    let page = format!(
        r#"{{"value":[{{"id":"{id}","attributes":{{"enabled":true,"recoveryLevel":"Purgeable"}}}}]}}"#
    );
    lab.azure.inject(Fault::body(200, page).on("GET", "/secrets/a/versions").always());
    let planned = lab.secrets.clean_up([name("a")]).dry_run().await.unwrap();
    assert_eq!(*planned.outcomes[0].result.as_ref().unwrap(), Remains::Nothing);
}

#[tokio::test]
async fn cleaning_up_says_what_stays_and_a_second_run_changes_nothing() {
    let lab = Lab::of(seed().secret_settling(2).secret(VAULT, "a", "x").secret(VAULT, "b", "x")).await;
    let names = || ["a", "b", "none"].map(name);
    let report = lab.secrets.clean_up(names()).await.unwrap();
    assert_eq!(report.soft_deleted().count(), 2);
    let text = report.to_string();
    assert_eq!(
        text,
        "1 deleted, 2 soft-deleted, 0 failed; the names of the soft-deleted ones stay taken for up to 90 days unless they are purged"
    );
    lab.azure.clear_requests();
    assert_eq!(lab.secrets.clean_up(names()).await.unwrap().to_string(), text);
    let purged = lab.secrets.clean_up(names()).purge().await.unwrap();
    assert_eq!(purged.to_string(), "3 deleted, 0 soft-deleted, 0 failed");
}

#[tokio::test]
async fn a_secret_that_cannot_be_deleted_is_named_and_keeps_no_other() {
    let lab = Lab::of(seed().secret(VAULT, "a", "x").secret(VAULT, "b", "x")).await;
    lab.azure.inject(Fault::status(400).on("DELETE", "/secrets/a").always());
    let report = lab.secrets.clean_up(["a", "b"].map(name)).await.unwrap();
    let failed: Vec<_> = report.failures().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        (failed, report.is_complete(), report.soft_deleted().count()),
        (vec!["a"], false, 1),
        "{report}"
    );
}

#[tokio::test]
async fn purge_protection_is_reported_and_no_failure() {
    let lab =
        Lab::of(seed().vault_property(VAULT, "enablePurgeProtection", true).secret(VAULT, "a", "x")).await;
    let report = lab.secrets.clean_up([name("a")]).purge().await.unwrap();
    let expected = Remains::SoftDeleted { days_left: Some(90), purge_refused: true };
    assert_eq!(report.outcomes[0].result.as_ref().unwrap(), &expected);
    assert!(report.to_string().contains("which the vault does not allow for 1 of them"), "{report}");
}

#[tokio::test]
async fn a_removal_waits_until_the_list_shows_the_vault_that_it_deleted() {
    let id: VaultId =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}")
            .parse()
            .unwrap();
    let lags = || Fault::body(200, r#"{"value":[]}"#).on("GET", "Microsoft.KeyVault/deletedVaults");
    let lab = Lab::of(seed()).await;
    lab.azure.inject(lags().times(3));
    let removed = lab.vaults.remove(&id).purge().await.unwrap();
    assert!(removed.purged.is_some() && removed.remains == VaultRemains::Nothing, "{removed:?}");
    let purges = lab.azure.requests().into_iter().filter(|it| it.path.to_lowercase().ends_with("/purge"));
    assert_eq!(purges.count(), 1);

    let lab = Lab::of(seed()).await;
    lab.azure.inject(lags().always());
    let error = lab.vaults.remove(&id).purge().await.unwrap_err();
    assert!(error.to_string().contains("not in the list of deleted vaults yet"), "{error}");
    // A vault that nobody had to delete is not waited for.
    assert_eq!(lab.vaults.remove(&id).await.unwrap().remains, VaultRemains::Nothing);
}

#[tokio::test]
async fn a_vault_is_removed_and_what_stays_is_reported() {
    let lab = Lab::of(seed()).await;
    let id: VaultId =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}")
            .parse()
            .unwrap();
    let left = lab.vaults.remove(&id).await.unwrap();
    assert!(matches!(&left.remains, VaultRemains::SoftDeleted { days_left: Some(90), .. }), "{left:?}");
    assert!(left.to_string().contains("its name stays taken for 90 days unless it is purged"), "{left}");
    for _ in 0..2 {
        assert_eq!(lab.vaults.remove(&id).purge().await.unwrap().remains, VaultRemains::Nothing);
    }

    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", VAULT).vault_property(
        VAULT,
        "enablePurgeProtection",
        true,
    ))
    .await;
    let left = lab.vaults.remove(&id).purge().await.unwrap();
    assert!(left.to_string().contains("purge protection prevents purging it earlier"), "{left}");
}
