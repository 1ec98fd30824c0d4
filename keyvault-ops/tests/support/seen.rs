//! Everything that is shown or traced in a test's process, as one text to look for secrets in.

use std::{
    fmt::{Debug, Write as _},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

pub(crate) static SEEN: Mutex<String> = Mutex::new(String::new());

/// Keeps the text of everything that is traced in this process, at every level.
struct Everything(AtomicU64);

struct Text<'a>(&'a mut String);

impl Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl Subscriber for Everything {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        keep(span.metadata().name(), |text| span.record(text));
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        keep("", |text| values.record(text));
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        keep("", |text| event.record(text));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

pub(crate) fn see(what: &impl Debug) {
    let _ = writeln!(SEEN.lock().unwrap(), "{what:?} {what:#?}");
}

/// From here on, everything that is traced is kept.
pub(crate) fn keep_everything() {
    tracing::subscriber::set_global_default(Everything(AtomicU64::new(0))).unwrap();
}

fn keep(name: &str, record: impl FnOnce(&mut Text<'_>)) {
    let mut seen = SEEN.lock().unwrap();
    seen.push_str(name);
    record(&mut Text(&mut seen));
    seen.push('\n');
}

/// An error with all its causes, as programs show them.
pub(crate) fn see_error(error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let _ = writeln!(SEEN.lock().unwrap(), "{error} {error:?}");
        cause = error.source();
    }
}
