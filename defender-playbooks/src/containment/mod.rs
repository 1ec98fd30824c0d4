//! Shut the door on an attacker, with a record by which it is opened again.

mod access;
mod network;
mod plan;
mod report;
mod run;
mod secrets;

pub use access::RemovedRole;
pub use network::NarrowedNetwork;
pub use plan::{ContainmentPlan, ContainmentsClient, PlanContainment};
pub use report::ContainmentReport;
pub use run::{Contain, Undo};
pub use secrets::DisabledSecret;
