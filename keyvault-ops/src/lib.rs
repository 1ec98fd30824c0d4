#![doc = include_str!("../README.md")]

mod attributes;
mod body;
mod clean_up;
mod client;
mod ensure_vault;
mod error;
mod id;
mod ledger;
mod models;
mod random_value;
mod remove_vault;
mod retire_old_versions;
mod role_propagation;
mod rotate;
mod secrets;
mod seed;
mod set_secret;
mod settle;
mod sweep;
mod update_secret;
mod verify_single_active;

pub use clean_up::{CleanUpReport, CleanUpSecrets, Remains};
pub use client::{API_VERSION, VaultsClient};
pub use ensure_vault::EnsureVault;
pub use error::{SecretErrorExt, SecretRefusal, VaultErrorExt};
pub use id::{SecretId, SecretName, SecretVersion, VaultId, VaultName};
pub use ledger::{Ledger, LedgerAction, LedgerEntry, UnfinishedRotation, ValueSource};
pub use models::{
    AccessPolicy, AccessPolicyUpdateKind, DeletedSecret, DeletedVault, IpRule, NameAvailability,
    NetworkAction, NetworkBypass, NetworkRules, Permissions, PrivateEndpoint, PrivateEndpointConnection,
    PrivateEndpointConnectionProperties, PrivateLinkState, PrivateLinkStatus, ProvisioningState,
    PublicNetworkAccess, RecoveryLevel, SecretBackup, SecretBundle, SecretPermission, SecretProperties,
    SecretState, Sku, SkuName, SystemMetadata, UnavailableReason, Vault, VaultPatch, VaultPatchProperties,
    VaultProperties, VaultResource, VaultSpec, VirtualNetworkRule,
};
pub use random_value::random_value;
pub use remove_vault::{RemoveVault, VaultRemains};
pub use retire_old_versions::{RetireError, RetireFailure, RetireOldVersions, Retirement};
pub use role_propagation::RoleWait;
pub use rotate::{
    Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, IssuerReport, Rotate,
    RotateError, RotateFailure, RotateStep, Rotation, rotate_many,
};
pub use secrets::SecretsClient;
pub use seed::{SeedReport, SeedSecrets, Seeded, WhenDeleted};
pub use set_secret::SetSecret;
pub use sweep::{AlertsExpected, Sweep, SweepReport};
pub use update_secret::UpdateSecret;
pub use verify_single_active::ActiveVersions;
