//! One client for each service, one method for each REST operation.

mod action_groups;
mod diagnostics;
mod logs;
mod query_rules;
mod sentinel;
mod workspaces;

pub use action_groups::ActionGroupsClient;
pub use diagnostics::DiagnosticsClient;
pub use logs::LogsClient;
pub use query_rules::QueryRulesClient;
pub use sentinel::{IncidentFilter, SentinelClient};
pub use workspaces::WorkspacesClient;
