//! Names and ids of vaults and secrets.

mod secret;
mod vault;

pub use secret::{SecretId, SecretName, SecretVersion};
pub(crate) use vault::deleted_vault;
pub use vault::{VaultId, VaultName};

/// The characters of vault and secret names, as a phrase for messages.
const CHARACTERS: &str = "may contain only letters, digits and hyphens";
