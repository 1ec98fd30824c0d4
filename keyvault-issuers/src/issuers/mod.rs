//! The issuers.

mod entra;
#[cfg(feature = "postgres")]
mod postgres;
mod resource_keys;
mod webhook;

pub use entra::EntraPasswordIssuer;
#[cfg(feature = "postgres")]
pub use postgres::PostgresRoleIssuer;
pub use resource_keys::ResourceKeyIssuer;
pub use webhook::WebhookIssuer;
