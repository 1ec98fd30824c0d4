use std::collections::BTreeMap;

use arm_core::{
    IdError, ResourceId,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Serialize};

/// An ARM resource around properties of its own. Fields that are not named here are kept for the way back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resource<P> {
    /// The id, as the service spells it; empty on one that was not sent yet.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The region; resources that extend others have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The service's sort of this resource, where it has sorts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Tags.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The version that was read, where the service tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// What it is about.
    pub properties: P,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl<P> Resource<P> {
    /// A resource to be written, without region.
    pub fn new(properties: P) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            location: None,
            kind: None,
            tags: BTreeMap::new(),
            etag: None,
            properties,
            unknown: UnknownFields::default(),
        }
    }

    /// A resource to be written in a region.
    pub fn in_location(location: impl Into<String>, properties: P) -> Self {
        Self { location: Some(location.into()), ..Self::new(properties) }
    }

    /// The id, parsed.
    pub fn resource_id(&self) -> Result<ResourceId, IdError> {
        self.id.parse()
    }

    /// Fields of the answer that are not named here.
    pub fn unknown(&self) -> &UnknownFields {
        &self.unknown
    }
}
