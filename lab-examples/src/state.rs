//! What a lab remembers: what it made, what it changed, and what was there before.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::Path,
};

use arm_core::Change;
use defender_pricing::Pricing;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::files;

/// The tag of what a lab makes; its value is [`State::run`].
pub const TAG: &str = "lab-run";

/// What a live lab remembers between two runs, in a file; an offline one remembers it in memory.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The subscription that all of this is about.
    pub subscription: String,
    /// The value of the lab's tag. Empty before the first write.
    pub run: String,
    /// The name of the vault.
    pub vault: Option<String>,
    /// Vaults of earlier runs: deleted, and their names still taken.
    pub deleted_vaults: Vec<String>,
    /// What carries the lab's tag, and may still be somebody else's: it appeared while the lab was about to make it.
    pub doubtful: BTreeSet<String>,
    /// What the lab made and what has no tag: noted after the write, where a read before had found nothing.
    pub made: Vec<Made>,
    /// What the lab changed in what is not its own, and does not undo.
    pub changed: BTreeMap<String, BTreeSet<String>>,
    /// The plans that the lab wrote.
    pub plans: BTreeMap<String, PlanState>,
    /// The ids of the sample alerts that the lab made.
    pub samples: BTreeSet<String>,
}

/// Something without a tag that the lab made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Made {
    /// An action group, as it was read afterwards.
    ActionGroup {
        /// Its full id.
        id: String,
        /// What it said.
        properties: Value,
    },
    /// A role assignment.
    RoleAssignment {
        /// Its full id.
        id: String,
    },
    /// A diagnostic setting, as it was read afterwards.
    DiagnosticSetting {
        /// The resource that it is of.
        resource: String,
        /// Its name.
        name: String,
        /// What it said.
        properties: Value,
    },
}

impl Made {
    /// The full id.
    pub fn id(&self) -> String {
        match self {
            Self::ActionGroup { id, .. } | Self::RoleAssignment { id } => id.clone(),
            Self::DiagnosticSetting { resource, name, .. } => {
                format!("{resource}/providers/Microsoft.Insights/diagnosticSettings/{name}")
            }
        }
    }
}

/// A plan that the lab wrote.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanState {
    /// As it was read before the lab's first write.
    pub before: Pricing,
    /// As it was after the lab's last write; `None` while one is under way.
    pub after: Option<Pricing>,
    /// Whether somebody else changed it between two writes of the lab.
    #[serde(default)]
    pub shared: bool,
}

impl State {
    /// Reads the file; an absent one is an empty state.
    ///
    /// # Errors
    /// The file cannot be read, is something else, or is about another subscription.
    pub fn read(path: &Path, subscription: &str) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::of(subscription)),
            text => text?,
        };
        let state: Self = serde_json::from_str(&text).map_err(io::Error::other)?;
        if !state.subscription.eq_ignore_ascii_case(subscription) {
            let message = format!(
                "it remembers what a lab made in the subscription '{}'; name another file with --state",
                state.subscription
            );
            return Err(io::Error::other(message));
        }
        Ok(state)
    }

    /// An empty state.
    pub fn of(subscription: &str) -> Self {
        Self { subscription: subscription.to_owned(), ..Self::default() }
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        files::replace(path, &serde_json::to_vec_pretty(self).map_err(io::Error::other)?)
    }

    /// Notes a plan before it is written. `now` is how it reads.
    pub fn about_to_write(&mut self, now: &Pricing) {
        let known = self.plans.entry(now.name.to_string()).or_insert_with(|| PlanState {
            before: now.clone(),
            after: Some(now.clone()),
            shared: false,
        });
        // After a stop in the middle of a write, what differs from before can be the lab's or somebody else's.
        let expected = known.after.as_ref().unwrap_or(&known.before);
        known.shared |= !expected.has_settings_of(now);
        known.after = None;
    }

    /// Notes a plan after it was written: how it was read before, and what the task did.
    pub fn wrote(&mut self, read: &Pricing, change: &Change<Pricing>) {
        let found = match change {
            Change::Updated { before, .. } => before,
            Change::Created(now) | Change::Unchanged(now) => now,
        };
        if let Some(known) = self.plans.get_mut(read.name.as_str()) {
            known.shared |= !found.has_settings_of(read);
            known.after = Some(change.current().clone());
        }
    }
}
