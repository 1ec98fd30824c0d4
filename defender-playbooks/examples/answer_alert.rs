//! Reads the evidence for a key vault alert, rotates each secret that its caller read at the resource whose key it
//! contains, and resolves the alert once everything is done. Fails if anything is left to do.
//!
//! ```sh
//! cargo run -p defender-playbooks --example answer_alert -- <alert id> <secret>=<resource id> ..
//! ```
//!
//! `rotations.jsonl` records each step of a rotation, so that another run can resume it.

use std::{collections::BTreeMap, error::Error, process::ExitCode, sync::Arc};

use defender_playbooks::{
    InvestigationsClient,
    arm_core::{credential_from_environment, prelude::*},
    defender_alerts::{AlertAction, AlertId, AlertsClient},
    keyvault_ops::{Ledger, Rotation, SecretsClient},
    monitor_ops::Evidence,
};
use keyvault_issuers::ResourceKeyIssuer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let alert = arguments.next().filter(|alert| alert.starts_with('/'));
    let alert = alert.ok_or("usage: answer_alert <alert id> <secret>=<resource id> ..")?;
    let mut issuers = BTreeMap::new();
    for argument in arguments {
        let (secret, resource) = argument.split_once('=').ok_or("give each as <secret>=<resource id>")?;
        issuers.insert(secret.to_owned(), resource.parse()?);
    }
    let options = ArmOptions::default();
    let chosen = credential_from_environment(None, &options)?;
    let arm = ArmClient::new(chosen.credential, options)?;
    let ledger = Ledger::append_to("rotations.jsonl")?;
    let left = answer(&arm, &alert.parse()?, &issuers, &ledger).await?;
    print(&left);
    Ok(if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns what is left to do. The alert is resolved only if nothing is.
pub(crate) async fn answer(
    arm: &ArmClient,
    id: &AlertId,
    issuers: &BTreeMap<String, ResourceId>,
    ledger: &Ledger,
) -> Result<Vec<String>> {
    let alerts = AlertsClient::new(arm);
    let alert = alerts.get(id).await?;
    let found = InvestigationsClient::new(arm).investigate(&alert).await;
    let mut left = Vec::new();
    if !found.is_conclusive() {
        left.push("the logs are incomplete: more secrets may have been read".to_owned());
    }
    for (vault, log) in &found.logs {
        for name in log.evidence().map(Evidence::secrets_read).unwrap_or_default() {
            let Some(resource) = issuers.get(&name) else {
                left.push(format!("{name}: no resource is given for it: rotate it by hand"));
                continue;
            };
            match rotate(arm, vault, &name, resource, id, ledger).await {
                Ok(rotation) if rotation.is_complete() => {}
                Ok(rotation) => left.push(rotation.to_string()),
                Err(error) => left.push(format!("{name}: {error}")),
            }
        }
    }
    if left.is_empty() {
        // Only if nobody has changed its status in the meantime.
        let report = alerts.set_status([id.clone()], AlertAction::Resolve).only_if(alert.status).await?;
        left.extend(report.failed().map(|alert| format!("{}: {:?}", alert.target, alert.result)));
    }
    Ok(left)
}

async fn rotate(
    arm: &ArmClient,
    vault: &ResourceId,
    name: &str,
    resource: &ResourceId,
    alert: &AlertId,
    ledger: &Ledger,
) -> Result<Rotation, Box<dyn Error>> {
    let secrets = SecretsClient::new(arm, &vault.name().parse()?)?;
    let issuer = Arc::new(ResourceKeyIssuer::new(arm, resource.clone())?);
    // The alert's id is the id of the rotation, so that another run resumes it and rotates nothing twice.
    let rotate = secrets.rotate(&name.parse()?).id(alert.to_string()).reason("an alert");
    Ok(rotate.issuer(issuer).ledger(ledger).await?)
}

#[allow(clippy::print_stdout, reason = "a program speaks to its user")]
fn print(left: &[String]) {
    left.iter().for_each(|line| println!("left to do: {line}"));
}
