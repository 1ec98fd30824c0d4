//! A part of the Kusto query language, enough for queries over audit logs.
//!
//! What it does not know it refuses: a query that this language lacks is `Unsupported`, never an
//! empty answer.

mod aggregate;
mod ast;
mod compare;
mod evaluate;
mod expression;
mod function;
mod parse;
mod schema;
mod token;
mod value;

use std::collections::HashMap;

use time::OffsetDateTime;

pub(crate) use token::has_too_many_digits;
pub(crate) use value::{Column, Kind, Scalar, Table};

/// Why a query has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum KqlError {
    /// The text is no query: the token at which reading ended, its line and position from 1.
    Syntax { token: String, line: usize, position: usize },
    /// A table, column or argument that does not exist or fit, with Kusto's code.
    Semantic { code: &'static str, message: String },
    /// Kusto may know it; this double does not.
    Unsupported(String),
}

impl KqlError {
    pub(crate) fn unresolved(operator: &str, name: &str) -> Self {
        Self::Semantic {
            code: "SEM0100",
            message: format!(
                "'{operator}' operator: Failed to resolve table or column expression named '{name}'"
            ),
        }
    }

    /// One line, as a rule's validation quotes it.
    pub(crate) fn line(&self) -> String {
        match self {
            Self::Syntax { token, line, position } => {
                format!("Query could not be parsed at '{token}' on line [{line},{position}]")
            }
            Self::Semantic { message, .. } | Self::Unsupported(message) => message.clone(),
        }
    }
}

/// The tables that a query can name; a table that is not here does not exist.
pub(crate) type Tables = HashMap<String, Table>;

/// Runs a query.
pub(crate) fn run(query: &str, tables: &Tables, now: OffsetDateTime) -> Result<Table, KqlError> {
    let parsed = parse::query(token::tokens(query)?)?;
    evaluate::Context { tables, lets: HashMap::new(), views: HashMap::new(), now }.run(parsed)
}

/// Whether a text is a query at all, whatever tables there are.
pub(crate) fn parse(query: &str) -> Result<(), KqlError> {
    parse::query(token::tokens(query)?).map(drop)
}

#[cfg(test)]
mod tests;
