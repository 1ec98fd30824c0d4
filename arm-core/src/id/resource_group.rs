use std::{fmt, str::FromStr};

use crate::{
    IdError, ResourceGroupName, SubscriptionId,
    id::subscription::{GUID_RULE, is_guid},
};

/// The id of a resource group: its subscription and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ResourceGroupId {
    subscription: SubscriptionId,
    name: ResourceGroupName,
}

impl ResourceGroupId {
    /// Creates the id of the group with this name in this subscription.
    pub fn new(subscription: SubscriptionId, name: ResourceGroupName) -> Self {
        Self { subscription, name }
    }

    /// Returns the subscription of the group.
    pub fn subscription(&self) -> &SubscriptionId {
        &self.subscription
    }

    /// Returns the name of the group.
    pub fn name(&self) -> &ResourceGroupName {
        &self.name
    }
}

impl SubscriptionId {
    /// Returns the id of a resource group in this subscription.
    ///
    /// # Errors
    ///
    /// The name is not a valid [`ResourceGroupName`].
    pub fn resource_group(&self, name: &str) -> Result<ResourceGroupId, IdError> {
        Ok(ResourceGroupId::new(self.clone(), name.parse::<ResourceGroupName>()?))
    }
}

impl fmt::Display for ResourceGroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "/subscriptions/{}/resourceGroups/{}", self.subscription, self.name)
    }
}

impl FromStr for ResourceGroupId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let segments: Vec<&str> = text.strip_prefix('/').unwrap_or_default().split('/').collect();
        match segments.as_slice() {
            [subscriptions, subscription, groups, name]
                if subscriptions.eq_ignore_ascii_case("subscriptions")
                    && groups.eq_ignore_ascii_case("resourceGroups") =>
            {
                if !is_guid(subscription) {
                    return Err(IdError::new("resource group id", *subscription, GUID_RULE));
                }
                Ok(Self::new(subscription.parse()?, name.parse()?))
            }
            _ => Err(IdError::new(
                "resource group id",
                text,
                "must have the form /subscriptions/{guid}/resourceGroups/{name}",
            )),
        }
    }
}

crate::as_text!(ResourceGroupId);
