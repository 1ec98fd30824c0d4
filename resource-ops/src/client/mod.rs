//! Clients, with one method for each REST operation.

mod directory;
mod locks;
mod management_groups;
mod permissions;
mod policy_assignments;
mod policy_exemptions;
mod providers;
mod resource_graph;
mod resource_groups;
mod role_assignments;
mod role_definitions;
mod rows;
mod sign_ins;
mod subscriptions;
mod virtual_machines;

pub use directory::DirectoryClient;
pub use locks::LocksClient;
pub use management_groups::ManagementGroupsClient;
pub use permissions::PermissionsClient;
pub use policy_assignments::PolicyAssignmentsClient;
pub use policy_exemptions::PolicyExemptionsClient;
pub use providers::ProvidersClient;
pub use resource_graph::ResourceGraphClient;
pub use resource_groups::ResourceGroupsClient;
pub use role_assignments::RoleAssignmentsClient;
pub use role_definitions::RoleDefinitionsClient;
pub use rows::GraphScope;
pub use sign_ins::SignInsClient;
pub use subscriptions::SubscriptionsClient;
pub use virtual_machines::VirtualMachinesClient;
