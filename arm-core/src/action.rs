//! The actions that a role allows.

/// Whether a role's action pattern, in which `*` is a wildcard, covers an action. Case is ignored.
///
/// ```
/// assert!(arm_core::covers_action("Microsoft.KeyVault/*/read", "microsoft.keyvault/vaults/READ"));
/// assert!(!arm_core::covers_action("*/read", "Microsoft.KeyVault/vaults/write"));
/// ```
pub fn covers_action(pattern: &str, action: &str) -> bool {
    let (pattern, action) = (pattern.to_ascii_lowercase(), action.to_ascii_lowercase());
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
