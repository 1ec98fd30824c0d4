use std::collections::BTreeMap;

use arm_core::wire::{AsSent, UnknownFields};
use serde::{Serialize, Serializer, ser::Error as _};
use serde_json::Value;
use typed_builder::TypedBuilder;

use crate::{AccessPolicy, NetworkRules, PublicNetworkAccess, Sku, SkuName, Vault, VaultId};

/// The settings of a vault, as written by [`VaultsClient::create_or_update`](crate::VaultsClient::create_or_update).
///
/// A PUT replaces the vault's settings. To change an existing vault, start from `VaultSpec::from(&vault)`, which keeps
/// all its settings, including those that this crate does not model; or use [`update`](crate::VaultsClient::update).
///
/// ```
/// use keyvault_ops::VaultSpec;
///
/// let spec = VaultSpec::builder()
///     .location("westeurope")
///     .tenant_id("00000000-0000-0000-0000-0000000000aa")
///     .soft_delete_retention_in_days(7_u16)
///     .build();
/// let sent = serde_json::to_value(&spec)?;
/// assert_eq!(sent["properties"]["enableRbacAuthorization"], true);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, TypedBuilder)]
#[builder(field_defaults(setter(into)))]
pub struct VaultSpec {
    /// The region, such as `westeurope`. It cannot be changed later.
    pub location: String,
    /// The tenant whose principals can use it.
    pub tenant_id: String,
    /// The pricing tier. Default: standard.
    #[builder(default = SkuName::Standard)]
    pub sku: SkuName,
    /// The tags. Default: none.
    #[builder(default)]
    pub tags: BTreeMap<String, String>,
    /// Whether access is granted by role assignments. Default: `true`. It is always sent, since the service's default
    /// differs between api-versions. Changing it on an existing vault requires
    /// `Microsoft.Authorization/roleAssignments/write`.
    #[builder(default = true)]
    pub enable_rbac_authorization: bool,
    /// The access policies, for a vault without Azure RBAC. Default: none.
    #[builder(default)]
    pub access_policies: Vec<AccessPolicy>,
    /// The retention period, 7 to 90 days. Default: 90. It cannot be changed later.
    #[builder(default, setter(strip_option))]
    pub soft_delete_retention_in_days: Option<u16>,
    /// Whether to prevent purging during the retention period. **It cannot be turned off again.** Default: off.
    #[builder(default)]
    pub enable_purge_protection: bool,
    /// Whether virtual machines may fetch certificates.
    #[builder(default, setter(strip_option))]
    pub enabled_for_deployment: Option<bool>,
    /// Whether disk encryption may fetch secrets and unwrap keys.
    #[builder(default, setter(strip_option))]
    pub enabled_for_disk_encryption: Option<bool>,
    /// Whether Resource Manager may fetch secrets for deployments.
    #[builder(default, setter(strip_option))]
    pub enabled_for_template_deployment: Option<bool>,
    /// The firewall.
    #[builder(default, setter(strip_option))]
    pub network_acls: Option<NetworkRules>,
    /// Whether it can be reached over the public network. Default: the service's, which is enabled.
    #[builder(default, setter(strip_option))]
    pub public_network_access: Option<PublicNetworkAccess>,
    #[builder(default, setter(skip))]
    unknown: Unknown,
    #[builder(default, setter(skip))]
    as_sent: AsSent,
}

/// Members of a vault that this crate does not model.
#[derive(Debug, Clone, Default, PartialEq)]
struct Unknown {
    resource: UnknownFields,
    properties: UnknownFields,
    sku: UnknownFields,
}

impl From<&Vault> for VaultSpec {
    fn from(vault: &Vault) -> Self {
        let properties = &vault.properties;
        Self {
            location: vault.location.clone(),
            tenant_id: properties.tenant_id.clone(),
            sku: properties.sku.name.clone(),
            tags: vault.tags.clone(),
            enable_rbac_authorization: properties.enable_rbac_authorization,
            access_policies: properties.access_policies.clone(),
            soft_delete_retention_in_days: properties.soft_delete_retention_in_days,
            enable_purge_protection: properties.enable_purge_protection == Some(true),
            enabled_for_deployment: properties.enabled_for_deployment,
            enabled_for_disk_encryption: properties.enabled_for_disk_encryption,
            enabled_for_template_deployment: properties.enabled_for_template_deployment,
            network_acls: properties.network_acls.clone(),
            public_network_access: properties.public_network_access.clone(),
            unknown: Unknown {
                resource: vault.unknown.clone(),
                properties: properties.unknown.clone(),
                sku: properties.sku.unknown.clone(),
            },
            as_sent: vault.as_sent.clone(),
        }
    }
}

impl Vault {
    /// The vault that a spec describes, without the fields that the service fills in.
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

#[derive(Serialize)]
struct Body<'a> {
    location: &'a str,
    tags: &'a BTreeMap<String, String>,
    properties: Properties<'a>,
    #[serde(flatten)]
    unknown: &'a UnknownFields,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Properties<'a> {
    tenant_id: &'a str,
    sku: Sku,
    access_policies: &'a [AccessPolicy],
    enable_rbac_authorization: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    soft_delete_retention_in_days: Option<u16>,
    /// The service refuses `false`.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    enable_purge_protection: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_for_deployment: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_for_disk_encryption: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled_for_template_deployment: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_acls: Option<&'a NetworkRules>,
    #[serde(skip_serializing_if = "Option::is_none")]
    public_network_access: Option<&'a PublicNetworkAccess>,
    #[serde(flatten)]
    unknown: &'a UnknownFields,
}

impl Serialize for VaultSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let before = |vault: Vault| Self::from(&vault).body();
        let over = |now| self.as_sent.over(now, before, never_sent);
        self.body().and_then(over).map_err(S::Error::custom)?.serialize(serializer)
    }
}

/// Removes what a PUT must not contain: fields that the service sets, and `enablePurgeProtection: false`, which it
/// refuses.
fn never_sent(vault: &mut Value) {
    if let Some(vault) = vault.as_object_mut() {
        vault.retain(|name, _| !["id", "name", "systemData", "type"].contains(&name.as_str()));
    }
    let Some(properties) = vault.get_mut("properties").and_then(Value::as_object_mut) else { return };
    properties.retain(|name, value| match name.as_str() {
        "enablePurgeProtection" => *value != Value::Bool(false),
        name => !OF_THE_SERVICE.contains(&name),
    });
}

const OF_THE_SERVICE: &[&str] =
    &["enableSoftDelete", "hsmPoolResourceId", "privateEndpointConnections", "provisioningState", "vaultUri"];

impl VaultSpec {
    /// The request body, with only what the spec contains.
    fn body(&self) -> serde_json::Result<Value> {
        let properties = Properties {
            tenant_id: &self.tenant_id,
            sku: Sku { unknown: self.unknown.sku.clone(), ..self.sku.clone().into() },
            access_policies: &self.access_policies,
            enable_rbac_authorization: self.enable_rbac_authorization,
            soft_delete_retention_in_days: self.soft_delete_retention_in_days,
            enable_purge_protection: self.enable_purge_protection,
            enabled_for_deployment: self.enabled_for_deployment,
            enabled_for_disk_encryption: self.enabled_for_disk_encryption,
            enabled_for_template_deployment: self.enabled_for_template_deployment,
            network_acls: self.network_acls.as_ref(),
            public_network_access: self.public_network_access.as_ref(),
            unknown: &self.unknown.properties,
        };
        let unknown = &self.unknown.resource;
        serde_json::to_value(Body { location: &self.location, tags: &self.tags, properties, unknown })
    }
}

/// A partial update of a vault: fields that are `Some` are written, the rest are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, TypedBuilder)]
#[builder(field_defaults(default, setter(into, strip_option)))]
pub struct VaultPatch {
    /// Replaces all tags.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// The properties to change.
    #[builder(setter(!strip_option))]
    pub properties: VaultPatchProperties,
}

/// The properties in a [`VaultPatch`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, TypedBuilder)]
#[serde(rename_all = "camelCase")]
#[builder(field_defaults(default, setter(into, strip_option)))]
pub struct VaultPatchProperties {
    /// Whether access is granted by role assignments. Changing it requires
    /// `Microsoft.Authorization/roleAssignments/write`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_rbac_authorization: Option<bool>,
    /// Replaces all access policies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_policies: Option<Vec<AccessPolicy>>,
    /// Turns purge protection on. The service refuses `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_purge_protection: Option<bool>,
    /// Whether virtual machines may fetch certificates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_for_deployment: Option<bool>,
    /// Whether disk encryption may fetch secrets and unwrap keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_for_disk_encryption: Option<bool>,
    /// Whether Resource Manager may fetch secrets for deployments.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled_for_template_deployment: Option<bool>,
    /// Replaces the firewall.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_acls: Option<NetworkRules>,
    /// Whether it can be reached over the public network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_network_access: Option<PublicNetworkAccess>,
    /// Standard or premium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sku: Option<Sku>,
}
