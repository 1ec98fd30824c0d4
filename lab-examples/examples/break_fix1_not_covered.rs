//! Break & Fix 1: some vaults show "Not covered". Tests the causes one by one, fixes them, and verifies the fix.
//!
//! `cargo run -p lab-examples --example break_fix1_not_covered` (offline; `-- --help` explains real Azure)

use defender_playbooks::CoverageClient;
use monitor_ops::{DiagnosticSpec, Sink, WorkspaceId, WorkspaceSpec, WorkspacesClient};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let workspace = WorkspaceId::new(&subscription.resource_group(&azure.group)?, "law-contoso")?;
    WorkspacesClient::new(arm)
        .ensure(&workspace, &WorkspaceSpec::builder().location("westeurope").build())
        .await?;
    let sink = Sink::Workspace(workspace.as_resource().clone());
    let coverage = CoverageClient::new(arm);

    // 1. Find the cause. A subscription has one plan for all its vaults; a single vault has none.
    let before = coverage.report(subscription, &sink).await?;
    let coverage_status = before.plan.coverage.as_ref().map_or("not given", |status| status.as_str());
    println!("plan KeyVaults: {}, {coverage_status}", before.plan.tier);
    for vault in &before.vaults {
        println!("{}: covered {}", vault.vault.id.name(), vault.is_covered());
        for gap in vault.gaps() {
            println!("  {gap}: {}", gap.remedy());
        }
    }

    // 2. Preview the changes, then make them.
    let spec = DiagnosticSpec::audit_to(&workspace)?;
    let preview = coverage.fix(subscription, &spec).dry_run().await?;
    println!("would change the plan: {}", preview.plan.change.is_change());
    let done = coverage.fix(subscription, &spec).await?;
    println!("plan: {}", done.plan.change.verb());
    for (vault, error) in done.failures() {
        println!("{vault}: {error}");
    }

    // 3. Verify the fix. A second run changes nothing.
    let after = coverage.report(subscription, &sink).await?;
    for vault in &after.vaults {
        println!("{}: covered {}, {} gaps", vault.vault.id.name(), vault.is_covered(), vault.gaps().len());
    }
    println!("second run changes anything: {}", coverage.fix(subscription, &spec).await?.is_change());
    Ok(())
}
