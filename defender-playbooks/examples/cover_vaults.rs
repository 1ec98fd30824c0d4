//! Lists the key vaults of a subscription that are not covered or not logged, and fixes them with `--fix`. Fails if
//! anything is left to fix.
//!
//! ```sh
//! cargo run -p defender-playbooks --example cover_vaults -- <subscription> <workspace id> [--fix]
//! ```

use std::{error::Error, process::ExitCode};

use defender_playbooks::{
    CoverageClient, VaultCoverage,
    arm_core::{credential_from_environment, prelude::*},
    monitor_ops::{DiagnosticSpec, Sink, WorkspaceId},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (subscription, workspace, wanted) = match arguments.as_slice() {
        [subscription, workspace] => (subscription, workspace, false),
        [subscription, workspace, fix] if fix == "--fix" => (subscription, workspace, true),
        _ => return Err("usage: cover_vaults <subscription> <workspace id> [--fix]".into()),
    };
    let (subscription, workspace) = (subscription.parse()?, workspace.parse()?);
    let options = ArmOptions::default();
    let chosen = credential_from_environment(None, &options)?;
    let arm = ArmClient::new(chosen.credential, options)?;
    let mut left = gaps(&arm, &subscription, &workspace).await?;
    print("off", &left);
    if wanted {
        left = fix(&arm, &subscription, &workspace).await?;
        print("not fixed", &left);
    }
    Ok(if left.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns what is off, and how to turn it on. Logs count only if they go to this workspace.
pub(crate) async fn gaps(
    arm: &ArmClient,
    subscription: &SubscriptionId,
    workspace: &WorkspaceId,
) -> Result<Vec<String>> {
    let report = CoverageClient::new(arm).report(subscription, &Sink::from(workspace)).await?;
    let of_vault = |vault: &VaultCoverage| {
        let name = vault.vault.name.clone();
        vault.gaps().iter().map(move |gap| format!("{name}: {gap}: {}", gap.remedy())).collect::<Vec<_>>()
    };
    Ok(report.with_gaps().flat_map(of_vault).collect())
}

/// Turns everything on: **the plan is billed for every vault**. Returns what could not be turned on.
pub(crate) async fn fix(
    arm: &ArmClient,
    subscription: &SubscriptionId,
    workspace: &WorkspaceId,
) -> Result<Vec<String>> {
    let spec = DiagnosticSpec::audit_to(workspace)?;
    let done = CoverageClient::new(arm).fix(subscription, &spec).await?;
    let mut left: Vec<_> =
        done.failures().map(|(vault, error)| format!("{}: {error}", vault.name())).collect();
    if left.is_empty() && !done.is_complete() {
        left.push(format!("{done:?}"));
    }
    Ok(left)
}

#[allow(clippy::print_stdout, reason = "a program speaks to its user")]
fn print(what: &str, lines: &[String]) {
    lines.iter().for_each(|line| println!("{what}: {line}"));
}
