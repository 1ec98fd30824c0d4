//! The types that the operations return.

mod application;
mod keyed_resource;
mod permissions;
mod resource_keys;

pub use application::{
    AppManagementPolicy, AppRestrictions, Application, PasswordCredential, PasswordRestriction,
};
pub use keyed_resource::KeyedResource;
pub(crate) use keyed_resource::Wire as KeyedResourceWire;
pub use permissions::Permissions;
pub use resource_keys::{ResourceKey, ResourceKeys};
