//! One method per operation, or per kind of operation that the resource types share.

mod applications;
mod resource_keys;

pub use applications::ApplicationsClient;
pub use resource_keys::KeyedResourcesClient;
pub(crate) use resource_keys::kind_of;
