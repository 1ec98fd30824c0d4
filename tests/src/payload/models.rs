//! Every model by its name.

use std::fmt::Debug;

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::compare::{Difference, Report, compare};

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Read, changed and written back: it must lose nothing.
    WriteBack,
    /// Only read: it may drop what it does not name.
    ReadOnly,
}

/// A model of the crates.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// Its name in Rust.
    pub name: &'static str,
    /// The crate it is of.
    pub krate: &'static str,
    /// Whether it may lose something.
    pub kind: Kind,
    decode: fn(&Value) -> Result<Seen, String>,
}

/// A decoded answer: as Rust shows it, and encoded again where the model can be.
struct Seen {
    shown: String,
    encoded: Option<Value>,
}

fn write_back<T: DeserializeOwned + Serialize + Debug>(answer: &Value) -> Result<Seen, String> {
    let decoded: T = decode(answer)?;
    let encoded = serde_json::to_value(&decoded).map_err(|error| format!("cannot be encoded: {error}"))?;
    Ok(Seen { shown: format!("{decoded:?}"), encoded: Some(encoded) })
}

#[allow(dead_code)] // for now
fn read_only<T: DeserializeOwned + Debug>(answer: &Value) -> Result<Seen, String> {
    Ok(Seen { shown: format!("{:?}", decode::<T>(answer)?), encoded: None })
}

/// From text, as on the wire: some models look at the text of their parts.
fn decode<T: DeserializeOwned>(answer: &Value) -> Result<T, String> {
    serde_json::from_str(&answer.to_string()).map_err(|error| error.to_string())
}

macro_rules! models {
    ($($krate:ident { $($kind:ident: $($name:ident),+;)+ })+) => {
        /// All models, crate by crate.
        pub const MODELS: &[Model] = &[
            $($($(Model {
                name: stringify!($name),
                krate: stringify!($krate),
                kind: models!(@kind $kind),
                decode: $kind::<::$krate::$name>,
            },)+)+)+
        ];
    };
    (@kind write_back) => { Kind::WriteBack };
    (@kind read_only) => { Kind::ReadOnly };
}

models! {
    defender_pricing { write_back: Pricing; }
}

/// A model by its name, without regard to case.
pub fn model(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name.eq_ignore_ascii_case(name))
}

impl Model {
    /// Checks an answer, or each item of a page.
    pub fn check(&self, answer: &Value, page: bool) -> Report {
        let mut report = Report { kind: self.kind, decoded: 0, errors: Vec::new(), differences: Vec::new() };
        if !page {
            self.check_one("", answer, &mut report);
            return report;
        }
        match answer["value"].as_array() {
            Some(items) => items.iter().enumerate().for_each(|(index, item)| {
                self.check_one(&format!("/value/{index}"), item, &mut report);
            }),
            None => report.errors.push("the page has no list 'value'".to_owned()),
        }
        report
    }

    fn check_one(&self, place: &str, answer: &Value, report: &mut Report) {
        let seen = match (self.decode)(answer) {
            Ok(seen) => seen,
            Err(error) => {
                return report
                    .errors
                    .push(format!("{}: {error}", if place.is_empty() { "/" } else { place }));
            }
        };
        report.decoded += 1;
        if let Some(encoded) = &seen.encoded {
            compare(place, answer, encoded, &mut report.differences);
        }
        let mut pointers = Vec::new();
        fields("", answer, &mut pointers);
        let mut probed: Vec<String> = Vec::new();
        for pointer in pointers {
            let inside = |of: &String| pointer.starts_with(&format!("{of}/"));
            if probed.iter().any(inside) {
                continue;
            }
            match self.probe(answer, &pointer, &seen) {
                Some(Probed::Kept) => report.differences.push(Difference::Kept(format!("{place}{pointer}"))),
                Some(Probed::Dropped) if seen.encoded.is_none() => {
                    report.differences.push(Difference::Dropped(format!("{place}{pointer}")));
                }
                _ => continue,
            }
            probed.push(pointer);
        }
    }

    /// Puts something there that no typed field can hold. What comes back unchanged is kept as it is; what
    /// changes nothing is not looked at.
    fn probe(&self, answer: &Value, pointer: &str, seen: &Seen) -> Option<Probed> {
        let strange = json!([[{ "probe": [1, null, "x"] }]]);
        let mut changed = answer.clone();
        *changed.pointer_mut(pointer)? = strange.clone();
        let probed = (self.decode)(&changed).ok()?;
        match probed.encoded {
            Some(encoded) => (encoded.pointer(pointer) == Some(&strange)).then_some(Probed::Kept),
            None => (probed.shown == seen.shown).then_some(Probed::Dropped),
        }
    }
}

enum Probed {
    Kept,
    Dropped,
}

/// The JSON pointers of all fields, outer ones first.
fn fields(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.push(pointer.clone());
                fields(&pointer, value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                fields(&format!("{place}/{index}"), item, found);
            }
        }
        _ => {}
    }
}
