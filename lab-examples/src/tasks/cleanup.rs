//! Cleanup: what the lab made goes, and what stays is named. Can be run after a half-finished lab.

use arm_core::{ArmErrorExt as _, ResourceGroupId};
use azure_core::Result;
use defender_automation::AutomationsClient;
use defender_pricing::{PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_ops::{SecretsClient, VaultName, VaultsClient};
use monitor_ops::{ActionGroupsClient, QueryRulesClient};
use resource_ops::{ResourceGroupsClient, RoleAssignmentsClient};

use crate::{
    Lab,
    tasks::{task4, task5},
};

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    let group = lab.group()?;
    let what = format!("resource group {}", group.name());
    let made =
        lab.state().made_group.as_ref().is_some_and(|made| made.eq_ignore_ascii_case(group.name().as_str()));
    if !ResourceGroupsClient::new(&lab.azure.arm).exists(&group).await? {
        lab.screen.step(what, "unchanged", "not there");
    } else if lab.dry_run() {
        match made {
            true => lab.screen.step(what, "would change", "deleted with all that is in it"),
            false => lab.screen.step(
                what,
                "unchanged",
                "the lab did not make it: only what the lab made in it goes",
            ),
        }
    } else {
        contents(lab, &group).await?;
        match made {
            true => delete_group(lab, &group).await?,
            false => keep_group(lab, &group).await?,
        }
    }
    if lab.options.plans_off {
        plans_off(lab).await?;
    }
    what_stays(lab).await
}

async fn contents(lab: &Lab, group: &ResourceGroupId) -> Result<()> {
    let arm = &lab.azure.arm;
    secrets(lab).await?;
    let name = |text: &str| text.parse::<arm_core::ResourceName>();
    for rule in task5::RULES {
        QueryRulesClient::new(arm).delete(group, &name(rule)?).await?;
    }
    ActionGroupsClient::new(arm).delete(group, &name(task5::ACTION_GROUP)?).await?;
    AutomationsClient::new(arm).delete(group, &name(task5::AUTOMATION)?).await?;
    lab.screen.step("rules, action group, automation", "deleted", "");
    assignments(lab).await
}

async fn delete_group(lab: &Lab, group: &ResourceGroupId) -> Result<()> {
    let groups = ResourceGroupsClient::new(&lab.azure.arm);
    lab.screen.wait("resource group", groups.delete(group).into_future()).await?;
    let gone = !groups.exists(group).await?;
    lab.remember(|state| {
        state.deleted_vaults.extend(state.vault.take().filter(|_| gone));
        state.made_group.take_if(|_| gone);
    })?;
    lab.screen.step(format!("resource group {}", group.name()), if gone { "deleted" } else { "failed" }, "");
    Ok(())
}

/// A group that was there before the lab stays, with all that the lab did not make.
async fn keep_group(lab: &Lab, group: &ResourceGroupId) -> Result<()> {
    let vaults = VaultsClient::new(&lab.azure.arm);
    if let Ok(vault) = lab.vault() {
        vaults.delete(&vault).await?;
        lab.remember(|state| state.deleted_vaults.extend(state.vault.take()))?;
        lab.screen.step(format!("vault {}", vault.name()), "deleted", "");
    }
    let detail = format!("the lab did not make it; workspace {} stays too", lab.workspace()?.name());
    lab.screen.step(format!("resource group {}", group.name()), "unchanged", detail);
    Ok(())
}

async fn secrets(lab: &Lab) -> Result<()> {
    let Ok(vault) = lab.vault() else { return Ok(()) };
    if VaultsClient::new(&lab.azure.arm).get_opt(&vault).await?.is_none() {
        return Ok(());
    }
    let secrets = SecretsClient::new(&lab.azure.arm, &vault.name().parse::<VaultName>()?)?;
    let names = match secrets.seeded(task4::PREFIX).await {
        Ok(names) => names,
        Err(error) if error.is_forbidden() => {
            lab.screen.step("secrets", "skipped", "no role on the vault: they go with it");
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    let report = lab.screen.wait("secrets", secrets.clean_up(names).into_future()).await;
    for (name, error) in report.failures() {
        lab.screen.step(format!("secret {name}"), "failed", error.to_string());
    }
    lab.screen.step(format!("{} secrets", report.outcomes.len()), "deleted", "softly, as the vault will be");
    Ok(())
}

async fn assignments(lab: &Lab) -> Result<()> {
    let Ok(vault) = lab.vault() else { return Ok(()) };
    let client = RoleAssignmentsClient::new(&lab.azure.arm);
    let scope = arm_core::Scope::from(vault.resource_id());
    let held: Vec<_> = client.list(&scope).try_collect().await?;
    let mut deleted = 0;
    for assignment in held.iter().filter(|assignment| assignment.is_at(&scope)) {
        client.delete(&assignment.id).await?;
        deleted += 1;
    }
    lab.screen.step(format!("{deleted} role assignments on the vault"), "deleted", "");
    Ok(())
}

async fn plans_off(lab: &Lab) -> Result<()> {
    let pricing = PricingClient::new(&lab.azure.arm);
    for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
        let disable = pricing.disable(lab.subscription(), &plan);
        let done = if lab.dry_run() { disable.dry_run().await? } else { disable.await? };
        lab.screen.step(
            format!("plan {plan}"),
            lab.verb(&done.change),
            done.change.current().tier.to_string(),
        );
    }
    Ok(())
}

/// A cleanup that hides what it leaves is none.
async fn what_stays(lab: &Lab) -> Result<()> {
    let arm = &lab.azure.arm;
    let mut rows = Vec::new();
    let names = lab.state().deleted_vaults.clone();
    if !names.is_empty() {
        let deleted: Vec<_> = VaultsClient::new(arm).list_deleted(lab.subscription()).try_collect().await?;
        for found in
            deleted.iter().filter(|found| names.iter().any(|name| found.name.eq_ignore_ascii_case(name)))
        {
            let days = found.days_left(time::OffsetDateTime::now_utc());
            let days = days.map(|days| format!("for {days} days")).unwrap_or_default();
            rows.push([format!("vault {}", found.name), format!("soft-deleted, its name is taken {days}")]);
        }
    }
    for row in PricingClient::new(arm).coverage(lab.subscription()).await? {
        if row.tier == defender_pricing::Tier::Standard {
            rows.push([
                format!("plan {}", row.plan),
                "still Standard, and billed: --plans-off turns off the lab's two".to_owned(),
            ]);
        }
    }
    lab.screen.table("What stays", ["what", "how"], rows);
    lab.screen.difference(
        "deleting the group cleans up",
        "keeps the vault soft-deleted for up to 90 days and goes on billing the plans",
        "list what stays",
    );
    Ok(())
}
