use std::{fmt, str::FromStr};

use crate::{
    IdError, ManagementGroupId, ResourceGroupId, ResourceId, SubscriptionId, id::management_group::PREFIX,
};

/// The scope to which a plan, a role assignment or a setting applies.
///
/// The ids of these four kinds convert into a scope, by value or by reference, so methods that take `impl Into<Scope>`
/// also take a `&SubscriptionId`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A subscription.
    Subscription(SubscriptionId),
    /// A resource group.
    ResourceGroup(ResourceGroupId),
    /// A single resource.
    Resource(ResourceId),
    /// A management group.
    ManagementGroup(ManagementGroupId),
}

impl Scope {
    /// Returns the subscription that the scope is or belongs to; `None` for a management group or a tenant-level
    /// resource.
    pub fn subscription(&self) -> Option<SubscriptionId> {
        match self {
            Self::Subscription(id) => Some(id.clone()),
            Self::ResourceGroup(id) => Some(id.subscription().clone()),
            Self::Resource(id) => id.subscription(),
            Self::ManagementGroup(_) => None,
        }
    }
}

/// Whether a resource or scope is a scope, or lies below it, by their ids. Case and a final `/` of the scope are ignored.
///
/// ```
/// let vault = "/subscriptions/1/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-prod";
/// assert!(arm_core::is_at_or_below(&format!("{vault}/secrets/db"), vault));
/// assert!(!arm_core::is_at_or_below(&format!("{vault}-2"), vault));
/// ```
pub fn is_at_or_below(id: &str, scope: &str) -> bool {
    let (id, scope) = (id.to_ascii_lowercase(), scope.trim_end_matches('/').to_ascii_lowercase());
    id.strip_prefix(&scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Subscription(id) => write!(f, "/subscriptions/{id}"),
            Self::ResourceGroup(id) => id.fmt(f),
            Self::Resource(id) => id.fmt(f),
            Self::ManagementGroup(id) => write!(f, "{PREFIX}{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let Some(rest) = text.strip_prefix('/') else {
            return Err(IdError::new("scope", text, "must begin with '/'"));
        };
        let segments: Vec<&str> = rest.split('/').collect();
        let subscriptions = segments[0].eq_ignore_ascii_case("subscriptions");
        match segments.len() {
            2 if subscriptions => Ok(Self::Subscription(segments[1].parse()?)),
            4 if subscriptions && segments[2].eq_ignore_ascii_case("resourceGroups") => {
                Ok(Self::ResourceGroup(text.parse()?))
            }
            4 if text.get(..PREFIX.len()).is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX)) => {
                Ok(Self::ManagementGroup(text.parse()?))
            }
            _ => Ok(Self::Resource(text.parse()?)),
        }
    }
}

crate::as_text!(Scope);

macro_rules! scope_from {
    ($($id:ident => $variant:ident),* $(,)?) => {$(
        impl From<$id> for Scope {
            fn from(id: $id) -> Self {
                Self::$variant(id)
            }
        }

        impl From<&$id> for Scope {
            fn from(id: &$id) -> Self {
                Self::$variant(id.clone())
            }
        }
    )*};
}

scope_from! {
    SubscriptionId => Subscription,
    ResourceGroupId => ResourceGroup,
    ResourceId => Resource,
    ManagementGroupId => ManagementGroup,
}

impl From<&Scope> for Scope {
    fn from(scope: &Scope) -> Self {
        scope.clone()
    }
}
