use std::collections::BTreeMap;

use arm_core::{
    ResourceGroupId,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Serialize};

/// A resource group, as the service shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct ResourceGroup {
    /// `/subscriptions/{guid}/resourceGroups/{name}`
    pub id: ResourceGroupId,
    /// The name.
    pub name: String,
    /// Where the group's own record is kept; its resources can be elsewhere. Never changes.
    pub location: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The id of the resource that manages this group, if one does.
    pub managed_by: Option<String>,
    /// `Succeeded`; `Deleting` while it goes away.
    pub provisioning_state: Option<String>,
    unknown: UnknownFields,
}

impl ResourceGroup {
    /// Whether the group is on its way out: nothing can be put into it.
    pub fn is_deleting(&self) -> bool {
        self.provisioning_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Deleting"))
    }

    /// The group as it would be if it were made now.
    pub(crate) fn planned(id: &ResourceGroupId, spec: &ResourceGroupSpec) -> Self {
        Self {
            id: id.clone(),
            name: id.name().to_string(),
            location: spec.location.clone(),
            tags: spec.tags.clone(),
            managed_by: spec.managed_by.clone(),
            provisioning_state: None,
            unknown: spec.unknown.clone(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    id: Id,
    name: String,
    location: String,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    managed_by: Option<String>,
    #[serde(default)]
    properties: Properties,
    #[serde(rename = "type", default)]
    _kind: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Id(ResourceGroupId);

impl TryFrom<String> for Id {
    type Error = arm_core::IdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse().map(Self)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    provisioning_state: Option<String>,
}

impl From<Wire> for ResourceGroup {
    fn from(wire: Wire) -> Self {
        Self {
            id: wire.id.0,
            name: wire.name,
            location: wire.location,
            tags: wire.tags,
            managed_by: wire.managed_by,
            provisioning_state: wire.properties.provisioning_state,
            unknown: wire.unknown,
        }
    }
}

/// A resource group as it should be: the body of a PUT, which replaces the tags.
///
/// Made from a [`ResourceGroup`], it keeps what this crate does not name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourceGroupSpec {
    /// Where the group's own record is kept, such as `westeurope`. Cannot be changed later.
    pub location: String,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// The id of the resource that manages this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl ResourceGroupSpec {
    /// A group without tags.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            tags: BTreeMap::new(),
            managed_by: None,
            unknown: UnknownFields::default(),
        }
    }

    /// Adds a tag.
    pub fn tag(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.insert(name.into(), value.into());
        self
    }
}

impl From<&ResourceGroup> for ResourceGroupSpec {
    fn from(group: &ResourceGroup) -> Self {
        Self {
            location: group.location.clone(),
            tags: group.tags.clone(),
            managed_by: group.managed_by.clone(),
            unknown: group.unknown.clone(),
        }
    }
}

/// What of a resource group should change: the body of a PATCH. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGroupPatch {
    /// All tags: the map replaces the one that is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The id of the resource that manages this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}
