//! Contains an attack, with a record that allows the containment to be undone.

mod access;
mod lock;
mod network;
mod plan;
mod report;
mod run;
mod secrets;
mod sign_in;

pub use access::RemovedRole;
pub use lock::VaultLock;
pub use network::NarrowedNetwork;
pub use plan::{ContainmentPlan, ContainmentsClient, PlanContainment};
pub use report::ContainmentReport;
pub use run::{Contain, Undo};
pub use secrets::DisabledSecret;
pub use sign_in::EndedSignIn;
