//! Attack paths.

use std::borrow::Cow;

use arm_core::{
    ResourceId, ResourceType, SharedStr, SubscriptionId,
    wire::{self, Kept, Node, SentText, Tape},
};
use serde::Deserialize;

use crate::{AdditionalData, RiskLevel, models::additional_data::text_within};

/// An attack path from an entry point to a target, as a row of Resource Graph.
///
/// Rows have one of two formats, depending on the tenant; this type reads both. `Serialize` writes the row as the
/// service sent it; it fails if a field has been changed since.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AttackPath {
    /// The id of the row.
    pub id: SharedStr,
    /// The name of the path, a GUID.
    pub name: SharedStr,
    /// The subscription.
    pub subscription: Option<SubscriptionId>,
    /// The title.
    pub display_name: SharedStr,
    /// The description.
    pub description: SharedStr,
    /// The type of the path.
    pub attack_path_type: SharedStr,
    /// The risk: `riskLevel`, or `potentialImpact` in the documented format. `None` if the row has neither, which does
    /// not mean that the risk is low.
    pub risk_level: Option<RiskLevel>,
    /// The factors of the risk: `riskFactors`, or `riskCategories` in the documented format.
    pub risk_factors: Vec<SharedStr>,
    /// The entry point.
    pub entry: Option<AttackPathNode>,
    /// The target.
    pub target: Option<AttackPathNode>,
    /// The nodes of the path. [`entry`](Self::entry) and [`target`](Self::target) are not necessarily among them.
    pub nodes: Vec<AttackPathNode>,
    /// The edges.
    pub edges: Vec<AttackPathEdge>,
    /// The steps of the attack. Only in the newer format.
    pub steps: Vec<SharedStr>,
    /// The steps to remediate the path manually. Only in the documented format.
    pub remediation_steps: Vec<SharedStr>,
    /// Whether steps are missing. Only in the newer format.
    pub is_partial: bool,
    /// The format of the row.
    pub shape: AttackPathShape,
    /// All properties of the row.
    pub properties: AdditionalData,
    sent: SentText,
}

/// The format of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AttackPathShape {
    /// The format documented for Defender CSPM.
    Documented,
    /// The newer format, in tenants whose paths come from Exposure Management.
    ExposureManagement,
}

/// A node of an attack path.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AttackPathNode {
    /// The id in the graph, by which edges refer to the node. It is not an Azure resource id.
    pub internal_id: SharedStr,
    /// The name.
    pub name: Option<SharedStr>,
    /// The type, such as `virtualmachines`.
    pub entity_type: Option<SharedStr>,
    /// The Azure resource id; `None` if the row gives none for the node.
    pub resource_id: Option<ResourceId>,
    /// All fields of the node in the row.
    pub fields: AdditionalData,
}

/// An edge of an attack path, from one node to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AttackPathEdge {
    /// The type of connection, such as `has permissions to`.
    pub kind: Option<SharedStr>,
    /// The internal id of the source node.
    pub source: SharedStr,
    /// The internal id of the target node.
    pub target: SharedStr,
}

impl AttackPath {
    /// Whether the path concerns secrets: it contains a key vault, or its title, description or risk factors mention
    /// secrets, credentials or key vaults.
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

    /// Whether a resource is part of the path.
    pub fn contains_node(&self, resource: &ResourceId) -> bool {
        let ends = self.entry.iter().chain(&self.target);
        self.nodes.iter().chain(ends).any(|node| node.resource_id.as_ref() == Some(resource))
    }
}

impl AttackPath {
    /// Reads the properties of a row.
    fn of(properties: AdditionalData) -> Self {
        let whole = properties.written();
        let tape = Tape::of(&whole).unwrap_or_default();
        let it = tape.root();
        let (nodes, edges) = within(it.get("graphComponent"), |graph| {
            let nodes: Vec<AttackPathNode> =
                within(graph.get("entities"), |all| all.items().map(node).collect());
            let edges = within(graph.get("connections"), |all| all.items().map(edge).collect());
            (nodes, edges)
        });
        let first = |one: &str, other: &str| it.get(one).or_else(|| it.get(other));
        let end = |object: &str, internal_id: &str| end_of(first(object, internal_id)?, &nodes);
        let text = |name: &str| it.get(name).map(plain).unwrap_or_default();
        let has = |name: &str| it.get(name).is_some_and(|value| !value.is_null());
        let newer = ["riskLevel", "riskFactors", "entryPoint", "target"].into_iter().any(has);
        Self {
            subscription: None,
            display_name: text("displayName"),
            description: text("description"),
            attack_path_type: text("attackPathType"),
            risk_level: first("riskLevel", "potentialImpact")
                .map(plain)
                .filter(|level| !level.is_empty())
                .map(|level| RiskLevel::from(&*level)),
            risk_factors: texts(first("riskFactors", "riskCategories")),
            entry: end("entryPoint", "entryPointEntityInternalID"),
            target: end("target", "targetEntityInternalID"),
            steps: texts(it.get("attackPathSteps")),
            remediation_steps: texts(it.get("manualRemediationSteps")),
            is_partial: text("isPartialAttackPath").eq_ignore_ascii_case("true"),
            shape: if newer { AttackPathShape::ExposureManagement } else { AttackPathShape::Documented },
            id: SharedStr::default(),
            name: SharedStr::default(),
            nodes,
            edges,
            sent: SentText::default(),
            properties,
        }
    }
}

#[derive(Debug, Deserialize)]
pub struct Wire<'a> {
    #[serde(default, borrow, with = "wire::text")]
    id: Cow<'a, str>,
    #[serde(default, borrow, with = "wire::text")]
    name: Cow<'a, str>,
    #[serde(rename = "subscriptionId", default, borrow, deserialize_with = "wire::text::scalar")]
    subscription_id: Cow<'a, str>,
    #[serde(default)]
    properties: AdditionalData,
}

impl Kept for AttackPath {
    type Wire<'a> = Wire<'a>;

    fn read(Wire { id, name, subscription_id, properties }: Wire<'_>, text: &str) -> Self {
        let sent = SentText::of(text);
        Self {
            id: sent.share(id, text),
            name: sent.share(name, text),
            subscription: subscription_id.parse().ok(),
            sent,
            ..properties.clone().sharing(|| Self::of(properties))
        }
    }

    fn sent(&self) -> &SentText {
        &self.sent
    }
}

arm_core::kept!(AttackPath);

/// Reads a value; if it is a string, the JSON in it; if there is none, null.
fn within<T>(value: Option<Node<'_, '_>>, read: impl FnOnce(Node<'_, '_>) -> T) -> T {
    match value {
        Some(value) if !value.is_string() => read(value),
        value => {
            let text = value.and_then(Node::text).unwrap_or_default();
            read(Tape::of(&text).unwrap_or_default().root())
        }
    }
}

/// Returns a scalar as text, and any other value as JSON; null is empty.
fn plain(value: Node<'_, '_>) -> SharedStr {
    match value.scalar() {
        Some(text) => text.into(),
        None if value.is_null() => SharedStr::default(),
        None => value.value().map_or_else(|_| value.as_str().into(), |value| value.to_string().into()),
    }
}

fn data(value: Node<'_, '_>) -> AdditionalData {
    wire::from_str(value.as_str()).unwrap_or_default()
}

/// Returns texts from a list of texts, a list of objects with descriptions, or a single text.
fn texts(value: Option<Node<'_, '_>>) -> Vec<SharedStr> {
    let one = |value: Node<'_, '_>| {
        let words = value.is_object().then(|| data(value));
        words
            .and_then(|words| words.text("description").or_else(|| words.text("displayName")))
            .map(SharedStr::from)
            .unwrap_or_else(|| plain(value))
    };
    match value {
        Some(list) if list.is_list() => list.items().map(one).collect(),
        Some(other) => Some(one(other)).into_iter().filter(|text| !text.is_empty()).collect(),
        None => Vec::new(),
    }
}

fn first_of(fields: Node<'_, '_>, names: &[&str]) -> Option<SharedStr> {
    names.iter().find_map(|name| fields.get(name)).map(plain).filter(|text| !text.is_empty())
}

const INTERNAL_ID: &[&str] = &["entityInternalID", "internalId", "id"];

fn node(value: Node<'_, '_>) -> AttackPathNode {
    let whole = |fields: Node<'_, '_>| AttackPathNode {
        internal_id: first_of(fields, INTERNAL_ID).unwrap_or_default(),
        name: first_of(fields, &["entityName", "name", "displayName"]),
        entity_type: first_of(fields, &["entityType", "type"]),
        resource_id: text_within(fields, "azureResourceId").and_then(|id| id.parse().ok()),
        fields: data(value),
    };
    within(Some(value), whole)
}

fn edge(value: Node<'_, '_>) -> AttackPathEdge {
    within(Some(value), |fields| AttackPathEdge {
        kind: first_of(fields, &["connectionType", "type"]),
        source: first_of(fields, &["sourceEntityInternalID", "sourceId", "source"]).unwrap_or_default(),
        target: first_of(fields, &["targetEntityInternalID", "targetId", "target"]).unwrap_or_default(),
    })
}

/// Returns an end of a path, which the row gives as an object or as the internal id of a node.
fn end_of(value: Node<'_, '_>, nodes: &[AttackPathNode]) -> Option<AttackPathNode> {
    let known = |id: &str| nodes.iter().find(|node| !id.is_empty() && node.internal_id == id).cloned();
    if value.is_null() {
        return None;
    }
    if value.is_object() {
        let end = node(value);
        // The object may have less data than its node.
        let more = if end.resource_id.is_none() { known(&end.internal_id) } else { None };
        return Some(more.unwrap_or(end));
    }
    let id = plain(value);
    Some(known(&id).unwrap_or_else(|| AttackPathNode {
        fields: [("id", id.to_string())].into_iter().collect(),
        internal_id: id,
        name: None,
        entity_type: None,
        resource_id: None,
    }))
}
