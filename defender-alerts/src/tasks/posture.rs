//! Reads whether the scans for secrets and attack paths are on.

use std::collections::BTreeMap;

use arm_core::{SubscriptionId, wire};
use azure_core::Result;
use futures::TryStreamExt as _;
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table, column},
};
use serde::Deserialize;

/// Whether a plan or extension is on in a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanState {
    /// The plan or extension is on.
    On,
    /// The plan or extension is off.
    Off,
    /// The state is unknown: the caller may not read it, or Resource Graph does not have it yet.
    NotKnown,
}

impl PlanState {
    fn of(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// Defender's coverage of one subscription. Whatever is not covered may contain secrets, even if no findings are
/// returned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PostureCoverage {
    /// The subscription.
    pub subscription: SubscriptionId,
    /// The state of Defender CSPM, the plan `CloudPosture`, which finds attack paths, and secrets in code and
    /// deployments.
    pub cspm: PlanState,
    /// The state of the extension `AgentlessVmScanning`, of Defender CSPM or Servers P2, which finds secrets on
    /// machines.
    pub machine_scanning: PlanState,
}

impl PostureCoverage {
    /// Whether both are on. Only then can an empty result mean that there are no secrets.
    pub fn is_full(&self) -> bool {
        self.cspm == PlanState::On && self.machine_scanning == PlanState::On
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    id: String,
    #[serde(with = "wire::text")]
    name: String,
    subscription_id: SubscriptionId,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    properties: Plan,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Plan {
    #[serde(with = "wire::text")]
    pricing_tier: String,
    #[serde(deserialize_with = "wire::without_nulls")]
    extensions: Vec<Extension>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    #[serde(default, with = "wire::text")]
    name: String,
    #[serde(default, with = "wire::text")]
    is_enabled: String,
}

impl Plan {
    fn is_on(&self) -> bool {
        self.pricing_tier.eq_ignore_ascii_case("Standard")
    }

    fn scans_machines(&self) -> bool {
        self.is_on()
            && self.extensions.iter().any(|extension| {
                extension.name.eq_ignore_ascii_case("AgentlessVmScanning")
                    && extension.is_enabled.eq_ignore_ascii_case("true")
            })
    }
}

/// Returns Defender's coverage of each subscription in a scope, ordered by id. Not all of them need to have rows: those
/// that Resource Graph shows without any are not known.
pub(crate) async fn coverage(graph: &ResourceGraphClient, scope: GraphScope) -> Result<Vec<PostureCoverage>> {
    let query = GraphQuery::table(Table::SecurityResources)
        .of_type("microsoft.security/pricings")
        .filter(column("name").is_any_of(["CloudPosture", "VirtualMachines"]));
    let mut found: BTreeMap<String, PostureCoverage> = BTreeMap::new();
    let not_known = |subscription: SubscriptionId| PostureCoverage {
        subscription,
        cspm: PlanState::NotKnown,
        machine_scanning: PlanState::NotKnown,
    };
    if let GraphScope::Subscriptions(named) = &scope {
        for id in named {
            found.insert(id.as_str().to_ascii_lowercase(), not_known(id.clone()));
        }
    }
    let mut rows = graph.rows::<Row>(&query, scope.clone());
    while let Some(row) = rows.try_next().await? {
        // The plan of a single machine says nothing about the subscription.
        if row.id.to_ascii_lowercase().contains("/resourcegroups/") {
            continue;
        }
        let key = row.subscription_id.as_str().to_ascii_lowercase();
        let entry = found.entry(key).or_insert_with(|| not_known(row.subscription_id.clone()));
        if row.name.eq_ignore_ascii_case("CloudPosture") {
            entry.cspm = PlanState::of(row.properties.is_on());
        }
        if entry.machine_scanning != PlanState::On {
            entry.machine_scanning = PlanState::of(row.properties.scans_machines());
        }
    }
    if !matches!(scope, GraphScope::Subscriptions(_)) {
        for id in graph.subscriptions(scope).await? {
            found.entry(id.as_str().to_ascii_lowercase()).or_insert_with(|| not_known(id));
        }
    }
    Ok(found.into_values().collect())
}
