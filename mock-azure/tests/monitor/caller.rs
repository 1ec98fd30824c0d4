//! A plain HTTP client on the double.

#[path = "../support/mod.rs"]
mod support;

pub(crate) use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::{MockAzure, Seed};
pub(crate) use serde_json::{Value, json};
pub(crate) use support::{Answer, SUB};

pub(crate) fn group() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg-sec")
}

pub(crate) fn workspace() -> String {
    format!("{}/providers/Microsoft.OperationalInsights/workspaces/law-sec", group())
}

pub(crate) fn vault() -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/kv-prod", group())
}

/// A workspace and a vault with one secret that the caller may read.
pub(crate) fn seed() -> Seed {
    MockAzure::seed()
        .workspace(SUB, "rg-sec", "law-sec")
        .vault(SUB, "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets User")
        .secret("kv-prod", "db", "REDACTED")
}

pub(crate) async fn arm(azure: &MockAzure, method: Method, version: &str, path: &str, body: Value) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    support::send(
        azure,
        method,
        &format!("https://management.azure.com{path}{mark}api-version={version}"),
        body,
    )
    .await
}

pub(crate) async fn get_secret(azure: &MockAzure, name: &str) -> Answer {
    get_secret_of(azure, "kv-prod", name).await
}

pub(crate) async fn get_secret_of(azure: &MockAzure, vault: &str, name: &str) -> Answer {
    let url = format!("https://{vault}.vault.azure.net/secrets/{name}?api-version=7.5");
    support::send(azure, Get, &url, Value::Null).await
}

pub(crate) async fn customer_id(azure: &MockAzure) -> String {
    let found = arm(azure, Get, "2025-07-01", &workspace(), Value::Null).await;
    found.body["properties"]["customerId"].as_str().unwrap().to_owned()
}

pub(crate) async fn query(azure: &MockAzure, query: &str) -> Answer {
    let id = customer_id(azure).await;
    logs(azure, Post, &format!("/workspaces/{id}/query"), json!({ "query": query })).await
}

pub(crate) async fn logs(azure: &MockAzure, method: Method, path: &str, body: Value) -> Answer {
    support::send(azure, method, &format!("https://api.loganalytics.io/v1{path}"), body).await
}
