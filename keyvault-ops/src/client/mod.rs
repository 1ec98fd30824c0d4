//! One client per service, with one method per operation.

mod attributes;
mod body;
mod role_propagation;
mod secrets;
mod set_secret;
mod update_secret;
mod vaults;

pub(crate) use attributes::{TAG_LENGTH, TAG_LIMIT};
pub use role_propagation::RoleWait;
pub use secrets::SecretsClient;
pub use set_secret::SetSecret;
pub(crate) use set_secret::check_value;
pub use update_secret::UpdateSecret;
pub use vaults::{API_VERSION, VaultsClient};
