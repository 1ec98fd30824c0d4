use std::fmt;

use serde::Serialize;

/// What a containment or its undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContainmentReport {
    /// What was written; in a dry run, what would be.
    pub done: Vec<String>,
    /// What already was in the desired state.
    pub unchanged: Vec<String>,
    /// What was left alone because somebody else has changed it since, and why.
    pub left: Vec<String>,
    /// What failed, and why. Running it again retries these.
    pub failed: Vec<(String, String)>,
    /// The changes that cannot be undone.
    pub irreversible: Vec<String>,
    /// Access that the principal still has in other ways.
    pub stays: Vec<String>,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
}

impl ContainmentReport {
    /// Whether everything is as planned.
    pub fn is_complete(&self) -> bool {
        self.failed.is_empty() && self.left.is_empty() && !self.dry_run
    }

    /// Records the outcome of a step.
    pub(super) fn note(&mut self, what: String, step: azure_core::Result<Step>) {
        match step {
            Ok(Step::Done) => self.done.push(what),
            Ok(Step::Unchanged) => self.unchanged.push(what),
            Ok(Step::Left(why)) => self.left.push(format!("{what}: {why}")),
            Err(error) => self.failed.push((what, error.to_string())),
        }
    }
}

/// The outcome of a step.
pub(super) enum Step {
    Done,
    Unchanged,
    Left(&'static str),
}

impl fmt::Display for ContainmentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = if self.dry_run { "would be done" } else { "done" };
        self.irreversible.iter().try_for_each(|what| writeln!(f, "CANNOT BE UNDONE: {what}"))?;
        self.done.iter().try_for_each(|what| writeln!(f, "{done}: {what}"))?;
        self.unchanged.iter().try_for_each(|what| writeln!(f, "already done: {what}"))?;
        self.left.iter().try_for_each(|what| writeln!(f, "left: {what}"))?;
        self.failed.iter().try_for_each(|(what, why)| writeln!(f, "FAILED: {what}: {why}"))?;
        self.stays.iter().try_for_each(|what| writeln!(f, "still open: {what}"))
    }
}
