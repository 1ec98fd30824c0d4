use std::collections::BTreeMap;

use arm_core::{
    ResourceId, open_enum,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::{AccessPolicy, NetworkRules, PublicNetworkAccess, VaultId, VaultSpec};

/// A vault, as the service has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct Vault {
    /// The resource id.
    pub id: VaultId,
    /// The name.
    pub name: String,
    /// Where it is, such as `westeurope`.
    pub location: String,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tags: BTreeMap<String, String>,
    /// Who made and changed it. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_data: Option<SystemMetadata>,
    /// All else.
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
    /// JSON pointers to the parts of the answer that could not be read. They are written back as they came.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }

    /// The vault that a spec describes, before the service has said anything about it.
    pub(crate) fn planned(id: &VaultId, spec: &VaultSpec) -> azure_core::Result<Self> {
        let planned = serde_json::to_value(spec).and_then(|mut vault| {
            vault["id"] = id.as_str().into();
            vault["name"] = id.name().into();
            serde_json::from_value(vault)
        });
        planned.map_err(|error| {
            let message = format!("the spec of the vault '{}' cannot be read back: {error}", id.name());
            azure_core::Error::with_message(azure_core::error::ErrorKind::DataConversion, message)
        })
    }
}

/// The properties of a vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VaultProperties {
    /// The tenant whose principals may use it.
    pub tenant_id: String,
    /// Standard, or premium with keys in hardware.
    pub sku: Sku,
    /// Who may do what, where roles do not decide.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub access_policies: Vec<AccessPolicy>,
    /// Where its secrets are, such as `https://kv-prod.vault.azure.net/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vault_uri: Option<String>,
    /// Whether role assignments, rather than access policies, decide.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub enable_rbac_authorization: bool,
    /// Whether deleted things can be recovered; always on nowadays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_soft_delete: Option<bool>,
    /// For how many days: 7 to 90, fixed when the vault is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soft_delete_retention_in_days: Option<u16>,
    /// Whether nothing can be purged before these days are over. Cannot be taken back.
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
    /// The firewall; without one, everyone may knock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_acls: Option<NetworkRules>,
    /// Whether the public network reaches it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_network_access: Option<PublicNetworkAccess>,
    /// How far its making has come. Read-only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<ProvisioningState>,
    /// Private endpoints and whether their connection is approved. Read-only.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "wire::null_as_default")]
    pub private_endpoint_connections: Vec<PrivateEndpointConnection>,
    /// The hardware pool it belongs to. Read-only.
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
    /// Changes with the connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// All else.
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
    /// `Succeeded`, `Creating`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioning_state: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A private endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrivateEndpoint {
    /// Its resource id.
    pub id: String,
}

/// Whether a connection is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PrivateLinkState {
    /// Pending, approved, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<PrivateLinkStatus>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the consumer has to do; `None` is the word for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actions_required: Option<String>,
}

open_enum! {
    /// How the owner decided about a connection.
    pub enum PrivateLinkStatus {
        /// Not yet.
        Pending = "Pending",
        /// It may be used.
        Approved = "Approved",
        /// It may not.
        Rejected = "Rejected",
        /// It is gone.
        Disconnected = "Disconnected",
    }
}

/// What a vault costs and can do.
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
        /// Keys in software.
        Standard = "standard",
        /// Keys in hardware too.
        Premium = "premium",
    }
}

open_enum! {
    /// How far the making of a vault has come.
    pub enum ProvisioningState {
        /// It is there.
        Succeeded = "Succeeded",
        /// Its host name is being registered; its secrets cannot be reached yet.
        RegisteringDns = "RegisteringDns",
    }
}

/// Who made a resource and who changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SystemMetadata {
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// `User`, `Application`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by_type: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::instant::option")]
    pub created_at: Option<OffsetDateTime>,
    /// Who changed it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified_by: Option<String>,
    /// `User`, `Application`, ..
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified_by_type: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "wire::instant::option")]
    pub last_modified_at: Option<OffsetDateTime>,
}

/// A vault in the list of all resources: where it is, without its properties.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct VaultResource {
    /// The resource id.
    pub id: ResourceId,
    /// The name.
    pub name: String,
    /// Where it is.
    #[serde(default)]
    pub location: String,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub tags: BTreeMap<String, String>,
    #[serde(skip)]
    sent: wire::SentText,
}

arm_core::kept!(derived VaultResource);
