//! What a query runs in.

use std::collections::HashMap;

use time::OffsetDateTime;

use super::{Scalar, Table, Tables, function::Patterns, limits::Budget};

/// What a query can name, and what it may still do.
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
