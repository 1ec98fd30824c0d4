//! A new value for a secret, and the end of the old ones.

mod beside;
mod confirm;
mod credential;
mod error;
mod hooks;
mod issuer;
mod many;
mod member;
mod options;
mod report;
mod retire;
mod rotations;
mod run;
mod set;
mod wish;

use arm_core::Mode;

pub(in crate::tasks) use confirm::id_of;
pub use error::{RotateError, RotateFailure, RotateStep};
pub(in crate::tasks) use hooks::{Hooks, wait_until_moved};
pub use issuer::{Consumers, Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind};
pub use many::rotate_many;
pub use options::Rotate;
pub(in crate::tasks) use options::{CONSUMERS_LIMIT, ISSUER_LIMIT};
pub use report::{IssuerReport, Rotation};
pub use rotations::{ReportedRotation, RotationState, Rotations};
pub(in crate::tasks) use wish::ROTATING;

impl Rotate {
    fn mode(&self) -> Mode {
        if self.retire.dry_run { Mode::DryRun } else { Mode::Write }
    }

    async fn run(mut self, mode: Mode) -> Result<Rotation, RotateError> {
        self.retire.dry_run |= mode.is_dry_run();
        run::rotate(self).await
    }
}

arm_core::task!(own dry_run: Rotate => Rotation, RotateError);
