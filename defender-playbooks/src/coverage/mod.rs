//! Why a vault shows as not covered, and what to do about it.

mod fix;
mod judge;
mod report;

use arm_core::ArmClient;

pub use fix::CoverageFix;
pub use judge::{Advice, Gap, VaultCoverage};
pub use report::CoverageReport;

/// The coverage of key vaults: the subscription's plan, and for each vault its logs, network and access model.
///
/// Defender for Key Vault is switched on for a whole subscription. There is no plan for a single vault: a
/// vault shows as not covered because of its subscription's plan, never because of when it was created.
#[derive(Debug, Clone)]
pub struct CoverageClient {
    arm: ArmClient,
}

impl CoverageClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }
}
