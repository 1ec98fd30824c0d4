use std::collections::BTreeMap;

use arm_core::{
    IdError, ResourceId, SystemMetadata,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};

/// An ARM resource with its own type of properties.
///
/// When it is written back, the body is the received JSON with your changes applied: members that are not modeled,
/// values that cannot be read, and the service's spelling are kept. A write that would replace a value that cannot be
/// read is refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Resource<P> {
    /// The id, as the service spells it; empty until the resource has been written.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The region; `None` for resources that extend others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The kind of the resource, if its type has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The version that was read, if the service provides one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Who created and last changed it, if the service provides this. Read-only.
    #[serde(rename = "systemData", default, skip_serializing_if = "Option::is_none")]
    pub system_data: Option<SystemMetadata>,
    /// The properties.
    pub properties: P,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(Resource<P: Sized>);

impl<P> Resource<P> {
    /// Creates a resource without a region.
    pub fn new(properties: P) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            location: None,
            kind: None,
            tags: BTreeMap::new(),
            etag: None,
            system_data: None,
            properties,
            unknown: UnknownFields::default(),
            as_sent: AsSent::default(),
        }
    }

    /// Creates a resource in a region.
    pub fn in_location(location: impl Into<String>, properties: P) -> Self {
        Self { location: Some(location.into()), ..Self::new(properties) }
    }

    /// The resource with the id and name that it will have once it is written; unchanged if it already has an id.
    pub(crate) fn at(self, parent: impl std::fmt::Display, kind: &str, name: &str) -> Self {
        if !self.id.is_empty() {
            return self;
        }
        Self { id: format!("{parent}/providers/{kind}/{name}"), name: name.to_owned(), ..self }
    }

    /// Parses the id.
    ///
    /// # Errors
    ///
    /// The id is empty, or not a valid resource id.
    pub fn resource_id(&self) -> Result<ResourceId, IdError> {
        self.id.parse()
    }

    /// JSON pointers to the parts of the response that could not be read. They are written back unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// Members of the response that are not modeled.
    pub fn unknown(&self) -> &UnknownFields {
        &self.unknown
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_resource_to_come_is_shown_under_its_id_and_one_that_is_there_under_its_own() {
        let to_come = Resource::<Value>::in_location("westeurope", json!({}));
        let shown = to_come.at("/subscriptions/s", "A.B/c", "n");
        assert_eq!((shown.id.as_str(), shown.name.as_str()), ("/subscriptions/s/providers/A.B/c/n", "n"));
        assert_eq!(shown.location.as_deref(), Some("westeurope"));
        let there = shown.clone().at("/else", "A.B/c", "m");
        assert_eq!((there.id, there.name), (shown.id, shown.name));
    }

    #[test]
    fn what_is_not_modelled_can_be_looked_at() {
        let read = json!({ "id": "/x", "name": "n", "properties": {}, "zones": ["1"] });
        let resource: Resource<Value> = serde_json::from_value(read).unwrap();
        let unknown: Vec<_> = resource.unknown().iter().collect();
        assert_eq!(unknown, [("zones", &json!(["1"]))]);
    }
}
