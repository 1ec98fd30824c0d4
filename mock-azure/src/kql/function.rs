//! Scalar functions.

use std::{cell::RefCell, collections::HashMap};

use regex::{Regex, RegexBuilder};
use serde_json::Value;
use time::{Duration, OffsetDateTime};

use super::{Column, Kind, KqlError, Scalar, aggregate, arity::fits, ast::Expr, token};

/// The name of each function, and its minimum and maximum number of arguments.
const FUNCTIONS: &[(&str, usize, usize)] = &[
    ("ago", 1, 1),
    ("array_length", 1, 1),
    ("bin", 2, 2),
    ("case", 3, usize::MAX),
    ("coalesce", 1, usize::MAX),
    ("column_ifexists", 2, 2),
    ("extract", 3, 3),
    ("iff", 3, 3),
    ("iif", 3, 3),
    ("isempty", 1, 1),
    ("isnotempty", 1, 1),
    ("isnotnull", 1, 1),
    ("isnull", 1, 1),
    ("not", 1, 1),
    ("now", 0, 1),
    ("parse_json", 1, 1),
    ("split", 2, 3),
    ("strcat", 1, usize::MAX),
    ("strlen", 1, 1),
    ("tobool", 1, 1),
    ("todatetime", 1, 1),
    ("todynamic", 1, 1),
    ("todouble", 1, 1),
    ("toint", 1, 1),
    ("tolong", 1, 1),
    ("tolower", 1, 1),
    ("toreal", 1, 1),
    ("tostring", 1, 1),
    ("toupper", 1, 1),
];

/// Whether there is a function or aggregate with this name.
pub(crate) fn exists(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, ..)| *known == name) || aggregate::exists(name)
}

/// Refuses an unknown scalar function, or one with too few or too many arguments.
pub(crate) fn known(name: &str, arguments: usize) -> Result<(), KqlError> {
    fits(FUNCTIONS, name, arguments)
        .unwrap_or_else(|| Err(KqlError::Unsupported(format!("the function '{name}' is not known here"))))
}

pub(crate) fn kind(name: &str, arguments: &[Expr], of: &dyn Fn(&Expr) -> Kind, columns: &[Column]) -> Kind {
    let argument = |index: usize| arguments.get(index).map_or(Kind::String, of);
    match name {
        "ago" | "now" | "todatetime" => Kind::DateTime,
        "isempty" | "isnotempty" | "isnull" | "isnotnull" | "not" | "tobool" => Kind::Bool,
        "toint" => Kind::Int,
        "array_length" | "strlen" | "tolong" => Kind::Long,
        "todouble" | "toreal" => Kind::Real,
        "parse_json" | "todynamic" | "split" => Kind::Dynamic,
        "iff" | "iif" | "case" => argument(1),
        "column_ifexists" => match arguments.first() {
            Some(Expr::Literal(Scalar::Text(wanted))) => columns
                .iter()
                .find(|column| column.name == *wanted)
                .map_or_else(|| argument(1), |column| column.kind),
            _ => argument(1),
        },
        "tostring" | "tolower" | "toupper" | "strcat" | "extract" => Kind::String,
        _ => aggregate::kind(name, argument(if name.starts_with("arg_") { 1 } else { 0 })),
    }
}

/// Applies a function to values.
pub(crate) fn apply(
    name: &str,
    values: &[Scalar],
    now: OffsetDateTime,
    patterns: &Patterns,
) -> Result<Scalar, KqlError> {
    let first = values.first().cloned().unwrap_or(Scalar::Null);
    let text = || first.to_text();
    Ok(match name {
        "ago" | "now" => match first {
            Scalar::Span(span) if name == "ago" => now.checked_sub(span).map_or(Scalar::Null, Scalar::Time),
            Scalar::Span(span) => now.checked_add(span).map_or(Scalar::Null, Scalar::Time),
            _ => Scalar::Time(now),
        },
        "array_length" => match &first {
            Scalar::Dynamic(Value::Array(items)) => Scalar::Long(items.len() as i64),
            _ => Scalar::Null,
        },
        "bin" => bin(&first, values.get(1)),
        "coalesce" => values.iter().find(|value| !value.is_empty()).cloned().unwrap_or(Scalar::Null),
        "iff" | "iif" => pick(values, if first.truth() { 1 } else { 2 }),
        "case" => {
            let hit = values.chunks_exact(2).position(|pair| pair[0].truth());
            pick(values, hit.map_or(values.len() - 1, |hit| hit * 2 + 1))
        }
        "extract" => patterns.extract(values)?,
        "isempty" => Scalar::Bool(first.is_empty()),
        "isnotempty" => Scalar::Bool(!first.is_empty()),
        "isnull" => Scalar::Bool(matches!(first, Scalar::Null | Scalar::Dynamic(Value::Null))),
        "isnotnull" => Scalar::Bool(!matches!(first, Scalar::Null | Scalar::Dynamic(Value::Null))),
        "not" => Scalar::Bool(!first.truth()),
        "strcat" => Scalar::Text(values.iter().map(Scalar::to_text).collect()),
        "strlen" => Scalar::Long(text().chars().count() as i64),
        "split" => {
            let by = pick(values, 1).to_text();
            let parts: Vec<Value> = text().split(by.as_str()).map(Value::from).collect();
            match values.get(2).and_then(Scalar::number) {
                Some(index) => Scalar::Dynamic(parts.into_iter().skip(index as usize).take(1).collect()),
                None => Scalar::Dynamic(Value::Array(parts)),
            }
        }
        "tolower" => Scalar::Text(text().to_lowercase()),
        "toupper" => Scalar::Text(text().to_uppercase()),
        "tostring" => Scalar::Text(text()),
        "toint" | "tolong" => number(&first).map_or(Scalar::Null, |number| Scalar::Long(number as i64)),
        "todouble" | "toreal" => number(&first).map_or(Scalar::Null, Scalar::Real),
        "tobool" => match text().to_lowercase().as_str() {
            "true" | "1" => Scalar::Bool(true),
            "false" | "0" => Scalar::Bool(false),
            _ => Scalar::Null,
        },
        "todatetime" => match &first {
            Scalar::Time(_) => first,
            other => token::instant(&other.to_text()).map_or(Scalar::Null, Scalar::Time),
        },
        "parse_json" | "todynamic" => match &first {
            Scalar::Dynamic(_) => first,
            other => serde_json::from_str(&other.to_text()).map_or(Scalar::Null, Scalar::Dynamic),
        },
        _ => return Err(KqlError::Unsupported(format!("the function '{name}' is not known here"))),
    })
}

fn pick(values: &[Scalar], index: usize) -> Scalar {
    values.get(index).cloned().unwrap_or(Scalar::Null)
}

fn number(value: &Scalar) -> Option<f64> {
    value.number().or_else(|| value.to_text().trim().parse().ok())
}

/// The regular expressions of a query, each compiled once.
#[derive(Default)]
pub(crate) struct Patterns(RefCell<HashMap<String, Regex>>);

impl Patterns {
    fn read(&self, pattern: &Scalar, user: &str) -> Result<Regex, KqlError> {
        let pattern = pattern.to_text();
        if let Some(known) = self.0.borrow().get(&pattern) {
            return Ok(known.clone());
        }
        let read = RegexBuilder::new(&pattern).size_limit(1 << 20).build();
        let read = read.map_err(|error| match error {
            // Documented: the engine refuses an invalid regular expression.
            regex::Error::Syntax(_) => KqlError::Semantic {
                code: "SEM0420",
                message: format!("{user}: invalid regular expression '{pattern}'"),
            },
            _ => KqlError::unsupported("so large a regular expression is not known here"),
        })?;
        self.0.borrow_mut().insert(pattern, read.clone());
        Ok(read)
    }

    /// Whether a text matches a regular expression somewhere.
    pub(crate) fn matches(&self, text: &Scalar, pattern: &Scalar) -> Result<Scalar, KqlError> {
        Ok(Scalar::Bool(self.read(pattern, "matches regex")?.is_match(&text.to_text())))
    }

    fn extract(&self, values: &[Scalar]) -> Result<Scalar, KqlError> {
        let pattern = self.read(&pick(values, 0), "extract()")?;
        let group = pick(values, 1).number().unwrap_or_default() as usize;
        let text = pick(values, 2).to_text();
        let found = pattern
            .captures(&text)
            .and_then(|captures| captures.get(group).map(|found| found.as_str().to_owned()));
        Ok(Scalar::Text(found.unwrap_or_default()))
    }
}

fn bin(value: &Scalar, size: Option<&Scalar>) -> Scalar {
    match (value, size) {
        (Scalar::Time(instant), Some(Scalar::Span(span))) if !span.is_zero() => {
            let rest = instant.unix_timestamp_nanos().rem_euclid(span.whole_nanoseconds());
            let floor = instant.checked_sub(Duration::nanoseconds_i128(rest));
            floor.map_or(Scalar::Null, Scalar::Time)
        }
        (Scalar::Long(number), Some(Scalar::Long(step))) => {
            let rest = number.checked_rem_euclid(*step);
            rest.and_then(|rest| number.checked_sub(rest)).map_or(Scalar::Null, Scalar::Long)
        }
        _ => Scalar::Null,
    }
}
