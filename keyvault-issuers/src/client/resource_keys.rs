use std::sync::LazyLock;

use arm_core::{ArmClient, ArmPath, IdError, Pager, Poller, ResourceId};
use azure_core::Result;
use serde_json::json;

use crate::{
    KeyedResource, Permissions, ResourceKeys,
    kinds::{KINDS, Kind, Regenerate},
    models::KeyedResourceWire,
};

const PERMISSIONS_VERSION: &str = "2022-04-01";

/// A client for resources with keys: storage accounts, Cosmos DB accounts, authorization rules of Service Bus and Event
/// Hubs namespaces, and the other types in the [table](crate#types-of-resources).
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, account: &arm_core::ResourceId) -> azure_core::Result<()> {
/// use keyvault_issuers::KeyedResourcesClient;
///
/// for key in KeyedResourcesClient::new(arm).list_keys(account).await?.keys {
///     println!("{}: {:?}", key.name, key.value); // key1: Secret(..)
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct KeyedResourcesClient {
    pub(crate) arm: ArmClient,
}

pub(crate) fn kind_of(id: &ResourceId) -> Result<&'static Kind> {
    supported(id).map_err(Into::into)
}

fn supported(id: &ResourceId) -> std::result::Result<&'static Kind, IdError> {
    static RULE: LazyLock<String> = LazyLock::new(|| {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        format!("is of a type whose keys are not supported; supported types: {}", known.join(", "))
    });
    Kind::of(&id.resource_type()).ok_or_else(|| IdError::new("resource with keys", id.as_str(), &RULE))
}

impl KeyedResourcesClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Reads a resource, or the namespace of an authorization rule: `StorageAccounts_GetProperties`,
    /// `DatabaseAccounts_Get`, `Namespaces_Get`, `Accounts_Get`, `Services_Get`, `Redis_Get`, `SignalR_Get`,
    /// `WebPubSub_Get`, `BatchAccount_Get`, `Topics_Get`, `Domains_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/storagerp/storage-accounts/get-properties)
    ///
    /// # Permissions
    ///
    /// `{type}/read`; for an authorization rule, that of its namespace.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: the resource does not exist. Another error, before any request is sent, if its type
    /// is not in the [table](crate#types-of-resources).
    pub async fn get(&self, id: &ResourceId) -> Result<KeyedResource> {
        let kind = kind_of(id)?;
        let above = id.parent().filter(|_| kind.off_above);
        let resource: KeyedResourceWire =
            self.arm.get(above.as_ref().unwrap_or(id), kind.version).json().await?;
        Ok(resource.read(kind))
    }

    /// Lists the keys of a resource: `StorageAccounts_ListKeys`, `DatabaseAccounts_ListKeys`, `Namespaces_ListKeys`,
    /// `Accounts_ListKeys`, `AdminKeys_Get`, `Redis_ListKeys`, `SignalR_ListKeys`, `WebPubSub_ListKeys`,
    /// `BatchAccount_GetKeys`, `Topics_ListSharedAccessKeys`, `Domains_ListSharedAccessKeys`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys)
    ///
    /// # Permissions
    ///
    /// `{type}/listKeys/action`; for Search, `listAdminKeys/action`. Contributor has it; for storage accounts, so does
    /// Storage Account Key Operator Service Role. Because it is a POST, a read-only lock on the resource blocks it.
    ///
    /// # Errors
    ///
    /// The resource's type is not in the [table](crate#types-of-resources). Cognitive Services responds with 400 if
    /// `disableLocalAuth` is set.
    pub async fn list_keys(&self, id: &ResourceId) -> Result<ResourceKeys> {
        let kind = kind_of(id)?;
        self.arm.post(ArmPath::from(id).literal(kind.list), kind.version).reads_only().json().await
    }

    /// Regenerates a key, named as in the [table](crate#types-of-resources): `StorageAccounts_RegenerateKey`,
    /// `DatabaseAccounts_RegenerateKey`, `Namespaces_RegenerateKeys`, `Accounts_RegenerateKey`,
    /// `Accounts_RegenerateKeys`, `AdminKeys_Regenerate`, `Redis_RegenerateKey`, `SignalR_RegenerateKey`,
    /// `WebPubSub_RegenerateKey`, `BatchAccount_RegenerateKey`, `Topics_RegenerateKey`, `Domains_RegenerateKey`. Await
    /// the poller, then list the keys.
    ///
    /// **This invalidates the old key** and every SAS that was signed with it, usually within minutes; Cosmos DB may
    /// take hours.
    ///
    /// # Permissions
    ///
    /// `{type}/regenerateKey/action`; for Batch and authorization rules, `regenerateKeys/action`; for Search,
    /// `regenerateAdminKey/action`.
    ///
    /// # Errors
    ///
    /// The resource's type is not in the table; the poller then sends no request.
    ///
    /// # Retries
    ///
    /// Not retried if the request may have been carried out, since each request creates another key. In that case, list
    /// the keys to find out.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/storagerp/storage-accounts/regenerate-key)
    #[inline]
    pub fn regenerate_key(&self, id: &ResourceId, key: &str) -> Poller<()> {
        let kind = match supported(id) {
            Ok(kind) => kind,
            Err(error) => return self.arm.post(ArmPath::refused(error), "").poller(),
        };
        let path = ArmPath::from(id).literal(kind.regenerate.action());
        match kind.regenerate {
            Regenerate::Member { member, .. } => {
                self.arm.post(path, kind.version).body(&json!({ member: key })).poller()
            }
            Regenerate::Segment { .. } => self.arm.post(path.segment(key), kind.version).poller(),
        }
    }

    /// Streams the caller's permissions on a resource: `Permissions_ListForResource`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/permissions/read`, which the role Reader includes.
    #[inline]
    pub fn permissions(&self, id: &ResourceId) -> Pager<Permissions> {
        let path = ArmPath::from(id).provider("Microsoft.Authorization").literal("permissions");
        self.arm.get(path, PERMISSIONS_VERSION).pager()
    }
}
