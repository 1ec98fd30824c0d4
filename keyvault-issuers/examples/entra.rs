//! Replaces an application's secret: the new one is set only once it works at sign-in, then the old one is removed.
//!
//! `cargo run -p keyvault-issuers --example entra`
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::{sync::Arc, time::Duration};

use arm_core::ArmClient;
use keyvault_issuers::EntraPasswordIssuer;
use keyvault_ops::SecretsClient;
use mock_azure::{DEFAULT_SUBSCRIPTION, DEFAULT_TENANT, MockAzure};

const APPLICATION: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    mock_azure::fast_forward();
    let leaked = "old8Q~0123456789012345678901234567abcd";
    let azure = MockAzure::seed() // on real Azure, use a credential of your own
        .vault(DEFAULT_SUBSCRIPTION, "rg-app", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .application(APPLICATION, CLIENT, "web", leaked)
        .password_propagation_time(Duration::from_secs(30)) // real sign-in takes a while, too
        .start()
        .await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into()))?;
    let (secrets, name) = (SecretsClient::new(&arm, &"kv-prod".parse()?)?, "client-secret".parse()?);
    secrets.set(&name, leaked.into()).await?;

    let issuer = EntraPasswordIssuer::new(&arm, DEFAULT_TENANT, APPLICATION)
        .lifetime(Duration::from_secs(90 * 86_400));
    let rotation = secrets.rotate(&name).issuer(Arc::new(issuer)).reason("found in a repository").await?;
    println!("{rotation}");
    assert!(rotation.is_complete());

    let new = secrets.get(&name).await?.value;
    println!("the new secret signs in: {}", azure.application_takes(CLIENT, new.expose()));
    println!("the leaked one signs in: {}", azure.application_takes(CLIENT, leaked));
    assert!(azure.application_takes(CLIENT, new.expose()) && !azure.application_takes(CLIENT, leaked));
    Ok(())
}
