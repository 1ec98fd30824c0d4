//! Tasks of several requests, each in its own file with the method that starts it.

mod ensure_owner;
mod exempt;
mod find_attack_paths;
mod find_secrets;
mod list_across;
mod list_key_vault;
mod posture;
mod set_status;

pub use ensure_owner::EnsureOwner;
pub use exempt::{Exempt, Exempted, Exemption, ExemptionReason};
pub use find_attack_paths::AttackPaths;
pub use find_secrets::{SecretFindings, SecretFindingsClient, SourceState};
pub use posture::{PlanState, PostureCoverage};
pub use set_status::{AlertAction, SetStatus, SetStatusReport};
