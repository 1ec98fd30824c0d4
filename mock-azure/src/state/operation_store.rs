//! The store of long-running operations.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use time::{Duration, OffsetDateTime};

/// Changes the world when an operation completes. Returns the body of the final response, if it has one.
pub(super) type Effect<W> = Box<dyn FnOnce(&mut W, Result<(), &Failure>) -> Option<Value> + Send>;

/// Why an operation failed.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// The state of an operation.
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
    /// The `Retry-After` of a running operation, in seconds; at least 1.
    pub(crate) retry_after: u64,
    /// Whether operations also complete as the clock runs, after the time that the polls would take, for clients that
    /// do not poll. Otherwise, only moving the clock completes them without polls.
    pub(crate) by_clock: bool,
    pub(crate) failures: Vec<ScriptedFailure>,
    pub(super) all: HashMap<String, Operation<W>>,
    pub(super) running: Vec<String>,
    /// The completed operations that are kept, in order of completion.
    pub(super) ended: VecDeque<String>,
}

/// How many completed operations are kept.
const ENDED: usize = 1000;

impl<W> Operations<W> {
    /// Marks an operation as completed.
    pub(super) fn end(&mut self, id: &str, progress: Progress) {
        self.running.retain(|running| running != id);
        if let Some(operation) = self.all.get_mut(id) {
            operation.progress = progress;
        }
        if self.ended.len() == ENDED
            && let Some(oldest) = self.ended.pop_front()
        {
            self.all.remove(&oldest);
        }
        self.ended.push_back(id.to_owned());
    }
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
            ended: VecDeque::new(),
        }
    }
}

pub(super) struct Operation<W> {
    pub(super) target: String,
    pub(super) started: String,
    pub(super) since: OffsetDateTime,
    /// How far the clock had been moved when the operation began.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_operations_are_remembered_after_their_end_and_no_more() {
        let mut operations = Operations::<()>::default();
        for number in 0..=ENDED {
            let operation = Operation {
                target: "/target".to_owned(),
                started: String::new(),
                since: OffsetDateTime::UNIX_EPOCH,
                moved: Duration::ZERO,
                polls_left: 0,
                effect: None,
                failure: None,
                progress: Progress::Running,
            };
            operations.all.insert(number.to_string(), operation);
            operations.running.push(number.to_string());
            operations.end(&number.to_string(), Progress::Succeeded(None));
        }
        assert_eq!((operations.all.len(), operations.running.len()), (ENDED, 0));
        assert!(!operations.all.contains_key("0") && operations.all.contains_key(&ENDED.to_string()));
    }
}
