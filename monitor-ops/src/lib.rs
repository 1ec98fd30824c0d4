#![doc = include_str!("../README.md")]

mod client;
mod coverage;
mod decide_diagnostics;
mod ensure_diagnostics;
mod ensure_mail;
mod ensure_rule;
mod ensure_workspace;
mod evidence;
mod id;
pub mod kql;
mod models;
mod sentinel;
mod task;
mod vault;

pub use client::{
    ActionGroupsClient, DiagnosticsClient, IncidentFilter, LogsClient, QueryRulesClient, SentinelClient,
    WorkspacesClient,
};
pub use coverage::{
    CoverageClient, CoverageFix, CoverageReport, Gap, PlanFacts, SecurityStatus, VaultCoverage, VaultFacts,
    judge,
};
pub use ensure_diagnostics::{Category, DiagnosticSpec};
pub use evidence::{Evidence, GatherEvidence, LogSource};
pub use id::{CustomerId, MailAddress, WorkspaceId};
pub use kql::missing_table;
pub use models::*;
pub use sentinel::{InstalledRule, Onboarding, is_not_onboarded};
pub use task::Task;
