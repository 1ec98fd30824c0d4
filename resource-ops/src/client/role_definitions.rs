use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::{Error, Result, error::ErrorKind};
use futures::TryStreamExt as _;

use crate::{RoleDefinition, RoleId};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/authorization/role-definitions).
const API_VERSION: &str = "2022-04-01";

/// A client for role definitions.
#[derive(Debug, Clone)]
pub struct RoleDefinitionsClient {
    arm: ArmClient,
}

impl RoleDefinitionsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Reads a role: `RoleDefinitions_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-definitions/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/roleDefinitions/read`.
    ///
    /// # Errors
    ///
    /// `is_code("RoleDefinitionDoesNotExist")`.
    pub async fn get(&self, scope: impl Into<Scope>, role: RoleId) -> Result<RoleDefinition> {
        self.arm.get(path(&scope.into()).segment(role.to_string()), API_VERSION).json().await
    }

    /// Streams the roles that can be assigned at a scope: `RoleDefinitions_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/authorization/role-definitions/list)
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<RoleDefinition> {
        self.arm.get(path(&scope.into()), API_VERSION).pager()
    }

    /// Streams the roles that match a filter: `RoleDefinitions_List` with `$filter`, such as `atScopeAndBelow()` or
    /// `type eq 'CustomRole'`.
    pub fn list_filtered(&self, scope: impl Into<Scope>, filter: &str) -> Pager<RoleDefinition> {
        self.arm.get(path(&scope.into()), API_VERSION).query("$filter", filter).pager()
    }

    /// Finds a role by its display name: `RoleDefinitions_List` with `$filter=roleName eq '..'`.
    ///
    /// To branch on a missing role, use [`get_by_name_opt`](Self::get_by_name_opt).
    ///
    /// # Errors
    ///
    /// As for [`get_by_name_opt`](Self::get_by_name_opt); or the role does not exist: an error of kind `Other`, for
    /// which `is_resource_not_found()` is `false`.
    pub async fn get_by_name(&self, scope: impl Into<Scope>, name: &str) -> Result<RoleDefinition> {
        let scope = scope.into();
        self.get_by_name_opt(&scope, name).await?.ok_or_else(|| {
            let message = format!(
                "there is no role named '{name}' that can be assigned at {scope}: use the role's full name, such as \
                 'Key Vault Secrets User'"
            );
            Error::with_message(ErrorKind::Other, message)
        })
    }

    /// Finds a role by its display name; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn get_by_name_opt(
        &self,
        scope: impl Into<Scope>,
        name: &str,
    ) -> Result<Option<RoleDefinition>> {
        let filter = format!("roleName eq '{}'", name.replace('\'', "''"));
        let mut found = self.list_filtered(scope, &filter);
        while let Some(role) = found.try_next().await? {
            // Compare the name again: a filter that the service ignored must not choose the wrong role.
            if role.role_name.eq_ignore_ascii_case(name) {
                return Ok(Some(role));
            }
        }
        Ok(None)
    }
}

fn path(scope: &Scope) -> ArmPath {
    ArmPath::from(scope).provider("Microsoft.Authorization").literal("roleDefinitions")
}
