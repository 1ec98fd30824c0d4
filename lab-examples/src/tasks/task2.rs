//! Task 2: investigate Key Vault alerts.

use azure_core::Result;
use defender_alerts::{
    Alert, AlertsClient, AssessmentCode, AssessmentFilter, AssessmentsClient, Finding, KeyVaultAlertType,
};
use defender_playbooks::{
    InvestigationsClient, VaultLog,
    plan::{PlanAction, PlannedChange},
};
use futures::TryStreamExt as _;
use monitor_ops::{
    Category, DiagnosticSetting, DiagnosticSpec, DiagnosticsClient, LogSource, Sink, WorkspaceSpec,
    WorkspacesClient,
};
use serde_json::json;

use crate::{
    Lab,
    screen::plural,
    tasks::{show, task1},
};

/// The step of a plan on which later ones depend.
pub(crate) const WORKSPACE_STEP: &str = "task2: the workspace";
const SETTING: &str = "audit-to-log-analytics";

pub(crate) async fn run(lab: &Lab) -> Result<()> {
    let alerts = alerts(lab).await?;
    by_type(lab, &alerts);
    recommendations(lab).await?;
    diagnostics(lab).await?;
    if let Some(alert) =
        alerts.iter().find(|alert| alert.key_vault_type() == Some(KeyVaultAlertType::ListGetAnomaly))
    {
        triage(lab, alert).await?;
    }
    Ok(())
}

async fn alerts(lab: &Lab) -> Result<Vec<Alert>> {
    let client = AlertsClient::new(&lab.azure.arm);
    let found: Vec<Alert> =
        lab.screen.wait("alerts", client.list_key_vault(lab.subscription()).try_collect()).await?;
    lab.screen.difference(
        "to look for contains(alertType,'KeyVault')",
        "names all of these types KV_..",
        "look for KV_, and for vaults among the resources",
    );
    show::alerts(lab, &found);
    Ok(found)
}

fn by_type(lab: &Lab, alerts: &[Alert]) {
    for name in ["KV_MassSecretRetrieval", "KV_SuspiciousSecretListing"] {
        let closest = KeyVaultAlertType::closest(name);
        let names: Vec<&str> = closest.iter().map(KeyVaultAlertType::as_str).collect();
        let of_type = |alert: &&Alert| alert.key_vault_type().is_some_and(|kind| closest.contains(&kind));
        let count = alerts.iter().filter(of_type).count();
        let detail = format!("{} of {}", plural(count, "alert"), names.join(", "));
        lab.screen.counted(format!("alerts of the sheet's type {name}"), "found", count, detail);
    }
    lab.screen.difference(
        "KV_MassSecretRetrieval, KV_SuspiciousSecretListing and two more",
        "has none of these four",
        "look for the corresponding documented types",
    );
}

async fn recommendations(lab: &Lab) -> Result<()> {
    let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).any_word(["key vault", "keyvault"]);
    let found = AssessmentsClient::new(&lab.azure.arm).find(lab.subscription(), filter);
    let found: Vec<_> = lab.screen.wait("recommendations", found.try_collect()).await?;
    lab.screen.difference(
        "to read metadata.severity from the plain list",
        "omits metadata unless requested",
        "ask with $expand=metadata",
    );
    show::recommendations(lab, "Key Vault recommendations", &found);
    Ok(())
}

async fn diagnostics(lab: &Lab) -> Result<()> {
    let (arm, vault, workspace) = (&lab.azure.arm, lab.vault()?, lab.workspace()?);
    let workspaces = WorkspacesClient::new(arm);
    let found = workspaces.get_opt(&workspace).await?;
    let tags = lab.tags_for(found.as_ref().map(|found| &found.tags))?;
    let spec = WorkspaceSpec::builder().location(&lab.options.location).tags(tags).build();
    let change = lab.change(WORKSPACE_STEP, || workspaces.ensure(&workspace, &spec).recover_deleted());
    let change = lab.screen.wait("workspace", change).await?;
    lab.tagged(&workspace.to_string(), found.is_some(), &change)?;
    let what = format!("workspace {}", workspace.name());
    lab.screen.about(&workspace).step(what, lab.verb(&change), "");

    let client = DiagnosticsClient::new(arm);
    let settings: Vec<_> = match lab.is_planning() && lab.vault_is_to_come().await? {
        true => Vec::new(),
        false => client.list(vault.resource_id()).try_collect().await?,
    };
    let names: Vec<&str> = settings.iter().map(|setting| setting.name.as_str()).collect();
    lab.screen.step(
        format!("diagnostic settings of {}", vault.name()),
        "found",
        match names.as_slice() {
            [] => "none".to_owned(),
            names => names.join(", "),
        },
    );
    let spec = DiagnosticSpec::builder()
        .name(SETTING.parse()?)
        .sink(Sink::Workspace(workspace.as_resource().clone()))
        .categories([Category::named("AuditEvent"), Category::named("AllMetrics")])
        .build();
    let id = format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/{SETTING}");
    let declared = PlannedChange::of::<DiagnosticSetting>(PlanAction::Create, id).with(&json!({
        "properties": {
            "workspaceId": workspace.to_string(),
            "logs": [{ "category": "AuditEvent", "enabled": true }],
            "metrics": [{ "category": "AllMetrics", "enabled": true }],
        },
    }))?;
    let ensure = || client.ensure(vault.resource_id(), &spec);
    let change =
        lab.change_after("task2: the logs of the vault", task1::VAULT_STEP, [declared], ensure).await?;
    if let Some(change) = change {
        super::sent(lab, vault.resource_id(), &change).await?;
        lab.screen.about(&change.current().id).step(
            "AuditEvent and AllMetrics to the workspace",
            lab.verb(&change),
            change.current().name.clone(),
        );
    }
    lab.screen.difference(
        "logging is required for detection",
        "detects without logs once the plan is on; logs are evidence",
        "turn logging on for the evidence",
    );
    Ok(())
}

async fn triage(lab: &Lab, alert: &Alert) -> Result<()> {
    let tenant = lab.azure.tenant().await?;
    let investigations = InvestigationsClient::new(&lab.azure.arm);
    let found = investigations.investigate_in(alert, Some(&tenant)).workspace(&lab.workspace()?);
    let finding = Finding::of(alert, Some(&tenant));
    if WorkspacesClient::new(&lab.azure.arm).get_opt(&lab.workspace()?).await?.is_none() {
        lab.screen.step(format!("evidence for '{}'", finding.title), "skipped", "no workspace yet");
        show::finding(lab, &finding);
        return Ok(());
    }
    let found = lab.screen.wait("evidence", found.into_future()).await;
    for (_, log) in &found.logs {
        let told = match log {
            VaultLog::Read(evidence) => match &evidence.source {
                LogSource::Present => format!("{} operations in the logs", evidence.operations.len()),
                LogSource::NoLogsYet => "no logs yet: nothing is known, which does not mean that nothing happened".to_owned(),
                LogSource::Off => {
                    "this vault sends no logs here: nothing is known, which does not mean that nothing happened".to_owned()
                }
                other => format!("{other:?}"),
            },
            VaultLog::Failed(error) => format!("the logs could not be read: {error}"),
            other => format!("{other:?}"),
        };
        let about = lab.screen.about(&alert.id);
        let about = match log {
            VaultLog::Read(evidence) if matches!(evidence.source, LogSource::Present) => {
                about.figures([("operations", evidence.operations.len())])
            }
            _ => about,
        };
        about.step(format!("evidence for '{}'", found.finding.title), "read", told);
    }
    show::finding(lab, &found.finding);
    Ok(())
}
