//! Task 4: generate suspicious activity, and make its alerts visible.

use std::time::Duration;

use arm_core::{Mode, Outcome, SubscriptionId};
use azure_core::Result;
use defender_alerts::{Alert, AlertBundle, AlertsClient};
use defender_playbooks::plan::{Changes, PlanAction, PlannedAlert, PlannedChange, PlannedSecret, Step};
use futures::TryStreamExt as _;
use keyvault_ops::{AlertsExpected, SecretName, SecretsClient, Seeded, WhenDeleted};
use monitor_ops::{LogSource, LogsClient, WorkspacesClient};

use crate::{
    Lab,
    tasks::{exposed, show, task1},
};

/// The prefix of the lab's secrets, `test-secret-1` to `test-secret-20`.
pub(crate) const PREFIX: &str = "test-secret";
const SECRETS: u32 = 20;
/// How long a role assignment may take to propagate.
const ROLE_SPREADS: Duration = Duration::from_secs(300);

/// The steps of a plan on which later ones depend.
pub(crate) const SECRETS_STEP: &str = "task4: the secrets";
pub(crate) const SAMPLES_STEP: &str = "task4: the sample alerts";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    if lab.dry_run() && !lab.is_planning() {
        lab.screen.step(
            format!("{SECRETS} secrets {PREFIX}-1 .."),
            "would change",
            "created with random values",
        );
        lab.screen.step("five listings, twenty reads", "would change", "raises real alerts on a real vault");
        lab.screen.step(
            "sample alerts",
            "would change",
            "one of each Key Vault type; they reach mail and automations",
        );
        return exposed::expose(lab).await;
    }
    let secrets = secrets(lab)?;
    let to_come = seed(lab, &secrets).await?;
    sweep(lab, &secrets, &to_come).await?;
    simulate(lab).await?;
    if !lab.is_planning() {
        evidence(lab).await?;
    }
    exposed::expose(lab).await
}

/// Returns a client for the secrets of the lab's vault that waits until the role assignment of Task 1 has propagated.
pub(crate) fn secrets(lab: &Lab) -> Result<SecretsClient> {
    let client = SecretsClient::new(&lab.azure.arm, &lab.vault()?.name().parse()?)?;
    client.after_role_assignment(ROLE_SPREADS, |_| ())
}

fn names() -> Result<Vec<SecretName>> {
    Ok((1..=SECRETS)
        .map(|number| format!("{PREFIX}-{number}").parse())
        .collect::<std::result::Result<_, _>>()?)
}

/// Sets the secrets. Returns those that do not exist yet when planning, otherwise none.
async fn seed(lab: &Lab, secrets: &SecretsClient) -> Result<Vec<SecretName>> {
    lab.screen.difference(
        "to set secrets right after the role assignment",
        "refuses with ForbiddenByRbac until the role assignment has propagated",
        "wait for that, within five minutes",
    );
    let names = names()?;
    let declared = names.iter().map(|name| PlannedSecret::set_in(secrets.host(), name));
    let seed = || secrets.seed(PREFIX, SECRETS).when_deleted(WhenDeleted::Recover);
    let seed = lab.change_after(SECRETS_STEP, task1::ROLE_STEP, declared, seed);
    let Some(report) = lab.screen.wait_at_most("secrets", ROLE_SPREADS, seed).await? else {
        return Ok(names);
    };
    for (name, error) in report.failures() {
        lab.screen.step(format!("secret {name}"), "failed", error.to_string());
    }
    let count = report.names().count();
    lab.screen.counted(
        format!("{count} secrets {PREFIX}-1 .. {PREFIX}-{SECRETS}"),
        "set",
        count,
        "random values, never shown",
    );
    let is_there = |outcome: &Outcome<SecretName, Seeded>| matches!(outcome.result, Ok(Seeded::Unchanged));
    let to_come = report.outcomes.into_iter().filter(|outcome| lab.is_planning() && !is_there(outcome));
    Ok(to_come.map(|outcome| outcome.target).collect())
}

async fn sweep(lab: &Lab, secrets: &SecretsClient, to_come: &[SecretName]) -> Result<()> {
    if lab.options.live && !lab.options.confirm_sweep {
        let detail = "it raises real alerts: pass --confirm-sweep";
        lab.screen.step("five listings, twenty reads", "skipped", detail);
        return Ok(());
    }
    let names = names()?;
    let reads = |names: &[SecretName]| {
        names.iter().map(|name| PlannedSecret::read_in(secrets.host(), name)).collect::<Vec<_>>()
    };
    let step = Step::new("task4: the sweep").after(task1::ROLE_STEP, reads(&names));
    let step = step.also_after(SECRETS_STEP, reads(to_come));
    let sweep = || secrets.sweep(AlertsExpected::confirmed()).listings(5).only(names.clone());
    let Some(report) = lab.screen.wait("sweep", lab.step(step, sweep)).await? else { return Ok(()) };
    // The elapsed time is not recorded, because it differs from run to run.
    let detail = format!(
        "{} listings, {} of {} secrets read, at most {} requests in 10 s",
        report.listings, report.read, report.secrets, report.most_in_window
    );
    let figures =
        [("listings", report.listings as usize), ("secrets", report.secrets), ("read", report.read)];
    let about = lab.screen.about(lab.vault()?).figures(figures);
    about.step("five listings, including managed secrets, and twenty reads", "done", detail);
    Ok(())
}

/// The sample alerts, found or created.
#[derive(Debug)]
struct Samples {
    subscription: SubscriptionId,
    is_new: bool,
    /// The alerts. Empty in a dry run that would create them, since they have no ids yet.
    found: Vec<Alert>,
}

/// The path of sample alerts. The service chooses their resource group.
pub(crate) fn samples_in(subscription: &SubscriptionId) -> String {
    format!("/subscriptions/{subscription}/(known after apply)/alerts")
}

impl Changes for Samples {
    fn changes(&self) -> Result<Vec<PlannedChange>> {
        let action = if self.is_new { PlanAction::Create } else { PlanAction::NoChange };
        let known = self.found.iter().map(|alert| PlannedAlert::sample(action, alert.id.to_string()));
        let known: Vec<_> = known.collect();
        let to_come = || PlannedAlert::samples_below(samples_in(&self.subscription));
        Ok(if known.is_empty() { vec![to_come()] } else { known })
    }
}

async fn samples(lab: &Lab, alerts: &AlertsClient) -> Result<Vec<Alert>> {
    let found: Vec<Alert> = alerts.list_key_vault(lab.subscription()).try_collect().await?;
    Ok(found.into_iter().filter(Alert::is_sample).collect())
}

/// Creates the sample alerts unless there are some. Samples that did not exist before belong to the lab, which resolves
/// them later.
async fn make_samples(lab: &Lab, mode: Mode) -> Result<Samples> {
    let alerts = AlertsClient::new(&lab.azure.arm);
    let subscription = lab.subscription().clone();
    let found = samples(lab, &alerts).await?;
    let is_new = found.is_empty();
    if !is_new || mode.is_dry_run() {
        return Ok(Samples { subscription, is_new, found });
    }
    let location = lab.alert_location().await?;
    alerts.simulate(lab.subscription(), &location, [AlertBundle::KeyVaults]).await?;
    let found = samples(lab, &alerts).await?;
    lab.remember(|state| state.samples.extend(found.iter().map(|alert| alert.id.to_string())))?;
    Ok(Samples { subscription, is_new, found })
}

async fn simulate(lab: &Lab) -> Result<()> {
    let make = lab.work(Step::new(SAMPLES_STEP), |mode| make_samples(lab, mode));
    let Some(samples) = lab.screen.wait("sample alerts", make).await? else { return Ok(()) };
    match samples.is_new {
        true => lab.screen.step("sample alerts", "created", "with the simulate operation"),
        false => lab.screen.step("sample alerts", "unchanged", "already exist"),
    }
    lab.screen.difference(
        "to wait one or two hours for alerts",
        "can create samples of each kind immediately",
        "create samples, and see the whole workflow now",
    );
    show::alerts(lab, &samples.found);
    Ok(())
}

async fn evidence(lab: &Lab) -> Result<()> {
    let vault = lab.vault()?;
    if WorkspacesClient::new(&lab.azure.arm).get_opt(&lab.workspace()?).await?.is_none() {
        lab.screen.about(&vault).step("the sweep in the vault's log", "skipped", "no workspace yet");
        return Ok(());
    }
    let evidence = LogsClient::new(&lab.azure.arm).evidence(&lab.workspace()?).vault(vault.resource_id());
    let evidence = lab.screen.wait("log evidence", evidence.into_future()).await?;
    let told = match &evidence.source {
        LogSource::Present => {
            let read = evidence.secrets_read().len();
            format!(
                "{} operations, {read} secrets read, {} refused",
                evidence.operations.len(),
                evidence.refused()
            )
        }
        LogSource::NoLogsYet => "no logs yet: they arrive within ten minutes".to_owned(),
        other => format!("{other:?}"),
    };
    let about = lab.screen.about(&vault);
    // If the log could not be read, there is no number either.
    let about = match &evidence.source {
        LogSource::Present => about.figures([
            ("operations", evidence.operations.len()),
            ("secretsRead", evidence.secrets_read().len()),
            ("refused", evidence.refused()),
        ]),
        _ => about,
    };
    about.step("the sweep in the vault's log", "read", told);
    Ok(())
}
