//! Rotates a storage key in a connection string that was found on a disk: stores the account's other key instead, then
//! regenerates the leaked one.
//!
//! `cargo run -p keyvault-issuers --example storage`
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::sync::Arc;

use arm_core::{ArmClient, ResourceId};
use keyvault_issuers::ResourceKeyIssuer;
use keyvault_ops::{Ledger, SecretsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure};

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn std::error::Error>> {
    mock_azure::fast_forward();
    let azure = MockAzure::seed() // on real Azure, use a credential of your own
        .vault(DEFAULT_SUBSCRIPTION, "rg-app", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .storage_account(DEFAULT_SUBSCRIPTION, "rg-app", "stprod")
        .start()
        .await;
    let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into()))?;
    let group = format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-app");
    let account: ResourceId =
        format!("{group}/providers/Microsoft.Storage/storageAccounts/stprod").parse()?;

    let leaked = azure.resource_key(account.as_str(), "key1").ok_or("the account has no key1")?;
    let stored = format!("DefaultEndpointsProtocol=https;AccountName=stprod;AccountKey={leaked};");
    let (secrets, name) = (SecretsClient::new(&arm, &"kv-prod".parse()?)?, "storage".parse()?);
    secrets.set(&name, stored.into()).await?;

    // With a ledger in a file, another process can resume a rotation that stopped.
    let ledger = Ledger::in_memory();
    let issuer = Arc::new(ResourceKeyIssuer::new(&arm, account.clone())?);
    let rotation = secrets.rotate(&name).issuer(issuer).reason("found on a disk").ledger(&ledger).await?;
    println!("{rotation}");
    assert!(rotation.is_complete());

    println!("the leaked key works: {}", azure.takes_key(account.as_str(), &leaked));
    assert!(!azure.takes_key(account.as_str(), &leaked));
    for entry in ledger.entries()? {
        println!("  {:?} {}", entry.action, entry.credential.as_deref().unwrap_or_default());
    }
    Ok(())
}
