//! Every operation and task against the double.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod alerts;
mod assessments;
mod attack_paths;
mod bad_input;
mod exempt;
mod governance;
mod kept;
mod others;
mod properties;
mod secrets;
mod set_status;
mod triage;

use arm_core::{ArmClient, ArmOptions, ResourceGroupId, ResourceId, ResourceType, SubscriptionId};
use azure_core::Result;
use defender_alerts::Alert;
use futures::{Stream, TryStreamExt as _};
use mock_azure::MockAzure;

fn subscription() -> SubscriptionId {
    mock_azure::DEFAULT_SUBSCRIPTION.parse().unwrap()
}

fn group() -> ResourceGroupId {
    subscription().resource_group("rg-app").unwrap()
}

fn vault() -> ResourceId {
    group().resource(&ResourceType::VAULT, "kv-prod").unwrap()
}

fn machine() -> ResourceId {
    group().resource(&ResourceType::VIRTUAL_MACHINE, "vm-web").unwrap()
}

fn arm(azure: &MockAzure) -> ArmClient {
    mock_azure::fast_forward();
    ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap()
}

async fn all<T>(list: impl Stream<Item = Result<T>> + Unpin) -> Vec<T> {
    list.try_collect().await.unwrap()
}

/// An alert with these properties.
fn alert(properties: serde_json::Value) -> serde_json::Value {
    let id = format!("{}/providers/Microsoft.Security/locations/westeurope/alerts/2518_0001", group());
    serde_json::json!({ "id": id, "name": "2518_0001", "properties": properties })
}

fn decoded(properties: serde_json::Value) -> Alert {
    serde_json::from_value(alert(properties)).unwrap()
}

/// The calls so far, as `METHOD /path?query -> status`; the subscription and the provider are left out.
fn calls(azure: &MockAzure) -> Vec<String> {
    assert!(azure.unknown_requests().is_empty(), "{:?}", azure.unknown_requests());
    let scope = format!("https://management.azure.com{}", subscription().to_path());
    let brief =
        |request| format!("{request:?}").replace(&scope, "").replace("/providers/Microsoft.Security", "");
    azure.requests().iter().map(brief).collect()
}
