//! What the tests share: a small company, and the line that is cut at every request.

use std::future::Future;

use arm_core::{ArmClient, ResourceGroupId, ResourceId, SubscriptionId};
use azure_security_keyvault_secrets::{SecretClient, SecretClientOptions};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault, MockAzure, Recorded, Seed};
use monitor_ops::WorkspaceId;
use serde_json::Value;

pub(crate) fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

pub(crate) fn group() -> ResourceGroupId {
    subscription().resource_group("rg-sec").unwrap()
}

pub(crate) fn workspace() -> WorkspaceId {
    WorkspaceId::new(&group(), "law-sec").unwrap()
}

pub(crate) fn vault() -> ResourceId {
    vault_named("kv-prod")
}

pub(crate) fn vault_named(name: &str) -> ResourceId {
    format!("{}/providers/Microsoft.KeyVault/vaults/{name}", group()).parse().unwrap()
}

/// A workspace, and a vault with a secret that the caller may read.
pub(crate) fn seed() -> Seed {
    mock_azure::fast_forward();
    MockAzure::seed()
        .workspace(subscription(), "rg-sec", "law-sec")
        .vault(subscription(), "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets User")
        .secret("kv-prod", "db", "REDACTED")
}

pub(crate) fn arm(azure: &MockAzure) -> ArmClient {
    ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap()
}

pub(crate) fn writes(azure: &MockAzure) -> Vec<Recorded> {
    azure
        .requests()
        .into_iter()
        .filter(|request| matches!(request.method.as_str(), "PUT" | "PATCH" | "DELETE"))
        .collect()
}

/// Reads secrets as an application would, with the official client.
pub(crate) fn secrets(azure: &MockAzure, vault: &str) -> SecretClient {
    let endpoint = format!("https://{vault}.vault.azure.net").parse().unwrap();
    let client_options = arm(azure).client_options_for(&endpoint).unwrap();
    let options = SecretClientOptions { client_options, ..Default::default() };
    SecretClient::new(endpoint.as_str(), azure.credential(), Some(options)).unwrap()
}

/// A resource as the service has it, without what differs from run to run.
pub(crate) async fn stored(azure: &MockAzure, id: &str, version: &'static str) -> Value {
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

/// Cuts the line at the first request of a task, then at the second, and so on; runs it again each time,
/// and expects the state of a run that was never cut. Then runs it once more, and expects no write. Also
/// loses the answer to each request in turn, which a single run must survive.
pub(crate) async fn interrupted_anywhere_it_ends_the_same<Run, RunFuture, State, StateFuture>(
    seed: fn() -> Seed,
    run: Run,
    state: State,
) where
    Run: Fn(ArmClient) -> RunFuture,
    RunFuture: Future<Output = azure_core::Result<()>>,
    State: Fn(std::sync::Arc<MockAzure>) -> StateFuture,
    StateFuture: Future<Output = Value>,
{
    let whole = std::sync::Arc::new(seed().start().await);
    run(arm(&whole)).await.unwrap();
    let expected = state(whole.clone()).await;
    let mut cuts = 0;
    loop {
        let azure = std::sync::Arc::new(seed().start().await);
        azure.interrupt_at(cuts + 1);
        let first = run(arm(&azure)).await;
        azure.clear_faults();
        if first.is_ok() {
            break;
        }
        cuts += 1;
        run(arm(&azure)).await.unwrap();
        assert_eq!(state(azure.clone()).await, expected, "cut at request {cuts}");
        azure.clear_requests();
        run(arm(&azure)).await.unwrap();
        assert!(writes(&azure).is_empty(), "after a cut at request {cuts}: {:?}", writes(&azure));
    }
    assert!(cuts > 1, "the task sent no more than one request");
    for lost in 0..cuts {
        // The service acts, the answer is lost, and the client cannot know.
        let azure = std::sync::Arc::new(seed().start().await);
        azure.inject(Fault::reset_after_acting().skip(lost));
        run(arm(&azure)).await.unwrap();
        assert_eq!(state(azure.clone()).await, expected, "without the answer to request {}", lost + 1);
    }
}
