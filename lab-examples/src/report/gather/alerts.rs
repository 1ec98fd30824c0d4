//! Alerts, and for each what the logs say.

use arm_core::ResourceId;
use azure_core::{Result, error::ErrorKind, time::OffsetDateTime};
use defender_alerts::{Alert, AlertStatus, AlertsClient, Finding, ResponsePhase, VaultAccess};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use monitor_ops::{CoverageReport, Evidence, LogSource, LogsClient, Timespan, WorkspaceId};
use time::Duration;

use crate::{
    Lab,
    report::page::{AlertRow, Alerts},
    tasks::access,
};

/// How many alerts are shown in detail; the page says how many there are.
const SHOWN: usize = 100;
/// How many log queries run at a time.
const AT_A_TIME: usize = 4;
/// What is looked at before and after the time of an alert.
const AROUND: Duration = Duration::hours(1);

/// All Key Vault alerts, newest first, samples last.
pub(crate) async fn list(lab: &Lab) -> Result<Vec<Alert>> {
    let client = AlertsClient::new(&lab.azure.arm);
    let mut found: Vec<Alert> = client.list_key_vault(lab.subscription()).try_collect().await?;
    found.sort_by_key(|alert| {
        (alert.is_sample(), std::cmp::Reverse(alert.start_time.or(alert.time_generated)))
    });
    Ok(found)
}

/// The alerts with their evidence, from the workspace that each vault logs to.
pub(crate) async fn with_evidence(lab: &Lab, found: Vec<Alert>, coverage: Option<&CoverageReport>) -> Alerts {
    let tenant = lab.azure.tenant().await.ok();
    let total = found.len();
    let open_and =
        |sample: bool| found.iter().filter(|alert| is_open(alert) && alert.is_sample() == sample).count();
    let (open, open_samples) = (open_and(false), open_and(true));
    let shown = &found[..total.min(SHOWN)];
    let bar = lab.screen.bar("evidence", shown.len() as u64);
    let rows = shown.iter().map(|alert| {
        let finding = Finding::of(alert, tenant.as_deref());
        let bar = bar.clone();
        async move {
            let (log, accesses) = evidence(lab, &finding, coverage).await;
            bar.inc(1);
            row(alert, &finding.with_log(&accesses), log)
        }
    });
    let newest = stream::iter(rows).buffered(AT_A_TIME).collect().await;
    bar.finish_and_clear();
    Alerts { total, open, open_samples, newest }
}

fn is_open(alert: &Alert) -> bool {
    !matches!(alert.status, AlertStatus::Resolved | AlertStatus::Dismissed)
}

/// What the logs can tell about a finding, in words, and what they tell.
async fn evidence(
    lab: &Lab,
    finding: &Finding,
    coverage: Option<&CoverageReport>,
) -> (String, Vec<VaultAccess>) {
    let nothing = |why: &str| (why.to_owned(), Vec::new());
    if finding.is_sample {
        return nothing("not asked: a sample is about nothing that happened");
    }
    let Some(vault) = finding.vaults.first() else {
        return nothing("not asked: the alert names no vault");
    };
    let Some(workspace) = workspace_of(coverage, vault) else {
        return nothing(
            "the vault is not known to send its log to a workspace: what was touched is not known",
        );
    };
    let now = OffsetDateTime::now_utc();
    let from = finding.first.or(finding.last).unwrap_or(now) - AROUND;
    let to = finding.last.or(finding.first).unwrap_or(now) + AROUND;
    let mut asked = LogsClient::new(&lab.azure.arm)
        .evidence(&workspace)
        .vault(vault)
        .timespan(Timespan::Between(from, to))
        .limit(500);
    // By object id where the alert has one: one caller can have many addresses.
    match &finding.caller.object_id {
        Some(caller) => asked = asked.caller(caller),
        None => {
            for address in &finding.caller.addresses {
                asked = asked.caller_ip(&address.address);
            }
        }
    }
    match asked.await {
        Ok(evidence) => (words(&evidence), evidence.operations.iter().map(access).collect()),
        Err(error) if *error.kind() == ErrorKind::Credential => {
            nothing("the logs could not be read: not signed in")
        }
        Err(error) => nothing(&format!("the logs could not be read: {}", crate::advice::explain(&error))),
    }
}

/// The workspace that a vault sends its log to.
fn workspace_of(coverage: Option<&CoverageReport>, vault: &ResourceId) -> Option<WorkspaceId> {
    let vault = coverage?.vaults.iter().find(|found| found.facts.id == *vault)?;
    let settings = vault.facts.diagnostics.as_ref().ok()?;
    settings.iter().find_map(|setting| setting.properties.workspace_id.as_deref()?.parse().ok())
}

fn words(evidence: &Evidence) -> String {
    let count = evidence.operations.len();
    let mut words = match &evidence.source {
        LogSource::Present if count == 0 => "the log has nothing of this caller around that time".to_owned(),
        LogSource::Present => {
            let (read, refused) = (evidence.secrets_read().len(), evidence.refused());
            format!("{count} operations, {read} secrets read, {refused} refused")
        }
        LogSource::NoLogsYet => "no log has come yet: what was touched is not known".to_owned(),
        LogSource::Off => "the vault sends no log there: what was touched is not known".to_owned(),
        LogSource::Unknown(reason) => format!("whether the vault is logged could not be read: {reason}"),
        _ => "the logs cannot tell".to_owned(),
    };
    if !evidence.is_settled {
        words.push_str("; more can still come, logs are minutes late");
    }
    if evidence.is_truncated {
        words.push_str("; there are more than these");
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
    fact("what happened", alert.description.clone());
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
    fact("secrets touched", finding.secrets.join(", "));
    let phase = |phase| match phase {
        ResponsePhase::Identify => "Identify",
        ResponsePhase::Contain => "Contain",
        ResponsePhase::Measure => "Measure",
        ResponsePhase::Act => "Act",
    };
    AlertRow {
        title: alert.display_name.clone(),
        alert_type: alert.alert_type.clone(),
        meaning: finding.kind.as_ref().and_then(|kind| kind.meaning()).map(str::to_owned),
        severity: alert.severity.to_string(),
        status: alert.status.to_string(),
        open: is_open(alert),
        sample: finding.is_sample,
        resource: alert.compromised_entity.clone(),
        first: finding.first.or(alert.time_generated),
        last: finding.last,
        missing: finding.missing.iter().map(ToString::to_string).collect(),
        steps: finding.steps.iter().map(|step| (phase(step.phase).to_owned(), step.text.clone())).collect(),
        facts,
        log,
    }
}
