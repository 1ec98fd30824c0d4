use arm_core::{open_enum, wire::SentText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

open_enum! {
    /// The operations in Resource Manager that a lock forbids.
    pub enum LockLevel {
        /// Deletion of the scope and anything below it, including role assignments.
        CanNotDelete = "CanNotDelete",
        /// Deletion, writes and actions.
        ReadOnly = "ReadOnly",
    }
}

/// A lock on a subscription, resource group or resource.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct Lock {
    /// The id, which contains the scope and the name.
    pub id: String,
    /// The name.
    pub name: String,
    /// The level and the reason.
    pub properties: LockProperties,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived Lock);

/// The level of a lock, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LockProperties {
    /// The operations that the lock forbids.
    pub level: LockLevel,
    /// The reason, as free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A lock to create.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSpec {
    /// The operations that the lock forbids.
    pub level: LockLevel,
    /// The reason, as free text.
    pub notes: Option<String>,
}

impl LockSpec {
    pub(crate) fn body(&self) -> Value {
        json!({ "properties": LockProperties { level: self.level.clone(), notes: self.notes.clone() } })
    }
}
