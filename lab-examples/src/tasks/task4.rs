//! Task 4: generate suspicious activity, and make its alerts visible.

use std::{collections::HashSet, time::Duration};

use azure_core::Result;
use defender_alerts::{Alert, AlertBundle, AlertsClient};
use futures::TryStreamExt as _;
use keyvault_ops::{AlertsExpected, SecretsClient, WhenDeleted};
use monitor_ops::{LogSource, LogsClient};

use crate::{
    Lab,
    tasks::{show, task6},
};

/// What the lab's secrets are called: `test-secret-1` to `test-secret-20`.
pub(crate) const PREFIX: &str = "test-secret";
const SECRETS: u32 = 20;
/// How long a role may take until it counts.
const ROLE_SPREADS: Duration = Duration::from_secs(300);

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    if lab.dry_run() {
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
        return task6::expose(lab).await;
    }
    let secrets = secrets(lab)?;
    seed(lab, &secrets).await?;
    sweep(lab, &secrets).await?;
    simulate(lab).await?;
    evidence(lab).await?;
    task6::expose(lab).await
}

/// The secrets of the lab's vault, patient with the role that Task 1 assigned a moment ago.
pub(crate) fn secrets(lab: &Lab) -> Result<SecretsClient> {
    let client = SecretsClient::new(&lab.azure.arm, &lab.vault()?.name().parse()?)?;
    client.after_role_assignment(ROLE_SPREADS, |_| ())
}

async fn seed(lab: &Lab, secrets: &SecretsClient) -> Result<()> {
    lab.screen.difference(
        "to set secrets right after the role assignment",
        "refuses with ForbiddenByRbac until the role assignment has propagated",
        "wait for that, within five minutes",
    );
    let seed = secrets.seed(PREFIX, SECRETS).when_deleted(WhenDeleted::Recover);
    let report = lab.screen.wait_at_most("secrets", ROLE_SPREADS, seed.into_future()).await?;
    for (name, error) in report.failures() {
        lab.screen.step(format!("secret {name}"), "failed", error.to_string());
    }
    let count = report.names().count();
    lab.screen.counted(
        format!("{count} secrets {PREFIX}-1 .. {PREFIX}-{SECRETS}"),
        "set",
        count,
        "random values, shown nowhere",
    );
    Ok(())
}

async fn sweep(lab: &Lab, secrets: &SecretsClient) -> Result<()> {
    if lab.options.live && !lab.options.confirm_sweep {
        let detail = "it raises real alerts: pass --confirm-sweep";
        lab.screen.step("five listings, twenty reads", "skipped", detail);
        return Ok(());
    }
    let sweep = secrets.sweep(AlertsExpected::confirmed()).listings(5).reads(SECRETS as usize);
    let report = lab.screen.wait("sweep", sweep.into_future()).await?;
    // The time it took is not part of the record: it differs from run to run.
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

async fn simulate(lab: &Lab) -> Result<()> {
    let alerts = AlertsClient::new(&lab.azure.arm);
    let location = lab.alert_location().await?;
    let before: Vec<Alert> = alerts.list_key_vault(lab.subscription()).try_collect().await?;
    let old: HashSet<String> =
        before.iter().filter(|alert| alert.is_sample()).map(|alert| alert.id.to_string()).collect();
    if !old.is_empty() {
        lab.screen.step("sample alerts", "unchanged", "there already");
    } else {
        let simulate = alerts.simulate(lab.subscription(), &location, [AlertBundle::KeyVaults]);
        lab.screen.wait("sample alerts", simulate.into_future()).await?;
        lab.screen.step("sample alerts", "created", "with the simulate operation");
    }
    lab.screen.difference(
        "to wait one or two hours for alerts",
        "can create samples of each kind immediately",
        "create samples, and see the whole workflow now",
    );
    let now: Vec<Alert> = alerts.list_key_vault(lab.subscription()).try_collect().await?;
    let samples: Vec<Alert> = now.into_iter().filter(Alert::is_sample).collect();
    if old.is_empty() {
        // What was not there before, and is a sample: the lab's, to resolve later.
        lab.remember(|state| state.samples.extend(samples.iter().map(|alert| alert.id.to_string())))?;
    }
    show::alerts(lab, &samples);
    Ok(())
}

async fn evidence(lab: &Lab) -> Result<()> {
    let vault = lab.vault()?;
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
    // Where nothing is known, there is no number either.
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
