//! Rotates a database URL that was found in a log: gives the other role a new password and stores it in the secret,
//! then removes the leaked password.
//!
//! `cargo run -p keyvault-issuers --features postgres --example postgres`
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::sync::Arc;

use arm_core::ArmClient;
use keyvault_issuers::PostgresRoleIssuer;
use keyvault_ops::SecretsClient;
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure};
use stand_in::{ADMINISTRATOR, LEAKED, Postgres};

/// A stand-in for a server, which speaks enough of PostgreSQL's protocol.
#[allow(
    dead_code,
    clippy::unwrap_used,
    reason = "the tests use more of it, and a test that cannot go on fails"
)]
#[path = "../tests/support/postgres.rs"]
mod stand_in;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    mock_azure::fast_forward();
    let azure = MockAzure::seed() // on real Azure, use a credential of your own
        .vault(DEFAULT_SUBSCRIPTION, "rg-app", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .start()
        .await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into()))?;
    let (secrets, name) = (SecretsClient::new(&arm, &"kv-prod".parse()?)?, "database-url".parse()?);

    // For a real server: its address, with a role that may alter `app_a` and `app_b`.
    let server = Postgres::start().await;
    let administrator = server.url("rotator", ADMINISTRATOR);
    secrets.set(&name, server.url("app_a", LEAKED).into()).await?;

    let issuer = PostgresRoleIssuer::new(&administrator.into(), ["app_a", "app_b"])?;
    let rotation = secrets.rotate(&name).issuer(Arc::new(issuer)).reason("found in a log").await?;
    println!("{rotation}");
    assert!(rotation.is_complete());

    let stored = secrets.get(&name).await?.value;
    println!("the secret names app_b: {}", stored.expose().starts_with("postgresql://app_b:"));
    println!("the leaked password signs in: {}", server.takes("app_a", LEAKED));
    assert!(stored.expose().starts_with("postgresql://app_b:") && !server.takes("app_a", LEAKED));
    Ok(())
}
