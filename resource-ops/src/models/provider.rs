use arm_core::{
    open_enum,
    wire::{self, SentText},
};
use serde::Deserialize;
use serde_json::Value;

/// A resource provider, as seen by a subscription.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self", rename_all = "camelCase")]
#[non_exhaustive]
pub struct Provider {
    /// `/subscriptions/{guid}/providers/{namespace}`
    pub id: Option<String>,
    /// The namespace, such as `Microsoft.Security`.
    pub namespace: String,
    /// Whether the subscription can use the provider.
    pub registration_state: RegistrationState,
    /// Whether registration is needed: `RegistrationRequired` or `RegistrationFree`.
    pub registration_policy: Option<String>,
    /// The resource types of the provider.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub resource_types: Vec<ProviderResourceType>,
    #[serde(skip)]
    sent: SentText,
}

arm_core::kept!(derived Provider);

open_enum! {
    /// Whether a subscription can use a resource provider.
    pub enum RegistrationState {
        /// The provider cannot be used.
        NotRegistered = "NotRegistered",
        /// The registration is in progress.
        Registering = "Registering",
        /// The provider can be used.
        Registered = "Registered",
        /// The provider is being unregistered.
        Unregistering = "Unregistering",
    }
}

/// A type of resource.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProviderResourceType {
    /// The type without the namespace.
    pub resource_type: String,
    /// The regions in which it is available.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub locations: Vec<String>,
    /// The supported api-versions, newest first.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub api_versions: Vec<String>,
    /// The api-version that the service recommends.
    pub default_api_version: Option<String>,
    /// Aliases of properties, for use in policies; empty unless requested.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub aliases: Vec<Value>,
}
