use arm_core::ResourceId;
use serde::Deserialize;
use serde_json::Value;

use crate::kinds::Kind;

/// A resource with keys: the properties that a rotation needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyedResource {
    /// The resource id; for an authorization rule, that of its namespace.
    pub id: ResourceId,
    /// The kind, such as `OpenAI`, if its type has several.
    pub kind: Option<String>,
    /// Whether its keys can be used; `None` if the resource does not say. `false` with `allowSharedKeyAccess: false`,
    /// with `disableLocalAuth: true`, with Redis's `disableAccessKeyAuthentication: true`, or if a Batch account's
    /// `allowedAuthenticationModes` lacks `SharedKey`.
    pub takes_keys: Option<bool>,
    /// The endpoint at which its keys are used, for storage (the blob endpoint), Cosmos DB and Cognitive Services
    /// accounts; `None` for other types.
    pub endpoint: Option<String>,
}

#[derive(Deserialize)]
pub(crate) struct Wire {
    id: ResourceId,
    kind: Option<String>,
    #[serde(default)]
    properties: Value,
}

impl Wire {
    pub(crate) fn read(self, kind: &Kind) -> KeyedResource {
        let found = kind.endpoint.iter().fold(&self.properties, |found, member| &found[*member]);
        KeyedResource {
            id: self.id,
            kind: self.kind,
            takes_keys: kind.off.takes_keys(&self.properties),
            endpoint: found.as_str().map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_endpoint_is_read_where_each_type_has_it() {
        for (kind, properties, told) in [
            (
                "Microsoft.Storage/storageAccounts",
                json!({ "primaryEndpoints": { "blob": "https://b/" } }),
                true,
            ),
            ("Microsoft.DocumentDB/databaseAccounts", json!({ "documentEndpoint": "https://b/" }), true),
            ("Microsoft.CognitiveServices/accounts", json!({ "endpoint": "https://b/" }), true),
            ("Microsoft.Search/searchServices", json!({ "endpoint": "https://b/" }), false),
        ] {
            let id = format!(
                "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/{kind}/lab"
            );
            let wire: Wire = serde_json::from_value(json!({ "id": id, "properties": properties })).unwrap();
            let kind = Kind::of(&wire.id.resource_type()).unwrap();
            assert_eq!(wire.read(kind).endpoint.as_deref(), told.then_some("https://b/"), "{}", kind.name);
        }
    }
}
