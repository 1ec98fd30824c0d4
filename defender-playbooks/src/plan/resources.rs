//! A table of what plans know about each kind of resource, and the changes in the results of tasks.

use arm_core::{Change, Outcome};
use azure_core::{Error, Result, error::ErrorKind};
use defender_automation::{Automation, AutomationChange};
use defender_pricing::{PlanChange, Pricing};
use keyvault_ops::{Vault, VaultRemoval};
use monitor_ops::{
    ActionGroup, AlertRule, DataConnector, DiagnosticSetting, InstalledRule, OnboardingState, QueryRule,
    Workspace,
};
use resource_ops::{Provider, ResourceGroup, RoleAssignment, VirtualMachine};
use serde_json::{Value, json};

use super::{PlanAction, PlannedChange, PlannedKind, PlannedResource, change};
use crate::CoverageFix;

/// A task's result that can list what was changed, or would be.
///
/// The results of the tasks that a plan can contain implement it. Implement the trait for your own results, or convert
/// them with [`Task::map`](arm_core::Task::map).
pub trait Changes {
    /// Returns the changes.
    ///
    /// # Errors
    ///
    /// One of the changes was refused, or would be, or cannot be shown as JSON.
    fn changes(&self) -> Result<Vec<PlannedChange>>;
}

macro_rules! resources {
    ($($kind:ty {
        role: $role:literal, permission: $permission:literal, billed: $billed:expr,
        $($rest:tt)*
    })+) => {
        $(impl PlannedKind for $kind {
            const ROLE: &'static str = $role;
            const PERMISSION: &'static str = $permission;
            const BILLED: Option<&'static str> = $billed;
        }

        impl PlannedResource for $kind {
            $($rest)*
        })+
    };
}

resources! {
    Pricing {
        role: "Security Admin", permission: "Microsoft.Security/pricings/write",
        billed: Some("by what the plan covers"),
        const OF_THE_SERVICE: &'static [&'static str] = &["subPlan", "enforce", "inherited", "inheritedFrom"];
        fn id(&self) -> String { self.id.to_string() }
        fn shown(&self) -> Result<Value> { change::json(self) }
        fn is_billed(&self) -> bool { self.is_standard() }
    }
    Vault {
        role: "Key Vault Contributor", permission: "Microsoft.KeyVault/vaults/write",
        billed: None,
        const OF_THE_SERVICE: &'static [&'static str] = &[
            "bypass", "defaultAction", "enabledForDeployment", "enabledForDiskEncryption", "enabledForTemplateDeployment",
            "enableSoftDelete", "hsmPoolResourceId", "publicNetworkAccess", "softDeleteRetentionInDays", "tenantId", "vaultUri",
        ];
        fn id(&self) -> String { self.id.to_string() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    ResourceGroup {
        role: "Contributor", permission: "Microsoft.Resources/subscriptions/resourceGroups/write",
        billed: None,
        fn id(&self) -> String { self.id.to_string() }
        fn shown(&self) -> Result<Value> {
            Ok(json!({ "location": self.location, "tags": self.tags, "managedBy": self.managed_by }))
        }
    }
    RoleAssignment {
        role: "Role Based Access Control Administrator", permission: "Microsoft.Authorization/roleAssignments/write",
        billed: None,
        fn id(&self) -> String { self.id.to_string() }
        fn shown(&self) -> Result<Value> {
            Ok(json!({
                "roleDefinitionId": self.role_definition_id,
                "principalId": self.principal.to_string(),
                "principalType": self.principal_type.as_ref().map(ToString::to_string),
                "description": self.description,
                "condition": self.condition,
            }))
        }
    }
    VirtualMachine {
        role: "Virtual Machine Contributor", permission: "Microsoft.Compute/virtualMachines/write",
        billed: None,
        const MADE_AT_APPLY: &'static [&'static str] = &["identity.principalId"];
        const OF_THE_SERVICE: &'static [&'static str] = &["principalId", "tenantId"];
        fn id(&self) -> String { self.id.to_string() }
        // The tasks do not use the other properties, which may contain secrets passed to a startup script.
        fn shown(&self) -> Result<Value> {
            let identity = self.identity.as_ref();
            let users: Vec<&String> = identity.iter().flat_map(|it| it.user_assigned_identities.keys()).collect();
            Ok(json!({ "identity": {
                "type": identity.map(|identity| identity.identity_type.to_string()),
                "userAssignedIdentities": users,
            } }))
        }
    }
    Provider {
        role: "Contributor", permission: "*/register/action",
        billed: None,
        fn id(&self) -> String { self.id.clone().unwrap_or_else(|| format!("/providers/{}", self.namespace)) }
        fn shown(&self) -> Result<Value> { Ok(json!({ "registrationState": self.registration_state.to_string() })) }
    }
    Workspace {
        role: "Log Analytics Contributor", permission: "Microsoft.OperationalInsights/workspaces/write",
        billed: Some("by the data ingested"),
        const MADE_AT_APPLY: &'static [&'static str] = &["properties.customerId"];
        const OF_THE_SERVICE: &'static [&'static str] = &[
            "customerId", "dailyQuotaGb", "dataIngestionStatus", "enableLogAccessUsingOnlyResourcePermissions", "legacy",
            "publicNetworkAccessForIngestion", "publicNetworkAccessForQuery", "retentionInDays", "searchVersion",
        ];
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    DiagnosticSetting {
        role: "Monitoring Contributor", permission: "Microsoft.Insights/diagnosticSettings/write",
        billed: Some("by the logs that it sends"),
        const OF_THE_SERVICE: &'static [&'static str] = &["days", "logAnalyticsDestinationType"];
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    ActionGroup {
        role: "Monitoring Contributor", permission: "Microsoft.Insights/actionGroups/write",
        billed: None,
        const OF_THE_SERVICE: &'static [&'static str] = &["status"];
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    QueryRule {
        role: "Monitoring Contributor", permission: "Microsoft.Insights/scheduledQueryRules/write",
        billed: Some("per rule"),
        fn id(&self) -> String { self.id.clone() }
        // Whether the service validates the query is decided when it is written, since its table may not exist yet.
        fn shown(&self) -> Result<Value> {
            let mut shown = change::json(self)?;
            if let Some(properties) = shown.get_mut("properties").and_then(Value::as_object_mut) {
                properties.remove("skipQueryValidation");
            }
            Ok(shown)
        }
    }
    Automation {
        role: "Security Admin", permission: "Microsoft.Security/automations/write",
        billed: None,
        const OF_THE_SERVICE: &'static [&'static str] = &["metadata"];
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    OnboardingState {
        role: "Microsoft Sentinel Contributor", permission: "Microsoft.SecurityInsights/onboardingStates/write",
        billed: Some("by the data ingested into the workspace"),
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    DataConnector {
        role: "Microsoft Sentinel Contributor", permission: "Microsoft.SecurityInsights/dataConnectors/write",
        billed: None,
        const OF_THE_SERVICE: &'static [&'static str] = &["tenantId"];
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
    AlertRule {
        role: "Microsoft Sentinel Contributor", permission: "Microsoft.SecurityInsights/alertRules/write",
        billed: None,
        fn id(&self) -> String { self.id.clone() }
        fn shown(&self) -> Result<Value> { change::json(self) }
    }
}

impl<R: PlannedResource> Changes for Change<R> {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        Ok(vec![PlannedChange::from_change(self)?])
    }
}

impl Changes for PlanChange {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        self.change.changes()
    }
}

impl Changes for AutomationChange {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        self.change.changes()
    }
}

impl Changes for Vec<InstalledRule> {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        self.iter().map(|rule| PlannedChange::from_change(&rule.change)).collect()
    }
}

impl<K: ToString, T: Changes> Changes for Vec<Outcome<K, T>> {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = Vec::new();
        for outcome in self {
            all.extend(outcome.result.as_ref().map_err(|error| refused(&outcome.target, error))?.changes()?);
        }
        all.sort_by(|a: &PlannedChange, b| a.id.cmp(&b.id));
        Ok(all)
    }
}

impl Changes for CoverageFix {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = self.plan.changes()?;
        match &self.vaults {
            Ok(vaults) => all.extend(vaults.changes()?),
            Err(error) => return Err(refused(&"the vaults", error)),
        }
        Ok(all)
    }
}

impl Changes for VaultRemoval {
    /// Returns the vault, with everything in it, and the deleted vault if it is purged.
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let mut all = Vec::new();
        if let Some(vault) = &self.deleted {
            let permission = "Microsoft.KeyVault/vaults/delete";
            all.push(PlannedChange::delete_of::<Vault>(vault.id(), permission, Some(&vault.shown()?)));
        }
        if let Some(id) = &self.purged {
            let permission = "Microsoft.KeyVault/locations/deletedVaults/purge/action";
            all.push(PlannedChange::delete_of::<Vault>(id, permission, None));
        }
        if all.is_empty() {
            all.push(PlannedChange::of::<Vault>(PlanAction::NoChange, self.vault.to_string()));
        }
        Ok(all)
    }
}

/// Changes that were assembled elsewhere.
impl Changes for Vec<PlannedChange> {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        Ok(self.clone())
    }
}

/// Why one of several targets cannot be changed, as a copy: the original error belongs to the result.
pub(super) fn refused(target: &impl ToString, error: &Error) -> Error {
    Error::with_message(ErrorKind::Other, format!("{}: {error}", target.to_string()))
}
