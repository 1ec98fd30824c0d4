//! Monitor, Log Analytics, Sentinel and automations, as any HTTP client sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod action_groups;
mod automations;
mod caller;
mod diagnostics;
mod logs;
mod query_rules;
mod sentinel;
mod sentinel_records;
mod workspaces;
