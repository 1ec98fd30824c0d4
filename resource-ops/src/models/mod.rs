//! What the services say, one file for each resource.

mod principal;
mod resource_graph;
mod resource_group;
mod role_assignment;
mod role_definition;

pub use principal::{DirectoryPrincipal, PrincipalType};
pub use resource_graph::{
    AuthorizationScopeFilter, Facet, FacetRequest, FacetRequestOptions, QueryOptions, QueryRequest,
    QueryResponse, Quota, ResultFormat,
};
pub use resource_group::{ResourceGroup, ResourceGroupPatch, ResourceGroupSpec};
pub use role_assignment::{RoleAssignment, RoleAssignmentFilter, RoleAssignmentSpec};
pub use role_definition::{Permission, RoleDefinition, RoleType};
