//! What is inside a machine: files.

use std::collections::BTreeMap;

use super::shell::{self, Script};

/// The inside of a machine.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) power: &'static str,
    pub(super) files: BTreeMap<String, String>,
    pub(super) name: String,
}

impl Default for Guest {
    fn default() -> Self {
        Self { power: "running", files: BTreeMap::new(), name: "vm".to_owned() }
    }
}

/// What a script printed, and how it ended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) exit_code: i32,
}

impl Guest {
    /// Runs a script as root.
    pub(super) fn run(&mut self, script: &Script, parameters: &[(String, String)]) -> Outcome {
        shell::run(self, script, parameters)
    }
}
