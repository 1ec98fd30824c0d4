//! Models, with one file for each resource.

mod descendant;
mod location;
mod lock;
mod managed_run_command;
mod policy_assignment;
mod policy_exemption;
mod principal;
mod provider;
mod resource_graph;
mod resource_group;
mod role_assignment;
mod role_definition;
mod run_command;
mod sign_in;
mod subscription;
mod virtual_machine;

pub use descendant::{Descendant, DescendantProperties, ParentGroup};
pub use location::{
    AvailabilityZoneMappings, Location, LocationMetadata, LocationType, PairedRegion, RegionCategory,
    RegionType,
};
pub use lock::{Lock, LockLevel, LockProperties, LockSpec};
pub use managed_run_command::{
    ExecutionState, RunCommandInstanceView, RunCommandManagedIdentity, RunCommandProperties, ScriptSource,
    VirtualMachineRunCommand, VirtualMachineRunCommandSpec, VirtualMachineRunCommandUpdate,
};
pub use policy_assignment::{PolicyAssignment, PolicyAssignmentProperties};
pub use policy_exemption::{ExemptionCategory, PolicyExemption, PolicyExemptionSpec};
pub use principal::{DirectoryPrincipal, PrincipalType};
pub use provider::{Provider, ProviderResourceType, RegistrationState};
pub use resource_graph::{
    AuthorizationScopeFilter, Facet, FacetRequest, FacetRequestOptions, QueryOptions, QueryRequest,
    QueryResponse, Quota, ResultFormat,
};
pub use resource_group::{ResourceGroup, ResourceGroupPatch, ResourceGroupSpec};
pub use role_assignment::{RoleAssignment, RoleAssignmentFilter, RoleAssignmentSpec};
pub use role_definition::{Permission, RoleDefinition, RoleType};
pub use run_command::{RunCommandInput, RunCommandInputParameter, RunCommandResult};
pub use sign_in::SignIn;
pub use subscription::{Subscription, SubscriptionPolicies, SubscriptionState};
pub use virtual_machine::{
    IdentityType, IdentityUpdate, InstanceView, InstanceViewStatus, MachineIdentity, OsType,
    UserAssignedIdentity, VirtualMachine, VirtualMachineUpdate, VmAgent,
};
