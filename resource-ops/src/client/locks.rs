use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::Result;

use crate::{Lock, LockSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/resources/management-locks).
const API_VERSION: &str = "2020-05-01";

/// A client for locks on subscriptions, resource groups and resources.
///
/// Locks apply only to Resource Manager: the contents of a locked vault can still be read, changed and deleted.
///
/// ```
/// # async fn f(arm: &arm_core::ArmClient, vault: &arm_core::ResourceId) -> azure_core::Result<()> {
/// use resource_ops::{LockLevel, LockSpec, LocksClient};
///
/// let spec = LockSpec { level: LockLevel::CanNotDelete, notes: Some("an investigation".to_owned()) };
/// LocksClient::new(arm).create_or_update(vault, "investigation", &spec).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct LocksClient {
    arm: ArmClient,
}

impl LocksClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the locks at a scope and below it: `ManagementLocks_ListByScope`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/management-locks/list-by-scope)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/locks/read`.
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<Lock> {
        self.arm.get(locks(scope), API_VERSION).pager()
    }

    /// Reads a lock: `ManagementLocks_GetByScope`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/management-locks/get-by-scope)
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; see [`get_opt`](Self::get_opt).
    pub async fn get(&self, scope: impl Into<Scope>, name: &str) -> Result<Lock> {
        self.arm.get(locks(scope).segment(name), API_VERSION).json().await
    }

    /// Reads a lock; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing lock is `None`.
    pub async fn get_opt(&self, scope: impl Into<Scope>, name: &str) -> Result<Option<Lock>> {
        self.arm.get(locks(scope).segment(name), API_VERSION).json_opt().await
    }

    /// Creates or updates a lock: `ManagementLocks_CreateOrUpdateByScope`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/management-locks/create-or-update-by-scope)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/locks/write`: Owner or User Access Administrator.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        scope: impl Into<Scope>,
        name: &str,
        spec: &LockSpec,
    ) -> Result<Lock> {
        self.arm.put(locks(scope).segment(name), API_VERSION).body(&spec.body()).json().await
    }

    /// Deletes a lock: `ManagementLocks_DeleteByScope`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/resources/management-locks/delete-by-scope)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/locks/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing lock succeeds.
    pub async fn delete(&self, scope: impl Into<Scope>, name: &str) -> Result<()> {
        self.arm.delete(locks(scope).segment(name), API_VERSION).send_empty().await
    }
}

fn locks(scope: impl Into<Scope>) -> ArmPath {
    ArmPath::from(&scope.into()).provider("Microsoft.Authorization").literal("locks")
}
