//! Changes as a plan: what a selection of tasks would do, to be read, kept, and then done exactly so.
//!
//! A plan is made of the tasks' own dry runs, by a [`Planner`]; there is no second decision beside theirs. It names each
//! resource by its full id, what happens to it member by member, a role that allows it, and what is billed. It is written
//! as JSON, by the schema [`SCHEMA`].
//!
//! - **No secret stands in a plan.** Members that sign in somewhere are only told to change.
//! - **What is made at apply is not predicted**: it is marked as known after apply.
//! - **A step that follows an earlier one of the plan** is told by what it follows. Where an earlier step changes the
//!   same resource, it is planned onto what that leaves. Where an earlier step makes what it needs, it is planned from
//!   what the caller declares ([`Step::after`]), since a task cannot look into what is not there.
//! - **Applying a plan refuses when the world has moved**: [`Plan::begin`] compares the whole plan with one that is made
//!   now, before the first write, and each step is compared once more directly before its own write. A resource that is
//!   to be changed must be as it was read, also in the members that the plan leaves alone; a fingerprint tells.
//!
//! - **A step over all that is there**, such as all vaults of a subscription, does not see in its dry run what an earlier
//!   step of the same plan makes; when the plan is applied it does, and is refused: that was not planned. Declare the
//!   changes to come with [`Step::also_after`], or plan the two apart, the second when the first is applied.
//!
//! Steps of one plan must not undo each other: the second would be refused when the plan is applied. Plan it by itself.

mod change;
mod members;
mod planner;
mod resources;
mod secrets;

use std::{collections::BTreeMap, fmt};

use arm_core::wire::instant;
use azure_core::{Error, Result, error::ErrorKind};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

pub use change::{PlanAction, PlannedChange, PlannedResource};
pub use members::Member;
pub use planner::{Applied, PlanMoved, Planner, Step};
pub use resources::Changes;
pub use secrets::PlannedSecret;

/// The JSON schema of plans.
pub const SCHEMA: &str = include_str!("plan.schema.json");

/// The version of the JSON form. Members are added, never renamed or taken away, within a version.
const VERSION: u32 = 1;

/// What a selection of tasks will do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// The version of the JSON form.
    pub version: u32,
    /// When it was made.
    #[serde(with = "instant")]
    pub made_at: OffsetDateTime,
    /// What the program that made it needs to make it again, such as a subscription and names. No secret.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Value>,
    /// How many resources are created, updated, deleted and left as they are.
    pub count: Count,
    /// The changes, in the order in which they are done.
    pub changes: Vec<PlannedChange>,
    /// What comes beside them, and decides what it changes only when the plan is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_at_apply: Vec<DecidedAtApply>,
}

/// Work whose changes cannot be told before the plan is applied. See [`Planner::decide_at_apply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DecidedAtApply {
    /// Its name.
    pub step: String,
    /// What it writes, for a person.
    pub what: String,
}

/// How many resources a plan changes, and how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Count {
    /// Are made.
    pub create: usize,
    /// Change.
    pub update: usize,
    /// Go.
    pub delete: usize,
    /// Are as wanted.
    pub no_change: usize,
    /// Are read, and the reading is noticed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub read: usize,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands in a reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl Plan {
    fn of(changes: Vec<PlannedChange>, decided_at_apply: Vec<DecidedAtApply>) -> Self {
        let mut count = Count::default();
        for change in &changes {
            match change.action {
                PlanAction::Create => count.create += 1,
                PlanAction::Update => count.update += 1,
                PlanAction::Delete => count.delete += 1,
                PlanAction::NoChange => count.no_change += 1,
                PlanAction::Read => count.read += 1,
            }
        }
        Self {
            version: VERSION,
            made_at: OffsetDateTime::now_utc(),
            context: BTreeMap::new(),
            count,
            changes,
            decided_at_apply,
        }
    }

    /// How many changes there are of each kind.
    pub fn count(&self) -> Count {
        self.count
    }

    /// Whether nothing would be written. Never, if something is decided only when the plan is applied.
    pub fn is_empty(&self) -> bool {
        self.decided_at_apply.is_empty() && !self.changes.iter().any(PlannedChange::is_change)
    }

    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// It is no plan, or one of a newer version.
    pub fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let invalid = |error: serde_json::Error| {
            Error::with_message(ErrorKind::DataConversion, format!("no plan: {error}"))
        };
        let Versioned { version } = serde_json::from_str(text).map_err(invalid)?;
        if version != VERSION {
            let message = format!(
                "this is a plan of version {version}, and only version {VERSION} is known: make a new one"
            );
            return Err(Error::with_message(ErrorKind::DataConversion, message));
        }
        let read: Self = serde_json::from_str(text).map_err(invalid)?;
        Ok(Self { count: Self::of(read.changes.clone(), Vec::new()).count, ..read })
    }

    /// The plan as JSON.
    ///
    /// # Errors
    ///
    /// It was made at a time that cannot be written.
    pub fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).map_err(|error| Error::new(ErrorKind::DataConversion, error))
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { create, update, delete, no_change, read } = self;
        write!(f, "{create} to create, {update} to update, {delete} to delete, {no_change} unchanged")?;
        if *read > 0 { write!(f, ", {read} to read") } else { Ok(()) }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut step = None;
        for change in &self.changes {
            if step != Some(&change.step) {
                step = Some(&change.step);
                writeln!(f, "{}", arm_core::printable(&change.step))?;
            }
            for line in change.to_string().lines() {
                writeln!(f, "  {line}")?;
            }
        }
        for DecidedAtApply { step, what } in &self.decided_at_apply {
            let (step, what) = (arm_core::printable(step), arm_core::printable(what));
            writeln!(f, "{step}\n  ? decided when it is applied: {what}")?;
        }
        write!(f, "Plan: {}", self.count)?;
        match self.decided_at_apply.len() {
            0 => Ok(()),
            1 => write!(f, ", 1 step decided when it is applied"),
            count => write!(f, ", {count} steps decided when they are applied"),
        }
    }
}
