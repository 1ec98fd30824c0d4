//! Plans: what a selection of tasks would do, to be reviewed, stored, and then applied exactly as planned.
//!
//! A [`Planner`] makes a plan from the tasks' own dry runs; there is no separate decision logic. For each resource, a
//! plan gives the full id, the changes member by member, a role that allows them, and what is billed. It is serialized
//! as JSON, described by the schema [`SCHEMA`].
//!
//! - **A plan contains no secret.** For members that are credentials, it only says that they change.
//! - **Values assigned when the plan is applied are not predicted**: they are marked as known after apply.
//! - **A step that depends on an earlier one** names it. If the earlier step changes the same resource, the later one
//!   is planned on top of that change. If the earlier step creates the resource, the later one is planned from the
//!   changes that the caller declares ([`Step::after`]), since a task cannot read a resource that does not exist.
//! - **A plan that is out of date is refused**: before the first write, [`Plan::begin`] compares the whole plan with
//!   one made now, and each step is compared again directly before its own write. A resource to be changed must be as
//!   it was read, including the members that the plan does not touch, but not counters, states and timestamps that the
//!   service sets; a fingerprint ensures this.
//! - **A step over everything that exists**, such as all vaults of a subscription, cannot see in its dry run what an
//!   earlier step of the same plan creates. When the plan is applied, it sees the new resource, and is refused because
//!   that change was not planned. Declare such changes with [`Step::also_after`], or make two plans, the second after
//!   applying the first.
//!
//! Steps of one plan must not undo each other: the second one would be refused when the plan is applied. Plan the
//! second one separately.

mod alerts;
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

pub use alerts::PlannedAlert;
pub use change::{PlanAction, PlannedChange, PlannedKind, PlannedResource};
pub use members::Member;
pub use planner::{Applied, PlanMoved, Planner, Step};
pub use resources::Changes;
pub use secrets::PlannedSecret;

/// The JSON schema of plans.
pub const SCHEMA: &str = include_str!("plan.schema.json");

/// The version of the JSON form. Within a version, members may be added, but are never renamed or removed.
const VERSION: u32 = 1;

/// What a selection of tasks will do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// The version of the JSON form.
    pub version: u32,
    /// When the plan was made.
    #[serde(with = "instant")]
    pub made_at: OffsetDateTime,
    /// What the program needs to make the plan again, such as a subscription and names. Must not contain secrets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Value>,
    /// The number of changes, by action.
    pub count: Count,
    /// The changes, in the order in which they are made.
    pub changes: Vec<PlannedChange>,
    /// Further work whose changes are decided only when the plan is applied.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decided_at_apply: Vec<DecidedAtApply>,
}

/// Work whose changes cannot be known before the plan is applied. See [`Planner::decide_at_apply`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DecidedAtApply {
    /// The name of the step.
    pub step: String,
    /// A description of what it writes, for people.
    pub what: String,
}

/// The number of changes in a plan, by action. A resource that two steps change counts twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Count {
    /// To be created.
    pub create: usize,
    /// To be updated.
    pub update: usize,
    /// To be deleted.
    pub delete: usize,
    /// Unchanged.
    pub no_change: usize,
    /// To be read, with a side effect.
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

    /// The number of changes, by action.
    pub fn count(&self) -> Count {
        self.count
    }

    /// Whether nothing would be written, or read with a side effect. Always `false` if something is decided only when
    /// the plan is applied.
    pub fn is_empty(&self) -> bool {
        self.decided_at_apply.is_empty() && !self.changes.iter().any(PlannedChange::is_change)
    }

    /// Parses a plan from JSON.
    ///
    /// # Errors
    ///
    /// The text is not a plan, or the plan has a different version.
    pub fn from_json(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let invalid = |error: serde_json::Error| {
            Error::with_message(ErrorKind::DataConversion, format!("not a plan: {error}"))
        };
        let Versioned { version } = serde_json::from_str(text).map_err(invalid)?;
        if version != VERSION {
            let message = format!(
                "this plan has version {version}, but only version {VERSION} is supported: make a new one"
            );
            return Err(Error::with_message(ErrorKind::DataConversion, message));
        }
        let read: Self = serde_json::from_str(text).map_err(invalid)?;
        Ok(Self { count: Self::of(read.changes.clone(), Vec::new()).count, ..read })
    }

    /// Serializes the plan as JSON.
    ///
    /// # Errors
    ///
    /// The time at which the plan was made cannot be serialized.
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
        let mut changes = self.changes.iter().peekable();
        while let Some(change) = changes.next() {
            if step != Some(&change.step) {
                step = Some(&change.step);
                writeln!(f, "{}", arm_core::printable(&change.step))?;
            }
            let (text, next) = (change.to_string(), changes.peek().filter(|next| next.step == change.step));
            let (first, more) = text.split_once('\n').unwrap_or((&text, ""));
            writeln!(f, "  {first}")?;
            // If the same details follow several resources in a row, they are shown once, after the last one.
            let next = next.map(|next| next.to_string());
            let is_said_of_next =
                next.is_some_and(|next| next.split_once('\n').is_some_and(|(_, rest)| rest == more));
            for line in more.lines().filter(|_| !is_said_of_next) {
                writeln!(f, "  {line}")?;
            }
        }
        for DecidedAtApply { step, what } in &self.decided_at_apply {
            let (step, what) = (arm_core::printable(step), arm_core::printable(what));
            writeln!(f, "{step}\n  ? decided when applied: {what}")?;
        }
        write!(f, "Plan: {}", self.count)?;
        match self.decided_at_apply.len() {
            0 => Ok(()),
            1 => write!(f, ", 1 step decided when applied"),
            count => write!(f, ", {count} steps decided when applied"),
        }
    }
}
