//! Task 1: turn Defender on, create a monitored vault, give yourself access.

use azure_core::Result;
use defender_playbooks::plan::PlannedChange;
use defender_pricing::{PlanName, PricingClient};
use keyvault_ops::{VaultId, VaultName, VaultSpec, VaultsClient};
use resource_ops::{
    DirectoryClient, ResourceGroupSpec, ResourceGroupsClient, RoleAssignment, RoleAssignmentsClient,
    RoleDefinitionsClient,
};
use serde_json::json;

use crate::{Lab, tasks::show};

/// The steps of a plan on which later ones depend.
pub(crate) const GROUP_STEP: &str = "task1: the resource group";
pub(crate) const VAULT_STEP: &str = "task1: the vault";
pub(crate) const ROLE_STEP: &str = "task1: the role at the vault";

/// The role of the lab sheet, by name.
const ROLE: &str = "Key Vault Administrator";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    resource_group(lab).await?;
    plans(lab).await?;
    let (vault, is_there) = vault(lab).await?;
    if is_there || lab.is_planning() {
        access(lab, &vault).await?;
    }
    Ok(())
}

async fn resource_group(lab: &Lab) -> Result<()> {
    let (group, spec) = (lab.group()?, ResourceGroupSpec::new(&lab.options.location));
    let groups = ResourceGroupsClient::new(&lab.azure.arm);
    let found = groups.get_opt(&group).await?;
    let tags = lab.tags_for(found.as_ref().map(|found| &found.tags))?;
    let spec = tags.into_iter().fold(spec, |spec, (name, value)| spec.tag(name, value));
    let change = lab.change(GROUP_STEP, || groups.ensure(&group, spec.clone())).await?;
    lab.tagged(&group.to_string(), found.is_some(), &change)?;
    let what = format!("resource group {}", group.name());
    lab.screen.about(&group).step(what, lab.verb(&change), &lab.options.location);
    Ok(())
}

async fn plans(lab: &Lab) -> Result<()> {
    let pricing = PricingClient::new(&lab.azure.arm);
    for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
        let enable = pricing.enable(lab.subscription(), &plan);
        let step = format!("task1: the plan {plan}");
        let done = super::write_plan(lab, &pricing, &plan, &step, enable).await?;
        let now = done.change.current();
        let sub_plan = now.sub_plan.as_ref().map(|sub_plan| format!(", {sub_plan}")).unwrap_or_default();
        let (what, detail) = (format!("plan {plan}"), format!("{}{sub_plan}", now.tier));
        lab.screen.about(&now.id).step(what, lab.verb(&done.change), detail);
        for failed in &done.failed_extensions {
            lab.screen.step(format!("extension {}", failed.name), "failed", &failed.reason);
        }
    }
    let coverage = pricing.coverage(lab.subscription()).await?;
    if !lab.dry_run() {
        for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
            let on =
                coverage.iter().any(|row| row.plan == plan && row.tier == defender_pricing::Tier::Standard);
            lab.screen.step(format!("plan {plan} read back"), if on { "verified" } else { "failed" }, "");
        }
    }
    lab.screen.difference(
        "nothing about a sub-plan of KeyVaults",
        "chooses one by itself, and has closed the old plan to new subscriptions since July 2026",
        "request PerKeyVault",
    );
    show::plans(lab, &coverage);
    Ok(())
}

/// Returns the id of the vault, and whether it exists.
async fn vault(lab: &Lab) -> Result<(VaultId, bool)> {
    let name = vault_name(lab)?;
    let id = VaultId::new(&lab.group()?, &name)?;
    let vaults = VaultsClient::new(&lab.azure.arm);
    lab.screen.difference(
        "to name the vault kv-contoso-defended- and eight digits, 28 characters",
        "refuses more than 24",
        "generate a shorter unique name",
    );
    let what = format!("vault {name}");
    let found = vaults.get_opt(&id).await?;
    let spec = VaultSpec::builder()
        .location(&lab.options.location)
        .tenant_id(lab.azure.tenant().await?)
        .tags(lab.tags_for(found.as_ref().map(|found| &found.tags))?)
        .build();
    let change = lab.change(VAULT_STEP, || vaults.ensure(&id, spec.clone()));
    let change = lab.screen.wait(&what, change).await?;
    lab.tagged(&id.to_string(), found.is_some(), &change)?;
    let uri = change.current().properties.vault_uri.as_ref();
    let detail = uri.map_or_else(|| "access by roles".to_owned(), |uri| format!("access by roles, {uri}"));
    lab.screen.about(&id).step(what, lab.verb(&change), detail);
    Ok((id, !lab.dry_run() || !change.is_change()))
}

/// The current or future name of the lab's vault.
fn vault_name(lab: &Lab) -> Result<VaultName> {
    let known = lab.state().vault.clone();
    if let Some(known) = known {
        return Ok(known.parse()?);
    }
    let name = VaultName::unique(&lab.options.vault_prefix)?;
    lab.remember(|state| state.vault = Some(name.to_string()))?;
    Ok(name)
}

async fn access(lab: &Lab, vault: &VaultId) -> Result<()> {
    let me = DirectoryClient::new(&lab.azure.arm).signed_in().await?;
    let who = me.user_principal_name.clone().or(me.display_name.clone()).unwrap_or_else(|| me.id.to_string());
    lab.screen.step(format!("signed in as {who}"), "verified", me.principal_type.as_str());
    let scope = vault.resource_id();
    // Read at the subscription, because the vault may not exist yet.
    let role = RoleDefinitionsClient::new(&lab.azure.arm).get_by_name(lab.subscription(), ROLE).await?;
    let assignments = RoleAssignmentsClient::new(&lab.azure.arm);
    let ensure = || assignments.ensure(scope, role.role, me.id).principal_type(me.principal_type.clone());
    let id = format!("{scope}/providers/Microsoft.Authorization/roleAssignments");
    let declared = PlannedChange::create_below::<RoleAssignment>(id).with(&json!({
        "roleDefinitionId": role.id,
        "principalId": me.id.to_string(),
        "principalType": me.principal_type.to_string(),
    }))?;
    let change = lab.change_after(ROLE_STEP, VAULT_STEP, [declared], ensure).await?;
    if let Some(change) = change {
        super::assigned(lab, &change)?;
        lab.screen.about(&change.current().id).step(
            format!("role {ROLE} for {who}"),
            lab.verb(&change),
            "at the vault; takes effect within minutes",
        );
    }
    lab.screen.difference(
        "you need Key Vault Administrator",
        "requires only Key Vault Secrets Officer for everything that the lab does with secrets",
        "assign the sheet's role, and note the smaller one",
    );
    Ok(())
}
