//! Monitor, Log Analytics, Sentinel and automations, as any HTTP client sees them.

mod action_groups;
mod automations;
mod caller;
mod diagnostics;
mod logs;
mod query_rules;
mod sentinel;
mod workspaces;
