//! Limits on queries. A query over a limit is unsupported here, whatever the service does.

use std::cell::Cell;

use serde_json::Value;

use super::{KqlError, Scalar};

/// The maximum number of characters in a query.
pub(crate) const TEXT: usize = 1 << 20;

/// The maximum nesting of parentheses, calls and sub-queries.
pub(crate) const DEPTH: usize = 100;

/// The maximum number of steps and `let` statements in a whole query.
pub(crate) const STEPS: usize = 500;

/// The maximum number of characters in a computed text.
const CELL: usize = 1 << 20;

/// The maximum number of values that one run may compute or copy.
pub(crate) const WORK: usize = 10_000_000;

/// How many bytes of a long value cost as much as one short value.
const BYTES: usize = 16;

/// The remaining budget of a run.
pub(crate) struct Budget(Cell<usize>);

impl Budget {
    pub(crate) fn new(work: usize) -> Self {
        Self(Cell::new(work))
    }

    pub(crate) fn spend(&self, work: usize) -> Result<(), KqlError> {
        let left = self.0.get().checked_sub(work);
        self.0.set(left.ok_or_else(|| KqlError::unsupported("the query asks for too much work"))?);
        Ok(())
    }

    /// Charges the budget for a computed value.
    pub(crate) fn pay(&self, value: &Scalar) -> Result<(), KqlError> {
        let bytes = match value {
            Scalar::Text(text) => text.len(),
            Scalar::Dynamic(value) => bytes(value),
            _ => 0,
        };
        if bytes > CELL {
            return Err(KqlError::unsupported("the query makes a value of more than a million characters"));
        }
        self.spend(1 + bytes / BYTES)
    }
}

fn bytes(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| BYTES + bytes(item)).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| BYTES + name.len() + bytes(value)).sum(),
        _ => 0,
    }
}
