#![doc = include_str!("../README.md")]

pub mod containment;
mod coverage;
pub mod findings;
mod investigate;
pub mod leaks;
pub mod overview;
pub mod plan;
mod preflight;
mod readers;

/// The crates that this crate combines, whose types appear in its signatures.
pub use {
    arm_core, defender_alerts, defender_automation, defender_pricing, keyvault_ops, monitor_ops, resource_ops,
};

pub use coverage::{Advice, CoverageClient, CoverageFix, CoverageReport, Gap, VaultCoverage};
pub use investigate::{Investigate, Investigation, InvestigationsClient, VaultLog};
pub use preflight::{Needs, preflight};
pub use readers::{Movement, Reader, Readers, VaultReaders};
