//! Built-in roles, as data: those relevant to what the double supports, as the service listed them.
//!
//! The service has hundreds more and adds to them. Nothing is known about a role that is not here, not even that it
//! does not exist.

use std::sync::LazyLock;

use serde_json::Value;

pub(crate) const OWNER: &str = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635";

static ROLES: LazyLock<Vec<BuiltIn>> = LazyLock::new(|| {
    let roles: Vec<Value> = serde_json::from_str(include_str!("builtin.json")).unwrap_or_default();
    roles.into_iter().map(BuiltIn::of).collect()
});

/// One built-in role.
#[derive(Debug)]
pub(crate) struct BuiltIn {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The role as it is in the data.
    pub(crate) data: Value,
    permissions: Vec<Permission>,
}

#[derive(Debug)]
struct Permission {
    actions: Vec<String>,
    not_actions: Vec<String>,
    data_actions: Vec<String>,
    not_data_actions: Vec<String>,
    conditional: bool,
}

impl BuiltIn {
    fn of(data: Value) -> Self {
        let text = |key: &str| data[key].as_str().unwrap_or_default().to_owned();
        let permission = |value: &Value| {
            let patterns = |key: &str| -> Vec<String> {
                value[key]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_ascii_lowercase)
                    .collect()
            };
            Permission {
                actions: patterns("actions"),
                not_actions: patterns("notActions"),
                data_actions: patterns("dataActions"),
                not_data_actions: patterns("notDataActions"),
                conditional: value["condition"].is_string(),
            }
        };
        let permissions = data["permissions"].as_array().into_iter().flatten().map(permission).collect();
        Self { id: text("id"), name: text("name"), permissions, data }
    }

    pub(crate) fn all() -> &'static [Self] {
        &ROLES
    }

    /// Finds a role by its GUID or name, ignoring case.
    pub(crate) fn find(id_or_name: &str) -> Option<&'static Self> {
        let same = |text: &str| text.eq_ignore_ascii_case(id_or_name);
        ROLES.iter().find(|role| same(&role.id) || same(&role.name))
    }

    /// Whether the role's permissions depend on a condition, which the double does not evaluate.
    pub(crate) fn is_conditional(&self) -> bool {
        self.permissions.iter().any(|permission| permission.conditional)
    }

    /// Whether the role allows an action of the management plane.
    pub(crate) fn allows(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.permissions.iter().any(|each| any(&each.actions, &action) && !any(&each.not_actions, &action))
    }

    /// Whether the role allows an action on a resource's data.
    pub(crate) fn allows_data(&self, action: &str) -> bool {
        let action = action.to_ascii_lowercase();
        self.permissions
            .iter()
            .any(|each| any(&each.data_actions, &action) && !any(&each.not_data_actions, &action))
    }
}

fn any(patterns: &[String], action: &str) -> bool {
    patterns.iter().any(|pattern| covers(pattern, action))
}

/// Whether a pattern, in which `*` matches anything, covers an action. Both are in lower case.
fn covers(pattern: &str, action: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| action.strip_prefix(first)) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn wildcards_cover_what_they_stand_for() {
        assert!(covers("*", "microsoft.keyvault/vaults/write"));
        assert!(covers("*/read", "microsoft.keyvault/vaults/read"));
        assert!(covers("microsoft.authorization/*/write", "microsoft.authorization/roleassignments/write"));
        assert!(!covers("*/read", "microsoft.keyvault/vaults/write"));
        assert!(!covers("microsoft.keyvault/vaults", "microsoft.keyvault/vaults/write"));
    }

    #[test]
    fn every_role_has_its_own_guid_and_name_and_allows_something() {
        let roles = BuiltIn::all();
        assert!(roles.len() > 150, "{}", roles.len());
        let names: HashSet<String> = roles.iter().map(|role| role.name.to_lowercase()).collect();
        let ids: HashSet<&str> = roles.iter().map(|role| role.id.as_str()).collect();
        assert_eq!((names.len(), ids.len()), (roles.len(), roles.len()));
        for role in roles {
            assert!(uuid::Uuid::parse_str(&role.id).is_ok(), "{}", role.id);
            let allowed =
                role.permissions.iter().any(|each| !each.actions.is_empty() || !each.data_actions.is_empty());
            assert!(allowed && role.data["description"].is_string(), "{}", role.name);
        }
    }

    #[test]
    fn roles_allow_what_they_are_for() {
        let role = |name: &str| BuiltIn::find(name).expect(name);
        let contributor = role("contributor");
        assert!(contributor.allows("Microsoft.KeyVault/vaults/write"));
        assert!(!contributor.allows("Microsoft.Authorization/roleAssignments/write"));
        assert!(!contributor.allows_data("Microsoft.KeyVault/vaults/secrets/getSecret/action"));
        assert!(
            role("Role Based Access Control Administrator")
                .allows("Microsoft.Authorization/roleAssignments/write")
        );
        assert!(
            role("Key Vault Secrets User").allows_data("Microsoft.KeyVault/vaults/secrets/getSecret/action")
        );
        assert!(
            !role("Key Vault Crypto User").allows_data("Microsoft.KeyVault/vaults/secrets/getSecret/action")
        );
        assert!(role("Microsoft Sentinel Reader").allows("Microsoft.SecurityInsights/incidents/read"));
        assert!(role("Monitoring Contributor").allows("Microsoft.Insights/diagnosticSettings/write"));
        assert!(role("Key Vault Data Access Administrator").is_conditional());
    }
}
