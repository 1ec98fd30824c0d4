//! Cleanup: what the lab made goes, and what stays is named. Can be run after a half-finished lab.

use arm_core::ArmErrorExt as _;
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
    let (arm, group) = (&lab.azure.arm, lab.group()?);
    let groups = ResourceGroupsClient::new(arm);
    if !groups.exists(&group).await? {
        lab.screen.step(format!("resource group {}", group.name()), "unchanged", "not there");
        return what_stays(lab).await;
    }
    if lab.dry_run() {
        lab.screen.step(
            format!("resource group {}", group.name()),
            "would change",
            "deleted with all that is in it",
        );
        return what_stays(lab).await;
    }
    secrets(lab).await?;
    let name = |text: &str| text.parse::<arm_core::ResourceName>();
    for rule in task5::RULES {
        QueryRulesClient::new(arm).delete(&group, &name(rule)?).await?;
    }
    ActionGroupsClient::new(arm).delete(&group, &name(task5::ACTION_GROUP)?).await?;
    AutomationsClient::new(arm).delete(&group, &name(task5::AUTOMATION)?).await?;
    lab.screen.step("rules, action group, automation", "deleted", "");
    assignments(lab).await?;
    let delete = groups.delete(&group);
    lab.screen.wait("resource group", delete.into_future()).await?;
    let gone = !groups.exists(&group).await?;
    lab.remember(|state| state.deleted_vaults.extend(state.vault.take().filter(|_| gone)))?;
    lab.screen.step(format!("resource group {}", group.name()), if gone { "deleted" } else { "failed" }, "");
    if lab.options.plans_off {
        plans_off(lab).await?;
    }
    what_stays(lab).await
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
        let done = pricing.disable(lab.subscription(), &plan).await?;
        lab.screen.step(format!("plan {plan}"), done.change.verb(), done.change.current().tier.to_string());
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
