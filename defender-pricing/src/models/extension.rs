use arm_core::{
    open_enum,
    wire::{UnknownFields, bool_text},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ExtensionName;

/// An extension of a plan, in its current or desired state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Extension {
    /// The name of the extension.
    pub name: ExtensionName,
    /// Whether the extension is on. If the last change failed (see [`operation_status`](Self::operation_status)), this
    /// is the requested state, not the actual one.
    #[serde(with = "bool_text")]
    pub is_enabled: bool,
    /// The settings. Some, such as `ExclusionTags`, are strings that contain JSON. Omitted in a write if the extension
    /// is off, since the service would answer 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_extension_properties: Option<Map<String, Value>>,
    /// The result of the last change. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_status: Option<OperationStatus>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Extension {
    /// Creates an extension that is on, without settings.
    pub fn on(name: ExtensionName) -> Self {
        Self {
            name,
            is_enabled: true,
            additional_extension_properties: None,
            operation_status: None,
            unknown: UnknownFields::default(),
        }
    }

    /// Creates an extension that is off.
    pub fn off(name: ExtensionName) -> Self {
        Self { is_enabled: false, ..Self::on(name) }
    }

    /// Whether the last change of the extension failed.
    pub fn has_failed(&self) -> bool {
        self.operation_status.as_ref().is_some_and(|status| status.code == OperationCode::Failed)
    }

    /// Returns a copy for a PUT: without read-only members, and without settings if the extension is off.
    pub(crate) fn for_writing(&self) -> Self {
        let mut sent = self.clone();
        sent.operation_status = None;
        if !sent.is_enabled {
            sent.additional_extension_properties = None;
        }
        sent
    }
}

/// The result of changing an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationStatus {
    /// Whether the change succeeded.
    pub code: OperationCode,
    /// The reason why the change failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

open_enum! {
    /// Whether a change of an extension succeeded.
    pub enum OperationCode {
        /// The change succeeded.
        Succeeded = "Succeeded",
        /// The change failed, although the response as a whole had the status 200.
        Failed = "Failed",
    }
}
