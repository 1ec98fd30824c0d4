//! Attack paths, which are rows of Resource Graph while Defender CSPM is on. Resource Manager has no such resource type
//! and refuses requests for it.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply},
    services::security_plans,
    state::{GraphRow, Parts, Seed, Surface, World, stable_id},
};

pub(crate) const SURFACE: Surface = Surface { graph_rows: Some(rows), answer, ..Surface::EMPTY };

/// The attack paths, and the format of the tenant's rows.
#[derive(Debug, Default)]
pub(crate) struct AttackPaths {
    exposure_management: bool,
    all: Vec<AttackPath>,
}

#[derive(Debug)]
enum AttackPath {
    Between { entry: String, target: String, title: String },
    Row(Value),
}

impl Seed {
    /// Adds an attack path from a resource that is exposed to the internet to a target. Resource Graph returns it while
    /// Defender CSPM is on.
    pub fn attack_path(self, entry: impl ToString, target: impl ToString, title: &str) -> Self {
        let path = AttackPath::Between {
            entry: entry.to_string(),
            target: target.to_string(),
            title: title.to_owned(),
        };
        self.step(move |world| world.states.get_mut::<AttackPaths>().all.push(path))
    }

    /// Adds an attack path as this exact row of Resource Graph, which returns it while Defender CSPM is on.
    pub fn attack_path_row(self, row: Value) -> Self {
        self.step(move |world| world.states.get_mut::<AttackPaths>().all.push(AttackPath::Row(row)))
    }

    /// Makes Resource Graph return attack paths in the format of tenants with Exposure Management: `riskLevel`,
    /// `entryPoint` and `target` as objects, and steps.
    pub fn exposure_management(self) -> Self {
        self.setting(|world| world.states.get_mut::<AttackPaths>().exposure_management = true)
    }
}

fn answer(_world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let at = path.iter().rposition(|segment| *segment == "providers")?;
    if path.get(at + 1..at + 3) != Some(&["microsoft.security", "attackpaths"]) {
        return None;
    }
    let version = call.api_version();
    if version.is_empty() {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Some(Reply::arm_error(400, "MissingApiVersionParameter", message));
    }
    // Reported: attack paths are rows of Resource Graph, not a resource type, so a list is refused.
    let message = format!(
        "The resource type 'attackPaths' could not be found in the namespace 'Microsoft.Security' for api version \
         '{version}'."
    );
    Some(Reply::arm_error(404, "InvalidResourceType", message))
}

fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    if !security_plans::is_on(world, subscription, "CloudPosture") {
        return Vec::new();
    }
    all_of(world, subscription).into_iter().map(|row| ("securityresources", row)).collect()
}

fn all_of(world: &World, subscription: &str) -> Vec<Value> {
    let state = world.states.get::<AttackPaths>();
    let row = |path: &AttackPath| match path {
        AttackPath::Between { entry, target, title } => row(world, entry, target, title),
        AttackPath::Row(row) => row.clone(),
    };
    let in_subscription = |row: &Value| {
        let id = row["id"].as_str().unwrap_or_default();
        Parts::of(id).subscription.eq_ignore_ascii_case(subscription)
    };
    state.all.iter().map(row).filter(in_subscription).collect()
}

/// The rows of the attack paths that include a resource.
pub(crate) fn through(world: &World, resource: &str) -> Vec<Value> {
    let on = |row: &Value| {
        entities(row).iter().any(|entity| {
            let id = entity["entityIdentifiers"]["azureResourceId"].as_str();
            id.is_some_and(|id| id.eq_ignore_ascii_case(resource))
        })
    };
    all_of(world, Parts::of(resource).subscription).into_iter().filter(on).collect()
}

fn entities(row: &Value) -> &[Value] {
    let entities = row["properties"]["graphComponent"]["entities"].as_array();
    entities.map(Vec::as_slice).unwrap_or_default()
}

/// An attack path as it appears in the risk of an assessment.
pub(crate) fn as_risk_path(row: &Value) -> Value {
    let node = |entity: &Value| json!({ "id": entity["entityInternalID"], "nodePropertiesLabel": [entity["entityType"]] });
    let edges = row["properties"]["graphComponent"]["connections"].as_array();
    let edge = |connection: &Value| {
        json!({
            "id": connection["connectionID"],
            "sourceId": connection["sourceEntityInternalID"],
            "targetId": connection["targetEntityInternalID"],
        })
    };
    json!({
        "id": row["name"],
        "nodes": entities(row).iter().map(node).collect::<Vec<_>>(),
        "edges": edges.map(|edges| edges.iter().map(edge).collect::<Vec<_>>()).unwrap_or_default(),
    })
}

fn row(world: &World, entry: &str, target: &str, title: &str) -> Value {
    let subscription = Parts::of(entry).subscription;
    let name = stable_id(&format!("attack path/{entry}/{target}/{title}"));
    let identity = format!("{entry}/identity");
    let entity = |id: &str, kind: &str, resource: bool| {
        let mut entity = json!({
            "entityInternalID": stable_id(id),
            "entityName": id.rsplit('/').next(),
            "entityType": kind,
            "entityIdentifiers": {},
        });
        if resource {
            entity["entityIdentifiers"]["azureResourceId"] = json!(id);
        }
        entity
    };
    let connection = |from: &str, to: &str, kind: &str| {
        json!({
            "connectionID": stable_id(&format!("{from}>{to}")),
            "connectionType": kind,
            "sourceEntityInternalID": stable_id(from),
            "targetEntityInternalID": stable_id(to),
        })
    };
    let (first, last) = (entity(entry, &kind_of(entry), true), entity(target, &kind_of(target), true));
    let mut properties = json!({
        "AttackPathID": name,
        "displayName": title,
        "description": format!("{title}. Whoever gets in at the entry point can reach the target."),
        "attackPathType": "InternetExposedWithLateralMovement",
        "graphComponent": {
            "insights": [{
                "insightInternalID": stable_id(&format!("{entry}/exposed")),
                "insightType": "exposedtointernet",
                "insightName": "Exposed to the internet",
                "entityInternalID": stable_id(entry),
            }],
            "entities": [first, entity(&identity, "managedidentity", false), last],
            "connections": [
                connection(entry, &identity, "authenticates as"),
                connection(&identity, target, "has permissions to"),
            ],
        },
    });
    let shape = if world.states.get::<AttackPaths>().exposure_management {
        json!({
            "riskLevel": "High",
            "riskFactors": ["Internet exposure", "Lateral movement"],
            "entryPoint": first,
            "target": last,
            "attackPathSteps": [
                { "order": 1, "description": "Get in at the entry point.", "entityInternalID": stable_id(entry) },
                { "order": 2, "description": "Use its identity.", "entityInternalID": stable_id(&identity) },
                { "order": 3, "description": "Read the target.", "entityInternalID": stable_id(target) },
            ],
            "mITRETacticsAndTechniques": [{ "tactic": "Credential Access", "techniques": ["T1555"] }],
            "attackStory": "The entry point is open to the internet, and its identity may read the target.",
            "isPartialAttackPath": false,
        })
    } else {
        json!({
            "potentialImpact": "Medium",
            "riskCategories": ["CredentialExposure", "DataExposure"],
            "entryPointEntityInternalID": stable_id(entry),
            "targetEntityInternalID": stable_id(target),
            "manualRemediationSteps": "Close the entry point to the internet, or narrow what its identity may do.",
            "refreshInterval": "24",
            "assessments": { stable_id(entry): ["1195afff-c881-495e-9bc5-1486211ae03f"] },
        })
    };
    if let (Some(all), Some(more)) = (properties.as_object_mut(), shape.as_object()) {
        all.extend(more.clone());
    }
    json!({
        "id": format!("/subscriptions/{subscription}/providers/Microsoft.Security/attackPaths/{name}"),
        "name": name,
        "type": "microsoft.security/attackpaths",
        "tenantId": world.tenant,
        "kind": "",
        "location": "",
        "resourceGroup": "",
        "subscriptionId": subscription,
        "properties": properties,
    })
}

/// The last part of the type in a resource id, such as `virtualmachines`.
fn kind_of(resource: &str) -> String {
    let segments: Vec<&str> = resource.split('/').collect();
    segments.iter().rev().nth(1).map(|kind| kind.to_ascii_lowercase()).unwrap_or_default()
}
