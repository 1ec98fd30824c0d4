//! The scripts that Break & Fix 2 runs on a machine, and their effect on the double's machines.

use mock_azure::{Files, Script, ScriptOutput};

/// The file in which a machine stores the variables of all sessions.
pub const ENVIRONMENT: &str = "/etc/environment";

/// Removes the variable `$1` from the machine's environment file, and prints how many lines still set it.
pub const REMOVE: &str = r#"sed -i "/^$1=/d" /etc/environment
grep -c "^$1=" /etc/environment || true"#;

/// Prints how many lines of the environment file set the variable `$1`.
pub const COUNT: &str = r#"grep -c "^$1=" /etc/environment || true"#;

/// Applies a script to the files of the double's machine, as a shell would. `None` for any other script.
pub fn run(script: &Script<'_>, files: &mut Files) -> Option<ScriptOutput> {
    let (_, name) = script.parameters.first()?;
    let file = files.get_mut(ENVIRONMENT)?;
    let sets = |line: &&str| line.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('='));
    match script.text {
        REMOVE => *file = file.split_inclusive('\n').filter(|line| !sets(line)).collect(),
        COUNT => {}
        _ => return None,
    }
    Some(ScriptOutput::printed(format!("{}\n", file.lines().filter(sets).count())))
}
