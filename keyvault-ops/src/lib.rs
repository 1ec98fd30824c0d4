#![doc = include_str!("../README.md")]

mod client;
mod error;
mod id;
mod models;

pub use client::{API_VERSION, VaultsClient};
pub use error::VaultErrorExt;
pub use id::{SecretId, SecretName, SecretVersion, VaultId, VaultName};
pub use models::{
    AccessPolicy, AccessPolicyUpdateKind, DeletedVault, IpRule, NameAvailability, NetworkAction,
    NetworkBypass, NetworkRules, Permissions, PrivateEndpoint, PrivateEndpointConnection,
    PrivateEndpointConnectionProperties, PrivateLinkState, PrivateLinkStatus, ProvisioningState,
    PublicNetworkAccess, SecretPermission, Sku, SkuName, SystemMetadata, UnavailableReason, Vault,
    VaultPatch, VaultPatchProperties, VaultProperties, VaultResource, VaultSpec, VirtualNetworkRule,
};
