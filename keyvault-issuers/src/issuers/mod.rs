//! The issuers.

mod entra;
mod resource_keys;

pub use entra::EntraPasswordIssuer;
pub use resource_keys::ResourceKeyIssuer;
