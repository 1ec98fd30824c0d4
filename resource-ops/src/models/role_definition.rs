use arm_core::{
    covers_action, open_enum,
    wire::{self, SentText, instant},
};
use serde::Deserialize;
use time::OffsetDateTime;

use crate::RoleId;

/// A role definition: the permissions that a role grants.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleDefinition {
    /// The full id, which contains the scope at which the role was read.
    pub id: String,
    /// The role's GUID.
    pub role: RoleId,
    /// The display name, such as `Key Vault Secrets User`.
    pub role_name: String,
    /// Whether the role is built in or custom.
    pub role_type: RoleType,
    /// The description.
    pub description: Option<String>,
    /// The permissions that the role grants.
    pub permissions: Vec<Permission>,
    /// The scopes at which the role can be assigned.
    pub assignable_scopes: Vec<String>,
    /// When the role was created.
    pub created_on: Option<OffsetDateTime>,
    /// When the role was last changed.
    pub updated_on: Option<OffsetDateTime>,
    /// The object id of the principal that created the role.
    pub created_by: Option<String>,
    /// The object id of the principal that last changed the role.
    pub updated_by: Option<String>,
    sent: SentText,
}

arm_core::kept!(RoleDefinition from Wire);

open_enum! {
    /// Whether a role is built in or custom.
    pub enum RoleType {
        /// Built in: the same in every tenant.
        BuiltIn = "BuiltInRole",
        /// Custom: defined in the tenant.
        Custom = "CustomRole",
    }
}

/// A set of permissions, as action patterns in which `*` is a wildcard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Permission {
    /// Actions on resources.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub actions: Vec<String>,
    /// Actions excluded from `actions`.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub not_actions: Vec<String>,
    /// Actions on the data of resources, such as reading a secret.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub data_actions: Vec<String>,
    /// Actions excluded from `data_actions`.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub not_data_actions: Vec<String>,
    /// The condition under which the permissions are granted.
    pub condition: Option<String>,
    /// The version of the condition language.
    pub condition_version: Option<String>,
}

impl Permission {
    /// Whether an action on resources, such as `Microsoft.KeyVault/vaults/write`, is allowed. The
    /// [`condition`](Self::condition) is ignored: an action that is allowed only under it counts as allowed.
    pub fn allows(&self, action: &str) -> bool {
        let any = |patterns: &[String]| patterns.iter().any(|pattern| covers_action(pattern, action));
        any(&self.actions) && !any(&self.not_actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_allowed_by_a_pattern_unless_another_takes_it_away() {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let contributor = Permission {
            actions: texts(&["*"]),
            not_actions: texts(&["Microsoft.Authorization/*/Write"]),
            ..Permission::default()
        };
        assert!(contributor.allows("Microsoft.KeyVault/vaults/write"));
        assert!(!contributor.allows("microsoft.authorization/roleAssignments/write"));
        for (pattern, action, meant) in [
            ("*/read", "Microsoft.KeyVault/vaults/read", true),
            ("*/read", "Microsoft.KeyVault/vaults/write", false),
            ("Microsoft.KeyVault/*", "Microsoft.KeyVault/vaults/write", true),
            ("Microsoft.KeyVault/*", "Microsoft.Key", false),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "abc", true),
            ("a*bb*c", "abc", false),
            ("ab*ba", "aba", false),
            ("a/b", "A/B", true),
            ("", "a", false),
        ] {
            assert_eq!(covers_action(pattern, action), meant, "{pattern} {action}");
        }
        assert!(!Permission::default().allows("a"));
    }
}

#[derive(Debug, Deserialize)]
pub struct Wire {
    id: String,
    name: RoleId,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    role_name: String,
    #[serde(rename = "type")]
    role_type: RoleType,
    description: Option<String>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    permissions: Vec<Permission>,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    assignable_scopes: Vec<String>,
    #[serde(default, with = "instant::option")]
    created_on: Option<OffsetDateTime>,
    #[serde(default, with = "instant::option")]
    updated_on: Option<OffsetDateTime>,
    created_by: Option<String>,
    updated_by: Option<String>,
}

impl From<Wire> for RoleDefinition {
    fn from(Wire { id, name, properties }: Wire) -> Self {
        Self {
            id,
            role: name,
            role_name: properties.role_name,
            role_type: properties.role_type,
            description: properties.description,
            permissions: properties.permissions,
            assignable_scopes: properties.assignable_scopes,
            created_on: properties.created_on,
            updated_on: properties.updated_on,
            created_by: properties.created_by,
            updated_by: properties.updated_by,
            sent: SentText::default(),
        }
    }
}
