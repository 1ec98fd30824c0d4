//! No value gets into a log, span, error, report or ledger.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use futures::TryStreamExt as _;
use keyvault_ops::{AlertsExpected, Ledger, random_value};
use mock_azure::Fault;
use support::{Bank, CANARY, Lab, VAULT, canary, name, seed};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static SEEN: Mutex<String> = Mutex::new(String::new());

/// Keeps the text of everything that is traced in this process, at every level.
struct Everything(AtomicU64);

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = writeln!(self.0, "{field}={value:?}");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut Text(&mut SEEN.lock().unwrap()));
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut Text(&mut SEEN.lock().unwrap()));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut Text(&mut SEEN.lock().unwrap()));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

fn see(what: &impl Debug) {
    let mut seen = SEEN.lock().unwrap();
    let _ = writeln!(seen, "{what:?} {what:#?}");
}

/// An error with all its causes, as programs show them.
fn see_error(error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let _ = writeln!(SEEN.lock().unwrap(), "{error} {error:?}");
        cause = error.source();
    }
}

#[tokio::test]
async fn no_value_is_seen_in_traces_errors_reports_or_the_ledger() {
    tracing::subscriber::set_global_default(Everything(AtomicU64::new(0))).unwrap();
    let lab = Lab::of(seed().secret(VAULT, "db", CANARY).secret(VAULT, "other", CANARY)).await;
    let db = name("db");
    see(&canary());
    see(&lab.secrets);
    see(&lab.secrets.set(&db, canary()));
    see(&lab.secrets.set(&db, canary()).tag("a", "b").await.unwrap());
    see(&lab.secrets.get(&db).await.unwrap());
    see(&lab.secrets.list_versions(&db).try_collect::<Vec<_>>().await.unwrap());
    see(&lab.secrets.backup(&db).await.unwrap());
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
    let random = random_value().unwrap();
    see(&random);
    let seen = SEEN.lock().unwrap();
    assert!(seen.contains("/secrets/db"), "the requests are traced");
    assert!(seen.contains("stopped"), "the ledger is written");
    if let Some(at) = seen.find(CANARY) {
        let around = &seen[at.saturating_sub(300)..(at + 100).min(seen.len())];
        panic!("a value was seen: {around}");
    }
    assert!(!seen.contains(random.expose()));
    assert!(!seen.to_lowercase().contains("bearer ey"), "a token was seen");
}
