#![doc = include_str!("../README.md")]

mod client;
mod ensure_resource_group;
mod ensure_role_assignment;
mod id;
mod models;
mod signed_in;

pub use client::{DirectoryClient, ResourceGroupsClient, RoleAssignmentsClient, RoleDefinitionsClient};
pub use ensure_resource_group::EnsureResourceGroup;
pub use ensure_role_assignment::EnsureRoleAssignment;
pub use id::{PrincipalId, ProviderNamespace, RoleAssignmentId, RoleId, VirtualMachineId};
pub use models::{
    DirectoryPrincipal, Permission, PrincipalType, ResourceGroup, ResourceGroupPatch, ResourceGroupSpec,
    RoleAssignment, RoleAssignmentFilter, RoleAssignmentSpec, RoleDefinition, RoleType,
};
pub use signed_in::{PrincipalSource, SignedInPrincipal};
