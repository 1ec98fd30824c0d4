//! Columns, values computed from columns, and conditions.

use std::fmt;

use time::OffsetDateTime;

use arm_core::kql::{self, quoted};

use super::text::is_plain;

/// A column, or a value computed from columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression(String);

/// A condition on a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition(String);

/// A value in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(String);

/// Returns a column or a value inside one, such as `name` or `properties.metadata.severity`. For a name that contains a
/// dot, use [`Expression::key`].
pub fn column(path: &str) -> Expression {
    let mut names = path.split('.');
    let first = names.next().unwrap_or_default();
    let first = if is_plain(first) { first.to_owned() } else { format!("[{}]", quoted(first)) };
    names.fold(Expression(first), |inside, name| inside.key(name))
}

/// Returns the first of these values that is not empty.
pub fn coalesce(values: impl IntoIterator<Item = Expression>) -> Expression {
    let values: Vec<String> = values.into_iter().map(|value| value.0).collect();
    Expression(format!("coalesce({})", values.join(", ")))
}

/// Returns a condition that is true if all of these are; true for an empty list.
pub fn all_of(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    joined(conditions, " and ", "true")
}

/// Returns a condition that is true if any of these is; false for an empty list.
pub fn any_of(conditions: impl IntoIterator<Item = Condition>) -> Condition {
    joined(conditions, " or ", "false")
}

/// Negates a condition.
pub fn not(condition: Condition) -> Condition {
    Condition(format!("not({})", condition.0))
}

fn joined(conditions: impl IntoIterator<Item = Condition>, word: &str, of_none: &str) -> Condition {
    let conditions: Vec<String> = conditions.into_iter().map(|condition| condition.0).collect();
    match conditions.as_slice() {
        [] => Condition(of_none.to_owned()),
        [one] => Condition(one.clone()),
        _ => Condition(format!("({})", conditions.join(word))),
    }
}

impl Expression {
    /// Returns the value with this exact name inside this value.
    pub fn key(self, name: &str) -> Self {
        match is_plain(name) {
            true => Self(format!("{}.{name}", self.0)),
            false => Self(format!("{}[{}]", self.0, quoted(name))),
        }
    }

    /// Converts the value to text.
    pub fn to_text(self) -> Self {
        Self(format!("tostring({})", self.0))
    }

    /// Converts the value to text in lower case.
    pub fn to_lower(self) -> Self {
        Self(format!("tolower({})", self.0))
    }

    /// Parses a string that contains JSON.
    pub fn parse_json(self) -> Self {
        Self(format!("parse_json({})", self.0))
    }

    /// Whether this equals a value; texts are case-sensitive.
    pub fn equals(self, value: impl Into<Literal>) -> Condition {
        self.compared("==", value.into())
    }

    /// Whether this differs from a value; texts are case-sensitive.
    pub fn differs_from(self, value: impl Into<Literal>) -> Condition {
        self.compared("!=", value.into())
    }

    /// Whether this equals a text, ignoring case.
    pub fn equals_ignore_case(self, text: &str) -> Condition {
        self.compared("=~", text.into())
    }

    /// Whether this is greater than or equal to a value.
    pub fn at_least(self, value: impl Into<Literal>) -> Condition {
        self.compared(">=", value.into())
    }

    /// Whether this is less than a value.
    pub fn less_than(self, value: impl Into<Literal>) -> Condition {
        self.compared("<", value.into())
    }

    /// Whether this contains a text, ignoring case.
    pub fn contains(self, text: &str) -> Condition {
        self.compared("contains", text.into())
    }

    /// Whether this contains a whole term, ignoring case. Faster than [`contains`](Self::contains).
    pub fn has(self, term: &str) -> Condition {
        self.compared("has", term.into())
    }

    /// Whether this starts with a text, ignoring case.
    pub fn starts_with(self, text: &str) -> Condition {
        self.compared("startswith", text.into())
    }

    /// Whether this ends with a text, ignoring case.
    pub fn ends_with(self, text: &str) -> Condition {
        self.compared("endswith", text.into())
    }

    /// Whether this equals one of these texts, ignoring case; false for an empty list.
    pub fn is_any_of<'a>(self, texts: impl IntoIterator<Item = &'a str>) -> Condition {
        self.listed("in~", texts)
    }

    /// Whether this contains one of these whole terms, ignoring case; false for an empty list.
    pub fn has_any<'a>(self, terms: impl IntoIterator<Item = &'a str>) -> Condition {
        self.listed("has_any", terms)
    }

    /// Whether this is absent, null or an empty text.
    pub fn is_empty(self) -> Condition {
        Condition(format!("isempty({})", self.0))
    }

    /// Whether this is neither absent, nor null, nor an empty text.
    pub fn is_not_empty(self) -> Condition {
        Condition(format!("isnotempty({})", self.0))
    }

    fn compared(self, operator: &str, value: Literal) -> Condition {
        Condition(format!("{} {operator} {}", self.0, value.0))
    }

    fn listed<'a>(self, operator: &str, texts: impl IntoIterator<Item = &'a str>) -> Condition {
        let mut texts = texts.into_iter().peekable();
        match texts.peek() {
            None => Condition("false".to_owned()),
            Some(_) => Condition(format!("{} {operator} {}", self.0, kql::list(texts))),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Literal {
    fn from(text: &str) -> Self {
        Self(quoted(text))
    }
}

impl From<&String> for Literal {
    fn from(text: &String) -> Self {
        Self(quoted(text))
    }
}

impl From<i64> for Literal {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl From<bool> for Literal {
    fn from(truth: bool) -> Self {
        Self(truth.to_string())
    }
}

impl From<OffsetDateTime> for Literal {
    fn from(instant: OffsetDateTime) -> Self {
        Self(kql::datetime(instant))
    }
}
