//! Two JSON values, compared by meaning.

use std::fmt;

use arm_core::wire::iso_duration;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Kind;

/// The outcome for one part of a response.
#[derive(Debug, Clone, PartialEq)]
pub enum Difference {
    /// The model does not name it, but it was kept.
    Kept(String),
    /// It was lost.
    Dropped(String),
    /// It now has another meaning.
    Changed(String, Value, Value),
    /// It has another spelling with the same meaning: case, an instant, a duration, a flag.
    Folded(String, Value, Value),
    /// It is set by the service: a write omits it.
    NotSent(String),
    /// It was added.
    Added(String),
}

/// What decoding and encoding did to a response.
#[derive(Debug)]
pub struct Report {
    pub(super) kind: Kind,
    pub(super) decoded: usize,
    /// What could not be decoded, each with its location.
    pub errors: Vec<String>,
    /// The outcome for the rest.
    pub differences: Vec<Difference>,
}

impl Report {
    /// Whether something could not be decoded, or a model that is written back or exported lost something.
    pub fn has_failed(&self) -> bool {
        let lost = |it: &Difference| matches!(it, Difference::Dropped(_) | Difference::Changed(..));
        !self.errors.is_empty() || (self.kind != Kind::ReadOnly && self.differences.iter().any(lost))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            writeln!(f, "undecodable  {error}")?;
        }
        for difference in &self.differences {
            match difference {
                Difference::Kept(path) => writeln!(f, "kept         {path}")?,
                Difference::Dropped(path) => writeln!(f, "dropped      {path}")?,
                Difference::Changed(path, before, after) => {
                    writeln!(f, "changed      {path}: {before} became {after}")?;
                }
                Difference::Folded(path, before, after) => {
                    writeln!(f, "folded       {path}: {before} is {after}")?;
                }
                Difference::NotSent(path) => writeln!(f, "not sent     {path}")?,
                Difference::Added(path) => writeln!(f, "added        {path}")?,
            }
        }
        let verdict = match (self.has_failed(), self.kind) {
            (true, _) => "FAILED",
            (false, Kind::WriteBack) => "OK, nothing is lost by a write-back",
            (false, Kind::Exported) => "OK, nothing is lost when it is written out",
            (false, Kind::ReadOnly) => "OK; read-only, so what is dropped here stays at the service",
        };
        write!(f, "{} decoded: {verdict}", self.decoded)
    }
}

/// Walks both sides; `before` is the service's, `after` ours.
pub(super) fn compare(path: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let path = format!("{path}/{key}");
                match new.get(key) {
                    Some(now) => compare(&path, value, now, found),
                    // An absent field and a null one mean the same to Resource Manager's answers.
                    None if is_nothing(value) => {}
                    None => found.push(Difference::Dropped(path)),
                }
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                if !is_nothing(value) {
                    found.push(Difference::Added(format!("{path}/{key}")));
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (before, after)) in old.iter().zip(new).enumerate() {
                compare(&format!("{path}/{index}"), before, after, found);
            }
        }
        _ if before == after => {}
        (Value::String(old), Value::String(new)) if means_the_same(old, new) => {
            found.push(Difference::Folded(path.to_owned(), before.clone(), after.clone()));
        }
        (Value::Number(old), Value::Number(new)) if old.as_f64() == new.as_f64() => {}
        _ => found.push(Difference::Changed(path.to_owned(), before.clone(), after.clone())),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn same<T: PartialEq>(old: Option<T>, new: Option<T>) -> bool {
    old.is_some() && old == new
}

fn means_the_same(old: &str, new: &str) -> bool {
    let instant = |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok();

    let flag = |text: &str| text.parse::<bool>().ok();
    old.eq_ignore_ascii_case(new)
        || same(instant(old), instant(new))
        || same(iso_duration::parse(old), iso_duration::parse(new))
        || same(flag(&old.to_ascii_lowercase()), flag(&new.to_ascii_lowercase()))
}
