//! Attack paths, from an entry point to a target.

use std::borrow::Cow;

use arm_core::{
    ResourceId, ResourceType, SubscriptionId,
    wire::{self, Kept, SentText},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    AdditionalData, RiskLevel,
    models::additional_data::{object_in, value_of},
};

/// An attack path, from an entry point to a target, as a row of Resource Graph.
///
/// Rows come in two shapes, depending on the tenant; this type reads both. `Serialize` writes the row as it came; if
/// a field was changed since, it is an error.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AttackPath {
    /// The id of the row.
    pub id: String,
    /// The name of the path: a GUID.
    pub name: String,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The title.
    pub display_name: String,
    /// The description.
    pub description: String,
    /// The kind of path.
    pub attack_path_type: String,
    /// The risk: `riskLevel`, or `potentialImpact` of the documented shape. `None` if the row has neither, which
    /// does not mean that it is low.
    pub risk_level: Option<RiskLevel>,
    /// The factors of the risk: `riskFactors`, or `riskCategories` of the documented shape.
    pub risk_factors: Vec<String>,
    /// The entry point.
    pub entry: Option<AttackPathNode>,
    /// The target.
    pub target: Option<AttackPathNode>,
    /// All nodes of the path.
    pub nodes: Vec<AttackPathNode>,
    /// The edges.
    pub edges: Vec<AttackPathEdge>,
    /// The steps of the attack. Only in the newer shape.
    pub steps: Vec<String>,
    /// How to remediate it by hand. Only in the documented shape.
    pub remediation_steps: Vec<String>,
    /// Whether steps are missing. Only in the newer shape.
    pub is_partial: bool,
    /// The shape of the row.
    pub shape: AttackPathShape,
    /// All properties of the row, by name without regard to case.
    pub properties: AdditionalData,
    sent: SentText,
}

/// Which of the two shapes a row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttackPathShape {
    /// The shape that is documented for Defender CSPM.
    Documented,
    /// The shape in tenants whose paths come from Exposure Management.
    ExposureManagement,
}

/// A node of an attack path.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AttackPathNode {
    /// The id within the graph, to which edges refer. Not an Azure resource id.
    pub internal_id: String,
    /// The name.
    pub name: Option<String>,
    /// The type, such as `virtualmachines`.
    pub entity_type: Option<String>,
    /// The Azure resource id, if the node is a resource.
    pub resource_id: Option<ResourceId>,
    /// All fields of the row about it.
    pub fields: AdditionalData,
}

/// An edge of an attack path, from one node to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttackPathEdge {
    /// The kind of connection, such as `has permissions to`.
    pub kind: Option<String>,
    /// The internal id of the node where it begins.
    pub source: String,
    /// The internal id of the node where it ends.
    pub target: String,
}

impl AttackPath {
    /// Whether it is about secrets: it contains a key vault, or its text mentions secrets, credentials or key
    /// vaults.
    pub fn concerns_secrets(&self) -> bool {
        let ends = self.entry.iter().chain(&self.target);
        let vault =
            |node: &AttackPathNode| node.resource_id.as_ref().is_some_and(|id| id.is(&ResourceType::VAULT));
        let words = [&self.display_name, &self.description];
        let speaks = |text: &str| {
            let text = text.to_lowercase();
            ["secret", "credential", "key vault", "keyvault"].iter().any(|word| text.contains(word))
        };
        self.nodes.iter().chain(ends).any(vault)
            || words.into_iter().chain(&self.risk_factors).any(|text| speaks(text))
    }

    /// Whether a resource is on it.
    pub fn contains_node(&self, resource: &ResourceId) -> bool {
        let ends = self.entry.iter().chain(&self.target);
        self.nodes.iter().chain(ends).any(|node| node.resource_id.as_ref() == Some(resource))
    }
}

#[derive(Debug, Deserialize)]
pub struct Wire {
    #[serde(default, with = "wire::text")]
    id: String,
    #[serde(default, with = "wire::text")]
    name: String,
    #[serde(rename = "subscriptionId", default, with = "wire::text")]
    subscription_id: String,
    #[serde(default)]
    properties: AdditionalData,
}

impl Kept for AttackPath {
    type Wire<'a> = Wire;

    fn read(Wire { id, name, subscription_id, properties }: Wire, text: &str) -> Self {
        let sent = SentText::of(text);
        let graph = object(properties.get("graphComponent"));
        let nodes: Vec<AttackPathNode> = items(value_of(&graph, "entities")).iter().map(node).collect();
        let edges = items(value_of(&graph, "connections")).iter().map(edge).collect();
        let end = |object: &str, internal_id: &str| {
            let named = properties.get(object).or_else(|| properties.get(internal_id))?;
            end_of(named, &nodes)
        };
        let text = |name: &str| properties.get(name).map(plain).unwrap_or_default();
        let has = |name: &str| properties.get(name).is_some_and(|value| !value.is_null());
        let newer = ["riskLevel", "riskFactors", "entryPoint", "target"].into_iter().any(has);
        let first = |one: &str, other: &str| properties.get(one).or_else(|| properties.get(other));
        Self {
            subscription: subscription_id.parse().ok(),
            display_name: text("displayName"),
            description: text("description"),
            attack_path_type: text("attackPathType"),
            risk_level: first("riskLevel", "potentialImpact")
                .map(plain)
                .filter(|level| !level.is_empty())
                .map(RiskLevel::from),
            risk_factors: texts(first("riskFactors", "riskCategories")),
            entry: end("entryPoint", "entryPointEntityInternalID"),
            target: end("target", "targetEntityInternalID"),
            steps: texts(properties.get("attackPathSteps")),
            remediation_steps: texts(properties.get("manualRemediationSteps")),
            is_partial: text("isPartialAttackPath").eq_ignore_ascii_case("true"),
            shape: if newer { AttackPathShape::ExposureManagement } else { AttackPathShape::Documented },
            id,
            name,
            nodes,
            edges,
            properties,
            sent,
        }
    }

    fn sent(&self) -> &SentText {
        &self.sent
    }
}

arm_core::kept!(AttackPath);

/// A value as an object, also from JSON in a string.
fn object(value: Option<&Value>) -> Cow<'_, Map<String, Value>> {
    match value {
        Some(Value::Object(fields)) => Cow::Borrowed(fields),
        Some(Value::String(text)) => Cow::Owned(object_in(text).unwrap_or_default()),
        _ => Cow::default(),
    }
}

/// A value as a list, also from JSON in a string.
fn items(value: Option<&Value>) -> Cow<'_, [Value]> {
    match value {
        Some(Value::Array(items)) => Cow::Borrowed(items),
        Some(Value::String(text)) => Cow::Owned(serde_json::from_str(text).unwrap_or_default()),
        _ => Cow::default(),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// Texts: of a list, of objects with a description, or one text.
fn texts(value: Option<&Value>) -> Vec<String> {
    let one = |value: &Value| match value {
        Value::Object(fields) => {
            let fields = AdditionalData::from(fields.clone());
            fields
                .text("description")
                .or_else(|| fields.text("displayName"))
                .unwrap_or_else(|| value.to_string())
        }
        other => plain(other),
    };
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(one).collect(),
        Some(other) => vec![one(other)].into_iter().filter(|text| !text.is_empty()).collect(),
    }
}

fn first_of(fields: &Map<String, Value>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| value_of(fields, name)).map(plain).filter(|text| !text.is_empty())
}

const INTERNAL_ID: &[&str] = &["entityInternalID", "internalId", "id"];

fn node(value: &Value) -> AttackPathNode {
    let fields = object(Some(value));
    let internal_id = first_of(&fields, INTERNAL_ID).unwrap_or_default();
    let name = first_of(&fields, &["entityName", "name", "displayName"]);
    let entity_type = first_of(&fields, &["entityType", "type"]);
    let fields = AdditionalData::from(fields.into_owned());
    let resource_id = fields.text("azureResourceId").and_then(|id| id.parse().ok());
    AttackPathNode { internal_id, name, entity_type, resource_id, fields }
}

fn edge(value: &Value) -> AttackPathEdge {
    let fields = object(Some(value));
    AttackPathEdge {
        kind: first_of(&fields, &["connectionType", "type"]),
        source: first_of(&fields, &["sourceEntityInternalID", "sourceId", "source"]).unwrap_or_default(),
        target: first_of(&fields, &["targetEntityInternalID", "targetId", "target"]).unwrap_or_default(),
    }
}

/// An end of a path: an object of its own, or the internal id of a node.
fn end_of(value: &Value, nodes: &[AttackPathNode]) -> Option<AttackPathNode> {
    if value.is_null() {
        return None;
    }
    let end = match value {
        Value::Object(_) => node(value),
        other => node(&serde_json::json!({ "id": plain(other) })),
    };
    let known = nodes.iter().find(|node| !end.internal_id.is_empty() && node.internal_id == end.internal_id);
    // The object can say less than the node that it stands for.
    Some(match known {
        Some(known) if end.resource_id.is_none() => known.clone(),
        _ => end,
    })
}
