//! A part of the Kusto query language, enough for queries over audit logs and resource inventories.
//!
//! It returns the service's own errors only for what is invalid in every version of the language, or refers to
//! something known not to exist. Everything else that it lacks is [`KqlError::Unsupported`], never an empty result.
//!
//! Work is bounded: texts by their length, nesting by its depth, a run by the number of values that it computes.

mod aggregate;
mod arity;
mod ast;
mod compare;
mod context;
mod evaluate;
mod expression;
mod function;
mod inspect;
mod limits;
mod parse;
mod row;
mod schema;
mod table;
mod timestamp;
mod token;
mod value;

use time::OffsetDateTime;

pub(crate) use inspect::{Comparison, comparisons};
pub(crate) use table::{Column, Table, Tables};
pub(crate) use token::has_too_many_digits;
pub(crate) use value::{Kind, Scalar};

/// Why a query has no result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KqlError {
    /// The text is not a query: the token at which parsing stopped, its line from 1 and its position from 0.
    Syntax { token: String, line: usize, position: usize },
    /// The table is known not to exist; with the operator after it.
    NoTable { operator: &'static str, table: String },
    /// A column or argument does not exist or has the wrong type, with Kusto's error code.
    Semantic { code: &'static str, message: String },
    /// Kusto may support it; this engine does not.
    Unsupported(String),
}

impl KqlError {
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Kusto's code for a semantic error.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Syntax { .. } => "SYN0002",
            Self::NoTable { .. } => "SEM0100",
            Self::Semantic { code, .. } => code,
            Self::Unsupported(_) => "",
        }
    }

    /// The error in one line, as the validation of a rule quotes it.
    pub(crate) fn line(&self) -> String {
        match self {
            // Recorded: 'not a valid query' is refused at 'a' on line [1,4].
            Self::Syntax { token, line, position } => {
                format!("Query could not be parsed at '{token}' on line [{line},{position}]")
            }
            // Reported: the wording of SEM0100, by users of rules whose table has no data yet.
            Self::NoTable { operator, table } => {
                format!("'{operator}' operator: Failed to resolve table or column expression named '{table}'")
            }
            Self::Semantic { message, .. } | Self::Unsupported(message) => message.clone(),
        }
    }
}

/// Runs a query.
pub(crate) fn run(query: &str, tables: &Tables, now: OffsetDateTime) -> Result<Table, KqlError> {
    run_within(query, tables, now, limits::WORK)
}

fn run_within(query: &str, tables: &Tables, now: OffsetDateTime, work: usize) -> Result<Table, KqlError> {
    let parsed = parse::query(token::tokens(query)?)?;
    context::Context::new(tables, now, work).run(parsed)
}

/// Checks that a text is a query, whatever tables exist.
pub(crate) fn parse(query: &str) -> Result<(), KqlError> {
    parse::query(token::tokens(query)?).map(drop)
}

#[cfg(test)]
mod tests;
