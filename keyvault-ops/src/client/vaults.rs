//! Vaults: one method per control-plane operation.

use arm_core::{ArmClient, ArmPath, Pager, Poller, ResourceGroupId, SubscriptionId};
use azure_core::Result;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    AccessPolicy, AccessPolicyUpdateKind, DeletedVault, NameAvailability, Vault, VaultId, VaultName,
    VaultPatch, VaultResource, VaultSpec, id::deleted_vault,
};

/// The API version of all requests for vaults except [`VaultsClient::list_resources`], from the
/// [reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults). All older versions are retired on 27
/// February 2027.
pub const API_VERSION: &str = "2026-02-01";

/// The API version of `Vaults_List`, which lists all resources.
const RESOURCES_VERSION: &str = "2015-11-01";

/// A client for key vaults as resources. For their secrets, see [`SecretsClient`](crate::SecretsClient).
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, subscription: &arm_core::SubscriptionId) -> azure_core::Result<()> {
/// use futures::TryStreamExt as _;
/// use keyvault_ops::VaultsClient;
///
/// let mut vaults = VaultsClient::new(arm).list(subscription);
/// while let Some(vault) = vaults.try_next().await? {
///     let protected = vault.properties.enable_purge_protection == Some(true);
///     println!("{} in {}: purge protection {protected}", vault.name, vault.location);
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct VaultsClient {
    pub(crate) arm: ArmClient,
    page_size: Option<u32>,
}

impl VaultsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone(), page_size: None }
    }

    /// Requests pages of this many vaults (`$top`) in all lists but [`list_deleted`](Self::list_deleted). Default: the
    /// service decides.
    pub fn with_page_size(mut self, vaults: u32) -> Self {
        self.page_size = Some(vaults.max(1));
        self
    }

    /// Reads a vault: `Vaults_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`, also if the vault is soft-deleted.
    pub async fn get(&self, id: &VaultId) -> Result<Vault> {
        self.arm.get(id, API_VERSION).json().await
    }

    /// Reads a vault; `None` if it does not exist: `Vaults_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, id: &VaultId) -> Result<Option<Vault>> {
        self.arm.get(id, API_VERSION).json_opt().await
    }

    /// Creates a vault or replaces its properties: `Vaults_CreateOrUpdate`. Await the poller to get the vault once its
    /// host name can be reached.
    ///
    /// A PUT resets the settings that the spec does not contain, except purge protection, which cannot be turned off.
    /// To change an existing vault, start from `VaultSpec::from(&vault)`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/write`; to change the permission model, also
    /// `Microsoft.Authorization/roleAssignments/write`.
    ///
    /// # Errors
    ///
    /// [`is_vault_name_taken`](crate::VaultErrorExt::is_vault_name_taken): another vault has the name, possibly a
    /// soft-deleted one; `is_code("InvalidResourceLocation")`: the vault exists in another region.
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    #[inline]
    pub fn create_or_update(&self, id: &VaultId, spec: &VaultSpec) -> Poller<Vault> {
        self.arm.put(id, API_VERSION).body(spec).poller()
    }

    /// Recovers a soft-deleted vault with everything in it: `Vaults_CreateOrUpdate` with `createMode` recover.
    ///
    /// Its role assignments and Event Grid subscriptions are not recovered.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/write`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: there is no such deleted vault in this group and location.
    #[inline]
    pub fn recover(&self, deleted: &DeletedVault, tenant_id: &str) -> Poller<Vault> {
        let body = json!({
            "location": deleted.location,
            "tags": deleted.tags,
            "properties": {
                "tenantId": tenant_id,
                "sku": { "family": "A", "name": "standard" },
                "createMode": "recover",
            },
        });
        self.arm.put(&deleted.vault_id, API_VERSION).body(&body).poller()
    }

    /// Changes parts of a vault and keeps the rest: `Vaults_Update`.
    ///
    /// # Permissions
    ///
    /// As for [`create_or_update`](Self::create_or_update).
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: there is no such vault.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/update)
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(&self, id: &VaultId, patch: &VaultPatch) -> Result<Vault> {
        self.arm.patch(id, API_VERSION).body(patch).expect_status(&[200, 201]).repeatable().json().await
    }

    /// Soft-deletes a vault: `Vaults_Delete`. Its name stays taken until it is purged; [`remove`](Self::remove) can do
    /// both. Deleting a vault that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, id: &VaultId) -> Result<()> {
        self.arm.delete(id, API_VERSION).send_empty().await
    }

    /// Adds, replaces or removes access policies: `Vaults_UpdateAccessPolicy`. Returns all policies of the vault after
    /// the change.
    ///
    /// Access policies take effect only in a vault that does not use Azure RBAC.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/update-access-policy)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/accessPolicies/write`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat.
    pub async fn update_access_policy(
        &self,
        id: &VaultId,
        kind: &AccessPolicyUpdateKind,
        policies: &[AccessPolicy],
    ) -> Result<Vec<AccessPolicy>> {
        let path = ArmPath::from(id).literal("accessPolicies").segment(kind.as_str());
        let body = AccessPolicies { properties: Properties { access_policies: policies.to_vec() } };
        let answer: AccessPolicies = self.arm.put(path, API_VERSION).body(&body).json().await?;
        Ok(answer.properties.access_policies)
    }

    /// Streams the vaults of a group: `Vaults_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<Vault> {
        self.vaults(ArmPath::from(group))
    }

    /// Streams the vaults of a subscription: `Vaults_ListBySubscription`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-by-subscription)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/vaults/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<Vault> {
        self.vaults(ArmPath::from(subscription))
    }

    #[inline]
    fn vaults(&self, scope: ArmPath) -> Pager<Vault> {
        let path = scope.provider("Microsoft.KeyVault").literal("vaults");
        self.arm.get(path, API_VERSION).query_opt("$top", self.top()).pager()
    }

    /// Streams the vaults of a subscription without their properties: `Vaults_List`. Resource Manager answers from its
    /// own cache, without asking the Key Vault provider.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Resources/subscriptions/resources/read`.
    #[inline]
    pub fn list_resources(&self, subscription: &SubscriptionId) -> Pager<VaultResource> {
        self.arm
            .get(ArmPath::from(subscription).literal("resources"), RESOURCES_VERSION)
            .query("$filter", "resourceType eq 'Microsoft.KeyVault/vaults'")
            .query_opt("$top", self.top())
            .pager()
    }

    fn top(&self) -> Option<String> {
        self.page_size.map(|size| size.to_string())
    }

    /// Streams the soft-deleted vaults of a subscription: `Vaults_ListDeleted`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/list-deleted)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/deletedVaults/read`.
    #[inline]
    pub fn list_deleted(&self, subscription: &SubscriptionId) -> Pager<DeletedVault> {
        let path = ArmPath::from(subscription).provider("Microsoft.KeyVault").literal("deletedVaults");
        self.arm.get(path, API_VERSION).pager()
    }

    /// Reads a soft-deleted vault: `Vaults_GetDeleted`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/get-deleted)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/locations/deletedVaults/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`.
    pub async fn get_deleted(
        &self,
        subscription: &SubscriptionId,
        location: &str,
        name: &VaultName,
    ) -> Result<DeletedVault> {
        self.arm.get(deleted_vault(subscription, location, name.as_str()), API_VERSION).json().await
    }

    /// Permanently deletes a soft-deleted vault and everything in it: `Vaults_PurgeDeleted`. Await the poller to wait
    /// until this is complete.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/purge-deleted)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/locations/deletedVaults/purge/action`, as in Key Vault Purge Operator.
    ///
    /// # Errors
    ///
    /// `is_code("MethodNotAllowed")`: the vault has purge protection.
    ///
    /// # Retries
    ///
    /// A second purge fails with `is_resource_not_found()`.
    #[inline]
    pub fn purge_deleted(
        &self,
        subscription: &SubscriptionId,
        location: &str,
        name: &VaultName,
    ) -> Poller<()> {
        let path = deleted_vault(subscription, location, name.as_str()).literal("purge");
        self.arm.post(path, API_VERSION).poller()
    }

    /// Checks whether a vault name is available in the whole cloud: `Vaults_CheckNameAvailability`.
    ///
    /// The name of a soft-deleted vault is not available.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/check-name-availability)
    ///
    /// # Permissions
    ///
    /// `Microsoft.KeyVault/checkNameAvailability/read`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn check_name_availability(
        &self,
        subscription: &SubscriptionId,
        name: &VaultName,
    ) -> Result<NameAvailability> {
        let path =
            ArmPath::from(subscription).provider("Microsoft.KeyVault").literal("checkNameAvailability");
        let body = json!({ "name": name, "type": "Microsoft.KeyVault/vaults" });
        self.arm.post(path, API_VERSION).body(&body).reads_only().json().await
    }
}

#[derive(Serialize, Deserialize)]
struct AccessPolicies {
    properties: Properties,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    access_policies: Vec<AccessPolicy>,
}
