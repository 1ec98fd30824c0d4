#![doc = include_str!("../README.md")]

mod client;
mod id;
pub mod kql;
mod models;
mod tasks;

pub use client::{
    ActionGroupsClient, DiagnosticsClient, IncidentFilter, LogsClient, QueryRulesClient, SentinelClient,
    WorkspacesClient,
};
pub use id::{CustomerId, MailAddress, WorkspaceId};
pub use kql::missing_table;
pub use models::*;
pub use tasks::{
    EnsureWorkspace, Evidence, GatherEvidence, InstalledRule, LogSource, Onboarding, is_not_onboarded,
};
