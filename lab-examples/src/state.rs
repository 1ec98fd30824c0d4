//! What a live lab remembers between two runs: the names that it made, nothing else.

use std::{fs, io, path::Path};

use serde::{Deserialize, Serialize};

/// Names that were made up, and must be the same the next time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The subscription that the names belong to.
    pub subscription: String,
    /// The resource group, when the lab made it: only then does the cleanup delete it.
    pub made_group: Option<String>,
    /// The vault.
    pub vault: Option<String>,
    /// Vaults of earlier runs: deleted, and their names still taken.
    pub deleted_vaults: Vec<String>,
}

impl State {
    /// Reads the file; an absent one, or one of another subscription, is an empty state.
    pub fn read(path: &Path, subscription: &str) -> io::Result<Self> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::of(subscription)),
            text => text?,
        };
        let state: Self = serde_json::from_str(&text).map_err(io::Error::other)?;
        Ok(if state.subscription == subscription { state } else { Self::of(subscription) })
    }

    fn of(subscription: &str) -> Self {
        Self { subscription: subscription.to_owned(), ..Self::default() }
    }

    /// Writes the file whole or not at all.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let draft = path.with_extension("draft");
        fs::write(&draft, serde_json::to_string_pretty(self).map_err(io::Error::other)?)?;
        fs::rename(draft, path)
    }
}
