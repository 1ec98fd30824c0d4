//! A part of the Kusto query language, enough for queries over audit logs and resource inventories.
//!
//! It refuses in the service's words only what is no query in any version of the language, or names
//! what is known not to exist. All else that it lacks is [`KqlError::Unsupported`], never an empty answer.
//!
//! Work is bounded: a text by its length, nesting by its depth, a run by the values it computes.

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

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KqlError {
    /// The text is no query: the token at which reading ended, its line from 1 and position from 0.
    Syntax { token: String, line: usize, position: usize },
    /// The operator after a table that is known not to exist, and the table.
    NoTable { operator: &'static str, table: String },
    /// A column or argument that does not exist or fit, with Kusto's code.
    Semantic { code: &'static str, message: String },
    /// Kusto may know it; this engine does not.
    Unsupported(String),
}

impl KqlError {
    pub(crate) fn unsupported(what: impl Into<String>) -> Self {
        Self::Unsupported(what.into())
    }

    /// Kusto's code of a semantic error.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Syntax { .. } => "SYN0002",
            Self::NoTable { .. } => "SEM0100",
            Self::Semantic { code, .. } => code,
            Self::Unsupported(_) => "",
        }
    }

    /// One line, as a rule's validation quotes it.
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

/// Whether a text is a query at all, whatever tables there are.
pub(crate) fn parse(query: &str) -> Result<(), KqlError> {
    parse::query(token::tokens(query)?).map(drop)
}

#[cfg(test)]
mod tests;
