//! The inside of machines: their files, and the closure that runs scripts.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

/// A script as Azure passes it to a machine. The double does not interpret it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Script<'a> {
    /// The id of the machine that runs it.
    pub machine: &'a str,
    /// The text of the script.
    pub text: &'a str,
    /// The name and value of each parameter, in order. In a shell, the first is `$1`.
    pub parameters: &'a [(String, String)],
}

impl Script<'_> {
    /// Returns the value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// The output of a script and its exit code. Default: no output, and 0.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ScriptOutput {
    /// The standard output.
    pub stdout: String,
    /// The standard error.
    pub stderr: String,
    /// The exit code. As an action, a run command is successful if its script ran to the end, whatever the exit code;
    /// as a resource, its `executionState` is `Failed` unless this is 0.
    pub exit_code: i32,
}

impl ScriptOutput {
    /// Creates the output of a script that printed this to standard output and exited with 0.
    pub fn printed(stdout: impl Into<String>) -> Self {
        Self { stdout: stdout.into(), ..Self::default() }
    }
}

/// The files of a machine, by path.
pub type Files = BTreeMap<String, String>;

type Runner = Box<dyn FnMut(&Script<'_>, &mut Files) -> Option<ScriptOutput> + Send>;

/// The inside of each machine, by its lower-case id.
#[derive(Default)]
pub(crate) struct VirtualMachines {
    guests: HashMap<String, Guest>,
    pub(super) runner: Option<Runner>,
}

impl fmt::Debug for VirtualMachines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualMachines").field("guests", &self.guests).finish_non_exhaustive()
    }
}

/// The inside of a machine.
#[derive(Debug)]
pub(super) struct Guest {
    pub(super) power: &'static str,
    pub(super) files: Files,
}

impl Default for Guest {
    fn default() -> Self {
        Self { power: "running", files: Files::new() }
    }
}

impl VirtualMachines {
    pub(super) fn guest(&mut self, id: &str) -> &mut Guest {
        self.guests.entry(id.to_ascii_lowercase()).or_default()
    }

    /// `running`, `deallocated`, ..
    pub(super) fn power(&self, id: &str) -> &'static str {
        self.guests.get(&id.to_ascii_lowercase()).map_or("running", |guest| guest.power)
    }

    /// A file on a machine.
    pub(super) fn file(&self, id: &str, path: &str) -> Option<&str> {
        self.guests.get(&id.to_ascii_lowercase())?.files.get(path).map(String::as_str)
    }

    /// Runs a script. `None` if it is unknown.
    pub(super) fn run(&mut self, script: &Script<'_>) -> Option<ScriptOutput> {
        let guest = self.guests.entry(script.machine.to_ascii_lowercase()).or_default();
        (self.runner.as_mut()?)(script, &mut guest.files)
    }
}
