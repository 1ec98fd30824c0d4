use arm_core::{covers_action, wire};
use serde::Deserialize;

/// The permissions that one of the caller's roles grants at a scope. `*` is a wildcard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Permissions {
    /// The actions that the role allows.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub actions: Vec<String>,
    /// Actions excluded from [`actions`](Self::actions).
    #[serde(deserialize_with = "wire::null_as_default")]
    pub not_actions: Vec<String>,
    /// The data actions that the role allows.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub data_actions: Vec<String>,
    /// Data actions excluded from [`data_actions`](Self::data_actions).
    #[serde(deserialize_with = "wire::null_as_default")]
    pub not_data_actions: Vec<String>,
}

impl Permissions {
    /// Whether the role allows this control-plane action, such as
    /// `Microsoft.Storage/storageAccounts/regenerateKey/action`.
    pub fn allows(&self, action: &str) -> bool {
        let covered = |patterns: &[String]| patterns.iter().any(|pattern| covers_action(pattern, action));
        covered(&self.actions) && !covered(&self.not_actions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_stands_for_anything_and_an_exception_wins() {
        let regenerate = "Microsoft.Storage/storageAccounts/regenerateKey/action";
        let role = |actions: &[&str], not: &[&str]| Permissions {
            actions: actions.iter().map(ToString::to_string).collect(),
            not_actions: not.iter().map(ToString::to_string).collect(),
            ..Permissions::default()
        };
        assert!(role(&["*"], &[]).allows(regenerate));
        assert!(role(&["microsoft.storage/*/regeneratekey/ACTION"], &[]).allows(regenerate));
        assert!(!role(&["*/read"], &[]).allows(regenerate));
        assert!(!role(&["*"], &["Microsoft.Storage/*"]).allows(regenerate));
        assert!(!role(&["Microsoft.Storage/storageAccounts/regenerateKey"], &[]).allows(regenerate));
    }
}
