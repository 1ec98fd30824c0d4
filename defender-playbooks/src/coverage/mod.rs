//! Finds out why vaults are shown as not covered, and covers them.

mod fix;
mod judge;
mod report;

use arm_core::ArmClient;

pub use fix::CoverageFix;
pub use judge::{Advice, Gap, VaultCoverage};
pub use report::CoverageReport;

/// The coverage of key vaults: the subscription's plan, and the logs, network and access model of each vault.
///
/// Defender for Key Vault is turned on for a whole subscription; there is no plan for a single vault. A vault is shown
/// as not covered because of its subscription's plan, never because of when it was created.
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
