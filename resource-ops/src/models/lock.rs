use arm_core::{open_enum, wire::SentText};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

open_enum! {
    /// What a lock forbids at Resource Manager.
    pub enum LockLevel {
        /// Deletes of its scope and of all below it, role assignments included.
        CanNotDelete = "CanNotDelete",
        /// Writes and actions too.
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
    /// What it forbids, and why.
    pub properties: LockProperties,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived Lock);

/// What a lock forbids, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LockProperties {
    /// What it forbids.
    pub level: LockLevel,
    /// Why, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

/// A lock to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockSpec {
    /// What it forbids.
    pub level: LockLevel,
    /// Why, for people.
    pub notes: Option<String>,
}

impl LockSpec {
    pub(crate) fn body(&self) -> Value {
        json!({ "properties": LockProperties { level: self.level.clone(), notes: self.notes.clone() } })
    }
}
