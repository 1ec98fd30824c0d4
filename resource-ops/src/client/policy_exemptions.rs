use arm_core::{ArmClient, ArmPath, Pager, Scope};
use azure_core::Result;

use crate::{PolicyExemption, PolicyExemptionSpec};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/policy/policy-exemptions).
const API_VERSION: &str = "2022-07-01-preview";

/// A client for policy exemptions, which exclude scopes from a policy.
#[derive(Debug, Clone)]
pub struct PolicyExemptionsClient {
    arm: ArmClient,
}

impl PolicyExemptionsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the exemptions at a scope, above it and, unless it is a management group, below it. The operation is
    /// `PolicyExemptions_List`, `PolicyExemptions_ListForResourceGroup`, `PolicyExemptions_ListForResource` or
    /// `PolicyExemptions_ListForManagementGroup`, depending on the scope. Expired exemptions are listed too.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/policy/policy-exemptions/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/policyExemptions/read`.
    pub fn list(&self, scope: impl Into<Scope>) -> Pager<PolicyExemption> {
        self.arm.get(exemptions(scope), API_VERSION).pager()
    }

    /// Reads an exemption: `PolicyExemptions_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/policy/policy-exemptions/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/policyExemptions/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`; see [`get_opt`](Self::get_opt).
    pub async fn get(&self, scope: impl Into<Scope>, name: &str) -> Result<PolicyExemption> {
        self.arm.get(exemptions(scope).segment(name), API_VERSION).json().await
    }

    /// Reads an exemption; `None` if it does not exist.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, scope: impl Into<Scope>, name: &str) -> Result<Option<PolicyExemption>> {
        self.arm.get(exemptions(scope).segment(name), API_VERSION).json_opt().await
    }

    /// Creates or replaces an exemption: `PolicyExemptions_CreateOrUpdate`.
    ///
    /// To change an exemption, read it, modify its `spec`, and write the modified `spec`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/policy/policy-exemptions/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/policyExemptions/write` at the scope, and
    /// `Microsoft.Authorization/policyAssignments/exempt/action` at the assignment: Resource Policy Contributor,
    /// Security Admin or Owner.
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
        spec: &PolicyExemptionSpec,
    ) -> Result<PolicyExemption> {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            properties: &'a PolicyExemptionSpec,
        }
        let request = self.arm.put(exemptions(scope).segment(name), API_VERSION);
        request.body(&Body { properties: spec }).json().await
    }

    /// Deletes an exemption: `PolicyExemptions_Delete`. Deleting one that does not exist succeeds.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/policy/policy-exemptions/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Authorization/policyExemptions/delete` and `Microsoft.Authorization/policyAssignments/exempt/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn delete(&self, scope: impl Into<Scope>, name: &str) -> Result<()> {
        self.arm.delete(exemptions(scope).segment(name), API_VERSION).send_empty().await
    }
}

fn exemptions(scope: impl Into<Scope>) -> ArmPath {
    ArmPath::from(&scope.into()).provider("Microsoft.Authorization").literal("policyExemptions")
}
