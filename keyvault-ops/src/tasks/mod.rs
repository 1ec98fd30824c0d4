//! What takes more than one request: each task reads, decides, writes and verifies.

mod clean_up;
mod due;
mod end_old_versions;
mod ensure_vault;
mod remove_vault;
mod retire_old_versions;
mod rotate;
mod seed;
mod settle;
mod sweep;
mod verify_single_active;

pub use clean_up::{CleanUpReport, CleanUpSecrets, Remains};
pub use due::{DueReason, DueSecret, DueSecrets};
pub use end_old_versions::{EndError, EndOldVersions, EndedVersions, OpenCredential};
pub use ensure_vault::EnsureVault;
pub use remove_vault::{RemoveVault, VaultRemains, VaultRemoval};
pub use retire_old_versions::{RetireError, RetireFailure, RetireOldVersions, Retirement};
pub use rotate::{
    Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, IssuerReport,
    ReportedRotation, Rotate, RotateError, RotateFailure, RotateStep, Rotation, RotationState, Rotations,
    rotate_many,
};
pub use seed::{SeedReport, SeedSecrets, Seeded, WhenDeleted};
pub use sweep::{AlertsExpected, Sweep, SweepReport};
pub use verify_single_active::ActiveVersions;
