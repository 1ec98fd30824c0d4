//! Reads what the page shows. A part that cannot be read hides no other, and says why.

mod alerts;
mod exposure;
pub(crate) mod ledger;
mod vaults;

use azure_core::{Result, time::OffsetDateTime};
use defender_playbooks::CoverageClient;
use defender_pricing::{PlanCoverage, PricingClient, Tier};
use monitor_ops::Sink;

use crate::{
    Lab,
    report::page::{PlanRow, ReportPage, Section},
    screen::Record,
};

/// Reads everything. `run` is what the lab did before, if it ran.
pub(crate) async fn gather(lab: &Lab, run: Option<Record>) -> Result<ReportPage> {
    let (arm, subscription) = (&lab.azure.arm, lab.subscription());
    let sink = Sink::Workspace(lab.workspace()?.as_resource().clone());
    let (pricing, coverage) = (PricingClient::new(arm), CoverageClient::new(arm));
    let reading = async {
        futures::join!(
            pricing.coverage(subscription),
            coverage.report(subscription, &sink),
            alerts::list(lab),
            exposure::recommendations(lab),
            exposure::attack_paths(lab),
            exposure::secrets(lab),
        )
    };
    let reading = Box::pin(lab.screen.wait("plans, vaults, alerts, paths, secrets", reading));
    let (plans, covered, found, recommendations, attack_paths, secrets) = reading.await;
    let alerts = match found {
        Ok(found) => Section::Read(alerts::with_evidence(lab, found).await),
        Err(error) => Section::from(Err(error)),
    };
    Ok(ReportPage {
        version: 1,
        subscription: subscription.to_string(),
        signed_in_with: lab.azure.signed_in_with.clone(),
        read_at: OffsetDateTime::now_utc(),
        plans: plans.map(|plans| plan_rows(&plans)).into(),
        vaults: covered.map(|covered| covered.vaults.iter().map(vaults::row).collect()).into(),
        alerts,
        recommendations: recommendations.into(),
        attack_paths: attack_paths.into(),
        secrets: secrets.into(),
        ledger: ledger::of(lab),
        run,
    })
}

/// What is on, first.
fn plan_rows(plans: &[PlanCoverage]) -> Vec<PlanRow> {
    let mut rows: Vec<PlanRow> = plans.iter().map(plan).collect();
    rows.sort_by_key(|row| !row.on);
    rows
}

fn plan(row: &PlanCoverage) -> PlanRow {
    let names = |names: &[defender_pricing::ExtensionName]| names.iter().map(ToString::to_string).collect();
    PlanRow {
        plan: row.plan.to_string(),
        on: row.tier == Tier::Standard,
        sub_plan: row.sub_plan.as_ref().map(ToString::to_string),
        coverage: row.status.as_ref().map(ToString::to_string),
        trial_days: row.trial_left.map(|left| left.as_secs() / 86_400),
        extensions_on: names(&row.extensions_on),
        extensions_off: names(&row.extensions_off),
        extensions_failed: names(&row.extensions_failed),
        deprecated_for: row.deprecated.then(|| row.replaced_by.iter().map(ToString::to_string).collect()),
    }
}
