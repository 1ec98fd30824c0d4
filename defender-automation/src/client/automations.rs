//! Automations.

use arm_core::{ArmClient, ArmPath, Pager, ResourceGroupId, ResourceName, SubscriptionId};
use azure_core::Result;

use crate::{Automation, AutomationPatch, AutomationSpec, Validation};

/// The API version of every request, from the
/// [reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations).
pub const API_VERSION: &str = "2023-12-01-preview";

/// A client for workflow automations, which run actions on Defender's alerts and findings.
///
/// The URL of a Logic App's trigger and the connection string of an event hub are write-only. An automation with such
/// an action therefore cannot simply be read and written back: [`create_or_update`](Self::create_or_update) refuses one
/// that lacks them, before anything is sent.
#[derive(Debug, Clone)]
pub struct AutomationsClient {
    arm: ArmClient,
}

impl AutomationsClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Streams the automations of a subscription: `Automations_List`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/list)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/read`.
    #[inline]
    pub fn list(&self, subscription: &SubscriptionId) -> Pager<Automation> {
        self.arm.get(automations(subscription.into()), API_VERSION).pager()
    }

    /// Streams the automations of a resource group: `Automations_ListByResourceGroup`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/list-by-resource-group)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/read`.
    #[inline]
    pub fn list_by_resource_group(&self, group: &ResourceGroupId) -> Pager<Automation> {
        self.arm.get(automations(group.into()), API_VERSION).pager()
    }

    /// Reads an automation, without its secrets: `Automations_Get`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/get)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/read`.
    ///
    /// # Errors
    ///
    /// `is_resource_not_found()`: it does not exist.
    pub async fn get(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<Automation> {
        self.arm.get(one(group, name), API_VERSION).json().await
    }

    /// Reads an automation; `None` if it does not exist: `Automations_Get`.
    ///
    /// # Errors
    ///
    /// As for [`get`](Self::get), except that a missing resource is `None`.
    pub async fn get_opt(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<Option<Automation>> {
        self.arm.get(one(group, name), API_VERSION).json_opt().await
    }

    /// Creates or replaces an automation: `Automations_CreateOrUpdate`. Prefer [`ensure`](Self::ensure), which keeps
    /// existing settings and warns of rules that are known never to match.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/create-or-update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/write` (Security Admin), and permission to read the trigger of a Logic App.
    ///
    /// # Errors
    ///
    /// Fails without sending a request if an action lacks its secret, or if there is not exactly one scope; otherwise,
    /// any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn create_or_update(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        spec: &AutomationSpec,
    ) -> Result<Automation> {
        spec.check(name)?;
        self.arm.put(one(group, name), API_VERSION).body(spec).json().await
    }

    /// Changes parts of an automation: `Automations_Update`. A patch without actions leaves their secrets unchanged.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/update)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/write`.
    ///
    /// # Errors
    ///
    /// Fails without sending a request if the patch has actions that lack their secrets; otherwise, any refusal by the
    /// service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: it writes the same state again.
    pub async fn update(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        patch: &AutomationPatch,
    ) -> Result<Automation> {
        patch.check(name)?;
        self.arm.patch(one(group, name), API_VERSION).body(patch).repeatable().json().await
    }

    /// Deletes an automation: `Automations_Delete`.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/delete)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/delete`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service, such as `is_scope_locked()`: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    ///
    /// # Retries
    ///
    /// Safe to repeat: deleting a missing resource succeeds.
    pub async fn delete(&self, group: &ResourceGroupId, name: &ResourceName) -> Result<()> {
        self.arm.delete(one(group, name), API_VERSION).send_empty().await
    }

    /// Asks the service whether it would accept an automation, without storing it: `Automations_Validate`. An invalid
    /// automation is a result, not an error.
    ///
    /// [Reference](https://learn.microsoft.com/rest/api/defenderforcloud-composite/automations/validate)
    ///
    /// # Permissions
    ///
    /// `Microsoft.Security/automations/validate/action`.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn validate(
        &self,
        group: &ResourceGroupId,
        name: &ResourceName,
        spec: &AutomationSpec,
    ) -> Result<Validation> {
        let request = self.arm.post(one(group, name).literal("validate"), API_VERSION);
        request.body(spec).reads_only().json().await
    }
}

fn automations(scope: ArmPath) -> ArmPath {
    scope.provider("Microsoft.Security").literal("automations")
}

fn one(group: &ResourceGroupId, name: &ResourceName) -> ArmPath {
    automations(group.into()).segment(name)
}
