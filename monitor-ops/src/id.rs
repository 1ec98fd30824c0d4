//! The ids and addresses of this crate.

use std::{fmt, str::FromStr};

use arm_core::{IdError, ResourceGroupId, ResourceId, ResourceType};
use uuid::Uuid;

/// The resource id of a Log Analytics workspace.
///
/// ```
/// use monitor_ops::WorkspaceId;
///
/// let id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-sec\
///           /providers/Microsoft.OperationalInsights/workspaces/law-sec";
/// assert_eq!(id.parse::<WorkspaceId>()?.name(), "law-sec");
/// assert!("/subscriptions/00000000-0000-0000-0000-000000000001".parse::<WorkspaceId>().is_err());
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WorkspaceId(ResourceId);

arm_core::as_text!(WorkspaceId);

impl WorkspaceId {
    /// Builds the id of a workspace in a resource group.
    ///
    /// # Errors
    ///
    /// The name does not have 4 to 63 letters, digits or `-`, or starts or ends with `-`.
    pub fn new(group: &ResourceGroupId, name: &str) -> Result<Self, IdError> {
        group.resource(&ResourceType::WORKSPACE, name)?.try_into()
    }

    /// The name of the workspace.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The same id as a [`ResourceId`](arm_core::ResourceId).
    pub fn as_resource(&self) -> &ResourceId {
        &self.0
    }

    /// The resource group of the workspace.
    ///
    /// # Errors
    ///
    /// The id contains no resource group.
    pub fn group(&self) -> Result<ResourceGroupId, IdError> {
        self.0
            .resource_group()
            .ok_or_else(|| IdError::new("workspace id", self.0.as_str(), "is not in a resource group"))
    }
}

impl TryFrom<ResourceId> for WorkspaceId {
    type Error = IdError;

    fn try_from(id: ResourceId) -> Result<Self, IdError> {
        let refuse = |rule| Err(IdError::new("workspace id", id.as_str(), rule));
        if !id.is(&ResourceType::WORKSPACE) || id.parent().is_some() {
            return refuse("is not the id of a Microsoft.OperationalInsights/workspaces resource");
        }
        let name = id.name();
        let fits = (4..=63).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !fits {
            return refuse(
                "the workspace name must have 4 to 63 letters, digits or '-', and must not start or end with '-'",
            );
        }
        Ok(Self(id))
    }
}

impl FromStr for WorkspaceId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse::<ResourceId>()?.try_into()
    }
}

impl fmt::Display for WorkspaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The GUID that identifies a workspace in log queries: its `customerId`, not its resource id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CustomerId(Uuid);

arm_core::as_text!(CustomerId);

impl FromStr for CustomerId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let rule = "must be a GUID such as 00000000-0000-0000-0000-000000000001 (the workspace's customerId)";
        Uuid::try_parse(text).map(Self).map_err(|_| IdError::new("workspace customer id", text, rule))
    }
}

impl fmt::Display for CustomerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An email address: a user name, one `@` and a dotted host name, without spaces.
#[derive(Clone)]
pub struct MailAddress {
    text: Box<str>,
}

arm_core::text_id!(MailAddress);

impl FromStr for MailAddress {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = text.split_once('@').is_some_and(|(user, host)| {
            let host_fits = host.contains('.')
                && host.split('.').all(|label| !label.is_empty())
                && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-'));
            !user.is_empty() && host_fits
        });
        if !fits || text.chars().any(|c| c.is_whitespace() || c.is_control()) || text.len() > 254 {
            return Err(IdError::new("mail address", text, "must look like name@example.com"));
        }
        Ok(Self { text: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_addresses_that_cannot_be_reached_are_refused() {
        for good in ["a@b.example", "first.last+tag@sub.contoso.example"] {
            assert_eq!(good.parse::<MailAddress>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "a",
            "@b.example",
            "a@",
            "a@b",
            "a@b.",
            "a@.b",
            "a b@c.example",
            "a@b@c.example",
            "a@b.example\n",
        ] {
            assert!(bad.parse::<MailAddress>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_workspaces_are_workspace_ids() {
        let id = |rest: &str| {
            format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/{rest}")
                .parse::<WorkspaceId>()
        };
        assert!(id("microsoft.operationalinsights/WORKSPACES/law-sec").is_ok());
        for bad in [
            "Microsoft.KeyVault/vaults/law-sec",
            "Microsoft.OperationalInsights/workspaces/law",
            "Microsoft.OperationalInsights/workspaces/law-",
            "Microsoft.OperationalInsights/workspaces/law-sec/tables/t",
        ] {
            assert!(id(bad).is_err(), "{bad}");
        }
    }
}
