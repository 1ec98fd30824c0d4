use arm_core::wire::{self, SentText};
use serde::Deserialize;

/// A policy or initiative assigned to a scope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct PolicyAssignment {
    /// The id, which contains the scope and the name.
    pub id: String,
    /// The name.
    pub name: String,
    /// The assigned definition and the display name.
    pub properties: PolicyAssignmentProperties,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived PolicyAssignment);

/// The properties of a [`PolicyAssignment`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PolicyAssignmentProperties {
    /// The id of the policy or initiative definition.
    #[serde(default, with = "wire::text")]
    pub policy_definition_id: String,
    /// The display name.
    #[serde(default, with = "wire::text::option")]
    pub display_name: Option<String>,
}

impl PolicyAssignment {
    /// Whether the assigned definition is an initiative, which contains several policies.
    pub fn is_initiative(&self) -> bool {
        self.properties.policy_definition_id.to_ascii_lowercase().contains("/policysetdefinitions/")
    }
}
