#![doc = include_str!("../README.md")]

mod coverage;
mod investigate;

pub use coverage::{Advice, CoverageClient, CoverageFix, CoverageReport, Gap, VaultCoverage};
pub use investigate::{Investigate, Investigation, InvestigationsClient, VaultLog};
