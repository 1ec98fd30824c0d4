//! No value gets into a log, span, error, report or ledger.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use futures::TryStreamExt as _;
use keyvault_ops::{AlertsExpected, Ledger, random_value};
use mock_azure::Fault;
use support::{Bank, CANARY, Lab, VAULT, canary, name, seed};
use test_kit::overheard::{SEEN, keep_everything, see, see_error};

#[tokio::test]
async fn no_value_is_seen_in_traces_errors_reports_or_the_ledger() {
    keep_everything();
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY).secret(VAULT, "other", CANARY)).await;
    let db = name("db");
    see(&canary());
    see(&lab.secrets);
    see(&lab.secrets.set(&db, canary()));
    see(&lab.secrets.set(&db, canary()).tag("a", "b").await.unwrap());
    see(&lab.secrets.get(&db).await.unwrap());
    see(&lab.secrets.list_versions(&db).try_collect::<Vec<_>>().await.unwrap());
    see(&lab.secrets.backup(&db).await.unwrap());
    see(&lab
        .vaults
        .list(&mock_azure::DEFAULT_SUBSCRIPTION.parse().unwrap())
        .try_collect::<Vec<_>>()
        .await
        .unwrap());
    see(&lab.secrets.sweep(AlertsExpected::confirmed()).await.unwrap());
    let ledger = Ledger::in_memory();
    see(&ledger);
    lab.secrets.set(&db, arm_core::Secret::new("another")).await.unwrap();
    let rotate = lab.secrets.rotate(&db).to(canary()).ledger(&ledger);
    see(&rotate);
    see(&rotate.await.unwrap());

    let faults = [
        Fault::reset_after_acting(),
        Fault::truncated(),
        Fault::status(500),
        Fault::status(403),
        Fault::wrong_content_type("text/html", "<html>sign in</html>"),
        Fault::body(200, r#"{"value":"hunter2-canary","id":5}"#),
        Fault::body(200, r#"{"value":["hunter2-canary"],"id":"https://kv-lab.vault.azure.net/secrets/db"}"#),
        Fault::body(200, r#"{"value":"hunter2-canary","id":"https://kv-lab.vault.azure.net/keys/db"}"#),
        Fault::body(200, r#"{"value":"hunter2-canary","attributes":{"enabled":"maybe"},"id":"x"}"#),
        Fault::body(200, r#"{"value":"hunter2-canary"#),
    ];
    for fault in faults {
        lab.azure.inject(fault.clone().on("*", "/secrets/db").always());
        see_error(&lab.secrets.get(&db).await.unwrap_err());
        see_error(&lab.secrets.set(&db, canary()).await.unwrap_err());
        see_error(
            &lab.secrets
                .rotate(&db)
                .to(arm_core::Secret::new(format!("{CANARY}-2")))
                .ledger(&ledger)
                .await
                .unwrap_err(),
        );
        lab.azure.clear_faults();
    }
    lab.azure.inject(Fault::status(403).on("PUT", "/secrets/other").always());
    let issued = lab.secrets.rotate(&name("other")).issuer(Bank::with(&[CANARY])).ledger(&ledger);
    see_error(&issued.await.unwrap_err());
    lab.azure.clear_faults();
    let issued = lab.secrets.rotate(&name("other")).issuer(Bank::with(&[CANARY])).ledger(&ledger);
    see(&issued.await.unwrap());
    SEEN.lock().unwrap().push_str(&support::text(&ledger));
    see(&lab.secrets.rotate(&db).to(arm_core::Secret::new(format!("{CANARY}-3"))).dry_run().await.unwrap());
    see(&lab.secrets.retire_old_versions(&db).dry_run().await.unwrap());
    let random = random_value().unwrap();
    see(&random);
    let seen = SEEN.lock().unwrap();
    assert!(seen.contains("/secrets/db"), "the requests are traced");
    assert!(seen.contains("stopped"), "the ledger is written");
    for (task, dry) in [("Rotate", true), ("Rotate", false), ("RetireOldVersions", true), ("Sweep", false)] {
        let span = format!("task name=\"keyvault_ops::{task}\" dry_run={dry}");
        let tasks: Vec<&str> = seen.lines().filter(|line| line.starts_with("task name=")).collect();
        assert!(seen.contains(&span), "no span of {task} among {tasks:?}");
    }
    assert!(seen.contains("request what=GET /subscriptions/"), "requests have spans");
    if let Some(at) = seen.find(CANARY) {
        let around = &seen[at.saturating_sub(300)..(at + 100).min(seen.len())];
        panic!("a value was seen: {around}");
    }
    assert!(!seen.contains(random.expose()));
    assert!(!seen.to_lowercase().contains("bearer ey"), "a token was seen");
}
