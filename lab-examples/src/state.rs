//! The state of a lab: what it created and changed, and the plans before it.

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

/// The tag of resources that a lab creates; its value is [`State::run`].
pub const TAG: &str = "lab-run";

/// The state of a lab between two runs: in a file if live, in memory if offline.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The subscription that it belongs to.
    pub subscription: String,
    /// The value of the lab's tag. Empty until the lab first needs it.
    pub run: String,
    /// The name of the vault.
    pub vault: Option<String>,
    /// Vaults of earlier runs that are deleted, but whose names are still taken.
    pub deleted_vaults: Vec<String>,
    /// Resources that have the lab's tag but may be somebody else's, because they appeared while the lab was about to
    /// create them.
    pub doubtful: BTreeSet<String>,
    /// Resources without tags that the lab created, recorded after the write if they had not existed before.
    pub made: Vec<Made>,
    /// Changes that the lab made to other people's resources, and does not undo.
    pub changed: BTreeMap<String, BTreeSet<String>>,
    /// The plans that the lab wrote.
    pub plans: BTreeMap<String, PlanState>,
    /// The ids of the sample alerts that the lab created.
    pub samples: BTreeSet<String>,
}

/// A resource without tags that the lab created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Made {
    /// An action group, as read after the write.
    ActionGroup {
        /// The full id.
        id: String,
        /// Its properties.
        properties: Value,
    },
    /// A role assignment.
    RoleAssignment {
        /// The full id.
        id: String,
    },
    /// A diagnostic setting, as read after the write.
    DiagnosticSetting {
        /// The resource that it belongs to.
        resource: String,
        /// The name.
        name: String,
        /// Its properties.
        properties: Value,
    },
}

impl Made {
    /// Returns the full id.
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
    /// The plan as read before the lab's first write.
    pub before: Pricing,
    /// The plan as read after the lab's last write; `None` while one is in progress.
    pub after: Option<Pricing>,
    /// Whether somebody else changed it between two writes of the lab.
    #[serde(default)]
    pub shared: bool,
}

impl State {
    /// Reads the state from a file. If there is no file, the state is empty.
    ///
    /// # Errors
    /// The file cannot be read, has other content, or belongs to another subscription.
    pub fn read(path: &Path, subscription: &str) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::of(subscription)),
            text => text?,
        };
        let state: Self = serde_json::from_str(&text).map_err(io::Error::other)?;
        if !state.subscription.eq_ignore_ascii_case(subscription) {
            let message = format!(
                "it contains the state of a lab in the subscription '{}'; name another file with --state",
                state.subscription
            );
            return Err(io::Error::other(message));
        }
        Ok(state)
    }

    /// Creates an empty state.
    pub fn of(subscription: &str) -> Self {
        Self { subscription: subscription.to_owned(), ..Self::default() }
    }

    /// Writes the state to a file, completely or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        files::replace(path, &serde_json::to_vec_pretty(self).map_err(io::Error::other)?)
    }

    /// Records a plan before the lab writes it. `now` is its current state.
    pub fn about_to_write(&mut self, now: &Pricing) {
        let known = self.plans.entry(now.name.to_string()).or_insert_with(|| PlanState {
            before: now.clone(),
            after: Some(now.clone()),
            shared: false,
        });
        // If the lab stopped during a write, a difference can be the lab's or somebody else's.
        let expected = known.after.as_ref().unwrap_or(&known.before);
        known.shared |= !expected.has_settings_of(now);
        known.after = None;
    }

    /// Records a plan after the lab wrote it. `read` is its state before the write, `change` the task's result.
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
