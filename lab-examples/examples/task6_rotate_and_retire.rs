//! Task 6: rotate an exposed secret without cutting off a consumer, and verify it.
//!
//! `cargo run -p lab-examples --example task6_rotate_and_retire` (offline; `-- --help` explains real Azure)

use std::time::Duration;

use arm_core::{ResourceType, Secret};
use defender_alerts::{AlertAction, AlertBundle, AlertStatus, AlertsClient, AttackPathsClient};
use futures::TryStreamExt as _;
use keyvault_ops::SecretsClient;
use resource_ops::{DirectoryClient, RoleAssignmentsClient, RoleId};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let azure = lab_examples::connect().await?;
    let (arm, subscription) = (&azure.arm, &azure.subscription);
    let vault = subscription.resource_group(&azure.group)?.resource(&ResourceType::VAULT, &azure.vault)?;
    let me = DirectoryClient::new(arm).signed_in().await?;
    RoleAssignmentsClient::new(arm).ensure(&vault, RoleId::KEY_VAULT_SECRETS_OFFICER, me.id).await?;
    let secrets = SecretsClient::new(arm, &azure.vault.parse()?)?
        .after_role_assignment(Duration::from_secs(300), |_| ())?;

    // 1. Attack paths that start from a leak. An empty result proves nothing while Defender CSPM is off.
    let paths = AttackPathsClient::new(arm).find(subscription).await?;
    for path in paths.concerning_secrets() {
        println!("attack path: {}", path.display_name);
    }
    for blind in paths.not_covered() {
        println!("{} is not covered: {:?}", blind.subscription, blind.cspm);
    }

    // 2. An exposed secret with a history, used only by this run.
    let name = format!("rotate-example-{}", uuid::Uuid::new_v4().simple()).parse()?;
    for old in ["first", "second", "third"] {
        secrets.set(&name, Secret::new(old)).await?;
    }

    // 3. A new value, verified to be current. Old versions are disabled by id, never by position in a list.
    let rotation = secrets
        .rotate(&name)
        .reason("found in a repository")
        .expires_in(Duration::from_secs(90 * 86_400))
        .await?;
    println!("{} old versions disabled", rotation.retirement.as_ref().map_or(0, |retired| retired.disabled));
    println!("an issuer was used: {}", rotation.issuer.configured);

    // 4. Verify that only one version is active.
    let active = secrets.verify_single_active(&name).await?;
    println!("single active version: {} of {}", active.is_single(), active.versions);

    // 5. A sample alert created by this run, resolved and read back. Real alerts are left to the people who respond to
    //    them.
    let alerts = AlertsClient::new(arm);
    let before: Vec<_> = alerts.list_key_vault(subscription).map_ok(|alert| alert.id).try_collect().await?;
    alerts.simulate(subscription, &"westeurope".parse()?, [AlertBundle::KeyVaults]).await?;
    let now: Vec<_> = alerts.list_key_vault(subscription).try_collect().await?;
    let own = now.into_iter().find(|alert| alert.is_sample() && !before.contains(&alert.id));
    if let Some(sample) = own {
        println!("resolving '{}'", sample.display_name);
        let report =
            alerts.set_status([sample.id], AlertAction::Resolve).only_if(AlertStatus::Active).await?;
        println!("{} alert resolved, complete: {}", report.changed().count(), report.is_complete());
    }
    Ok(())
}
