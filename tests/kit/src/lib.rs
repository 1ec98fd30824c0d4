//! What the tests of several crates share: a small company on the double, the line that is cut at every request, and
//! everything that a process says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod interrupted;
pub mod overheard;
mod token;

use arm_core::{ArmClient, ResourceGroupId, ResourceId, ResourceName, SubscriptionId};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use futures::TryStreamExt as _;
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure, Seed};
use serde_json::Value;

pub use interrupted::interrupted_anywhere_it_ends_the_same;
pub use token::AnyToken;

/// The double's own subscription.
pub fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

/// The resource group of the security team.
pub fn group() -> ResourceGroupId {
    subscription().resource_group("rg-sec").unwrap()
}

/// The vault of that group.
pub fn vault() -> ResourceId {
    vault_named("kv-prod")
}

/// A vault in that group.
pub fn vault_named(name: &str) -> ResourceId {
    format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group()).parse().unwrap()
}

/// A resource's name.
pub fn name(text: &str) -> ResourceName {
    text.parse().unwrap()
}

/// A double with a workspace, and a vault with a secret that the caller may read.
pub fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
        .workspace(subscription(), "rg-sec", "law-sec")
        .vault(subscription(), "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets User")
        .secret("kv-prod", "db", "REDACTED")
}

/// A client of a double.
pub fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

/// Reads secrets as an application would, with the official client.
pub fn secrets(azure: &MockAzure, vault: &str) -> SecretClient {
    let endpoint = format!("https://{vault}.vault.azure.net").parse().unwrap();
    let client_options = arm(azure).client_options_for(&endpoint).unwrap();
    let options = SecretClientOptions { client_options, ..Default::default() };
    SecretClient::new(endpoint.as_str(), azure.credential(), Some(options)).unwrap()
}

/// Lists all secrets of a vault with the official client.
pub async fn list_secrets(azure: &MockAzure, vault: &str) {
    let all: Vec<_> =
        secrets(azure, vault).list_secret_properties(None).unwrap().try_collect().await.unwrap();
    drop(all);
}

/// A resource as the service has it, without what differs from run to run; null if it is not there.
pub async fn stored(azure: &MockAzure, id: &str, version: &'static str) -> Value {
    let id: ResourceId = id.parse().unwrap();
    let mut found: Value = arm(azure).get(&id, version).json_opt().await.unwrap().unwrap_or_default();
    if let Some(fields) = found.as_object_mut() {
        fields.remove("etag");
        fields.remove("systemData");
        if let Some(properties) = fields.get_mut("properties").and_then(Value::as_object_mut) {
            properties.retain(|name, _| !name.ends_with("Utc") && !name.ends_with("Date"));
        }
    }
    found
}
