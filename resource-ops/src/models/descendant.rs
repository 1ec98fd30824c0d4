use arm_core::{ManagementGroupId, SubscriptionId, wire};
use serde::Deserialize;

/// A management group or subscription below a management group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descendant {
    /// The full id, such as `/subscriptions/{id}` or `/providers/Microsoft.Management/managementGroups/{name}`.
    pub id: String,
    /// The name; for a subscription, its GUID.
    #[serde(default)]
    pub name: String,
    /// `Microsoft.Management/managementGroups` or `/subscriptions`.
    #[serde(default, rename = "type")]
    pub resource_type: String,
    /// The display name and the parent.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub properties: DescendantProperties,
}

/// The properties of a [`Descendant`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DescendantProperties {
    /// The display name.
    pub display_name: Option<String>,
    /// The management group directly above.
    pub parent: Option<ParentGroup>,
}

/// The management group directly above a [`Descendant`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct ParentGroup {
    /// The full id, such as `/providers/Microsoft.Management/managementGroups/{name}`.
    #[serde(default)]
    pub id: String,
}

impl Descendant {
    /// Returns the subscription id; `None` if this is a management group.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        let (before, id) = self.id.rsplit_once('/')?;
        before.to_ascii_lowercase().ends_with("/subscriptions").then(|| id.parse().ok()).flatten()
    }

    /// Returns the management group's name; `None` if this is a subscription.
    pub fn management_group(&self) -> Option<ManagementGroupId> {
        if self.subscription().is_some() { None } else { self.id.parse().ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descendant_is_a_subscription_or_a_group() {
        let read =
            |id: &str| -> Descendant { serde_json::from_value(serde_json::json!({ "id": id })).unwrap() };
        let id = "00000000-0000-0000-0000-000000000002";
        let plain = read(&format!("/subscriptions/{id}"));
        assert_eq!((plain.subscription().unwrap().as_str(), plain.management_group()), (id, None));
        let group = read("/providers/Microsoft.Management/managementGroups/mg-prod");
        assert_eq!((group.subscription(), group.management_group().unwrap().as_str()), (None, "mg-prod"));
        assert_eq!(read("/subscriptions/none").subscription(), None);
    }
}
