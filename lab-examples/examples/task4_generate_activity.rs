//! Task 4: act like somebody dumping a vault, then make the alerts visible immediately.
//!
//! `cargo run -p lab-examples --example task4_generate_activity` (offline; `--live` raises real alerts)

use std::time::Duration;

use arm_core::ResourceType;
use defender_alerts::{AlertBundle, AlertsClient};
use futures::TryStreamExt as _;
use keyvault_ops::{AlertsExpected, SecretsClient};
use resource_ops::{DirectoryClient, RoleAssignmentsClient, RoleId};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let vault = subscription.resource_group(&azure.group)?.resource(&ResourceType::VAULT, &azure.vault)?;

    // 1. Permission to set secrets. It takes effect only once it has propagated; this client waits for that.
    let me = DirectoryClient::new(arm).signed_in().await?;
    RoleAssignmentsClient::new(arm).ensure(&vault, RoleId::KEY_VAULT_SECRETS_OFFICER, me.id).await?;
    let secrets = SecretsClient::new(arm, &azure.vault.parse()?)?
        .after_role_assignment(Duration::from_secs(300), |wait| {
            println!("the role assignment has not propagated yet: {:?}", wait.wait)
        })?;

    // 2. Twenty secrets with random values. A second run sets only missing ones.
    let seeded = secrets.seed("test-secret", 20).await?;
    println!("{} secrets exist", seeded.names().count());

    // 3. Five listings, including managed secrets, and twenty reads. This raises alerts, so it must be confirmed.
    let sweep = secrets.sweep(AlertsExpected::confirmed()).listings(5).reads(20).await?;
    println!("{} listings, {} secrets read", sweep.listings, sweep.read);

    // 4. Real alerts take an hour or two. Samples are available immediately, and reach the same receivers.
    let alerts = AlertsClient::new(arm);
    alerts.simulate(subscription, &"westeurope".parse()?, [AlertBundle::KeyVaults]).await?;
    let all: Vec<_> = alerts.list_key_vault(subscription).try_collect().await?;
    for sample in all.iter().filter(|alert| alert.is_sample()) {
        println!("{:8} {}", sample.severity, sample.display_name);
    }

    // 5. Delete the test secrets. Their names stay taken for a while.
    let gone = secrets.clean_up(seeded.created().cloned()).await?;
    println!("{} secrets deleted, {} of them soft-deleted", gone.outcomes.len(), gone.soft_deleted().count());
    Ok(())
}
