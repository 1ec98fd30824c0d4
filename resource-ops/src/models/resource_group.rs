use std::collections::BTreeMap;

use arm_core::{
    ResourceGroupId,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize, Serializer, ser::Error as _};
use serde_json::Value;

/// A resource group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Wire")]
#[non_exhaustive]
pub struct ResourceGroup {
    /// `/subscriptions/{guid}/resourceGroups/{name}`
    pub id: ResourceGroupId,
    /// The name.
    pub name: String,
    /// The region that stores the group's metadata. It never changes, and the group's resources can be in other
    /// regions.
    pub location: String,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The id of the resource that manages this group; `None` if there is none.
    pub managed_by: Option<String>,
    /// `Succeeded`, or `Deleting` while it is being deleted.
    pub provisioning_state: Option<String>,
    unknown: UnknownFields,
    as_sent: AsSent,
}

impl ResourceGroup {
    /// Whether the group is being deleted, so that nothing can be put into it.
    pub fn is_deleting(&self) -> bool {
        self.provisioning_state.as_deref().is_some_and(|state| state.eq_ignore_ascii_case("Deleting"))
    }

    /// Returns the group that would result from creating it now.
    pub(crate) fn planned(id: &ResourceGroupId, spec: &ResourceGroupSpec) -> Self {
        Self {
            id: id.clone(),
            name: id.name().to_string(),
            location: spec.location.clone(),
            tags: spec.tags.clone(),
            managed_by: spec.managed_by.clone(),
            provisioning_state: None,
            unknown: spec.unknown.clone(),
            as_sent: spec.as_sent.clone(),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
struct Wire {
    id: ResourceGroupId,
    name: String,
    location: String,
    #[serde(default, deserialize_with = "wire::null_as_default")]
    tags: BTreeMap<String, String>,
    managed_by: Option<String>,
    #[serde(default)]
    properties: Properties,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(Wire);

#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    provisioning_state: Option<String>,
}

impl From<Wire> for ResourceGroup {
    fn from(wire: Wire) -> Self {
        Self {
            id: wire.id,
            name: wire.name,
            location: wire.location,
            tags: wire.tags,
            managed_by: wire.managed_by,
            provisioning_state: wire.properties.provisioning_state,
            unknown: wire.unknown,
            as_sent: wire.as_sent,
        }
    }
}

/// A resource group to create: the body of a PUT, which replaces all tags.
///
/// A spec created from a [`ResourceGroup`] keeps members that this crate does not model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct ResourceGroupSpec {
    /// The region that stores the group's metadata, such as `westeurope`. It cannot be changed later.
    pub location: String,
    /// All tags.
    pub tags: BTreeMap<String, String>,
    /// The id of the resource that manages this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

impl Serialize for ResourceGroupSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = |spec: &Self| Self::serialize(spec, serde_json::value::Serializer);
        let before = |wire: Wire| body(&Self::from(&ResourceGroup::from(wire)));
        let over = |now| {
            self.as_sent.over(now, before, |group: &mut Value| {
                if let Some(group) = group.as_object_mut() {
                    group.retain(|name, _| !["id", "name", "properties", "type"].contains(&name.as_str()));
                }
            })
        };
        body(self).and_then(over).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl ResourceGroupSpec {
    /// Creates the spec of a group without tags.
    pub fn new(location: impl Into<String>) -> Self {
        Self {
            location: location.into(),
            tags: BTreeMap::new(),
            managed_by: None,
            unknown: UnknownFields::default(),
            as_sent: AsSent::default(),
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
            as_sent: group.as_sent.clone(),
        }
    }
}

/// The parts of a resource group to change: the body of a PATCH. Absent members stay unchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceGroupPatch {
    /// All tags, which replace the existing ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The id of the resource that manages this group.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<String>,
}
