//! The ids of this crate.

use std::{fmt, str::FromStr};

use arm_core::{IdError, ResourceGroupId, ResourceId, ResourceType, Scope};
use uuid::Uuid;

macro_rules! guid {
    ($(#[$meta:meta])* $name:ident, $what:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Creates the id from a GUID.
            pub const fn new(guid: Uuid) -> Self {
                Self(guid)
            }

            /// Returns the GUID.
            pub const fn guid(&self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let rule = "must be a GUID such as 00000000-0000-0000-0000-000000000001";
                text.parse().map(Self).map_err(|_| IdError::new($what, text, rule))
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                text.parse()
            }
        }

        arm_core::as_text!($name);
    };
}

guid! {
    /// The object id of a user, group or service principal in its tenant.
    PrincipalId, "principal id"
}

guid! {
    /// The GUID of a role definition. A built-in role has the same GUID in every subscription.
    ///
    /// ```
    /// use resource_ops::RoleId;
    ///
    /// let role: RoleId = "4633458b-17de-408a-b874-0445c86b69e6".parse()?;
    /// assert_eq!(role, RoleId::KEY_VAULT_SECRETS_USER);
    /// # Ok::<(), arm_core::IdError>(())
    /// ```
    RoleId, "role id"
}

impl RoleId {
    /// Owner: full access, including role assignments.
    pub const OWNER: Self = Self(uuid::uuid!("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"));
    /// Contributor: full access, except role assignments.
    pub const CONTRIBUTOR: Self = Self(uuid::uuid!("b24988ac-6180-42a0-ab88-20f7382dd24c"));
    /// Reader: reads all resources.
    pub const READER: Self = Self(uuid::uuid!("acdd72a7-3385-48ef-bd42-f606fba81ae7"));
    /// User Access Administrator: manages access to all resources.
    pub const USER_ACCESS_ADMINISTRATOR: Self = Self(uuid::uuid!("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"));
    /// Role Based Access Control Administrator: manages role assignments, often restricted by a condition.
    pub const ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR: Self =
        Self(uuid::uuid!("f58310d9-a9f6-439a-9e8d-f62e7b41a168"));
    /// Key Vault Secrets User: reads secret values.
    pub const KEY_VAULT_SECRETS_USER: Self = Self(uuid::uuid!("4633458b-17de-408a-b874-0445c86b69e6"));
    /// Key Vault Secrets Officer: performs any action on secrets, except managing permissions.
    pub const KEY_VAULT_SECRETS_OFFICER: Self = Self(uuid::uuid!("b86a8fe4-44ce-4948-aee5-eccb2c155cd7"));
    /// Key Vault Purge Operator: purges deleted vaults.
    pub const KEY_VAULT_PURGE_OPERATOR: Self = Self(uuid::uuid!("a68e7c17-0ab2-4c09-9a58-125dae29748c"));

    /// Returns the full id of the role definition, as used in assignments at this scope.
    pub fn definition_at(&self, scope: &Scope) -> String {
        let subscription = scope.subscription().map(|id| format!("/subscriptions/{id}")).unwrap_or_default();
        format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{self}")
    }
}

macro_rules! typed_resource {
    ($(#[$meta:meta])* $name:ident, $what:literal, $kind:literal) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(ResourceId);

        impl $name {
            /// Returns the same id as a [`ResourceId`].
            pub fn resource(&self) -> &ResourceId {
                &self.0
            }

            /// Returns the name, which is the last segment.
            pub fn name(&self) -> &str {
                self.0.name()
            }
        }

        impl TryFrom<ResourceId> for $name {
            type Error = IdError;

            fn try_from(id: ResourceId) -> Result<Self, IdError> {
                if id.resource_type().as_str().eq_ignore_ascii_case($kind) {
                    return Ok(Self(id));
                }
                Err(IdError::new($what, id.as_str(), concat!("must be the id of a ", $kind)))
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                text.parse::<ResourceId>()?.try_into()
            }
        }

        impl From<&$name> for Scope {
            fn from(id: &$name) -> Self {
                Self::Resource(id.0.clone())
            }
        }

        impl From<&$name> for arm_core::ArmPath {
            fn from(id: &$name) -> Self {
                Self::from(&id.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        arm_core::as_text!($name);
    };
}

typed_resource! {
    /// The id of a role assignment: its scope, and a GUID chosen by the caller that created it.
    RoleAssignmentId, "role assignment id", "Microsoft.Authorization/roleAssignments"
}

impl RoleAssignmentId {
    /// Creates the id of an assignment at a scope, with a name that you choose.
    ///
    /// # Errors
    ///
    /// The scope is a malformed [`ResourceId`].
    pub fn new(scope: &Scope, name: Uuid) -> Result<Self, IdError> {
        format!("{scope}/providers/Microsoft.Authorization/roleAssignments/{name}").parse()
    }

    /// Returns the id that this crate gives to the assignment of a role to a principal at a scope. It is always the
    /// same, so that a repeated call finds the existing assignment.
    ///
    /// # Errors
    ///
    /// The scope is a malformed [`ResourceId`].
    pub fn of(scope: &Scope, role: RoleId, principal: PrincipalId) -> Result<Self, IdError> {
        let what = format!("{}|{role}|{principal}", scope.to_string().to_ascii_lowercase());
        Self::new(scope, Uuid::new_v5(&Uuid::NAMESPACE_URL, what.as_bytes()))
    }
}

typed_resource! {
    /// The id of a virtual machine.
    VirtualMachineId, "virtual machine id", "Microsoft.Compute/virtualMachines"
}

impl VirtualMachineId {
    /// Creates the id of a machine in a resource group.
    ///
    /// # Errors
    ///
    /// The name is not a valid path segment.
    pub fn new(group: &ResourceGroupId, name: &str) -> Result<Self, IdError> {
        group.resource(&ResourceType::VIRTUAL_MACHINE, name).map(Self)
    }
}

/// The namespace of a resource provider, such as `Microsoft.Security`.
#[derive(Clone)]
pub struct ProviderNamespace {
    text: Box<str>,
}

arm_core::text_id!(ProviderNamespace);

impl FromStr for ProviderNamespace {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
        let parts = text.split('.').filter(|part| !part.is_empty()).count();
        if !allowed || parts < 2 || parts != text.split('.').count() {
            let rule = "must have the form Company.Service, such as Microsoft.Security";
            return Err(IdError::new("provider namespace", text, rule));
        }
        Ok(Self { text: text.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUB: &str = "00000000-0000-0000-0000-000000000001";

    #[test]
    fn an_assignment_has_the_same_name_every_time_whatever_the_case_of_its_scope() {
        let (role, principal) = (RoleId::READER, PrincipalId::new(Uuid::from_u128(7)));
        let name = |scope: &str| {
            RoleAssignmentId::of(&scope.parse().unwrap(), role, principal).unwrap().name().to_owned()
        };
        let one = name(&format!("/subscriptions/{SUB}/resourceGroups/rg"));
        assert_eq!(one, name(&format!("/subscriptions/{SUB}/resourcegroups/RG")));
        assert_ne!(one, name(&format!("/subscriptions/{SUB}")));
        let other =
            RoleAssignmentId::of(&format!("/subscriptions/{SUB}").parse().unwrap(), RoleId::OWNER, principal);
        assert_ne!(one, other.unwrap().name());
    }

    #[test]
    fn an_id_of_another_type_is_refused_and_says_what_it_should_be() {
        let vault = format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv");
        let message = vault.parse::<VirtualMachineId>().unwrap_err().to_string();
        assert!(message.contains("must be the id of a Microsoft.Compute/virtualMachines"), "{message}");
        for bad in ["Microsoft", "Microsoft.", "Microsoft.Security/pricings", ".Security", ""] {
            assert!(bad.parse::<ProviderNamespace>().is_err(), "{bad}");
        }
        let namespace: ProviderNamespace = "Microsoft.Security".parse().unwrap();
        assert_eq!(
            (namespace.to_string().as_str(), namespace.as_str()),
            ("Microsoft.Security", "Microsoft.Security")
        );
        let machine =
            format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm");
        let id: VirtualMachineId = machine.parse().unwrap();
        assert_eq!(
            (id.to_string(), format!("{id:?}")),
            (machine.clone(), format!("VirtualMachineId({machine})"))
        );
        assert!("not-a-guid".parse::<PrincipalId>().unwrap_err().to_string().contains("must be a GUID"));
    }

    #[test]
    fn a_role_at_a_management_group_has_no_subscription_in_its_id() {
        let group: Scope = "/providers/Microsoft.Management/managementGroups/mg".parse().unwrap();
        assert_eq!(
            RoleId::READER.definition_at(&group),
            "/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
        );
    }
}
