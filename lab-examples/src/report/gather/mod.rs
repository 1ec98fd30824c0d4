//! Reads the content of the page. A section that cannot be read says why, and does not hide others.

mod alerts;
mod exposure;
pub(crate) mod ledger;
mod vaults;

pub(crate) use vaults::row as vault_row;

use azure_core::{Result, time::OffsetDateTime};
use defender_alerts::{AttackPathsClient, SecretFindingsClient};
use defender_playbooks::{
    CoverageClient,
    findings::{Finding, Findings, NotKnown},
};
use defender_pricing::{PlanCoverage, PricingClient, Tier};
use monitor_ops::Sink;

use crate::{
    Lab,
    report::{
        Report, items_that_hide,
        page::{PlanRow, ReportPage, Section},
    },
    screen::Record,
};

/// Reads all sections. `run` is the record of the lab, if it ran before.
pub(crate) async fn gather(lab: &Lab, run: Option<Record>) -> Result<Report> {
    let (arm, subscription) = (&lab.azure.arm, lab.subscription());
    let sink = Sink::Workspace(lab.workspace()?.as_resource().clone());
    let (pricing, coverage) = (PricingClient::new(arm), CoverageClient::new(arm));
    let (paths, secrets) = (AttackPathsClient::new(arm), SecretFindingsClient::new(arm));
    let reading = async {
        futures::join!(
            pricing.coverage(subscription),
            coverage.report(subscription, &sink),
            alerts::list(lab),
            exposure::recommendations(lab),
            paths.find(subscription),
            secrets.find(subscription),
        )
    };
    let reading = Box::pin(lab.screen.wait("plans, vaults, alerts, paths, secrets", reading));
    let (plans, covered, found, recommendations, attack_paths, secrets) = reading.await;
    let mut findings = Findings::new(OffsetDateTime::now_utc());
    findings.tenant = Some(lab.place.tenant.clone());
    let alerts = match found {
        Ok(found) => {
            findings.extend(found.iter().map(Finding::of_alert));
            Section::Read(alerts::with_evidence(lab, found).await)
        }
        Err(error) => Section::from(Err(error)),
    };
    // An exposed secret is a recommendation too, but is reported as a secret.
    let paths = attack_paths.iter().flat_map(|found| found.paths.iter().map(Finding::of_attack_path));
    let exposed = secrets.iter().flat_map(|found| found.findings.iter().map(Finding::of_secret));
    let not_followed = recommendations.iter().flatten().filter_map(Finding::of_assessment);
    let of_vaults = covered.iter().flat_map(|found| found.vaults.iter().flat_map(Finding::of_vault));
    findings.extend(paths.chain(exposed).chain(not_followed).chain(of_vaults));
    let page = ReportPage {
        version: 2,
        subscription: subscription.to_string(),
        subscription_name: lab.place.name.clone(),
        tenant: lab.place.tenant.clone(),
        signed_in_with: lab.azure.signed_in_with.clone(),
        read_at: findings.read_at,
        plans: plans.map(|plans| plan_rows(&plans)).into(),
        vaults: covered.map(|covered| covered.vaults.iter().map(vault_row).collect()).into(),
        alerts,
        recommendations: recommendations.map(|found| exposure::recommendation_rows(&found)).into(),
        attack_paths: attack_paths.map(|found| exposure::path_rows(&found)).into(),
        secrets: secrets.map(|found| exposure::secret_rows(&found)).into(),
        ledger: ledger::of(lab),
        run,
    };
    findings.extend(page.ledger.read().into_iter().flat_map(ledger::unfinished));
    let hidden = items_that_hide(&page).into_iter();
    findings.not_known = hidden.map(|what| NotKnown::in_subscription(subscription, what)).collect();
    Ok(Report { page, findings })
}

/// The rows of the plans; those that are on come first.
pub(crate) fn plan_rows(plans: &[PlanCoverage]) -> Vec<PlanRow> {
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
