//! The little that this crate needs to know of vaults.

use arm_core::{ArmClient, ArmPath, Pager, ResourceId, Scope, refuse};
use azure_core::Result;
use serde::Deserialize;

const API_VERSION: &str = "2023-07-01";

/// A vault, as a list shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Vault {
    pub(crate) id: ResourceId,
    pub(crate) properties: VaultProperties,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct VaultProperties {
    pub(crate) enable_rbac_authorization: Option<bool>,
    pub(crate) enable_purge_protection: Option<bool>,
    pub(crate) public_network_access: Option<String>,
    pub(crate) network_acls: Option<NetworkAcls>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct NetworkAcls {
    pub(crate) default_action: Option<String>,
}

/// The vaults of a subscription or group.
pub(crate) fn list(arm: &ArmClient, scope: &Scope) -> Result<Pager<Vault>> {
    match scope {
        Scope::Subscription(_) | Scope::ResourceGroup(_) => {
            let path = ArmPath::from(scope).provider("Microsoft.KeyVault").literal("vaults");
            Ok(arm.get(path, API_VERSION).pager())
        }
        other => refuse(format!("vaults are listed in a subscription or resource group, not in {other}")),
    }
}
