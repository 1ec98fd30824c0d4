//! Lists the key vaults of a subscription whose plan or audit log is off, and fixes them.
//!
//! ```sh
//! cargo run -p defender-playbooks --example cover_vaults -- <subscription> <resource group> <workspace> [--fix]
//! ```

use std::error::Error;

use defender_playbooks::{
    CoverageClient,
    arm_core::{ArmClient, ArmOptions, SubscriptionId, credential_from_environment},
    monitor_ops::{DiagnosticSpec, WorkspaceId},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [subscription, group, workspace, rest @ ..] = arguments.as_slice() else {
        return Err("usage: cover_vaults <subscription> <resource group> <workspace> [--fix]".into());
    };
    let subscription: SubscriptionId = subscription.parse()?;
    let workspace = WorkspaceId::new(&subscription.resource_group(group)?, workspace)?;
    let options = ArmOptions::default();
    let chosen = credential_from_environment(None, &options)?;
    let arm = ArmClient::new(chosen.credential, options)?;
    print(cover(&arm, &subscription, &workspace, rest.contains(&"--fix".to_owned())).await?);
    Ok(())
}

/// What is off, and what was done about it, or would be, line by line.
pub(crate) async fn cover(
    arm: &ArmClient,
    subscription: &SubscriptionId,
    workspace: &WorkspaceId,
    fix: bool,
) -> Result<Vec<String>, Box<dyn Error>> {
    let mut lines = Vec::new();
    let coverage = CoverageClient::new(arm);
    let report = coverage.report(subscription, None).await?;
    for vault in report.with_gaps() {
        for gap in vault.gaps() {
            lines.push(format!("{}: {gap}: {}", vault.vault.name, gap.remedy()));
        }
    }
    let task = coverage.fix(subscription, &DiagnosticSpec::audit_to(workspace)?);
    let done = if fix { task.await? } else { task.dry_run().await? };
    for (vault, error) in done.failures() {
        lines.push(format!("{vault}: {error}"));
    }
    lines.push(match (fix, done.is_change(), done.is_complete()) {
        (_, false, true) => "nothing needs to be done".to_owned(),
        (false, ..) => "run with --fix to fix this".to_owned(),
        (true, _, true) => "fixed".to_owned(),
        (true, _, false) => "not everything could be fixed".to_owned(),
    });
    Ok(lines)
}

#[allow(clippy::print_stdout, reason = "a program speaks to its user")]
fn print(lines: Vec<String>) {
    lines.iter().for_each(|line| println!("{line}"));
}
