//! One method for each operation, or for each kind of operation that all these types share.

mod applications;
mod resource_keys;

pub use applications::ApplicationsClient;
pub use resource_keys::KeyedResourcesClient;
pub(crate) use resource_keys::kind_of;
