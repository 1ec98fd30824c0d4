//! The changes that a cleanup makes, as in a plan, each with its full id.

use azure_core::Result;
use defender_automation::Automation;
use defender_playbooks::plan::{Changes, PlanAction, PlannedChange, PlannedSecret};
use defender_pricing::Pricing;
use keyvault_ops::Vault;
use monitor_ops::{ActionGroup, DiagnosticSetting, QueryRule, Workspace};
use resource_ops::{ResourceGroup, RoleAssignment};
use serde_json::json;

use super::{Thing, plan::CleanupPlan, plans::PutBack};

/// The deleted resources and the restored plans.
#[derive(Debug)]
pub(super) struct Removal(Vec<PlannedChange>);

impl Removal {
    pub(super) fn of(plan: &CleanupPlan) -> Self {
        let secrets = plan.secret_ids().map(|id| {
            let permission = "Microsoft.KeyVault/vaults/secrets/delete";
            PlannedChange::delete_of::<PlannedSecret>(id, permission, None)
        });
        let things = plan.delete.iter().map(|planned| deletion(&planned.thing, &planned.id));
        let with_group = plan.with_group.iter().map(|id| deletion(&Thing::Group, id));
        let plans = plan.plans.iter().map(put_back);
        Self(secrets.chain(things).chain(with_group).chain(plans).collect())
    }

    /// Keeps only what was really deleted or restored.
    pub(super) fn only(self, gone: &[String]) -> Self {
        let is_gone = |change: &PlannedChange| gone.iter().any(|id| id.eq_ignore_ascii_case(&change.id));
        Self(self.0.into_iter().filter(is_gone).collect())
    }
}

impl Changes for Removal {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        Ok(self.0.clone())
    }
}

fn deletion(thing: &Thing, id: &str) -> PlannedChange {
    let deletion = match thing {
        Thing::Group => PlannedChange::delete_of::<ResourceGroup>,
        Thing::Vault(_) => PlannedChange::delete_of::<Vault>,
        Thing::Workspace => PlannedChange::delete_of::<Workspace>,
        Thing::Rule(_) => PlannedChange::delete_of::<QueryRule>,
        Thing::Automation => PlannedChange::delete_of::<Automation>,
        Thing::ActionGroup => PlannedChange::delete_of::<ActionGroup>,
        Thing::Assignment(_) => PlannedChange::delete_of::<RoleAssignment>,
        Thing::Setting { .. } => PlannedChange::delete_of::<DiagnosticSetting>,
    };
    let permission = match thing {
        Thing::Group => "Microsoft.Resources/subscriptions/resourceGroups/delete",
        Thing::Vault(_) => "Microsoft.KeyVault/vaults/delete",
        Thing::Workspace => "Microsoft.OperationalInsights/workspaces/delete",
        Thing::Rule(_) => "Microsoft.Insights/scheduledQueryRules/delete",
        Thing::Automation => "Microsoft.Security/automations/delete",
        Thing::ActionGroup => "Microsoft.Insights/actionGroups/delete",
        Thing::Assignment(_) => "Microsoft.Authorization/roleAssignments/delete",
        Thing::Setting { .. } => "Microsoft.Insights/diagnosticSettings/delete",
    };
    deletion(id.to_owned(), permission, None)
}

fn put_back(plan: &PutBack) -> PlannedChange {
    let change = PlannedChange::of::<Pricing>(PlanAction::Update, plan.before.id.to_string());
    let tier = |pricing: &Pricing| Some(json!(pricing.tier.to_string()));
    change.member("properties.pricingTier", tier(&plan.after), tier(&plan.before))
}
