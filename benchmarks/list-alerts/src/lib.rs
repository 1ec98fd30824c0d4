//! What the programs of this package share: clients of a double, and what a process has cost.
#![allow(clippy::missing_errors_doc, reason = "for this repository alone")]
#![allow(clippy::unwrap_used, clippy::expect_used)] // a measurement that cannot be taken stops

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions, Cloud, CloudEndpoints};
use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    time::{Duration, OffsetDateTime},
};
use serde::Deserialize;

/// A client of a double at an `https` endpoint, which takes any token.
pub fn of_double(endpoint: &str) -> Result<ArmClient> {
    let double = CloudEndpoints { management: endpoint.parse()?, ..Cloud::Public.endpoints()? };
    let options = ArmOptions { cloud: Cloud::Custom(Box::new(double)), ..ArmOptions::default() };
    ArmClient::new(Arc::new(AnyToken), options)
}

/// A credential for servers that take any token.
#[derive(Debug)]
pub struct AnyToken;

#[async_trait]
impl TokenCredential for AnyToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new("any", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// A bare client for a local server, with the same TLS: rustls with ring, and the certificates that the platform trusts.
pub fn bare() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
}

/// The first page of the alerts of a subscription.
pub fn first_page(endpoint: &str, subscription: &str) -> String {
    format!(
        "{endpoint}/subscriptions/{subscription}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
    )
}

/// The floor of reading a page: two borrowed fields of each alert, and the link.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BarePage<'a> {
    /// The alerts.
    #[serde(borrow)]
    pub value: Vec<BareAlert<'a>>,
    /// Where the next page is.
    pub next_link: Option<&'a str>,
}

/// Two fields of an alert.
#[derive(Debug, Deserialize)]
pub struct BareAlert<'a> {
    /// Its id.
    pub id: &'a str,
    /// What holds the other field.
    #[serde(borrow)]
    pub properties: BareProperties<'a>,
}

/// One field of an alert's properties.
#[derive(Debug, Deserialize)]
pub struct BareProperties<'a> {
    /// How bad it is.
    pub severity: &'a str,
}

/// Milliseconds that this process has spent on processors, in all its threads.
pub fn cpu() -> f64 {
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux: /proc tells the CPU time");
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
        text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).unwrap_or_default()
    };
    threads.map(|thread| of(thread.unwrap())).sum::<f64>() / 1e6
}

/// The most memory that this process has had, in MiB.
pub fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}
