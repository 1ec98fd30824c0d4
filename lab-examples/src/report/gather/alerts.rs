//! Reads alerts, and the log evidence for each.

use azure_core::{Result, error::ErrorKind};
use defender_alerts::{Alert, AlertStatus, AlertsClient, Finding, ResponsePhase};
use defender_playbooks::{Investigation, InvestigationsClient, VaultLog};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use monitor_ops::{Evidence, LogSource};

use crate::{
    Lab,
    report::page::{AlertRow, Alerts},
};

/// The maximum number of alerts shown in detail; the page also gives the total.
const SHOWN: usize = 100;
/// The maximum number of log queries that run concurrently.
const AT_A_TIME: usize = 4;
/// The maximum number of a vault's operations that are read for an alert.
const MOST_OPERATIONS: usize = 500;

/// All Key Vault alerts, newest first, samples last.
pub(crate) async fn list(lab: &Lab) -> Result<Vec<Alert>> {
    let client = AlertsClient::new(&lab.azure.arm);
    let mut found: Vec<Alert> = client.list_key_vault(lab.subscription()).try_collect().await?;
    found.sort_by_key(|alert| {
        (alert.is_sample(), std::cmp::Reverse(alert.start_time.or(alert.time_generated)))
    });
    Ok(found)
}

/// Adds the evidence to alerts, from the workspace to which each vault's log is sent.
pub(crate) async fn with_evidence(lab: &Lab, found: Vec<Alert>) -> Alerts {
    let tenant = lab.azure.tenant().await.ok();
    let total = found.len();
    let open_and =
        |sample: bool| found.iter().filter(|alert| is_open(alert) && alert.is_sample() == sample).count();
    let (open, open_samples) = (open_and(false), open_and(true));
    let shown = &found[..total.min(SHOWN)];
    let bar = lab.screen.bar("evidence", shown.len() as u64);
    let client = InvestigationsClient::new(&lab.azure.arm);
    let rows = shown.iter().map(|alert| {
        let investigation = client.investigate_in(alert, tenant.as_deref()).limit(MOST_OPERATIONS);
        let bar = bar.clone();
        async move {
            let investigation = investigation.await;
            bar.inc(1);
            row(alert, &investigation.finding, log(&investigation))
        }
    });
    let newest = stream::iter(rows).buffered(AT_A_TIME).collect().await;
    bar.finish_and_clear();
    Alerts { total, open, open_samples, newest }
}

fn is_open(alert: &Alert) -> bool {
    !matches!(alert.status, AlertStatus::Resolved | AlertStatus::Dismissed)
}

/// Describes what the logs show about an alert.
fn log(investigation: &Investigation) -> String {
    let told = investigation.logs.iter().map(|(vault, log)| {
        let words = match log {
            VaultLog::Sample => "not queried: nothing really happened in a sample".to_owned(),
            VaultLog::NotLogged => {
                "the vault is not known to send its log to a workspace, so it is unknown what was accessed"
                    .to_owned()
            }
            VaultLog::Read(evidence) => words(evidence),
            VaultLog::Failed(error) if *error.kind() == ErrorKind::Credential => {
                "the logs could not be read: not signed in".to_owned()
            }
            VaultLog::Failed(error) => {
                format!("the logs could not be read: {}", crate::advice::explain(error))
            }
            _ => "the logs are inconclusive".to_owned(),
        };
        match investigation.logs.len() {
            1 => words,
            _ => format!("{}: {words}", vault.name()),
        }
    });
    match told.collect::<Vec<String>>() {
        none if none.is_empty() => "not queried: the alert names no vault".to_owned(),
        told => told.join("; "),
    }
}

fn words(evidence: &Evidence) -> String {
    let count = evidence.operations.len();
    let mut words = match &evidence.source {
        LogSource::Present if count == 0 => {
            "the log has nothing from this caller around that time".to_owned()
        }
        LogSource::Present => {
            let (read, refused) = (evidence.secrets_read().len(), evidence.refused());
            format!("{count} operations, {read} secrets read, {refused} refused")
        }
        LogSource::NoLogsYet => "no log has arrived yet, so it is unknown what was accessed".to_owned(),
        LogSource::Off => {
            "the vault does not send its log there, so it is unknown what was accessed".to_owned()
        }
        LogSource::Unknown(reason) => format!("could not determine whether the vault is logged: {reason}"),
        _ => "the logs are inconclusive".to_owned(),
    };
    if !evidence.is_settled {
        words.push_str("; more may still arrive, logs are minutes late");
    }
    if evidence.is_truncated {
        words.push_str("; there are more than shown here");
    }
    words
}

fn row(alert: &Alert, finding: &Finding, log: String) -> AlertRow {
    let mut facts: Vec<(String, String)> = Vec::new();
    let mut fact = |name: &str, value: String| {
        if !value.is_empty() {
            facts.push((name.to_owned(), value));
        }
    };
    let caller = &finding.caller;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    fact("what happened", alert.description.to_string());
    fact("vault", finding.vaults.iter().map(|vault| vault.name()).collect::<Vec<_>>().join(", "));
    fact("user", text(&caller.user_principal_name));
    fact("application", text(&caller.application_id));
    fact("object id", text(&caller.object_id));
    fact(
        "own tenant",
        caller.in_tenant.map(|own| if own { "yes" } else { "no" }).unwrap_or_default().to_owned(),
    );
    let address = |address: &defender_alerts::Address| {
        let place = address
            .location
            .as_ref()
            .and_then(|location| location.country_name.clone().or_else(|| location.country_code.clone()));
        place.map_or(address.address.clone(), |place| format!("{} ({place})", address.address))
    };
    fact("addresses", caller.addresses.iter().map(address).collect::<Vec<_>>().join(", "));
    fact("operations", finding.operations.join(", "));
    fact("how often", finding.operation_count.map(|count| count.to_string()).unwrap_or_default());
    fact("secrets accessed", finding.secrets.join(", "));
    let phase = |phase| match phase {
        ResponsePhase::Identify => "Identify",
        ResponsePhase::Contain => "Contain",
        ResponsePhase::Measure => "Measure",
        ResponsePhase::Act => "Act",
    };
    AlertRow {
        title: alert.display_name.to_string(),
        alert_type: alert.alert_type.to_string(),
        meaning: finding.kind.as_ref().and_then(|kind| kind.meaning()).map(str::to_owned),
        severity: alert.severity.to_string(),
        status: alert.status.to_string(),
        open: is_open(alert),
        sample: finding.is_sample,
        resource: alert.compromised_entity.to_string(),
        first: finding.first.or(alert.time_generated),
        last: finding.last,
        missing: finding.missing.iter().map(ToString::to_string).collect(),
        steps: finding.steps.iter().map(|step| (phase(step.phase).to_owned(), step.text.clone())).collect(),
        facts,
        log,
    }
}
