//! A secret with 20,000 versions, against a transport that makes them up and keeps nothing.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use arm_core::{ArmClient, ArmOptions};
use async_trait::async_trait;
use azure_core::http::{
    AsyncRawResponse, ClientOptions, HttpClient, Method, Request, Transport, headers::Headers,
};
use keyvault_ops::{SecretName, SecretsClient};
use test_kit::AnyToken;

const VERSIONS: usize = 20_000;
/// The current one: neither the first nor the last of the list.
const CURRENT: usize = 13_579;

/// A vault with one secret. Nothing of it is in memory.
#[derive(Debug, Default)]
struct Vault {
    disabled: AtomicUsize,
    under_way: AtomicUsize,
    most_under_way: AtomicUsize,
}

fn id(number: usize) -> String {
    format!("https://kv-big.vault.azure.net/secrets/big/{number:032x}")
}

fn page(from: usize) -> String {
    let to = (from + 25).min(VERSIONS);
    let items: Vec<String> = (from..to)
        .map(|number| {
            format!(r#"{{"id":"{}","attributes":{{"enabled":true,"created":1700000000}}}}"#, id(number))
        })
        .collect();
    let next = match to {
        VERSIONS => "null".to_owned(),
        _ => format!(r#""https://kv-big.vault.azure.net:443/secrets/big/versions?$skiptoken={to}""#),
    };
    format!(r#"{{"value":[{}],"nextLink":{next}}}"#, items.join(","))
}

#[async_trait]
impl HttpClient for Vault {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut headers = Headers::new();
        if request.headers().iter().all(|(name, _)| name.as_str() != "authorization") {
            let challenge = r#"Bearer authorization="https://login.microsoftonline.com/t", resource="https://vault.azure.net""#;
            headers.insert("www-authenticate", challenge);
            return Ok(AsyncRawResponse::from_bytes(401.into(), headers, ""));
        }
        let url = request.url();
        let number = url.path().rsplit('/').next().and_then(|last| usize::from_str_radix(last, 16).ok());
        let body = match (request.method(), number) {
            (Method::Patch, Some(number)) => {
                assert_ne!(number, CURRENT);
                self.most_under_way.fetch_max(self.under_way.fetch_add(1, SeqCst) + 1, SeqCst);
                tokio::task::yield_now().await;
                self.under_way.fetch_sub(1, SeqCst);
                self.disabled.fetch_add(1, SeqCst);
                format!(r#"{{"id":"{}","attributes":{{"enabled":false}}}}"#, id(number))
            }
            _ if url.path().ends_with("/versions") => {
                let token = url.query_pairs().find(|(name, _)| name == "$skiptoken");
                page(token.map_or(0, |(_, from)| from.parse().unwrap()))
            }
            _ => format!(r#"{{"value":"REDACTED","id":"{}","attributes":{{"enabled":true}}}}"#, id(CURRENT)),
        };
        Ok(AsyncRawResponse::from_bytes(200.into(), headers, body))
    }
}

/// The most that this process held at a time, in KiB; `None` if the system does not tell.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[tokio::test]
async fn twenty_thousand_versions_are_retired_in_bounded_memory_and_with_bounded_concurrency() {
    mock_azure::fast_forward();
    let vault = Arc::new(Vault::default());
    let client = ClientOptions { transport: Some(Transport::new(vault.clone())), ..ClientOptions::default() };
    let arm = ArmClient::new(Arc::new(AnyToken), Some(ArmOptions::from(client))).unwrap();
    let secrets = SecretsClient::new(&arm, &"kv-big".parse().unwrap()).unwrap();
    let big: SecretName = "big".parse().unwrap();
    secrets.get(&big).await.unwrap();
    let before = peak_memory();

    let pages = Arc::new(AtomicUsize::new(0));
    let hear = pages.clone();
    let retire = secrets.retire_old_versions(&big).concurrency(10).on_progress(move |_| {
        hear.fetch_add(1, SeqCst);
    });
    let done = retire.await.unwrap();

    assert_eq!((done.disabled, done.kept, done.seen), (19_999, 1, 20_000));
    assert_eq!(vault.disabled.load(SeqCst), VERSIONS - 1);
    assert_eq!(vault.most_under_way.load(SeqCst), 10);
    assert_eq!(pages.load(SeqCst), VERSIONS / 25);
    let grown = before.zip(peak_memory()).map(|(before, after)| after - before);
    assert!(grown.is_none_or(|kib| kib < 4 * 1024), "memory grew by {grown:?} KiB");
}
