#![doc = include_str!("../README.md")]

mod client;
mod ensure_resource_group;
mod ensure_role_assignment;
mod id;
mod models;
pub mod query;
mod rows;
mod signed_in;

pub use client::{
    DirectoryClient, ResourceGraphClient, ResourceGroupsClient, RoleAssignmentsClient, RoleDefinitionsClient,
};
pub use ensure_resource_group::EnsureResourceGroup;
pub use ensure_role_assignment::EnsureRoleAssignment;
pub use id::{PrincipalId, ProviderNamespace, RoleAssignmentId, RoleId, VirtualMachineId};
pub use models::{
    AuthorizationScopeFilter, DirectoryPrincipal, Facet, FacetRequest, FacetRequestOptions, Permission,
    PrincipalType, QueryOptions, QueryRequest, QueryResponse, Quota, ResourceGroup, ResourceGroupPatch,
    ResourceGroupSpec, ResultFormat, RoleAssignment, RoleAssignmentFilter, RoleAssignmentSpec,
    RoleDefinition, RoleType,
};
pub use rows::GraphScope;
pub use signed_in::{PrincipalSource, SignedInPrincipal};
