//! Carries out a cleanup. Each resource is read again immediately before it is deleted, and a failure does not affect
//! the others.

use azure_core::{Error, Result};
use defender_playbooks::plan::PlannedSecret;
use defender_pricing::PricingClient;
use keyvault_ops::{SecretsClient, VaultName};

use super::{
    Look, Thing,
    plan::{CleanupPlan, Planned, foreign_in_group},
    plans::PutBack,
};
use crate::{Lab, advice};

/// Returns the ids of the deleted resources and restored plans.
pub(crate) async fn run(lab: &Lab, plan: &CleanupPlan) -> Result<Vec<String>> {
    let mut gone = secrets(lab, plan).await?;
    for planned in &plan.delete {
        match one(lab, plan, planned).await {
            Ok(Some(kept)) => lab.screen.about(&planned.id).step(&planned.label, "skipped", kept),
            Ok(None) => {
                gone.push(planned.id.clone());
                if planned.thing == Thing::Group {
                    gone.extend(plan.with_group.iter().cloned());
                }
                lab.screen.about(&planned.id).step(&planned.label, "deleted", "");
            }
            Err(error) => {
                lab.screen.about(&planned.id).step(&planned.label, "failed", advice::explain(&error));
            }
        }
    }
    for plan in &plan.plans {
        if put_back(lab, plan).await? {
            gone.push(plan.before.id.to_string());
        }
    }
    Ok(gone)
}

/// Reads a resource again, deletes it, and verifies that it is gone. If it was kept, returns why.
async fn one(lab: &Lab, plan: &CleanupPlan, planned: &Planned) -> Result<Option<String>> {
    match planned.thing.look(lab).await? {
        Look::Kept(why) => return Ok(Some(why)),
        Look::Absent => {}
        Look::Ours => {
            if planned.thing == Thing::Group {
                let own: Vec<String> = plan.with_group.clone();
                if let Some(foreign) = foreign_in_group(lab, &own).await?.first() {
                    return Ok(Some(format!(
                        "it contains resources that the lab did not create, or could not delete: {foreign}"
                    )));
                }
            }
            lab.screen.wait(&planned.label, planned.thing.delete(lab)).await?;
            if planned.thing.look(lab).await? != Look::Absent {
                let message = "the service accepted the deletion but still shows it: run the cleanup again";
                return Err(Error::with_message(azure_core::error::ErrorKind::Other, message));
            }
        }
    }
    forget(lab, plan, planned)?;
    Ok(None)
}

/// Removes a deleted resource from the state; for a vault, also records that its name is taken.
fn forget(lab: &Lab, plan: &CleanupPlan, planned: &Planned) -> Result<()> {
    let vault_went = match &planned.thing {
        Thing::Vault(_) => true,
        Thing::Group => {
            let vault = lab.vault().ok().map(|vault| vault.to_string());
            vault.is_some_and(|vault| plan.with_group.contains(&vault))
        }
        _ => false,
    };
    let gone: Vec<&String> = match planned.thing {
        Thing::Group => plan.with_group.iter().chain([&planned.id]).collect(),
        _ => vec![&planned.id],
    };
    lab.remember(|state| {
        state.deleted_vaults.extend(state.vault.take_if(|_| vault_went));
        state.made.retain(|made| !made.id().eq_ignore_ascii_case(&planned.id));
        state.changed.retain(|id, _| !gone.iter().any(|gone| gone.eq_ignore_ascii_case(id)));
    })
}

/// Deletes the secrets and returns their ids.
async fn secrets(lab: &Lab, plan: &CleanupPlan) -> Result<Vec<String>> {
    if plan.secrets.is_empty() {
        return Ok(Vec::new());
    }
    let vault = lab.vault()?;
    if Thing::Vault(vault.clone()).look(lab).await? != Look::Ours {
        lab.screen.step("secrets", "skipped", "the vault is no longer known to be the lab's");
        return Ok(Vec::new());
    }
    let secrets = SecretsClient::new(&lab.azure.arm, &vault.name().parse::<VaultName>()?)?;
    let clean_up = secrets.clean_up(plan.secrets.clone());
    let report = lab.screen.wait("secrets", clean_up.into_future()).await?;
    for (name, error) in report.failures() {
        lab.screen.step(format!("secret {name}"), "failed", error.to_string());
    }
    let deleted = report.outcomes.len() - report.failures().count();
    lab.screen.counted(format!("{deleted} secrets"), "deleted", deleted, "softly, as the vault will be");
    Ok(report.deleted.keys().map(|name| PlannedSecret::id_in(&report.vault, name)).collect())
}

/// Restores a plan. Returns whether it is completely restored.
async fn put_back(lab: &Lab, plan: &PutBack) -> Result<bool> {
    let pricing = PricingClient::new(&lab.azure.arm);
    let restore = pricing.restore(lab.subscription(), &plan.before).if_still(&plan.after);
    let what = format!("plan {}", plan.name);
    match lab.screen.wait(&what, restore.into_future()).await {
        Ok(done) => {
            for failed in &done.failed_extensions {
                lab.screen.step(format!("extension {}", failed.name), "failed", &failed.reason);
            }
            let now = done.change.current();
            lab.screen.step(what, done.change.verb(), format!("{}, as it was before the lab", now.tier));
            if done.is_complete() {
                lab.remember(|state| {
                    state.plans.remove(plan.name.as_str());
                })?;
            }
            Ok(done.is_complete())
        }
        Err(error) => {
            lab.screen.step(what, "failed", advice::explain(&error));
            Ok(false)
        }
    }
}
