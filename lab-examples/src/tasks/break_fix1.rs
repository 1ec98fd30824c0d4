//! Break & Fix 1: some vaults show "Not covered".

use arm_core::ArmPath;
use azure_core::Result;
use defender_playbooks::{CoverageClient, CoverageReport, Gap};
use defender_pricing::{PlanName, PricingClient};
use futures::TryStreamExt as _;
use monitor_ops::{DiagnosticSpec, Sink};
use serde_json::Value;

use crate::{
    Lab,
    screen::{Cell, plural},
};

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    if !lab.options.live && !lab.dry_run() {
        let pricing = PricingClient::new(&lab.azure.arm);
        let read = pricing.get(lab.subscription(), &PlanName::KeyVaults).await?;
        lab.remember(|state| state.about_to_write(&read))?;
        let off = pricing.disable(lab.subscription(), &PlanName::KeyVaults).await?;
        lab.remember(|state| state.wrote(&read, &off.change))?;
        lab.screen.step(
            "someone turned the plan KeyVaults off",
            "broken",
            off.change.current().tier.to_string(),
        );
    }
    let client = CoverageClient::new(&lab.azure.arm);
    let workspace = lab.workspace()?;
    let sink = Sink::Workspace(workspace.as_resource().clone());
    let before = lab.screen.wait("coverage", client.report(lab.subscription(), &sink)).await?;
    causes(lab, &before);
    show(lab, "Vaults before", &before);
    legacy(lab).await;
    let pricing = PricingClient::new(&lab.azure.arm);
    let plan = pricing.get(lab.subscription(), &PlanName::KeyVaults).await?;
    if !lab.dry_run() {
        lab.remember(|state| state.about_to_write(&plan))?;
    }
    let fix = client.fix(lab.subscription(), &DiagnosticSpec::audit_to(&workspace)?);
    let fix = fix.in_mode(lab.mode());
    let done = lab.screen.wait("fix", fix.into_future()).await?;
    if !lab.dry_run() {
        lab.remember(|state| state.wrote(&plan, &done.plan.change))?;
    }
    let plan = &done.plan.change;
    lab.screen.about(&plan.current().id).step(
        "plan KeyVaults",
        lab.verb(plan),
        plan.current().tier.to_string(),
    );
    // Sorted, because the outcomes arrive in no particular order.
    let outcomes = done.vaults?;
    let mut vaults: Vec<_> = outcomes.iter().collect();
    vaults.sort_by(|a, b| a.target.as_str().cmp(b.target.as_str()));
    for outcome in vaults {
        let vault = outcome.target.name();
        match &outcome.result {
            Ok(change) => {
                super::sent(lab, &outcome.target, change).await?;
                let setting = &change.current().id;
                lab.screen.about(setting).step(format!("logging of {vault}"), lab.verb(change), "");
            }
            Err(error) => lab.screen.step(format!("logging of {vault}"), "failed", error.to_string()),
        }
    }
    if lab.dry_run() {
        return Ok(());
    }
    let after = client.report(lab.subscription(), &sink).await?;
    show(lab, "Vaults after", &after);
    for vault in &after.vaults {
        for advice in &vault.advice {
            lab.screen.note(&format!("also, {}: {advice}", vault.vault.id.name()));
        }
    }
    let open = after.vaults.iter().filter(|vault| !vault.gaps().is_empty()).count();
    let outcome = if open == 0 { "verified" } else { "failed" };
    lab.screen.counted(
        "every vault covered and logged",
        outcome,
        open,
        format!("{open} of {} with gaps", after.vaults.len()),
    );
    Ok(())
}

/// Tests the sheet's causes one by one.
fn causes(lab: &Lab, report: &CoverageReport) {
    let plan = &report.plan;
    let status = plan.coverage.as_ref().map_or("not given", |status| status.as_str());
    lab.screen.step(
        "cause: the plan is off",
        if plan.is_standard() { "no" } else { "yes" },
        format!("{}, {status}", plan.tier),
    );
    let unlogged = report.vaults.iter().filter(|vault| !vault.gaps().is_empty()).count();
    lab.screen.step(
        "cause: logging is off",
        if unlogged > 0 { "yes" } else { "no" },
        format!("{unlogged} vaults"),
    );
    lab.screen.step(
        "cause: the vault is older than the plan",
        "no",
        "the plan covers all vaults of the subscription",
    );
    lab.screen.difference(
        "vaults created before the plan are not covered",
        "has one plan for the subscription and none for a vault; it covers all, existing and future",
        "check the plan, then each vault's logging",
    );
}

fn show(lab: &Lab, name: &str, report: &CoverageReport) {
    let rows = report.vaults.iter().map(|vault| {
        let missing = Cell::list(vault.gaps().iter().map(ToString::to_string));
        let missing = if missing.shown.is_empty() { missing.shown("nothing") } else { missing };
        [Cell::id(&vault.vault.id), Cell::flag(vault.is_covered()), missing]
    });
    lab.screen.table(name, ["vault", "covered", "missing"], rows);
    let mut fixes: Vec<&str> = report.vaults.iter().flat_map(|vault| vault.gaps()).map(Gap::remedy).collect();
    fixes.sort_unstable();
    fixes.dedup();
    for fix in fixes {
        lab.screen.note(&format!("to do: {fix}"));
    }
}

/// Makes the sheet's own call, for comparison. It is documented in no version of the API.
async fn legacy(lab: &Lab) {
    let path = ArmPath::from(lab.subscription()).provider("Microsoft.Security").literal("securityStatuses");
    let statuses = lab.azure.arm.get(path, "2015-06-01-preview").pager::<Value>();
    let told = match statuses.try_collect::<Vec<Value>>().await {
        Ok(statuses) => plural(statuses.len(), "row"),
        Err(error) => error.to_string(),
    };
    lab.screen.step("the sheet's securityStatuses", "read", told);
    lab.screen.difference(
        "securityStatuses shows the coverage",
        "documents it in no version of its API",
        "read resourcesCoverageStatus of the plan",
    );
}
