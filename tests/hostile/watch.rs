//! Watches every log line and span of the process for a token or a secret.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use contract_tests::TOKEN;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

static LEAKS: Mutex<Vec<String>> = Mutex::new(Vec::new());
static EVENTS: AtomicU64 = AtomicU64::new(0);

/// Stands for a secret in every answer here: `REDACTED` is also what azure_core writes for a header.
pub(crate) const SECRET: &str = "secret-that-must-not-be-seen";

/// A text that no one may see: the token, a secret of an answer, a secret of a request.
pub(crate) fn is_secret(text: &str) -> bool {
    let of_a_request = ["example.com/REDACTED", "UkVEQUNURUQ"];
    text.contains(TOKEN) || text.contains(SECRET) || of_a_request.iter().any(|secret| text.contains(secret))
}

/// Fails if any log line or span so far held one.
pub(crate) fn no_leaks() -> Result<(), String> {
    match LEAKS.lock().unwrap().first() {
        Some(leak) => Err(format!("a log line or span holds a secret: {leak}")),
        None => Ok(()),
    }
}

/// How many log lines and spans were watched.
pub(crate) fn watched() -> u64 {
    EVENTS.load(Ordering::Relaxed)
}

/// Takes every level of every crate.
pub(crate) struct Watch;

impl Watch {
    fn check(&self, metadata: &Metadata<'_>, record: impl FnOnce(&mut Text)) {
        let mut text = Text(format!("{} {}", metadata.target(), metadata.name()));
        record(&mut text);
        EVENTS.fetch_add(1, Ordering::Relaxed);
        if is_secret(&text.0) {
            LEAKS.lock().unwrap().push(text.0);
        }
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Subscriber for Watch {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.check(span.metadata(), |text| span.record(text));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        let mut text = Text(String::new());
        values.record(&mut text);
        if is_secret(&text.0) {
            LEAKS.lock().unwrap().push(text.0);
        }
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.check(event.metadata(), |text| event.record(text));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
