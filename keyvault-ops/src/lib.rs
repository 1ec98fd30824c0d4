#![doc = include_str!("../README.md")]

mod client;
mod error;
mod id;
mod ledger;
mod models;
mod random_value;
mod tasks;

pub use client::{API_VERSION, RoleWait, SecretsClient, SetSecret, UpdateSecret, VaultsClient};
pub use error::{SecretErrorExt, SecretRefusal, VaultErrorExt};
pub use id::{SecretId, SecretName, SecretVersion, VaultId, VaultName};
pub use ledger::{Ledger, LedgerAction, LedgerEntry, UnfinishedRotation, ValueSource};
pub use models::{
    AccessPolicy, AccessPolicyUpdateKind, DeletedSecret, DeletedVault, IpRule, NameAvailability,
    NetworkAction, NetworkBypass, NetworkRules, Permissions, PrivateEndpoint, PrivateEndpointConnection,
    PrivateEndpointConnectionProperties, PrivateLinkState, PrivateLinkStatus, ProvisioningState,
    PublicNetworkAccess, RecoveryLevel, SecretBackup, SecretBundle, SecretPermission, SecretProperties,
    SecretState, Sku, SkuName, UnavailableReason, Vault, VaultPatch, VaultPatchProperties, VaultProperties,
    VaultResource, VaultSpec, VirtualNetworkRule,
};
pub use random_value::random_value;
pub use tasks::{
    ActiveVersions, AlertsExpected, CleanUpReport, CleanUpSecrets, Consumers, Credential, CredentialRequest,
    DueReason, DueSecret, DueSecrets, EndError, EndOldVersions, EndedVersions, EnsureVault, FoundCredential,
    Issuer, IssuerKind, IssuerReport, OpenCredential, Remains, RemoveVault, ReportedRotation, RetireError,
    RetireFailure, RetireOldVersions, Retirement, Rotate, RotateError, RotateFailure, RotateStep, Rotation,
    RotationState, Rotations, SeedReport, SeedSecrets, Seeded, Sweep, SweepReport, VaultRemains,
    VaultRemoval, WhenDeleted, rotate_many,
};
