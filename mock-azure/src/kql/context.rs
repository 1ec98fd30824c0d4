//! The context in which a query runs.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::{Scalar, Table, Tables, function::Patterns, limits::Budget};

/// The names that a query can use, and its remaining budget.
pub(crate) struct Context<'a> {
    pub(super) tables: &'a Tables,
    pub(super) lets: HashMap<String, Scalar>,
    pub(super) views: HashMap<String, Table>,
    pub(super) now: OffsetDateTime,
    pub(super) budget: Budget,
    pub(super) patterns: Patterns,
}

impl<'a> Context<'a> {
    pub(crate) fn new(tables: &'a Tables, now: OffsetDateTime, work: usize) -> Self {
        Self {
            tables,
            lets: HashMap::new(),
            views: HashMap::new(),
            now,
            budget: Budget::new(work),
            patterns: Patterns::default(),
        }
    }
}
