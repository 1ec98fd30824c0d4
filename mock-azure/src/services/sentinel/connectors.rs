//! Data connectors.

use serde_json::json;

use crate::{
    http::{Call, Reply},
    services::{log_query::security_alerts, subscriptions::Subscriptions},
    state::{Seed, World},
};

use super::{CONNECTORS, NAMESPACE, store};

/// The kinds whose properties must name a tenant.
const OF_TENANT: &[&str] = &[
    "AzureActiveDirectory",
    "AzureAdvancedThreatProtection",
    "MicrosoftCloudAppSecurity",
    "MicrosoftDefenderAdvancedThreatProtection",
    "MicrosoftThreatIntelligence",
    "Office365",
    "ThreatIntelligence",
];

const OTHERS: &[&str] = &[
    "AmazonWebServicesCloudTrail",
    "AzureSecurityCenter",
    "PremiumMicrosoftDefenderForThreatIntelligence",
    "RestApiPoller",
];

impl Seed {
    /// Adds the tenant-based connector of Defender for Cloud, as the content hub installs it.
    pub fn defender_tenant_connector(self, workspace: &str) -> Self {
        let workspace = workspace.to_owned();
        self.step(move |world| {
            let name = "MicrosoftDefenderForCloudTenantBased";
            let etag = format!("\"{}\"", world.fresh_id());
            world.resources.put(json!({
                "id": format!("{workspace}/providers/{NAMESPACE}/dataConnectors/{name}"),
                "name": name,
                "type": format!("{NAMESPACE}/dataConnectors"),
                "kind": name,
                "etag": etag,
                "properties": { "dataTypes": { "alerts": { "state": "Enabled" } }, "tenantId": world.tenant },
            }));
        })
    }
}

pub(super) fn put(world: &mut World, call: &Call) -> Reply {
    let body = call.json();
    let kind = body["kind"].as_str().unwrap_or_default();
    if !OF_TENANT.contains(&kind) && !OTHERS.contains(&kind) {
        let known: Vec<&str> = OF_TENANT.iter().chain(OTHERS).copied().collect();
        return Reply::unknown("kind of a data connector", kind, &known);
    }
    // Documented: a connector requires its tenant or subscription, and its state.
    let properties = &body["properties"];
    if OF_TENANT.contains(&kind) && properties["tenantId"] != world.tenant.as_str() {
        return Reply::bad_request(format!(
            "The tenantId of a '{kind}' connector must be the tenant of the workspace."
        ));
    }
    if kind == "AzureSecurityCenter" {
        let subscription = properties["subscriptionId"].as_str().unwrap_or_default();
        if uuid::Uuid::parse_str(subscription).is_err() {
            return Reply::bad_request("The property 'subscriptionId' is required and must be a GUID.");
        }
        if !world.states.get::<Subscriptions>().contains(subscription) {
            let message = format!("The caller has no access to the subscription '{subscription}'.");
            return Reply::arm_error(401, "Unauthorized", message);
        }
        let state = properties["dataTypes"]["alerts"]["state"].as_str().unwrap_or_default();
        if !matches!(state, "Enabled" | "Disabled") {
            return Reply::bad_request("'dataTypes.alerts.state' must be Enabled or Disabled.");
        }
    }
    let was_on = world.resources.get(&call.id(call.len())).is_some_and(security_alerts::comes_through);
    let reply = store(world, call, &CONNECTORS, body.clone());
    if !was_on && reply.status < 300 && security_alerts::comes_through(body) {
        security_alerts::connect(world, call.key());
    }
    reply
}
