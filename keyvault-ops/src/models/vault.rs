use std::collections::BTreeMap;

use arm_core::{
    ResourceId, SystemMetadata, open_enum,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};

use crate::{AccessPolicy, NetworkRules, PublicNetworkAccess, VaultId};

/// A vault, as returned by the service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct Vault {
    /// The resource id.
    pub id: VaultId,
    /// The name.
    pub name: String,
    /// The region, such as `westeurope`.
    pub location: String,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tags: BTreeMap<String, String>,
    /// Who created and last changed it, and when. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_data: Option<SystemMetadata>,
    /// The properties.
    pub properties: VaultProperties,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: UnknownFields,
    #[serde(skip)]
    pub(crate) as_sent: AsSent,
}

arm_core::write_back!(Vault);

impl Vault {
    /// JSON pointers to the parts of the response that could not be read. They are written back unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }
}

/// The properties of a vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VaultProperties {
    /// The tenant whose principals can use it.
    pub tenant_id: String,
    /// Standard, or premium with keys in hardware.
    pub sku: Sku,
    /// The access policies, for a vault that does not use Azure RBAC.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub access_policies: Vec<AccessPolicy>,
    /// The endpoint for its secrets, such as `https://kv-prod.vault.azure.net/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_uri: Option<String>,
    /// Whether access is granted by role assignments rather than access policies.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub enable_rbac_authorization: bool,
    /// Whether deleted objects can be recovered. Today, this is always on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_soft_delete: Option<bool>,
    /// For how many days deleted objects can be recovered: 7 to 90, fixed when the vault is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_retention_in_days: Option<u16>,
    /// Whether purging is prevented for that many days. Purge protection cannot be turned off again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_purge_protection: Option<bool>,
    /// Whether virtual machines may fetch certificates from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_for_deployment: Option<bool>,
    /// Whether disk encryption may fetch secrets and unwrap keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_for_disk_encryption: Option<bool>,
    /// Whether Resource Manager may fetch secrets for deployments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled_for_template_deployment: Option<bool>,
    /// The firewall; without one, requests from any address are allowed, unless public network access is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acls: Option<NetworkRules>,
    /// Whether it can be reached over the public network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access: Option<PublicNetworkAccess>,
    /// The state of the vault's creation. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<ProvisioningState>,
    /// Private endpoints, and whether their connections are approved. Read-only.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "wire::null_as_default")]
    pub private_endpoint_connections: Vec<PrivateEndpointConnection>,
    /// The resource id of the hardware (HSM) pool that it belongs to. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hsm_pool_resource_id: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: UnknownFields,
}

/// A private endpoint's connection to a vault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrivateEndpointConnection {
    /// The id of the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The ETag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The properties.
    #[serde(default)]
    pub properties: PrivateEndpointConnectionProperties,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// The properties of a [`PrivateEndpointConnection`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrivateEndpointConnectionProperties {
    /// The endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_endpoint: Option<PrivateEndpoint>,
    /// Whether the connection is approved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_link_service_connection_state: Option<PrivateLinkState>,
    /// The provisioning state, such as `Succeeded` or `Creating`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A private endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateEndpoint {
    /// The resource id.
    pub id: String,
}

/// Whether a connection is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrivateLinkState {
    /// The owner's decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PrivateLinkStatus>,
    /// The reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The action that the consumer must take. The text `None` means that there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_required: Option<String>,
}

open_enum! {
    /// The owner's decision on a connection.
    pub enum PrivateLinkStatus {
        /// Not decided yet.
        Pending = "Pending",
        /// It was approved.
        Approved = "Approved",
        /// It was rejected.
        Rejected = "Rejected",
        /// It is disconnected.
        Disconnected = "Disconnected",
    }
}

/// The pricing tier of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Sku {
    /// Always `A`.
    pub family: String,
    /// Standard or premium.
    pub name: SkuName,
    #[serde(flatten)]
    pub(crate) unknown: UnknownFields,
}

impl From<SkuName> for Sku {
    fn from(name: SkuName) -> Self {
        Self { family: "A".to_owned(), name, unknown: UnknownFields::default() }
    }
}

open_enum! {
    /// The tier of a vault.
    pub enum SkuName {
        /// Keys are protected in software.
        Standard = "standard",
        /// Keys can also be protected in hardware.
        Premium = "premium",
    }
}

open_enum! {
    /// The state of a vault's creation.
    pub enum ProvisioningState {
        /// The vault is ready.
        Succeeded = "Succeeded",
        /// Its host name is being registered; its secrets cannot be reached yet.
        RegisteringDns = "RegisteringDns",
    }
}

/// A vault in the list of all resources, without its properties.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct VaultResource {
    /// The resource id.
    pub id: ResourceId,
    /// The name.
    pub name: String,
    /// The region.
    #[serde(default)]
    pub location: String,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tags: BTreeMap<String, String>,
    #[serde(skip)]
    sent: wire::SentText,
}

arm_core::kept!(derived VaultResource);
