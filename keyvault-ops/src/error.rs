//! What a refusal of Key Vault means.

use arm_core::ArmErrorExt as _;
use azure_core::Error;

mod sealed {
    pub trait Sealed {}
    impl Sealed for azure_core::Error {}
}

/// Questions to an error of the control plane.
pub trait VaultErrorExt: sealed::Sealed {
    /// Another vault has the name: an open one anywhere in the cloud, or a soft-deleted one, which must be
    /// recovered or purged first.
    fn is_vault_name_taken(&self) -> bool;
}

impl VaultErrorExt for Error {
    fn is_vault_name_taken(&self) -> bool {
        self.is_conflict() && (self.is_code("VaultAlreadyExists") || self.is_code("ConflictError"))
    }
}
