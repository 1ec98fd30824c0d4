use std::fmt;

use arm_core::{Secret, wire};
use serde::{Deserialize, Serialize};

use crate::InstanceViewStatus;

/// A script to run in a machine once, without creating a resource.
///
/// It runs in its own shell, as root or System, for at most 90 minutes. Changes to its environment are lost when it
/// ends, and do not affect running processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunCommandInput {
    /// The id of the command: `RunShellScript` on Linux, `RunPowerShellScript` on Windows, or another built-in command.
    pub command_id: String,
    /// The lines of the script.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<String>,
    /// The parameters of the script.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<RunCommandInputParameter>,
}

impl RunCommandInput {
    /// Creates the input that runs a shell script, on Linux.
    pub fn shell(script: impl Into<String>) -> Self {
        Self::new("RunShellScript", script)
    }

    /// Creates a PowerShell script, for Windows.
    pub fn powershell(script: impl Into<String>) -> Self {
        Self::new("RunPowerShellScript", script)
    }

    fn new(command_id: &str, script: impl Into<String>) -> Self {
        let script = script.into().lines().map(str::to_owned).collect();
        Self { command_id: command_id.to_owned(), script, parameters: Vec::new() }
    }

    /// Passes a parameter to the script. A shell script receives the first one as `$1`, the second one as `$2` and so
    /// on, and each under its name. Prefer parameters to inserting values into the script, where they could be
    /// executed.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.parameters.push(RunCommandInputParameter { name: name.into(), value: value.into() });
        self
    }
}

/// A parameter of a script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommandInputParameter {
    /// The name.
    pub name: String,
    /// The value, which is never printed.
    #[serde(with = "wire::secret")]
    pub value: Secret,
}

/// The result of a script run with [`RunCommandInput`].
///
/// `Debug` does not show the output, which can contain secrets.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct RunCommandResult {
    /// The statuses: a single one on Linux, one for each output stream on Windows.
    pub value: Vec<InstanceViewStatus>,
}

/// The result alone, or in the status of the operation: `properties.output.value`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Wire {
    #[serde(deserialize_with = "wire::without_nulls")]
    value: Vec<InstanceViewStatus>,
    #[serde(deserialize_with = "wire::null_as_default")]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Properties {
    #[serde(deserialize_with = "wire::null_as_default")]
    output: Output,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Output {
    #[serde(deserialize_with = "wire::without_nulls")]
    value: Vec<InstanceViewStatus>,
}

impl From<Wire> for RunCommandResult {
    fn from(wire: Wire) -> Self {
        match wire.value.is_empty() {
            true => Self { value: wire.properties.output.value },
            false => Self { value: wire.value },
        }
    }
}

impl RunCommandResult {
    /// Whether the service returned a status, and reports no failure. The service does not detect every failure of a
    /// script: let the script print its result, and read [`stdout`](Self::stdout).
    pub fn succeeded(&self) -> bool {
        let failed = |status: &InstanceViewStatus| {
            let code = status.code.as_deref().unwrap_or_default().to_ascii_lowercase();
            code.contains("/failed") || status.level.as_deref() == Some("Error")
        };
        !self.value.is_empty() && !self.value.iter().any(failed)
    }

    /// Returns the script's standard output.
    pub fn stdout(&self) -> String {
        self.stream("StdOut", "[stdout]\n", Some("\n[stderr]\n"))
    }

    /// Returns the script's standard error output.
    pub fn stderr(&self) -> String {
        self.stream("StdErr", "\n[stderr]\n", None)
    }

    /// Returns one output stream. On Windows, each stream has its own status; on Linux, one text contains both, with
    /// markers.
    fn stream(&self, component: &str, begin: &str, end: Option<&str>) -> String {
        for status in &self.value {
            let code = status.code.as_deref().unwrap_or_default();
            let message = status.message.as_deref().unwrap_or_default();
            if code.starts_with("ComponentStatus/") {
                if code.contains(component) {
                    return message.to_owned();
                }
            } else if let Some((_, text)) = message.split_once(begin) {
                // The script may print a marker itself: the last one is from the service.
                let end = end.and_then(|end| text.rfind(end)).unwrap_or(text.len());
                return text[..end].to_owned();
            }
        }
        String::new()
    }
}

impl fmt::Debug for RunCommandResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<&str> = self.value.iter().filter_map(|status| status.code.as_deref()).collect();
        f.debug_struct("RunCommandResult").field("codes", &codes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_output_inside_the_status_of_the_operation_is_the_output() {
        let result: RunCommandResult = serde_json::from_value(serde_json::json!({
            "startTime": "2026-03-01T12:00:00Z", "status": "Succeeded", "name": "x",
            "properties": { "output": { "value": [
                { "code": "ProvisioningState/succeeded", "message": "Enable succeeded: \n[stdout]\nhello\n[stderr]\n" },
            ] } },
        }))
        .unwrap();
        assert_eq!((result.stdout().as_str(), result.succeeded()), ("hello", true));
    }

    fn result(statuses: serde_json::Value) -> RunCommandResult {
        serde_json::from_value(json!({ "value": statuses })).unwrap()
    }

    #[test]
    fn the_streams_of_linux_and_windows_are_distinguished() {
        let message = "Enable succeeded: \n[stdout]\nsaid\n[stderr]\nnot this\n\n[stderr]\noops\n";
        let linux =
            result(json!([{ "code": "ProvisioningState/succeeded", "level": "Info", "message": message }]));
        assert_eq!(linux.stdout(), "said\n[stderr]\nnot this\n");
        assert!(linux.succeeded());
        let windows = result(json!([
            { "code": "ComponentStatus/StdOut/succeeded", "level": "Info", "message": "said" },
            { "code": "ComponentStatus/StdErr/succeeded", "level": "Info", "message": "oops" },
        ]));
        assert_eq!((windows.stdout().as_str(), windows.stderr().as_str()), ("said", "oops"));
        let failed =
            result(json!([{ "code": "ProvisioningState/failed/1", "level": "Error", "message": null }]));
        assert!(!failed.succeeded() && failed.stdout().is_empty());
        for status in [
            json!({ "code": "ProvisioningState/failed/1", "level": "Info" }),
            json!({ "code": "ProvisioningState/succeeded", "level": "Error" }),
        ] {
            let ended = json!({ "code": "ComponentStatus/StdOut/succeeded", "level": "Info" });
            assert!(!result(json!([ended, status])).succeeded(), "{status}");
        }
        assert!(!result(json!([])).succeeded(), "no answer is not a success");
    }

    #[test]
    fn neither_output_nor_parameters_are_printed() {
        let result = result(json!([{ "code": "c", "message": "\n[stdout]\nhunter2\n\n[stderr]\n" }]));
        let input = RunCommandInput::shell("echo $1").parameter("password", "hunter2");
        let shown = format!("{result:?} {input:?}");
        assert!(!shown.contains("hunter2") && shown.contains(r#"codes: ["c"]"#), "{shown}");
        assert_eq!(serde_json::to_value(&input).unwrap()["parameters"][0]["value"], "hunter2");
    }
}
