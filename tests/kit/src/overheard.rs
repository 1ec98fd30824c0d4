//! Everything that is said while something runs: spans, events and their fields, at every level of every crate.

use std::{
    fmt::{Debug, Write as _},
    sync::Mutex,
};

use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};

/// A subscriber that calls this for each span, event and later value: a line with its target, name and fields.
pub struct Overheard<F>(pub F);

impl<F> Debug for Overheard<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Overheard")
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<F: Fn(&str) + Send + Sync + 'static> Overheard<F> {
    fn hear(&self, metadata: Option<&Metadata<'_>>, record: impl FnOnce(&mut Line)) {
        let mut line = Line(metadata.map(|it| format!("{} {}", it.target(), it.name())).unwrap_or_default());
        record(&mut line);
        (self.0)(&line.0);
    }
}

impl<F: Fn(&str) + Send + Sync + 'static> Subscriber for Overheard<F> {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        self.hear(Some(span.metadata()), |line| span.record(line));
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        self.hear(None, |line| values.record(line));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        self.hear(Some(event.metadata()), |line| event.record(line));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// All that was shown or traced in this process, to look for secrets in.
pub static SEEN: Mutex<String> = Mutex::new(String::new());

fn keep(line: &str) {
    let mut seen = SEEN.lock().unwrap();
    seen.push_str(line);
    seen.push('\n');
}

/// From here on, everything that is traced is kept in [`SEEN`].
pub fn keep_everything() {
    tracing::subscriber::set_global_default(Overheard(keep)).unwrap();
}

/// Keeps what a value shows of itself.
pub fn see(what: &impl Debug) {
    keep(&format!("{what:?} {what:#?}"));
}

/// Keeps an error with all its causes, as programs show them.
pub fn see_error(error: &dyn std::error::Error) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        keep(&format!("{error} {error:?}"));
        cause = error.source();
    }
}
