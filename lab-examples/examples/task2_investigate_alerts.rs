//! Task 2: Key Vault alerts and their triage, recommendations, and the logs as evidence.
//!
//! `cargo run -p lab-examples --example task2_investigate_alerts` (offline; `-- --help` explains real Azure)

use arm_core::ResourceType;
use defender_alerts::{
    AlertsClient, AssessmentCode, AssessmentFilter, AssessmentsClient, Finding, KeyVaultAlertType,
};
use futures::TryStreamExt as _;
use monitor_ops::{
    DiagnosticSpec, DiagnosticsClient, LogsClient, WorkspaceId, WorkspaceSpec, WorkspacesClient,
};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);

    // 1. Key Vault alerts: those whose type starts with KV_, and those that name a vault.
    let alerts: Vec<_> = AlertsClient::new(arm).list_key_vault(subscription).try_collect().await?;
    for alert in &alerts {
        println!("{:8} {:8} {}", alert.severity, alert.status, alert.display_name);
    }

    // 2. The sheet's KV_MassSecretRetrieval does not exist; these are the corresponding types.
    let closest = KeyVaultAlertType::closest("KV_MassSecretRetrieval");
    let dumping =
        alerts.iter().find(|alert| alert.key_vault_type().is_some_and(|kind| closest.contains(&kind)));

    // 3. Recommendations on key vaults; the severity is in the metadata.
    let filter = AssessmentFilter::new().code(AssessmentCode::Unhealthy).any_word(["key vault"]);
    let mut open = AssessmentsClient::new(arm).find(subscription, filter);
    while let Some(recommendation) = open.try_next().await? {
        println!("open: {} ({:?})", recommendation.display_name, recommendation.severity());
    }

    // 4. Send the vault's log to a workspace. Running this again changes nothing.
    let group = subscription.resource_group(&azure.group)?;
    let vault = group.resource(&ResourceType::VAULT, &azure.vault)?;
    let workspace = WorkspaceId::new(&group, "law-contoso")?;
    WorkspacesClient::new(arm)
        .ensure(&workspace, &WorkspaceSpec::builder().location("westeurope").build())
        .await?;
    let change = DiagnosticsClient::new(arm).ensure(&vault, &DiagnosticSpec::audit_to(&workspace)?).await?;
    println!("audit log of {}: {}", vault.name(), change.verb());

    // 5. The triage of one alert: what it says, what it does not say, and what to do.
    if let Some(alert) = dumping {
        let tenant = azure.tenant().await?;
        let finding = Finding::of(alert, Some(&tenant));
        println!("{} by {}", finding.title, finding.caller.name().unwrap_or("someone"));
        for missing in &finding.missing {
            println!("  missing: {missing}");
        }
        for step in &finding.steps {
            println!("  {:?}: {}", step.phase, step.text);
        }
    }

    // 6. The log as evidence. An empty result proves nothing while no log has arrived.
    let evidence = LogsClient::new(arm).evidence(&workspace).vault(&vault).await?;
    println!("evidence: {} operations, source {:?}", evidence.operations.len(), evidence.source);
    Ok(())
}
