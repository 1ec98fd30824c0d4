//! The long-running operations that are remembered.

use std::collections::HashMap;

use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// What an operation does to the world when it ends; the answer's body, if it has one.
pub(super) type Effect<W> = Box<dyn FnOnce(&mut W, Result<(), &Failure>) -> Option<Value> + Send>;

/// Why an operation failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// How far an operation has come.
#[derive(Debug, Clone)]
pub(crate) enum Progress {
    Running,
    Succeeded(Option<Value>),
    Failed(Failure),
}

/// A failure scripted for the next operation on a resource whose id contains `target`.
#[derive(Debug, Clone)]
pub(crate) struct ScriptedFailure {
    pub(crate) target: String,
    pub(crate) failure: Failure,
}

/// All operations of a world `W`.
#[derive(Debug)]
pub(crate) struct Operations<W> {
    /// How many polls find an operation still running.
    pub(crate) polls: u32,
    /// What `Retry-After` says while it runs; never below 1.
    pub(crate) retry_after: u64,
    /// Also end by a clock that runs, for clients that do not poll: after the time that the polls would take.
    /// Without this, only a clock that is moved by hand ends them.
    pub(crate) by_clock: bool,
    pub(crate) failures: Vec<ScriptedFailure>,
    pub(super) all: HashMap<String, Operation<W>>,
    pub(super) running: Vec<String>,
}

impl<W> Default for Operations<W> {
    fn default() -> Self {
        Self {
            polls: 1,
            retry_after: 1,
            by_clock: false,
            failures: Vec::new(),
            all: HashMap::new(),
            running: Vec::new(),
        }
    }
}

pub(super) struct Operation<W> {
    pub(super) target: String,
    pub(super) started: String,
    pub(super) since: OffsetDateTime,
    /// How far the clock had been moved by hand when it began.
    pub(super) moved: Duration,
    pub(super) polls_left: u32,
    pub(super) effect: Option<Effect<W>>,
    pub(super) failure: Option<Failure>,
    pub(super) progress: Progress,
}

impl<W> std::fmt::Debug for Operation<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operation").field("target", &self.target).field("progress", &self.progress).finish()
    }
}
