//! The record of a run, for other programs.

use std::{borrow::Cow, collections::BTreeMap};

use arm_core::{printable, wire};
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use super::cell::{Column, Value};

/// The version of the JSON form.
pub const VERSION: u32 = 2;

/// The record of a run. The crate's `lab.schema.json` describes its JSON form. Within a version, fields are added,
/// never renamed or removed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Record {
    /// The version of this form.
    pub version: u32,
    /// The subscription; `null` before it is known.
    pub subscription: Option<String>,
    /// Its tenant; `null` before it is known.
    pub tenant: Option<String>,
    /// Whether it ran on real Azure; `false` for the bundled double.
    pub live: bool,
    /// When it started.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started: Option<OffsetDateTime>,
    /// When it ended; `null` while it is running.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished: Option<OffsetDateTime>,
    /// In a dry run, the number of steps that would write something.
    pub changes_pending: usize,
    /// The parts, in the order in which they ran.
    pub parts: Vec<Part>,
}

/// One task or scenario.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Part {
    /// `task1`, `break-fix-1`, ..
    pub name: String,
    /// The title.
    pub title: String,
    /// Whether everything succeeded.
    pub ok: bool,
    /// The state.
    pub state: PartState,
    /// The steps.
    pub steps: Vec<Step>,
    /// The resources that were created, changed or left unchanged, or would be in a dry run, by id.
    pub changes: Vec<Changed>,
    /// The tables shown.
    pub tables: Vec<Rows>,
    /// Differences between the lab sheet and the service.
    pub differences: Vec<Difference>,
    /// Why it stopped.
    pub error: Option<String>,
}

/// The state of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PartState {
    /// It ran to the end successfully.
    #[default]
    Done,
    /// It stopped, or one of its steps failed.
    Failed,
    /// A part that it depends on failed.
    NotTried,
}

/// One step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// The subject of the step.
    pub what: String,
    /// `created`, `unchanged`, `verified`, `failed`, ..
    pub outcome: String,
    /// The time.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub time: Option<OffsetDateTime>,
    /// The details.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The number of items, if it concerns several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub count: Option<usize>,
    /// The full id of what it was about: a resource, an alert, a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The numbers in the detail, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, usize>,
}

impl Step {
    /// A step of this moment, to be filled in.
    pub(super) fn now() -> Self {
        Self {
            what: String::new(),
            outcome: String::new(),
            time: Some(OffsetDateTime::now_utc()),
            detail: String::new(),
            count: None,
            id: None,
            figures: BTreeMap::new(),
        }
    }
}

/// The change of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changed {
    /// The full id.
    pub id: String,
    /// `create`, `update`, `delete` or `noChange`, as in a plan.
    pub action: String,
    /// The step of a plan that makes the change.
    pub step: String,
    /// The members that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// One table.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rows {
    /// The title.
    pub name: String,
    /// The columns.
    pub columns: Vec<Column>,
    /// The rows, with one value for each column.
    pub rows: Vec<Vec<Value>>,
}

/// A difference between the lab sheet and the service.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difference {
    /// The sheet's claim.
    pub sheet: String,
    /// The service's behaviour.
    pub service: String,
    /// What the lab does.
    pub so: String,
}

/// One line of `--output ndjson`, written as things happen. The last line is `end`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event<'a> {
    /// A part starts.
    Part {
        /// The name.
        part: &'a str,
        /// The title.
        title: &'a str,
    },
    /// A step was done.
    Step {
        /// The part.
        part: &'a str,
        /// The step.
        step: &'a Step,
    },
    /// A resource was created, changed or left unchanged.
    Change {
        /// The part.
        part: &'a str,
        /// The change.
        change: &'a Changed,
    },
    /// A table was shown.
    Table {
        /// The part.
        part: &'a str,
        /// The table.
        table: &'a Rows,
    },
    /// A difference between the lab sheet and the service.
    Difference {
        /// The part.
        part: &'a str,
        /// The difference.
        difference: &'a Difference,
    },
    /// The end. The parts are as in `--output json`, without what was already written.
    End {
        /// The version of the form.
        version: u32,
        /// The subscription; `null` before it is known.
        subscription: Option<&'a str>,
        /// Whether it ran on real Azure.
        live: bool,
        /// Whether all parts succeeded.
        ok: bool,
        /// The error of each part that has one, by the part's name.
        errors: Vec<(&'a str, &'a str)>,
    },
}

/// Returns the schema of both JSON forms: the document, and the lines in `$defs`.
pub fn schema() -> serde_json::Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let lines = generator.subschema_for::<Event<'_>>();
    let mut schema = generator.into_root_schema_for::<Record>().to_value();
    schema["title"] =
        "The record of a lab, version 2: --output json; --output ndjson writes lines of #/$defs/Event".into();
    let _ = lines;
    schema
}

/// Escapes control and bidirectional characters in JSON text so that they are harmless on a terminal. They can occur
/// only in strings, so the values stay the same.
pub(crate) fn json_text(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        let mut buffer = [0; 4];
        if c == '\n' || matches!(printable(c.encode_utf8(&mut buffer)), Cow::Borrowed(_)) {
            shown.push(c);
        } else {
            let mut units = [0; 2];
            shown.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_the_same_values_and_nothing_that_steers_a_terminal() {
        let evil = "a\u{1b}[2J\u{9b}\u{202e}b\u{e0041}\"\\ü日本";
        let text = json_text(&serde_json::to_string_pretty(&[evil]).unwrap());
        assert!(matches!(arm_core::printable_lines(&text), Cow::Borrowed(_)), "{text}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&text).unwrap()[0], evil);
    }
}
