#![doc = include_str!("../README.md")]

mod client;
mod models;
mod tasks;

pub use client::{API_VERSION, PricingClient};
pub use models::{
    CoverageStatus, Extension, ExtensionName, OperationCode, OperationStatus, PlanName, Pricing, PricingSpec,
    SubPlan, Tier,
};
pub use tasks::{
    DisablePlan, EnablePlan, FailedExtension, PlanChange, PlanCoverage, RestorePlan, ScanReadiness,
    SecretScanning,
};
