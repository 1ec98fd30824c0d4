use arm_core::{open_enum, wire::SentText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

open_enum! {
    /// What a lock forbids in Resource Manager.
    pub enum LockLevel {
        /// Deleting its scope and anything below it, including role assignments.
        CanNotDelete = "CanNotDelete",
        /// Also writes and actions.
        ReadOnly = "ReadOnly",
    }
}

/// A lock of a subscription, group or resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct Lock {
    /// The id: the scope and the name.
    pub id: String,
    /// The name.
    pub name: String,
    /// What it forbids, and the reason.
    pub properties: LockProperties,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived Lock);

/// What a lock forbids, and the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LockProperties {
    /// What it forbids.
    pub level: LockLevel,
    /// The reason, as a note for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A lock to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSpec {
    /// What it forbids.
    pub level: LockLevel,
    /// The reason, as a note for people.
    pub notes: Option<String>,
}

impl LockSpec {
    pub(crate) fn body(&self) -> Value {
        json!({ "properties": LockProperties { level: self.level.clone(), notes: self.notes.clone() } })
    }
}
