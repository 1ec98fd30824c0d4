//! What a run did, for a machine.

use std::{borrow::Cow, collections::BTreeMap};

use arm_core::{printable, wire};
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

/// The version of the JSON form.
pub const VERSION: u32 = 1;

/// The recorded lab. `lab.schema.json` of this crate describes its JSON form: fields are added, never renamed or taken
/// away, within a version.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Record {
    /// The version of this form.
    pub version: u32,
    /// The subscription; `null` before it is known.
    pub subscription: Option<String>,
    /// Its tenant; `null` before it is known.
    pub tenant: Option<String>,
    /// Whether it was real Azure; `false` for the bundled double.
    pub live: bool,
    /// When it began.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started: Option<OffsetDateTime>,
    /// When it ended; `null` while it runs.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub finished: Option<OffsetDateTime>,
    /// How many steps said that something would be written, in a dry run.
    pub changes_pending: usize,
    /// The parts, in the order in which they ran.
    pub parts: Vec<Part>,
}

/// One task or scenario.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Part {
    /// `task1`, `break-fix-1`, ..
    pub name: String,
    /// What it is about.
    pub title: String,
    /// Whether all of it holds.
    pub ok: bool,
    /// What became of it.
    pub state: PartState,
    /// What was done.
    pub steps: Vec<Step>,
    /// The resources that were, or in a dry run would be, made, changed or left as they are, by id.
    pub changes: Vec<Changed>,
    /// What was shown.
    pub tables: Vec<Rows>,
    /// Where the lab sheet and the service disagree.
    pub differences: Vec<Difference>,
    /// Why it stopped.
    pub error: Option<String>,
}

/// What became of a part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PartState {
    /// It ran to its end, and all of it holds.
    #[default]
    Done,
    /// It stopped, or a step of it failed.
    Failed,
    /// What it depends on failed.
    NotTried,
}

/// One step.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// What it was about.
    pub what: String,
    /// `created`, `unchanged`, `verified`, `failed`, ..
    pub outcome: String,
    /// When.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub time: Option<OffsetDateTime>,
    /// More about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// How many, where it is about a number of things.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub count: Option<usize>,
    /// The full id of what it was about: a resource, an alert, a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The numbers that the detail tells in words, by what they count.
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

/// What became of one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changed {
    /// Its full id.
    pub id: String,
    /// `create`, `update`, `delete` or `noChange`, as in a plan.
    pub action: String,
    /// The step of a plan that does it.
    pub step: String,
    /// The members that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
}

/// One table.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Rows {
    /// What it shows.
    pub name: String,
    /// The headings.
    pub columns: Vec<String>,
    /// The rows, one text a column.
    pub rows: Vec<Vec<String>>,
}

/// A place where the lab sheet and the service disagree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Difference {
    /// What the sheet says.
    pub sheet: String,
    /// What the service does.
    pub service: String,
    /// What the lab does.
    pub so: String,
}

/// One line of `--output ndjson`: what happened, as it happens. The last line is `end`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event<'a> {
    /// A part begins.
    Part {
        /// Its name.
        part: &'a str,
        /// What it is about.
        title: &'a str,
    },
    /// A step was done.
    Step {
        /// The part.
        part: &'a str,
        /// The step.
        step: &'a Step,
    },
    /// A resource was made, changed or left as it is.
    Change {
        /// The part.
        part: &'a str,
        /// What became of it.
        change: &'a Changed,
    },
    /// Something was shown.
    Table {
        /// The part.
        part: &'a str,
        /// What.
        table: &'a Rows,
    },
    /// A place where the lab sheet and the service disagree.
    Difference {
        /// The part.
        part: &'a str,
        /// What they say.
        difference: &'a Difference,
    },
    /// It ended. The parts are as in `--output json`, without what was told already.
    End {
        /// The version of the form.
        version: u32,
        /// The subscription; `null` before it is known.
        subscription: Option<&'a str>,
        /// Whether it was real Azure.
        live: bool,
        /// Whether all parts hold.
        ok: bool,
        /// The error of each part that has one, by the part's name.
        errors: Vec<(&'a str, &'a str)>,
    },
}

/// The schema of both JSON forms: the document, and the lines in `$defs`.
pub fn schema() -> serde_json::Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let lines = generator.subschema_for::<Event<'_>>();
    let mut schema = generator.into_root_schema_for::<Record>().to_value();
    schema["title"] =
        "The record of a lab, version 1: --output json; --output ndjson writes lines of #/$defs/Event".into();
    let _ = lines;
    schema
}

/// JSON text whose control and bidirectional characters, which can only stand in its texts, are escaped: the same
/// values, harmless on a terminal.
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
