//! The surfaces of the double, one file or folder each.
//!
//! To add one, add a file here with a `SURFACE`, a `mod` line, and a line in `app/registry.rs`. State beyond ARM
//! resources goes into a type of its own, stored in `World::states`. Seeds are an `impl Seed` block in the same file. A
//! surface sets the fields that it needs and takes the others from `Surface::EMPTY`.

pub(crate) mod accounts;
pub(crate) mod action_groups;
pub(crate) mod activity_log;
pub(crate) mod alerts;
pub(crate) mod applications;
pub(crate) mod assessments;
pub(crate) mod attack_paths;
pub(crate) mod automations;
pub(crate) mod clouds;
pub(crate) mod data_sources;
pub(crate) mod diagnostic_settings;
pub(crate) mod directory;
pub(crate) mod exemptions;
pub(crate) mod governance_assignments;
pub(crate) mod keys;
pub(crate) mod listed;
pub(crate) mod locations;
pub(crate) mod locks;
pub(crate) mod log_query;
pub(crate) mod managed_identity;
pub(crate) mod management_groups;
pub(crate) mod metrics;
pub(crate) mod operations;
pub(crate) mod organization;
pub(crate) mod permissions;
pub(crate) mod policy_assignments;
pub(crate) mod policy_exemptions;
pub(crate) mod policy_refusals;
pub(crate) mod pricings;
pub(crate) mod providers;
pub(crate) mod query_rules;
pub(crate) mod resource_graph;
pub(crate) mod resource_groups;
pub(crate) mod resources;
pub(crate) mod role_assignments;
pub(crate) mod role_definitions;
pub(crate) mod secrets;
pub(crate) mod secure_scores;
pub(crate) mod security_contacts;
pub(crate) mod security_plans;
pub(crate) mod security_settings;
pub(crate) mod security_statuses;
pub(crate) mod sentinel;
pub(crate) mod sign_in;
pub(crate) mod standard_assignments;
pub(crate) mod sub_assessments;
pub(crate) mod subscriptions;
pub(crate) mod suppression_rules;
pub(crate) mod tags;
pub(crate) mod vaults;
pub(crate) mod virtual_machines;
pub(crate) mod workspaces;
