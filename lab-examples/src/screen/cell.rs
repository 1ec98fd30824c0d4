//! Table cells: a text for people, and a typed value for programs.

use std::{fmt, time::Duration};

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

/// The value of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Value {
    /// None or unknown.
    Null,
    /// Yes or no.
    Flag(bool),
    /// A number; its unit is the column's kind.
    Number(u64),
    /// A part of a total.
    Part {
        /// How many.
        count: usize,
        /// Of how many.
        of: usize,
    },
    /// A text, a time or an id, as the column says.
    Text(String),
    /// Several texts.
    List(Vec<String>),
}

impl Value {
    /// Returns the text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// The type of a column's values that are not `null`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// Texts.
    #[default]
    Text,
    /// Times, as RFC 3339 has them.
    Time,
    /// Full ids.
    Id,
    /// `true` or `false`.
    Flag,
    /// Numbers.
    Count,
    /// Numbers of days.
    Days,
    /// A part of a total: `count` and `of`.
    Part,
    /// Lists of texts.
    List,
    /// Several types; the first cell of the row says which.
    Mixed,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Column {
    /// The heading.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// A cell: its text for people, and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The text for people.
    pub shown: String,
    pub(super) value: Value,
    pub(super) kind: Kind,
}

impl Cell {
    /// A number of items.
    pub fn count(count: usize) -> Self {
        let value = Value::Number(u64::try_from(count).unwrap_or(u64::MAX));
        Self { shown: count.to_string(), value, kind: Kind::Count }
    }

    /// A part of a total, such as 3 of 5.
    pub fn part(count: usize, of: usize) -> Self {
        Self { shown: format!("{count} of {of}"), value: Value::Part { count, of }, kind: Kind::Part }
    }

    /// A duration in whole days.
    pub fn days(time: Duration) -> Self {
        let days = time.as_secs() / 86_400;
        Self { shown: format!("{days} days"), value: Value::Number(days), kind: Kind::Days }
    }

    /// Yes or no.
    pub fn flag(holds: bool) -> Self {
        let shown = if holds { "yes" } else { "no" }.to_owned();
        Self { shown, value: Value::Flag(holds), kind: Kind::Flag }
    }

    /// A time, shown to the second.
    pub fn time(instant: OffsetDateTime) -> Self {
        let text = wire::instant::format(instant);
        let shown = text.get(..19).map_or(text.clone(), |seconds| seconds.replace('T', " "));
        Self { shown, value: Value::Text(text), kind: Kind::Time }
    }

    /// A full id, of which the last part is shown.
    pub fn id(id: impl fmt::Display) -> Self {
        let id = id.to_string();
        let shown = id.rsplit('/').next().unwrap_or_default().to_owned();
        Self { shown, value: Value::Text(id), kind: Kind::Id }
    }

    /// A list of texts.
    pub fn list(texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        Self { shown: texts.join("; "), value: Value::List(texts), kind: Kind::List }
    }

    /// An empty cell of this kind.
    pub fn none(kind: Kind) -> Self {
        Self { shown: String::new(), value: Value::Null, kind }
    }

    /// Replaces the text for people.
    pub fn shown(mut self, text: impl Into<String>) -> Self {
        self.shown = text.into();
        self
    }

    /// Hides the cell from people. A column with only such cells is omitted.
    pub fn unseen(self) -> Self {
        self.shown("")
    }
}

/// A text. An empty text is an empty cell.
impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        let shown = text.into();
        let value = if shown.is_empty() { Value::Null } else { Value::Text(shown.clone()) };
        Self { shown, value, kind: Kind::Text }
    }
}

/// The columns of these rows, with these headings.
pub(super) fn columns(names: &[&str], rows: &[Vec<Cell>]) -> Vec<Column> {
    let column = |(at, name): (usize, &&str)| {
        let cells = || rows.iter().filter_map(|row| row.get(at));
        let mut kinds = cells().filter(|cell| cell.value != Value::Null).map(|cell| cell.kind);
        let first = kinds.next().or_else(|| cells().next().map(|cell| cell.kind)).unwrap_or_default();
        let kind = if kinds.all(|kind| kind == first) { first } else { Kind::Mixed };
        Column { name: (*name).to_owned(), kind }
    };
    names.iter().enumerate().map(column).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_see_a_short_text_and_machines_get_the_whole_value() {
        let vault = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv";
        let moment = OffsetDateTime::UNIX_EPOCH;
        for (cell, shown, value) in [
            (Cell::count(3), "3", json!(3)),
            (Cell::part(1, 2), "1 of 2", json!({ "count": 1, "of": 2 })),
            (Cell::days(Duration::from_secs(29 * 86_400 + 1)), "29 days", json!(29)),
            (Cell::flag(true), "yes", json!(true)),
            (Cell::time(moment), "1970-01-01 00:00:00", json!("1970-01-01T00:00:00Z")),
            (Cell::id(vault), "kv", json!(vault)),
            (Cell::id(vault).unseen(), "", json!(vault)),
            (Cell::list(["a", "b"]), "a; b", json!(["a", "b"])),
            (Cell::none(Kind::Count).shown("not known"), "not known", json!(null)),
            (Cell::from("text"), "text", json!("text")),
            (Cell::from(""), "", json!(null)),
        ] {
            assert_eq!((cell.shown.as_str(), json!(cell.value)), (shown, value));
        }
    }
}
