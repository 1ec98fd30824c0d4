use std::fmt;

use serde::Serialize;

/// What a containment or its undo did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ContainmentReport {
    /// What was done; in a dry run, what would be.
    pub done: Vec<String>,
    /// What was already in the desired state.
    pub unchanged: Vec<String>,
    /// What was left alone because somebody else has changed it since, with the reason.
    pub left: Vec<String>,
    /// What failed, with the reason. Another run retries these steps.
    pub failed: Vec<(String, String)>,
    /// The changes that cannot be undone.
    pub irreversible: Vec<String>,
    /// Access that the principal still has through other assignments.
    pub stays: Vec<String>,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
}

impl ContainmentReport {
    /// Whether everything is as planned; `false` after a dry run.
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
        self.left.iter().try_for_each(|what| writeln!(f, "left alone: {what}"))?;
        self.failed.iter().try_for_each(|(what, why)| writeln!(f, "FAILED: {what}: {why}"))?;
        self.stays.iter().try_for_each(|what| writeln!(f, "still open: {what}"))
    }
}

#[cfg(test)]
mod tests {
    use azure_core::{Error, error::ErrorKind};

    use super::*;

    #[test]
    fn a_containment_is_complete_only_if_it_ran_and_nothing_failed_or_was_left() {
        let mut report = ContainmentReport::default();
        report.note("a".to_owned(), Ok(Step::Done));
        report.note("b".to_owned(), Ok(Step::Unchanged));
        report.stays.push("a token is valid for an hour".to_owned());
        assert!(report.is_complete());
        assert_eq!((&report.done[..], &report.unchanged[..]), (&["a".to_owned()][..], &["b".to_owned()][..]));
        assert!(!ContainmentReport { dry_run: true, ..report.clone() }.is_complete());
        let mut left = report.clone();
        left.note("c".to_owned(), Ok(Step::Left("it is of somebody else")));
        assert!(!left.is_complete() && left.left == ["c: it is of somebody else"]);
        report.note("d".to_owned(), Err(Error::with_message(ErrorKind::Other, "no")));
        assert!(!report.is_complete() && report.failed == [("d".to_owned(), "no".to_owned())]);
    }
}
