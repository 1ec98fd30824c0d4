//! Reads the evidence for a key vault alert, rotates the secrets that its caller read, each with the resource whose key
//! it contains, and resolves the alert once all of that is done.
//!
//! ```sh
//! cargo run -p defender-playbooks --example answer_alert -- <alert id> <secret>=<resource id> ..
//! ```

use std::{collections::BTreeMap, error::Error, sync::Arc};

use defender_playbooks::{
    InvestigationsClient,
    arm_core::{ArmClient, ArmOptions, ResourceId, credential_from_environment},
    defender_alerts::{AlertAction, AlertId, AlertsClient},
    keyvault_ops::SecretsClient,
    monitor_ops::Evidence,
};
use keyvault_issuers::ResourceKeyIssuer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let alert = arguments.next().ok_or("usage: answer_alert <alert id> <secret>=<resource id> ..")?;
    let mut issuers = BTreeMap::new();
    for argument in arguments {
        let (secret, resource) = argument.split_once('=').ok_or("give each as <secret>=<resource id>")?;
        issuers.insert(secret.to_owned(), resource.parse()?);
    }
    let options = ArmOptions::default();
    let chosen = credential_from_environment(None, &options)?;
    let arm = ArmClient::new(chosen.credential, options)?;
    print(answer(&arm, &alert.parse()?, &issuers).await?);
    Ok(())
}

/// The findings and actions, line by line. The alert is resolved only if nothing is left open.
pub(crate) async fn answer(
    arm: &ArmClient,
    alert: &AlertId,
    issuers: &BTreeMap<String, ResourceId>,
) -> Result<Vec<String>, Box<dyn Error>> {
    let (mut lines, mut open) = (Vec::new(), false);
    let alerts = AlertsClient::new(arm);
    let found = InvestigationsClient::new(arm).investigate(&alerts.get(alert).await?).await;
    if !found.is_conclusive() {
        lines.push("the logs are incomplete: more secrets may have been read".to_owned());
        open = true;
    }
    for (vault, log) in &found.logs {
        let secrets = SecretsClient::new(arm, &vault.name().parse()?)?;
        for name in log.evidence().map(Evidence::secrets_read).unwrap_or_default() {
            let Some(resource) = issuers.get(&name) else {
                lines.push(format!("{name} was read, but no resource is given for it: rotate it by hand"));
                open = true;
                continue;
            };
            let issuer = Arc::new(ResourceKeyIssuer::new(arm, resource.clone())?);
            // The same alert gives the same rotation id: another run resumes it where it stopped.
            let rotation = secrets
                .rotate(&name.parse()?)
                .issuer(issuer)
                .id(alert.to_string())
                .reason("an alert")
                .await?;
            open |= !rotation.is_complete();
            lines.push(rotation.to_string());
        }
    }
    if open {
        lines.push("the alert stays open".to_owned());
        return Ok(lines);
    }
    let report = alerts.set_status([alert.clone()], AlertAction::Resolve).await?;
    lines.push(if report.is_complete() { "resolved" } else { "the alert could not be resolved" }.to_owned());
    Ok(lines)
}

#[allow(clippy::print_stdout, reason = "a program speaks to its user")]
fn print(lines: Vec<String>) {
    lines.iter().for_each(|line| println!("{line}"));
}
