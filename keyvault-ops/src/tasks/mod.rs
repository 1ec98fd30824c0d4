//! Tasks that take more than one request: each reads, decides, writes and verifies.

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

/// Converts the errors of tasks into `azure_core::Error`, with the same message and the task's error as the source.
macro_rules! into_azure_core {
    ($($error:ty),+) => {
        $(impl From<$error> for azure_core::Error {
            fn from(error: $error) -> Self {
                let message = error.to_string();
                Self::with_error(azure_core::error::ErrorKind::Other, error, message)
            }
        })+
    };
}

into_azure_core!(EndError, RetireError, RotateError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tasks_error_is_kept_below_the_error_of_requests() {
        let stopped = || RetireError { completed: None, source: RetireFailure::CurrentDisabled };
        let error = azure_core::Error::from(stopped());
        assert_eq!(error.to_string(), stopped().to_string());
        let kept = error.downcast_ref::<RetireError>().map(|kept| &kept.source);
        assert!(matches!(kept, Some(RetireFailure::CurrentDisabled)));
    }
}
