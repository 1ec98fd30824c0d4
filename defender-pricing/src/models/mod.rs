//! Models of plans and their extensions.

mod extension;
mod names;
mod pricing;

pub use extension::{Extension, OperationCode, OperationStatus};
pub use names::{CoverageStatus, ExtensionName, PlanName, SubPlan, Tier};
pub use pricing::{Pricing, PricingSpec};
