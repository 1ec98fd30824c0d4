//! Determines what will be deleted and what stays. Only reads.

use arm_core::{ArmErrorExt as _, ArmPath};
use azure_core::Result;
use defender_alerts::{AlertStatus, AlertsClient};
use defender_playbooks::plan::PlannedSecret;
use futures::TryStreamExt as _;
use keyvault_ops::{SecretName, SecretsClient, VaultName, VaultsClient};
use resource_ops::ResourceGroupsClient;
use serde::Deserialize;

use super::{Look, Thing, plans};
use crate::{
    Lab,
    tasks::{task4, task5},
};

/// What will be deleted or restored, and what stays.
#[derive(Debug, Default)]
pub(crate) struct CleanupPlan {
    /// The resources to delete individually, in this order. The group, if it is deleted, or the vault is last.
    pub(crate) delete: Vec<Planned>,
    /// The resources that are deleted with the group.
    pub(crate) with_group: Vec<String>,
    /// The lab's vault.
    pub(crate) vault: Option<String>,
    /// The secrets to delete before the vault.
    pub(crate) secrets: Vec<SecretName>,
    /// The plans to restore.
    pub(crate) plans: Vec<plans::PutBack>,
    /// What stays, and its state.
    pub(crate) stays: Vec<[String; 2]>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Planned {
    pub(crate) thing: Thing,
    pub(crate) id: String,
    pub(crate) label: String,
}

/// An item in the list of all resources in a group.
#[derive(Deserialize)]
struct Listed {
    id: String,
    #[serde(rename = "type")]
    kind: String,
}

impl CleanupPlan {
    pub(crate) async fn read(lab: &Lab) -> Result<Self> {
        let mut plan = Self::default();
        let group_is_there = ResourceGroupsClient::new(&lab.azure.arm).exists(&lab.group()?).await?;
        plan.noted(lab, group_is_there).await?;
        if group_is_there {
            plan.in_group(lab).await?;
        }
        let (put_back, stays) = plans::read(lab).await?;
        plan.plans = put_back;
        plan.stays.extend(stays);
        plan.changed_elsewhere(lab);
        plan.soft_deleted(lab).await?;
        plan.samples(lab).await?;
        Ok(plan)
    }

    /// Considers resources without tags: those that the lab recorded, and unrecorded ones with the lab's names.
    async fn noted(&mut self, lab: &Lab, group_is_there: bool) -> Result<()> {
        let mut things: Vec<Thing> = {
            let state = lab.state();
            state.made.iter().map(Thing::noted).collect::<Result<_>>()?
        };
        things.retain(|thing| *thing != Thing::ActionGroup);
        if group_is_there {
            things.extend(task5::RULES.map(Thing::Rule));
            things.extend([Thing::ActionGroup, Thing::Automation]);
        }
        for thing in things {
            self.consider(lab, thing).await?;
        }
        Ok(())
    }

    /// Adds a resource to what is deleted if it belongs to the lab, otherwise to what stays. Returns whether it does.
    async fn consider(&mut self, lab: &Lab, thing: Thing) -> Result<bool> {
        let id = thing.id(lab)?;
        match thing.look(lab).await? {
            Look::Absent => Ok(false),
            Look::Kept(why) => {
                self.stays.push([id, why]);
                Ok(false)
            }
            Look::Ours => {
                self.delete.push(Planned { label: thing.label(lab)?, thing, id });
                Ok(true)
            }
        }
    }

    async fn in_group(&mut self, lab: &Lab) -> Result<()> {
        let workspace = Thing::Workspace;
        let workspace_id = workspace.id(lab)?;
        let workspace_look = workspace.look(lab).await?;
        let vault = lab.vault().ok();
        let mut vault_is_ours = false;
        if let Some(vault) = &vault {
            vault_is_ours = self.consider(lab, Thing::Vault(vault.clone())).await?;
        }
        if let (Some(vault), true) = (&vault, vault_is_ours) {
            self.vault = Some(vault.to_string());
            self.secrets = seeded(lab, vault.name()).await?;
        }
        let group = Thing::Group;
        let look = group.look(lab).await?;
        let mut own: Vec<String> = self.delete.iter().map(|planned| planned.id.clone()).collect();
        own.extend(Some(workspace_id.clone()).filter(|_| workspace_look == Look::Ours));
        let foreign = match look {
            Look::Ours => foreign_in_group(lab, &own).await?,
            _ => Vec::new(),
        };
        if look == Look::Ours && foreign.is_empty() {
            // The vault is deleted with the group, and is listed there.
            let at = self.delete.iter().position(|planned| matches!(planned.thing, Thing::Vault(_)));
            self.with_group.extend(at.map(|at| self.delete.remove(at).id));
            self.with_group.extend(Some(workspace_id).filter(|_| workspace_look == Look::Ours));
            self.delete.push(Planned { label: group.label(lab)?, id: group.id(lab)?, thing: group });
            return Ok(());
        }
        let why = match look {
            Look::Kept(why) => why,
            _ => "the lab created it, but it contains resources that the lab did not create".to_owned(),
        };
        self.stays.push([group.id(lab)?, why]);
        for id in foreign {
            if !self.stays.iter().any(|[known, _]| known.eq_ignore_ascii_case(&id)) {
                self.stays.push([id, "not known to belong to the lab".to_owned()]);
            }
        }
        match workspace_look {
            Look::Absent => {}
            Look::Ours => {
                let how = "the lab created it; others may use it by now: delete it yourself if nobody does";
                self.stays.push([workspace_id, how.to_owned()]);
            }
            Look::Kept(why) => self.stays.push([workspace_id, why]),
        }
        Ok(())
    }

    /// Lists changes to resources that are not the lab's: machines and other vaults.
    fn changed_elsewhere(&mut self, lab: &Lab) {
        let gone: Vec<&String> =
            self.delete.iter().map(|planned| &planned.id).chain(&self.with_group).collect();
        for (id, what) in &lab.state().changed {
            if !gone.iter().any(|gone| gone.eq_ignore_ascii_case(id)) {
                self.stays
                    .extend(what.iter().map(|what| [id.clone(), format!("changed by the lab: {what}")]));
            }
        }
    }

    async fn soft_deleted(&mut self, lab: &Lab) -> Result<()> {
        let names = lab.state().deleted_vaults.clone();
        if names.is_empty() {
            return Ok(());
        }
        let mut deleted = VaultsClient::new(&lab.azure.arm).list_deleted(lab.subscription());
        while let Some(found) = deleted.try_next().await? {
            if names.iter().any(|name| found.name.eq_ignore_ascii_case(name)) {
                let days = found.days_left(lab.azure.now());
                let days = days.map(|days| format!(" for {days} days")).unwrap_or_default();
                self.stays
                    .push([found.vault_id.to_string(), format!("soft-deleted, its name is taken{days}")]);
            }
        }
        Ok(())
    }

    async fn samples(&mut self, lab: &Lab) -> Result<()> {
        let own = lab.state().samples.clone();
        if own.is_empty() {
            return Ok(());
        }
        let (mut there, mut open) = (0, 0);
        let mut alerts = AlertsClient::new(&lab.azure.arm).list_key_vault(lab.subscription());
        while let Some(alert) = alerts.try_next().await? {
            if own.contains(&alert.id.to_string()) {
                there += 1;
                open += usize::from(alert.status == AlertStatus::Active);
            }
        }
        if there > 0 {
            let how = format!("cannot be deleted; {open} are open, and the service removes them by itself");
            self.stays.push([format!("{there} sample alerts created by the lab"), how]);
        }
        Ok(())
    }

    /// The rows of what will be deleted, by full id.
    pub(crate) fn deleted_rows(&self) -> Vec<[String; 2]> {
        let row = |planned: &Planned| {
            let why = match planned.thing {
                Thing::Assignment(_) | Thing::ActionGroup | Thing::Setting { .. } => {
                    "recorded when the lab created it"
                }
                _ => "has this lab's tag",
            };
            [planned.id.clone(), why.to_owned()]
        };
        let mut rows: Vec<[String; 2]> = Vec::new();
        if let Some(vault) = &self.vault
            && !self.secrets.is_empty()
        {
            let names: Vec<&str> = self.secrets.iter().map(SecretName::as_str).collect();
            let how = "secrets of the lab's vault that have the seeding tag: soft-deleted";
            rows.push([format!("{vault}/secrets: {}", names.join(", ")), how.to_owned()]);
        }
        rows.extend(self.delete.iter().map(row));
        rows.extend(self.with_group.iter().map(|id| [id.clone(), "deleted with the group".to_owned()]));
        rows
    }

    /// The full ids of the secrets to delete.
    pub(crate) fn secret_ids(&self) -> impl Iterator<Item = String> {
        let vault = self.vault.as_deref().and_then(|id| id.rsplit('/').next()).unwrap_or_default();
        let host = format!("{vault}.vault.azure.net");
        self.secrets.iter().map(move |name| PlannedSecret::id_in(&host, name))
    }

    /// Describes the actions, one line each.
    pub(crate) fn steps(&self) -> impl Iterator<Item = String> {
        let secrets = Some(self.secrets.len()).filter(|count| *count > 0);
        let secrets = secrets.map(|count| format!("{count} secrets deleted"));
        let deleted = self.delete.iter().map(|planned| format!("{} deleted", planned.label));
        let plans =
            self.plans.iter().map(|plan| format!("plan {} restored to {}", plan.name, plan.before.tier));
        secrets.into_iter().chain(deleted).chain(plans)
    }

    /// The question before the cleanup. The tables shown before it contain the ids.
    pub(crate) fn question(&self) -> String {
        let list = |title: &str, rows: Vec<[String; 2]>| match rows.as_slice() {
            [] => format!("  {title}: nothing"),
            rows => rows
                .iter()
                .fold(format!("  {title}:"), |text, [what, how]| format!("{text}\n    {what} ({how})")),
        };
        let mut rows = self.deleted_rows();
        let back = |plan: &plans::PutBack| {
            [format!("plan {}", plan.name), format!("restored to {}", plan.before.tier)]
        };
        rows.extend(self.plans.iter().map(back));
        format!("{}\n{}", list("will be deleted", rows), list("will stay", self.stays.clone()))
    }
}

/// The secrets that the lab set in its vault. Empty if they cannot be listed; they are then deleted with the vault.
async fn seeded(lab: &Lab, vault: &str) -> Result<Vec<SecretName>> {
    let secrets = SecretsClient::new(&lab.azure.arm, &vault.parse::<VaultName>()?)?;
    match secrets.seeded(task4::PREFIX).await {
        Ok(mut names) => {
            names.sort();
            Ok(names)
        }
        Err(error) if error.is_role_missing() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The resources in the group that do not belong to the lab. A tag alone proves nothing here, because a policy can copy
/// the group's tags to its resources.
pub(crate) async fn foreign_in_group(lab: &Lab, own: &[String]) -> Result<Vec<String>> {
    let path = ArmPath::from(&lab.group()?).literal("resources");
    let listed: Vec<Listed> = lab.azure.arm.get(path, "2021-04-01").pager().try_collect().await?;
    let workspace = lab.workspace()?;
    // The solution resource that Sentinel creates for its workspace.
    let solution = format!("/SecurityInsights({})", workspace.name()).to_ascii_lowercase();
    let is_own = |listed: &Listed| {
        own.iter().any(|id| id.eq_ignore_ascii_case(&listed.id))
            || (listed.kind.eq_ignore_ascii_case("Microsoft.OperationsManagement/solutions")
                && listed.id.to_ascii_lowercase().ends_with(&solution)
                && own.iter().any(|id| id.eq_ignore_ascii_case(&workspace.to_string())))
    };
    Ok(listed.into_iter().filter(|listed| !is_own(listed)).map(|listed| listed.id).collect())
}
