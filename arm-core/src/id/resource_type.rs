use std::str::FromStr;

use crate::id::{IdError, check_segment};

/// The type of a resource, such as `Microsoft.KeyVault/vaults`.
#[derive(Clone)]
pub struct ResourceType {
    text: std::borrow::Cow<'static, str>,
}

crate::text_id!(ResourceType);

impl ResourceType {
    /// `Microsoft.KeyVault/vaults`
    pub const VAULT: Self = Self::known("Microsoft.KeyVault/vaults");
    /// `Microsoft.Compute/virtualMachines`
    pub const VIRTUAL_MACHINE: Self = Self::known("Microsoft.Compute/virtualMachines");
    /// `Microsoft.OperationalInsights/workspaces`
    pub const WORKSPACE: Self = Self::known("Microsoft.OperationalInsights/workspaces");

    const fn known(text: &'static str) -> Self {
        Self { text: std::borrow::Cow::Borrowed(text) }
    }

    /// Creates a type whose parts have already been checked as parts of a resource id.
    pub(crate) fn of_checked(text: String) -> Self {
        Self { text: text.into() }
    }

    /// Returns the namespace of the resource provider, such as `Microsoft.KeyVault`.
    pub fn namespace(&self) -> &str {
        self.text.split_once('/').map_or("", |(namespace, _)| namespace)
    }

    /// Returns the type without the namespace, such as `vaults` or `servers/databases`.
    pub fn kind(&self) -> &str {
        self.text.split_once('/').map_or("", |(_, kind)| kind)
    }
}

impl FromStr for ResourceType {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let segments: Vec<&str> = text.split('/').collect();
        segments.iter().try_for_each(|segment| check_segment("resource type", segment))?;
        if segments.len() < 2 || !segments[0].contains('.') {
            return Err(IdError::new(
                "resource type",
                text,
                "must have the form {namespace}/{type}, such as Microsoft.KeyVault/vaults",
            ));
        }
        Ok(Self { text: text.to_owned().into() })
    }
}
