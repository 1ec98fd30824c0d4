#![doc = include_str!("../README.md")]

mod client;
mod enable_system_identity;
mod ensure_registered;
mod ensure_resource_group;
mod ensure_role_assignment;
mod id;
mod models;
pub mod query;
mod rows;
mod signed_in;

pub use client::{
    DirectoryClient, ProvidersClient, ResourceGraphClient, ResourceGroupsClient, RoleAssignmentsClient,
    RoleDefinitionsClient, SubscriptionsClient, VirtualMachinesClient,
};
pub use enable_system_identity::EnableSystemIdentity;
pub use ensure_registered::EnsureRegistered;
pub use ensure_resource_group::EnsureResourceGroup;
pub use ensure_role_assignment::EnsureRoleAssignment;
pub use id::{PrincipalId, ProviderNamespace, RoleAssignmentId, RoleId, VirtualMachineId};
pub use models::{
    AuthorizationScopeFilter, DirectoryPrincipal, ExecutionState, Facet, FacetRequest, FacetRequestOptions,
    IdentityType, IdentityUpdate, InstanceView, InstanceViewStatus, MachineIdentity, OsType, Permission,
    PrincipalType, Provider, ProviderResourceType, QueryOptions, QueryRequest, QueryResponse, Quota,
    RegistrationState, ResourceGroup, ResourceGroupPatch, ResourceGroupSpec, ResultFormat, RoleAssignment,
    RoleAssignmentFilter, RoleAssignmentSpec, RoleDefinition, RoleType, RunCommandInput,
    RunCommandInputParameter, RunCommandInstanceView, RunCommandManagedIdentity, RunCommandProperties,
    RunCommandResult, ScriptSource, Subscription, SubscriptionPolicies, SubscriptionState,
    UserAssignedIdentity, VirtualMachine, VirtualMachineRunCommand, VirtualMachineRunCommandSpec,
    VirtualMachineRunCommandUpdate, VirtualMachineUpdate, VmAgent,
};
pub use rows::GraphScope;
pub use signed_in::{PrincipalSource, SignedInPrincipal};
