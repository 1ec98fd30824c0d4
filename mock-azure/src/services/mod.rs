//! The surfaces of the double, one file or folder each.
//!
//! To add one: a file here with a `SURFACE`; a `mod` line, a line in [`SURFACES`] and, if it
//! remembers more than ARM resources, a field in [`States`]. Its seeds are an `impl Seed` block in
//! its own file. A surface names the fields it needs and takes the others from [`Surface::EMPTY`].

mod action_groups;
mod alerts;
mod assessments;
mod attack_paths;
mod automations;
pub(crate) mod diagnostic_settings;
pub(crate) mod directory;
pub(crate) mod log_query;
mod operations;
mod pricings;
pub(crate) mod providers;
mod query_rules;
mod resource_graph;
pub(crate) mod resource_groups;
mod resources;
pub(crate) mod role_assignments;
mod role_definitions;
pub(crate) mod secrets;
mod secure_scores;
mod security_contacts;
mod security_plans;
mod security_statuses;
pub(crate) mod sentinel;
mod sign_in;
mod sub_assessments;
mod subscriptions;
mod suppression_rules;
pub(crate) mod tracked;
pub(crate) mod vaults;
mod virtual_machines;
pub(crate) mod workspaces;

use serde_json::Value;

use crate::{api_version::TypeVersions, call::Call, host::Service, reply::Reply, world::World};

/// Which kind of host a surface answers at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Management,
    Graph,
    LogAnalytics,
    Login,
    Vault,
}

impl At {
    fn of(service: &Service) -> Option<Self> {
        match service {
            Service::Management => Some(Self::Management),
            Service::Graph => Some(Self::Graph),
            Service::Login => Some(Self::Login),
            Service::LogAnalytics => Some(Self::LogAnalytics),
            Service::Vault(_) => Some(Self::Vault),
        }
    }
}

/// One part of Azure.
pub(crate) struct Surface {
    pub(crate) at: At,
    /// The resource types that it answers, with their api-versions; also what permissions are named after.
    pub(crate) types: &'static [TypeVersions],
    /// Lays out what a new subscription has.
    pub(crate) provision: Option<fn(&mut World, &str)>,
    /// What this surface adds to Resource Graph for one subscription, beside the ARM resources that
    /// it keeps in the world, which are in the tables `resources` and `resourcecontainers` anyway. It adds to
    /// other tables, whose names end with `resources`.
    pub(crate) graph_rows: Option<fn(&World, &str) -> Vec<GraphRow>>,
    /// Answers a request, or leaves it to the next surface.
    pub(crate) answer: fn(&mut World, &Call) -> Option<Reply>,
}

impl Surface {
    /// A surface that answers nothing.
    pub(crate) const EMPTY: Self =
        Self { at: At::Management, types: &[], provision: None, graph_rows: None, answer: |_, _| None };
}

/// A table of Resource Graph, in lower case, such as `securityresources`, and a row of it. A row has
/// `id`, `name`, `type` and `properties`; `tenantId`, `subscriptionId` and `resourceGroup` are added
/// where it lacks them.
pub(crate) type GraphRow = (&'static str, Value);

/// All surfaces, in the order in which they are asked.
pub(crate) const SURFACES: &[Surface] = &[
    operations::SURFACE,
    subscriptions::SURFACE,
    providers::SURFACE,
    resource_groups::SURFACE,
    resources::SURFACE,
    resource_graph::SURFACE,
    role_definitions::SURFACE,
    role_assignments::SURFACE,
    pricings::SURFACE,
    alerts::SURFACE,
    suppression_rules::SURFACE,
    sub_assessments::SURFACE,
    assessments::SURFACE,
    assessments::metadata::SURFACE,
    attack_paths::SURFACE,
    secure_scores::SURFACE,
    security_contacts::SURFACE,
    security_statuses::SURFACE,
    vaults::SURFACE,
    virtual_machines::SURFACE,
    diagnostic_settings::SURFACE,
    workspaces::SURFACE,
    log_query::SURFACE,
    action_groups::SURFACE,
    query_rules::SURFACE,
    sentinel::SURFACE,
    automations::SURFACE,
    secrets::SURFACE,
    directory::SURFACE,
    sign_in::SURFACE,
];

/// The answer of the first surface that knows the request.
pub(crate) fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let at = At::of(&call.host.service)?;
    SURFACES.iter().filter(|surface| surface.at == at).find_map(|surface| (surface.answer)(world, call))
}

/// What each service remembers beside its ARM resources.
#[derive(Debug, Default)]
pub(crate) struct States {
    pub(crate) alerts: alerts::Alerts,
    pub(crate) attack_paths: attack_paths::AttackPaths,
    pub(crate) automations: automations::Automations,
    pub(crate) connected: sentinel::Connected,
    pub(crate) diagnostics: diagnostic_settings::Routes,
    pub(crate) directory: directory::Directory,
    pub(crate) notifications: action_groups::Notifications,
    pub(crate) pricings: pricings::PricingState,
    pub(crate) providers: providers::Providers,
    pub(crate) queries: log_query::Queries,
    pub(crate) resource_graph: resource_graph::ResourceGraph,
    pub(crate) roles: role_assignments::Roles,
    pub(crate) secrets: secrets::SecretState,
    pub(crate) sub_assessments: sub_assessments::SubAssessments,
    pub(crate) subscriptions: subscriptions::Subscriptions,
    pub(crate) vaults: vaults::VaultState,
    pub(crate) virtual_machines: virtual_machines::VirtualMachines,
    pub(crate) workspaces: workspaces::Workspaces,
}
