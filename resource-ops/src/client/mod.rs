//! One file for each client, one method for each REST operation.

mod directory;
mod resource_graph;
mod resource_groups;
mod role_assignments;
mod role_definitions;

pub use directory::DirectoryClient;
pub use resource_graph::ResourceGraphClient;
pub use resource_groups::ResourceGroupsClient;
pub use role_assignments::RoleAssignmentsClient;
pub use role_definitions::RoleDefinitionsClient;
