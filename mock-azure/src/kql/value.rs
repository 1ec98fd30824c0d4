//! Values and tables.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use super::timestamp;

/// A column's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Bool,
    DateTime,
    Dynamic,
    Int,
    Long,
    Real,
    String,
    Timespan,
}

impl Kind {
    /// The type with this name in a query.
    pub(crate) fn named(name: &str) -> Option<Self> {
        const ALL: &[Kind] = &[
            Kind::Bool,
            Kind::DateTime,
            Kind::Dynamic,
            Kind::Int,
            Kind::Long,
            Kind::Real,
            Kind::String,
            Kind::Timespan,
        ];
        ALL.iter().copied().find(|kind| kind.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::DateTime => "datetime",
            Self::Dynamic => "dynamic",
            Self::Int => "int",
            Self::Long => "long",
            Self::Real => "real",
            Self::String => "string",
            Self::Timespan => "timespan",
        }
    }
}

/// One cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar {
    Null,
    Bool(bool),
    Long(i64),
    Real(f64),
    Text(String),
    Time(OffsetDateTime),
    Span(Duration),
    Dynamic(Value),
}

impl Scalar {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Text(text) => text.is_empty(),
            Self::Dynamic(value) => value.is_null(),
            _ => false,
        }
    }

    pub(crate) fn truth(&self) -> bool {
        matches!(self, Self::Bool(true) | Self::Dynamic(Value::Bool(true)))
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Long(number) => Some(*number as f64),
            Self::Real(number) => Some(*number),
            Self::Bool(truth) => Some(f64::from(u8::from(*truth))),
            Self::Dynamic(Value::Bool(truth)) => Some(f64::from(u8::from(*truth))),
            Self::Dynamic(value) => value.as_f64(),
            _ => None,
        }
    }

    /// The value as `tostring` returns it.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(truth) => if *truth { "True" } else { "False" }.to_owned(),
            Self::Long(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Time(instant) => timestamp::precise(*instant),
            Self::Span(span) => span_text(*span),
            Self::Dynamic(Value::String(text)) => text.clone(),
            Self::Dynamic(Value::Null) => String::new(),
            Self::Dynamic(value) => value.to_string(),
        }
    }

    /// The cell in the format of the query API.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Null | Self::Dynamic(Value::Null) => Value::Null,
            Self::Bool(truth) => json!(truth),
            Self::Long(number) => json!(number),
            // Reported (azure-sdk-for-net#24975): numbers that JSON cannot represent are returned as texts.
            Self::Real(number) if number.is_nan() => json!("NaN"),
            Self::Real(number) if number.is_infinite() => {
                json!(if *number > 0.0 { "Infinity" } else { "-Infinity" })
            }
            Self::Real(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Time(_) | Self::Span(_) | Self::Dynamic(_) => json!(self.to_text()),
        }
    }

    /// Converts a JSON value to a query's value.
    pub(crate) fn of_json(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            other => Self::Dynamic(other.clone()),
        }
    }

    /// The value as an item of a list.
    pub(crate) fn to_item(&self) -> Value {
        match self {
            Self::Dynamic(value) => value.clone(),
            other => other.to_json(),
        }
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        Some(match self {
            Self::Null => return None,
            Self::Bool(_) => Kind::Bool,
            Self::Long(_) => Kind::Long,
            Self::Real(_) => Kind::Real,
            Self::Text(_) => Kind::String,
            Self::Time(_) => Kind::DateTime,
            Self::Span(_) => Kind::Timespan,
            Self::Dynamic(_) => Kind::Dynamic,
        })
    }
}

fn span_text(span: Duration) -> String {
    let (days, hours) = (span.whole_days(), span.whole_hours() % 24);
    let (minutes, seconds) = (span.whole_minutes() % 60, span.whole_seconds() % 60);
    let clock = format!("{hours:02}:{minutes:02}:{seconds:02}");
    if days == 0 { clock } else { format!("{days}.{clock}") }
}
