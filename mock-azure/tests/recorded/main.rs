//! What the real service does and its reference does not say: recorded answers of public test suites, and reports of
//! other tools' users. Each test sends the request and asserts the answer in the shape of the recorded one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod directory;
mod monitor;
mod reported;
mod security;
mod spelling;
#[path = "../support/mod.rs"]
mod support;
mod vaults;

use azure_core::http::Method;
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{Answer, SUB};

pub(crate) const TENANT: &str = mock_azure::DEFAULT_TENANT;

/// Sends a request for a path of Resource Manager that begins with a slash.
pub(crate) async fn send(
    azure: &MockAzure,
    method: Method,
    path: &str,
    version: &str,
    body: Value,
) -> Answer {
    let mark = if path.contains('?') { '&' } else { '?' };
    let url = format!("https://management.azure.com{path}{mark}api-version={version}");
    support::send(azure, method, &url, body).await
}

pub(crate) async fn get(azure: &MockAzure, path: &str, version: &str) -> Answer {
    send(azure, Method::Get, path, version, Value::Null).await
}

pub(crate) async fn put(azure: &MockAzure, path: &str, version: &str, body: Value) -> Answer {
    send(azure, Method::Put, path, version, body).await
}

pub(crate) fn group() -> String {
    format!("/subscriptions/{SUB}/resourceGroups/rg")
}

pub(crate) fn workspace() -> String {
    format!("{}/providers/Microsoft.OperationalInsights/workspaces/law-a", group())
}

pub(crate) fn vault() -> String {
    format!("{}/providers/Microsoft.KeyVault/vaults/kv-a", group())
}

/// The names of an object's members, in the order of the alphabet.
pub(crate) fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// A body without the members that differ from run to run.
pub(crate) fn without(body: &Value, path: &str, names: &[&str]) -> Value {
    let mut body = body.clone();
    let object = body.pointer_mut(path).unwrap().as_object_mut().unwrap();
    for name in names {
        assert!(object.remove(*name).is_some(), "the answer has no '{name}'");
    }
    body
}

pub(crate) fn a_rule() -> Value {
    json!({
        "location": "westeurope",
        "properties": {
            "severity": 2,
            "enabled": true,
            "scopes": [workspace()],
            "evaluationFrequency": "PT5M",
            "windowSize": "PT5M",
            "criteria": { "allOf": [{
                "query": "union Event, Syslog | where TimeGenerated > ago(1h)",
                "timeAggregation": "Count",
                "operator": "GreaterThan",
                "threshold": 360.0,
                "failingPeriods": { "numberOfEvaluationPeriods": 1, "minFailingPeriodsToAlert": 1 },
            }] },
        },
    })
}
