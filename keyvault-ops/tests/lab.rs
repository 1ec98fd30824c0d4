//! Seeding, sweeping and cleaning up on the double.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use keyvault_ops::{
    AlertsExpected, Remains, SecretErrorExt as _, SecretName, SecretRefusal, Seeded, VaultId, VaultRemains,
    WhenDeleted,
};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, Fault, MockAzure};
use support::{CANARY, Lab, VAULT, name, seed};

#[tokio::test]
async fn twenty_secrets_are_seeded_swept_and_cleaned_in_well_under_a_second() {
    let lab = Lab::of(seed()).await;
    let begun = Instant::now();
    let seeded = lab.secrets.seed("lab", 20).await.unwrap();
    assert!(seeded.is_complete(), "{seeded}");
    let swept = lab.secrets.sweep(AlertsExpected::confirmed()).await.unwrap();
    assert_eq!((swept.read, swept.listings, swept.secrets), (20, 3, 20));
    let names: Vec<SecretName> = seeded.names().cloned().collect();
    let cleaned = lab.secrets.clean_up(names).purge().await;
    let took = begun.elapsed();
    assert!(cleaned.is_complete() && cleaned.soft_deleted().next().is_none(), "{cleaned}");
    assert!(took < Duration::from_secs(1), "it took {took:?}");
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

#[tokio::test]
async fn a_soft_deleted_name_is_reported_recovered_or_purged() {
    let deleted = || seed().secret_settling(2).deleted_secret(VAULT, "lab-1", CANARY);
    let lab = Lab::of(deleted()).await;
    let report = lab.secrets.seed("lab", 2).await.unwrap();
    let (taken, error) = report.failures().next().unwrap();
    assert_eq!((taken.as_str(), error.secret_refusal()), ("lab-1", Some(SecretRefusal::SoftDeleted)));
    assert!(error.to_string().contains("seed with WhenDeleted::Recover or Purge"), "{error}");
    assert!(!report.is_complete());

    let report = lab.secrets.seed("lab", 2).when_deleted(WhenDeleted::Recover).await.unwrap();
    assert_eq!((report.count(Seeded::Recovered), report.count(Seeded::Unchanged)), (1, 1));
    assert_eq!(lab.azure.secret_versions(VAULT, "lab-1")[0].value, CANARY);

    let lab = Lab::of(deleted()).await;
    let report = lab.secrets.seed("lab", 1).when_deleted(WhenDeleted::Purge).await.unwrap();
    assert_eq!(report.count(Seeded::Replaced), 1, "{report}");
    assert_ne!(lab.azure.secret_versions(VAULT, "lab-1")[0].value, CANARY);
}

#[tokio::test]
async fn a_bad_prefix_is_refused_before_anything_is_sent() {
    let lab = Lab::of(seed()).await;
    let error = lab.secrets.seed("lab_", 3).await.unwrap_err();
    assert!(error.to_string().contains("may only hold letters, digits and hyphens"), "{error}");
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
    let operations: Vec<&str> = lab.azure.audit_events().iter().map(|event| event.operation).collect();
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
}

#[tokio::test]
async fn cleaning_up_says_what_stays_and_a_second_run_changes_nothing() {
    let lab = Lab::of(seed().secret_settling(2).secret(VAULT, "a", "x").secret(VAULT, "b", "x")).await;
    let names = || ["a", "b", "none"].map(name);
    let report = lab.secrets.clean_up(names()).await;
    assert_eq!(report.soft_deleted().count(), 2);
    let text = report.to_string();
    assert_eq!(
        text,
        "1 gone, 2 soft-deleted, 0 failed; the soft-deleted ones keep their names for up to 90 days unless they are purged"
    );
    lab.azure.clear_requests();
    assert_eq!(lab.secrets.clean_up(names()).await.to_string(), text);
    let purged = lab.secrets.clean_up(names()).purge().await;
    assert_eq!(purged.to_string(), "3 gone, 0 soft-deleted, 0 failed");
}

#[tokio::test]
async fn purge_protection_is_reported_and_no_failure() {
    let lab =
        Lab::of(seed().vault_property(VAULT, "enablePurgeProtection", true).secret(VAULT, "a", "x")).await;
    let report = lab.secrets.clean_up([name("a")]).purge().await;
    let expected = Remains::SoftDeleted { days_left: Some(90), purge_refused: true };
    assert_eq!(report.outcomes[0].result.as_ref().unwrap(), &expected);
    assert!(report.to_string().contains("which the vault does not allow for 1 of them"), "{report}");
}

#[tokio::test]
async fn a_vault_is_removed_and_what_stays_is_said() {
    let lab = Lab::of(seed()).await;
    let id: VaultId =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/{VAULT}")
            .parse()
            .unwrap();
    let left = lab.vaults.remove(&id).await.unwrap();
    assert!(matches!(&left, VaultRemains::SoftDeleted { days_left: Some(90), .. }), "{left:?}");
    assert!(left.to_string().contains("its name stays taken for 90 days unless it is purged"), "{left}");
    assert_eq!(lab.vaults.remove(&id).purge().await.unwrap(), VaultRemains::Nothing);
    assert_eq!(lab.vaults.remove(&id).purge().await.unwrap(), VaultRemains::Nothing);

    let lab = Lab::of(MockAzure::seed().vault(SUB, "rg", VAULT).vault_property(
        VAULT,
        "enablePurgeProtection",
        true,
    ))
    .await;
    let left = lab.vaults.remove(&id).purge().await.unwrap();
    assert!(left.to_string().contains("purge protection does not let it be purged before"), "{left}");
}
