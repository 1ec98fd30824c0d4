use std::{collections::BTreeMap, fmt};

use arm_core::{
    ResourceId, Secret, open_enum,
    wire::{self, instant},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use typed_builder::TypedBuilder;

use crate::RunCommandInputParameter;

/// A managed run command: a script stored as a resource of a machine. It runs whenever the resource is written, and the
/// resource keeps its output.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct VirtualMachineRunCommand {
    /// The id.
    pub id: ResourceId,
    /// The name.
    pub name: String,
    /// The region, which is that of the machine.
    pub location: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The script or built-in command to run.
    pub source: ScriptSource,
    /// The parameters of the script. Protected ones are never returned.
    pub parameters: Vec<RunCommandInputParameter>,
    /// Whether the operation ends as soon as the script has started.
    pub async_execution: bool,
    /// The user that runs the script. Default: root or System.
    pub run_as_user: Option<String>,
    /// The time limit of the script, in seconds. Default: 90 minutes.
    pub timeout_in_seconds: Option<u32>,
    /// The URI of a blob that also receives the output.
    pub output_blob_uri: Option<String>,
    /// The URI of a blob that also receives the error output.
    pub error_blob_uri: Option<String>,
    /// Whether a failed script makes the operation fail.
    pub treat_failure_as_deployment_failure: bool,
    /// By default, `Succeeded` once the script has run, even if it failed.
    pub provisioning_state: Option<String>,
    /// The result; `None` unless it was requested.
    pub instance_view: Option<RunCommandInstanceView>,
}

/// The source of a managed run command: set exactly one of `script`, `script_uri` and `command_id`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct ScriptSource {
    /// The text of a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    /// The URI of a script.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_uri: Option<String>,
    /// The id of a built-in command.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<String>,
    /// The identity with which the script at `script_uri` is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub script_uri_managed_identity: Option<RunCommandManagedIdentity>,
}

impl ScriptSource {
    /// Creates a source from the text of a script.
    pub fn script(text: impl Into<String>) -> Self {
        Self { script: Some(text.into()), ..Self::default() }
    }

    /// Creates a source from the URI of a script. The URI may contain a signature, so do not show or log it.
    pub fn uri(uri: impl Into<String>) -> Self {
        Self { script_uri: Some(uri.into()), ..Self::default() }
    }
}

/// An identity of the machine, by client id or object id. With neither, the system-assigned identity.
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
    /// The state of a managed run command.
    pub enum ExecutionState {
        /// The state is unknown.
        NotKnown = "Unknown",
        /// The script has not started.
        Pending = "Pending",
        /// The script is running.
        Running = "Running",
        /// The script ended with an exit code other than 0.
        Failed = "Failed",
        /// The script ended with exit code 0.
        Succeeded = "Succeeded",
        /// The script exceeded the time limit.
        TimedOut = "TimedOut",
        /// The script was stopped.
        Canceled = "Canceled",
    }
}

/// The result of a managed run command. `Debug` does not show the output, which can contain secrets.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunCommandInstanceView {
    /// The state of the execution.
    #[serde(default = "not_known", deserialize_with = "state")]
    pub execution_state: ExecutionState,
    /// A human-readable message.
    pub execution_message: Option<String>,
    /// The script's exit code.
    pub exit_code: Option<i32>,
    /// The last 4 KB of the standard output.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub output: String,
    /// The standard error output.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub error: String,
    /// When the script started.
    #[serde(default, with = "instant::option")]
    pub start_time: Option<OffsetDateTime>,
    /// When the script ended.
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

/// A managed run command to create: the body of a PUT, which runs the script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TypedBuilder)]
pub struct VirtualMachineRunCommandSpec {
    /// The region of the machine.
    #[builder(setter(into))]
    pub location: String,
    /// The tags.
    #[builder(default)]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The script and how to run it.
    pub properties: RunCommandProperties,
}

/// The parts of a managed run command to change: the body of a PATCH, which runs the script again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VirtualMachineRunCommandUpdate {
    /// All tags, which replace the existing ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The script and how to run it. Absent members stay unchanged, except protected parameters, which are removed.
    pub properties: RunCommandProperties,
}

/// The script of a managed run command, and how to run it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
#[builder(field_defaults(default))]
pub struct RunCommandProperties {
    /// The script or built-in command to run.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<ScriptSource>,
    /// The parameters of the script. Anyone who can read the command can read them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<RunCommandInputParameter>,
    /// Parameters of the script that are never returned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected_parameters: Vec<RunCommandInputParameter>,
    /// Whether the operation ends as soon as the script has started.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub async_execution: Option<bool>,
    /// The user that runs the script. Default: root or System.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<String>,
    /// The password of that user.
    #[builder(setter(strip_option, into))]
    #[serde(with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub run_as_password: Option<Secret>,
    /// The time limit of the script, in seconds. Default: 90 minutes.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_in_seconds: Option<u32>,
    /// The URI of a blob that also receives the output.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_blob_uri: Option<String>,
    /// The URI of a blob that also receives the error output.
    #[builder(setter(strip_option, into))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_blob_uri: Option<String>,
    /// The identity with which the output is written.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_blob_managed_identity: Option<RunCommandManagedIdentity>,
    /// The identity with which the error output is written.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_blob_managed_identity: Option<RunCommandManagedIdentity>,
    /// Whether a failed script makes the operation fail.
    #[builder(setter(strip_option))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treat_failure_as_deployment_failure: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_source_says_one_thing_only() {
        let sent = |source: &ScriptSource| serde_json::to_value(source).unwrap();
        assert_eq!(sent(&ScriptSource::script("true")), json!({ "script": "true" }));
        let uri = "https://contoso.example/s.sh?sig=x";
        assert_eq!(sent(&ScriptSource::uri(uri)), json!({ "scriptUri": uri }));
    }

    #[test]
    fn the_output_is_not_printed_and_a_state_that_is_missing_is_not_known() {
        let view = json!({ "executionState": null, "output": "hunter2", "error": null });
        let view: RunCommandInstanceView = serde_json::from_value(view).unwrap();
        let shown = format!("{view:?}");
        assert!(!shown.contains("hunter2") && shown.contains("execution_state: NotKnown"), "{shown}");
        assert_eq!((view.execution_state, view.error.as_str()), (ExecutionState::NotKnown, ""));
    }
}
