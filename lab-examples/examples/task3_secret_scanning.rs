//! Task 3: turn secret scanning on, and read what it finds from the sources that exist today.
//!
//! `cargo run -p lab-examples --example task3_secret_scanning` (offline; `-- --help` explains real Azure)

use defender_alerts::{SecretFindingsClient, SourceState};
use defender_pricing::{ExtensionName, PlanName, PricingClient};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let pricing = PricingClient::new(arm);

    // 1. The three extensions; others stay as they are. Machine secrets need AgentlessVmScanning.
    let done = pricing
        .enable(subscription, &PlanName::CloudPosture)
        .extensions([
            ExtensionName::SensitiveDataDiscovery,
            ExtensionName::ContainerRegistriesVulnerabilityAssessments,
            ExtensionName::AgentlessVmScanning,
        ])
        .await?;
    println!("CloudPosture: {}", done.change.verb());
    for failed in &done.failed_extensions {
        println!("  {} is not on, although the service answered 200: {}", failed.name, failed.reason);
    }
    for extension in &done.change.current().extensions {
        println!("  {:45} {}", extension.name, if extension.is_enabled { "on" } else { "off" });
    }

    // 2. What is scanned now.
    let scanning = pricing.secret_scanning(subscription).await?;
    println!("machines: {:?}", scanning.machines);
    println!("code: {:?}", scanning.code);

    // 3. Secrets in plain text, each with its source.
    let found = SecretFindingsClient::new(arm).find(subscription).await?;
    for finding in &found.findings {
        println!("{:?}: {} on {}", finding.source, finding.title, finding.resource.as_deref().unwrap_or("?"));
    }

    // 4. An empty result from a source does not prove that there are no secrets.
    for (source, state) in &found.sources {
        match state {
            SourceState::Answered(count) => println!("{source:?} has {count} findings"),
            SourceState::Retired => println!("{source:?} is retired, so an empty result proves nothing"),
            other => println!("{source:?} is inconclusive: {other:?}"),
        }
    }
    println!("clean: {}", found.is_clean());
    Ok(())
}
