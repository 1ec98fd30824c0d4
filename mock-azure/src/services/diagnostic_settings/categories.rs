//! The log categories of each resource type.

use serde_json::{Value, json};

use crate::{http::Reply, state::World};

use super::{refuse, subject};

/// The kind of resource that a setting belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Subscription,
    Vault,
    Workspace,
    Workflow,
    VirtualMachine,
    SecurityGroup,
    Other,
}

/// A category and its groups. Metrics belong to no group.
pub(crate) type Category = (&'static str, &'static [&'static str]);

pub(crate) const METRICS: &str = "AllMetrics";

impl Subject {
    pub(crate) fn of(scope: &str) -> Self {
        let scope = scope.to_ascii_lowercase();
        let segments: Vec<&str> = scope.split('/').filter(|part| !part.is_empty()).collect();
        match segments.as_slice() {
            ["subscriptions", _] => Self::Subscription,
            [.., "microsoft.keyvault", "vaults", _] => Self::Vault,
            [.., "microsoft.operationalinsights", "workspaces", _] => Self::Workspace,
            [.., "microsoft.logic", "workflows", _] => Self::Workflow,
            [.., "microsoft.compute", "virtualmachines", _] => Self::VirtualMachine,
            [.., "microsoft.network", "networksecuritygroups", _] => Self::SecurityGroup,
            _ => Self::Other,
        }
    }

    pub(crate) fn categories(self) -> &'static [Category] {
        match self {
            Self::Subscription => &[
                ("Administrative", &["allLogs"]),
                ("Security", &["allLogs"]),
                ("ServiceHealth", &["allLogs"]),
                ("Alert", &["allLogs"]),
                ("Recommendation", &["allLogs"]),
                ("Policy", &["allLogs"]),
                ("Autoscale", &["allLogs"]),
                ("ResourceHealth", &["allLogs"]),
            ],
            Self::Vault => &[
                ("AuditEvent", &["audit", "allLogs"]),
                ("AzurePolicyEvaluationDetails", &["allLogs"]),
                (METRICS, &[]),
            ],
            Self::Workspace => {
                &[("Audit", &["audit", "allLogs"]), ("SummaryLogs", &["allLogs"]), (METRICS, &[])]
            }
            Self::Workflow => &[("WorkflowRuntime", &["allLogs"]), (METRICS, &[])],
            Self::VirtualMachine => &[(METRICS, &[])],
            Self::SecurityGroup => &[
                ("NetworkSecurityGroupEvent", &["allLogs"]),
                ("NetworkSecurityGroupRuleCounter", &["allLogs"]),
            ],
            Self::Other => &[],
        }
    }

    /// The log categories of a group.
    pub(crate) fn group(self, name: &str) -> Vec<&'static str> {
        let in_group = |groups: &[&str]| groups.iter().any(|group| group.eq_ignore_ascii_case(name));
        self.categories()
            .iter()
            .filter(|(_, groups)| in_group(groups))
            .map(|(category, _)| *category)
            .collect()
    }

    /// The category in the service's spelling.
    pub(crate) fn category(self, name: &str) -> Option<&'static str> {
        self.categories().iter().map(|(category, _)| *category).find(|known| known.eq_ignore_ascii_case(name))
    }

    /// Whether a setting that sends nothing is refused.
    pub(crate) fn must_send(self) -> bool {
        self != Self::SecurityGroup
    }

    /// Whether a setting shows the type of its destination table.
    pub(crate) fn tells_destination_type(self) -> bool {
        self != Self::Vault
    }
}

fn show(scope: &str, (name, groups): &Category) -> Value {
    let metrics = *name == METRICS;
    let mut properties = json!({ "categoryType": if metrics { "Metrics" } else { "Logs" } });
    if !metrics {
        properties["categoryGroups"] = json!(groups);
    }
    json!({
        "id": format!("{scope}/providers/microsoft.insights/diagnosticSettingsCategories/{name}"),
        "name": name,
        "type": "microsoft.insights/diagnosticSettingsCategories",
        "properties": properties,
    })
}

pub(crate) fn list(world: &World, scope: &str) -> Reply {
    match subject(world, scope) {
        Ok(subject) => {
            let all: Vec<Value> = subject.categories().iter().map(|category| show(scope, category)).collect();
            Reply::ok(json!({ "value": all }))
        }
        Err(refusal) => *refusal,
    }
}

pub(crate) fn get(world: &World, scope: &str, name: &str) -> Reply {
    let subject = match subject(world, scope) {
        Ok(subject) => subject,
        Err(refusal) => return *refusal,
    };
    match subject.categories().iter().find(|(category, _)| category.eq_ignore_ascii_case(name)) {
        Some(category) => Reply::ok(show(scope, category)),
        None => refuse(404, "NotFound", format!("The category '{name}' was not found for '{scope}'.")),
    }
}
