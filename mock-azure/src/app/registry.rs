//! All parts of Azure that the double has.

use crate::{
    services::{
        action_groups, alerts, assessments, attack_paths, automations, diagnostic_settings, directory, keys,
        log_query, operations, permissions, pricings, providers, query_rules, resource_graph,
        resource_groups, resources, role_assignments, role_definitions, secrets, secure_scores,
        security_contacts, security_statuses, sentinel, sign_in, sub_assessments, subscriptions,
        suppression_rules, vaults, virtual_machines, workspaces,
    },
    state::Surface,
};

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
    permissions::SURFACE,
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
    keys::SURFACE,
    keys::data_plane::SURFACE,
    directory::SURFACE,
    sign_in::SURFACE,
];
