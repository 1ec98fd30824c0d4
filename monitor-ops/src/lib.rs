#![doc = include_str!("../README.md")]

mod client;
mod id;
pub mod kql;
mod models;
mod tasks;
mod vault;

pub use client::{
    ActionGroupsClient, DiagnosticsClient, IncidentFilter, LogsClient, QueryRulesClient, SentinelClient,
    WorkspacesClient,
};
pub use id::{CustomerId, MailAddress, WorkspaceId};
pub use kql::missing_table;
pub use models::*;
pub use tasks::{
    Category, CoverageClient, CoverageFix, CoverageReport, DiagnosticSpec, Evidence, Gap, GatherEvidence,
    InstalledRule, LogSource, Onboarding, PlanFacts, SecurityStatus, VaultCoverage, VaultFacts,
    is_not_onboarded, judge,
};
