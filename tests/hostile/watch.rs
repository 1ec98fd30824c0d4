//! Watches every log line and span of the process for a token or a secret.

use std::sync::{
    Mutex,
    atomic::{AtomicU64, Ordering},
};

use contract_tests::TOKEN;
use test_kit::overheard::Overheard;

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

/// Watches every line of every crate.
pub(crate) fn watch() {
    let subscriber = Overheard(|line: &str| {
        EVENTS.fetch_add(1, Ordering::Relaxed);
        if is_secret(line) {
            LEAKS.lock().unwrap().push(line.to_owned());
        }
    });
    tracing::subscriber::set_global_default(subscriber).unwrap();
}
