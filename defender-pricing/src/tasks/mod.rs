//! Tasks of several requests, each in its own file with the method that starts it.

mod coverage;
mod disable;
mod enable;
mod restore;
mod secret_scanning;
mod update;

pub use coverage::PlanCoverage;
pub use disable::DisablePlan;
pub use enable::EnablePlan;
pub use restore::RestorePlan;
pub use secret_scanning::{ScanReadiness, SecretScanning};
pub use update::{FailedExtension, PlanChange};
