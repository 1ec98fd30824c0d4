#![doc = include_str!("../README.md")]

mod attributes;
mod client;
mod error;
mod id;
mod models;
mod role_propagation;
mod secrets;
mod set_secret;
mod settle;
mod update_secret;

pub use client::{API_VERSION, VaultsClient};
pub use error::{SecretErrorExt, SecretRefusal, VaultErrorExt};
pub use id::{SecretId, SecretName, SecretVersion, VaultId, VaultName};
pub use models::{
    AccessPolicy, AccessPolicyUpdateKind, DeletedSecret, DeletedVault, IpRule, NameAvailability,
    NetworkAction, NetworkBypass, NetworkRules, Permissions, PrivateEndpoint, PrivateEndpointConnection,
    PrivateEndpointConnectionProperties, PrivateLinkState, PrivateLinkStatus, ProvisioningState,
    PublicNetworkAccess, RecoveryLevel, SecretBackup, SecretBundle, SecretPermission, SecretProperties,
    SecretState, Sku, SkuName, SystemMetadata, UnavailableReason, Vault, VaultPatch, VaultPatchProperties,
    VaultProperties, VaultResource, VaultSpec, VirtualNetworkRule,
};
pub use role_propagation::RoleWait;
pub use secrets::SecretsClient;
pub use set_secret::SetSecret;
pub use update_secret::UpdateSecret;
