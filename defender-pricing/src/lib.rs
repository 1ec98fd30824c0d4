#![doc = include_str!("../README.md")]

mod client;
mod coverage;
mod disable;
mod enable;
mod models;
mod secret_scanning;
mod update;

pub use client::{API_VERSION, PricingClient};
pub use coverage::PlanCoverage;
pub use disable::DisablePlan;
pub use enable::EnablePlan;
pub use models::{
    CoverageStatus, Extension, ExtensionName, OperationCode, OperationStatus, PlanName, Pricing, PricingSpec,
    SubPlan, Tier,
};
pub use secret_scanning::{ScanReadiness, SecretScanning};
pub use update::{FailedExtension, PlanChange};
