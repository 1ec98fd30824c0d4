use std::{collections::BTreeMap, fmt};

use arm_core::{
    ResourceId, Secret, open_enum,
    wire::{self, instant},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::InstanceViewStatus;

/// A script to run in a machine, as an action.
///
/// It runs in a shell of its own, as root or System, and at most 90 minutes. What it does to its own
/// environment ends with it; processes that run keep the environment that they were started with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunCommandInput {
    /// Which command: `RunShellScript` on Linux, `RunPowerShellScript` on Windows, or another that the
    /// service knows.
    pub command_id: String,
    /// The script's lines.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub script: Vec<String>,
    /// What the script is called with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<RunCommandInputParameter>,
}

impl RunCommandInput {
    /// A shell script, for Linux.
    pub fn shell(script: impl Into<String>) -> Self {
        Self::new("RunShellScript", script)
    }

    /// A PowerShell script, for Windows.
    pub fn powershell(script: impl Into<String>) -> Self {
        Self::new("RunPowerShellScript", script)
    }

    fn new(command_id: &str, script: impl Into<String>) -> Self {
        let script = script.into().lines().map(str::to_owned).collect();
        Self { command_id: command_id.to_owned(), script, parameters: Vec::new() }
    }

    /// Calls the script with a value. A shell script sees it as `$1`, `$2`, .. and under its name. Better
    /// than putting values into the script, where they could be taken for a part of it.
    pub fn parameter(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.parameters.push(RunCommandInputParameter { name: name.into(), value: value.into() });
        self
    }
}

/// A value that a script is called with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunCommandInputParameter {
    /// Its name.
    pub name: String,
    /// The value; never printed.
    #[serde(with = "wire::secret")]
    pub value: Secret,
}

/// What came of a script that ran as an action.
///
/// The output can hold secrets, and is not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RunCommandResult {
    /// One status on Linux; one for each stream on Windows.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub value: Vec<InstanceViewStatus>,
}

impl RunCommandResult {
    /// Whether the service calls no part of it failed. It cannot see every failure of a script: let the
    /// script say how it went, and read [`stdout`](Self::stdout).
    pub fn succeeded(&self) -> bool {
        let failed = |status: &InstanceViewStatus| {
            let code = status.code.as_deref().unwrap_or_default().to_ascii_lowercase();
            code.contains("/failed") || status.level.as_deref() == Some("Error")
        };
        !self.value.is_empty() && !self.value.iter().any(failed)
    }

    /// What the script printed.
    pub fn stdout(&self) -> String {
        self.stream("StdOut", "[stdout]\n", Some("\n[stderr]\n"))
    }

    /// What the script printed as errors.
    pub fn stderr(&self) -> String {
        self.stream("StdErr", "\n[stderr]\n", None)
    }

    /// Windows has a status for each stream, Linux one text with marks.
    fn stream(&self, component: &str, begin: &str, end: Option<&str>) -> String {
        for status in &self.value {
            let code = status.code.as_deref().unwrap_or_default();
            let message = status.message.as_deref().unwrap_or_default();
            if code.starts_with("ComponentStatus/") {
                if code.contains(component) {
                    return message.to_owned();
                }
            } else if let Some((_, text)) = message.split_once(begin) {
                // What a script prints may look like the mark: the last one is the service's.
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

/// A managed command: a script that is a resource below a machine, runs when it is written, and keeps its
/// output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct VirtualMachineRunCommand {
    /// The id.
    pub id: ResourceId,
    /// The name.
    pub name: String,
    /// Where it is: where the machine is.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// What it runs.
    pub source: ScriptSource,
    /// What it is called with. The protected ones never come back.
    pub parameters: Vec<RunCommandInputParameter>,
    /// Whether the operation ends when the script begins.
    pub async_execution: bool,
    /// Who runs it; root or System otherwise.
    pub run_as_user: Option<String>,
    /// How long it may run, in seconds; 90 minutes otherwise.
    pub timeout_in_seconds: Option<u32>,
    /// Where the output goes too.
    pub output_blob_uri: Option<String>,
    /// Where the errors go too.
    pub error_blob_uri: Option<String>,
    /// Whether a script that fails makes the operation fail.
    pub treat_failure_as_deployment_failure: bool,
    /// `Succeeded` when the script was run, however it ended.
    pub provisioning_state: Option<String>,
    /// How it went. Only when it is asked for.
    pub instance_view: Option<RunCommandInstanceView>,
}

/// What a managed command runs: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ScriptSource {
    /// A script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// Where a script is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_uri: Option<String>,
    /// A command that the service knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// The identity that reads the script there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_uri_managed_identity: Option<RunCommandManagedIdentity>,
}

impl ScriptSource {
    /// A script.
    pub fn script(text: impl Into<String>) -> Self {
        Self { script: Some(text.into()), ..Self::default() }
    }

    /// A script at an address, which may hold a signature: take care where it is shown.
    pub fn uri(uri: impl Into<String>) -> Self {
        Self { script_uri: Some(uri.into()), ..Self::default() }
    }
}

/// An identity of the machine: by client id or object id; the machine's own with neither.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RunCommandManagedIdentity {
    /// The client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// The object id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
}

open_enum! {
    /// How far a managed command has come.
    pub enum ExecutionState {
        /// Not known.
        NotKnown = "Unknown",
        /// It has not begun.
        Pending = "Pending",
        /// It runs.
        Running = "Running",
        /// Its exit code was not 0.
        Failed = "Failed",
        /// Its exit code was 0.
        Succeeded = "Succeeded",
        /// It took too long.
        TimedOut = "TimedOut",
        /// It was stopped.
        Canceled = "Canceled",
    }
}

/// How a managed command went. The output can hold secrets, and is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunCommandInstanceView {
    /// How far it has come.
    #[serde(default = "not_known", deserialize_with = "state")]
    pub execution_state: ExecutionState,
    /// More words.
    #[serde(default)]
    pub execution_message: Option<String>,
    /// The script's exit code.
    #[serde(default)]
    pub exit_code: Option<i32>,
    /// What it printed; the last 4 KB.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub output: String,
    /// What it printed as errors.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub error: String,
    /// When it began.
    #[serde(default, with = "instant::option")]
    pub start_time: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(default, with = "instant::option")]
    pub end_time: Option<OffsetDateTime>,
}

fn not_known() -> ExecutionState {
    ExecutionState::NotKnown
}

fn state<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<ExecutionState, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(not_known))
}

impl fmt::Debug for RunCommandInstanceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunCommandInstanceView")
            .field("execution_state", &self.execution_state)
            .field("exit_code", &self.exit_code)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Wire {
    id: ResourceId,
    name: String,
    location: String,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Properties {
    #[serde(deserialize_with = "wire::null_as_default")]
    source: ScriptSource,
    #[serde(deserialize_with = "wire::without_nulls")]
    parameters: Vec<RunCommandInputParameter>,
    #[serde(deserialize_with = "wire::null_as_default")]
    async_execution: bool,
    run_as_user: Option<String>,
    timeout_in_seconds: Option<u32>,
    output_blob_uri: Option<String>,
    error_blob_uri: Option<String>,
    #[serde(deserialize_with = "wire::null_as_default")]
    treat_failure_as_deployment_failure: bool,
    provisioning_state: Option<String>,
    instance_view: Option<RunCommandInstanceView>,
}

impl From<Wire> for VirtualMachineRunCommand {
    fn from(wire: Wire) -> Self {
        let properties = wire.properties;
        Self {
            id: wire.id,
            name: wire.name,
            location: wire.location,
            tags: wire.tags,
            source: properties.source,
            parameters: properties.parameters,
            async_execution: properties.async_execution,
            run_as_user: properties.run_as_user,
            timeout_in_seconds: properties.timeout_in_seconds,
            output_blob_uri: properties.output_blob_uri,
            error_blob_uri: properties.error_blob_uri,
            treat_failure_as_deployment_failure: properties.treat_failure_as_deployment_failure,
            provisioning_state: properties.provisioning_state,
            instance_view: properties.instance_view,
        }
    }
}

/// A managed command as it should be: the body of a PUT, which runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TypedBuilder)]
pub struct VirtualMachineRunCommandSpec {
    /// Where the machine is.
    #[builder(setter(into))]
    pub location: String,
    /// Its tags.
    #[builder(default)]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// What it runs, and how.
    pub properties: RunCommandProperties,
}

/// What of a managed command should change: the body of a PATCH, which runs it again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VirtualMachineRunCommandUpdate {
    /// All tags: the map replaces the one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// What it runs, and how. What is absent stays, except protected values: those are gone.
    pub properties: RunCommandProperties,
}

/// What a managed command runs, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
#[builder(field_defaults(default))]
pub struct RunCommandProperties {
    /// What it runs.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ScriptSource>,
    /// What it is called with; these come back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<RunCommandInputParameter>,
    /// What it is called with and never comes back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_parameters: Vec<RunCommandInputParameter>,
    /// Whether the operation ends when the script begins.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub async_execution: Option<bool>,
    /// Who runs it; root or System otherwise.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<String>,
    /// That user's password.
    #[builder(setter(strip_option, into))]
    #[serde(with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub run_as_password: Option<Secret>,
    /// How long it may run, in seconds; 90 minutes otherwise.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_in_seconds: Option<u32>,
    /// Where the output goes too.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_blob_uri: Option<String>,
    /// Where the errors go too.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_blob_uri: Option<String>,
    /// The identity that writes the output there.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_blob_managed_identity: Option<RunCommandManagedIdentity>,
    /// The identity that writes the errors there.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_blob_managed_identity: Option<RunCommandManagedIdentity>,
    /// Whether a script that fails makes the operation fail.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_failure_as_deployment_failure: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(statuses: serde_json::Value) -> RunCommandResult {
        serde_json::from_value(json!({ "value": statuses })).unwrap()
    }

    #[test]
    fn the_streams_of_linux_and_windows_are_told_apart() {
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
        assert!(!result(json!([])).succeeded(), "no answer is not a success");
    }

    #[test]
    fn neither_output_nor_parameters_are_printed() {
        let result = result(json!([{ "code": "c", "message": "\n[stdout]\nhunter2\n\n[stderr]\n" }]));
        let input = RunCommandInput::shell("echo $1").parameter("password", "hunter2");
        let view: RunCommandInstanceView =
            serde_json::from_value(json!({ "executionState": "Succeeded", "output": "hunter2" })).unwrap();
        let shown = format!("{result:?} {input:?} {view:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(serde_json::to_value(&input).unwrap()["parameters"][0]["value"], "hunter2");
    }
}
