//! The models of vaults and secrets.

mod access_policy;
mod deleted_vault;
mod name_availability;
mod network_rules;
mod secret;
mod vault;
mod vault_spec;

pub use access_policy::{AccessPolicy, AccessPolicyUpdateKind, Permissions, SecretPermission};
pub use deleted_vault::DeletedVault;
pub use name_availability::{NameAvailability, UnavailableReason};
pub use network_rules::{
    IpRule, NetworkAction, NetworkBypass, NetworkRules, PublicNetworkAccess, VirtualNetworkRule,
};
pub use secret::{DeletedSecret, RecoveryLevel, SecretBackup, SecretBundle, SecretProperties, SecretState};
pub(crate) use secret::{Wire, WirePage};
pub use vault::{
    PrivateEndpoint, PrivateEndpointConnection, PrivateEndpointConnectionProperties, PrivateLinkState,
    PrivateLinkStatus, ProvisioningState, Sku, SkuName, Vault, VaultProperties, VaultResource,
};
pub use vault_spec::{VaultPatch, VaultPatchProperties, VaultSpec};
