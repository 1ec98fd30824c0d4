#![doc = include_str!("../README.md")]

mod client;
mod id;
mod models;
pub mod query;
mod tasks;

pub use client::{
    DirectoryClient, GraphScope, LocksClient, ManagementGroupsClient, PermissionsClient,
    PolicyAssignmentsClient, PolicyExemptionsClient, ProvidersClient, ResourceGraphClient,
    ResourceGroupsClient, RoleAssignmentsClient, RoleDefinitionsClient, SignInsClient, SubscriptionsClient,
    VirtualMachinesClient,
};
pub use id::{PrincipalId, ProviderNamespace, RoleAssignmentId, RoleId, VirtualMachineId};
pub use models::{
    AuthorizationScopeFilter, AvailabilityZoneMappings, Descendant, DescendantProperties, DirectoryPrincipal,
    ExecutionState, ExemptionCategory, Facet, FacetRequest, FacetRequestOptions, IdentityType,
    IdentityUpdate, InstanceView, InstanceViewStatus, Location, LocationMetadata, LocationType, Lock,
    LockLevel, LockProperties, LockSpec, MachineIdentity, OsType, PairedRegion, ParentGroup, Permission,
    PolicyAssignment, PolicyAssignmentProperties, PolicyExemption, PolicyExemptionSpec, PrincipalType,
    Provider, ProviderResourceType, QueryOptions, QueryRequest, QueryResponse, Quota, RegionCategory,
    RegionType, RegistrationState, ResourceGroup, ResourceGroupPatch, ResourceGroupSpec, ResultFormat,
    RoleAssignment, RoleAssignmentFilter, RoleAssignmentSpec, RoleDefinition, RoleType, RunCommandInput,
    RunCommandInputParameter, RunCommandInstanceView, RunCommandManagedIdentity, RunCommandProperties,
    RunCommandResult, ScriptSource, SignIn, Subscription, SubscriptionPolicies, SubscriptionState,
    UserAssignedIdentity, VirtualMachine, VirtualMachineRunCommand, VirtualMachineRunCommandSpec,
    VirtualMachineRunCommandUpdate, VirtualMachineUpdate, VmAgent,
};
pub use tasks::{
    EnableSystemIdentity, EnsureRegistered, EnsureResourceGroup, EnsureRoleAssignment, PrincipalSource,
    SignedInPrincipal,
};
