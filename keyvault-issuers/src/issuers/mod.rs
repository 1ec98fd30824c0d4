//! The issuers.

mod resource_keys;

pub use resource_keys::ResourceKeyIssuer;
