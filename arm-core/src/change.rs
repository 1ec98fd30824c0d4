//! What a task did, or would do.

/// What a write did to a resource, or what it would do in a dry run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<T> {
    /// The resource did not exist before.
    Created(T),
    /// The resource existed and was changed.
    Updated {
        /// The resource before.
        before: T,
        /// The resource after.
        after: T,
    },
    /// Nothing was written: the resource already was in the desired state, or was left as it is on purpose.
    Unchanged(T),
}

impl<T> Change<T> {
    /// Whether anything was written, or would be.
    pub fn is_change(&self) -> bool {
        !matches!(self, Self::Unchanged(_))
    }

    /// Returns the resource as it is now or, in a dry run, as it would be.
    pub fn current(&self) -> &T {
        match self {
            Self::Created(now) | Self::Updated { after: now, .. } | Self::Unchanged(now) => now,
        }
    }

    /// Returns the resource as it is now or, in a dry run, as it would be.
    pub fn into_current(self) -> T {
        match self {
            Self::Created(now) | Self::Updated { after: now, .. } | Self::Unchanged(now) => now,
        }
    }

    /// Returns `created`, `updated` or `unchanged`.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Created(_) => "created",
            Self::Updated { .. } => "updated",
            Self::Unchanged(_) => "unchanged",
        }
    }

    /// Maps the resource, and keeps the kind of change.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Change<U> {
        match self {
            Self::Created(now) => Change::Created(f(now)),
            Self::Updated { before, after } => Change::Updated { before: f(before), after: f(after) },
            Self::Unchanged(now) => Change::Unchanged(f(now)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Change;

    #[test]
    fn a_change_reports_what_was_done_and_the_current_resource() {
        let all = [Change::Created(1), Change::Updated { before: 1, after: 2 }, Change::Unchanged(3)];
        let told = all.map(|change| {
            let other = change.clone().map(|now| now * 10);
            (change.verb(), change.is_change(), *change.current(), other.into_current())
        });
        assert_eq!(told, [("created", true, 1, 10), ("updated", true, 2, 20), ("unchanged", false, 3, 30)]);
        let updated = Change::Updated { before: 1, after: 2 }.map(|now| now * 10);
        assert_eq!(updated, Change::Updated { before: 10, after: 20 });
    }
}
