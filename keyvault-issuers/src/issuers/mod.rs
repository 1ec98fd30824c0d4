//! The issuers.

mod entra;
mod resource_keys;
mod webhook;

pub use entra::EntraPasswordIssuer;
pub use resource_keys::ResourceKeyIssuer;
pub use webhook::WebhookIssuer;
