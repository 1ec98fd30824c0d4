//! A bare HTTP client with TLS, and the two fields of an alert that it reads.
#![allow(clippy::unwrap_used)] // a failed measurement panics

use std::sync::Arc;

use serde::Deserialize;

/// Creates a bare client for a local server, with the same TLS.
pub fn bare() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls()).build().unwrap()
}

/// The same TLS: rustls with ring, and the certificates that the platform trusts.
pub fn tls() -> rustls::ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone()).unwrap();
    rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth()
}

/// The URL of the first page of a subscription's alerts.
pub fn first_page(endpoint: &str, subscription: &str) -> String {
    format!(
        "{endpoint}/subscriptions/{subscription}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
    )
}

/// A page, as the floor reads it: two borrowed fields of each alert, and the link.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BarePage<'a> {
    /// The alerts.
    #[serde(borrow)]
    pub value: Vec<BareAlert<'a>>,
    /// The URL of the next page.
    pub next_link: Option<&'a str>,
}

/// Two fields of an alert.
#[derive(Debug, Deserialize)]
pub struct BareAlert<'a> {
    /// The id.
    pub id: &'a str,
    /// The properties, which contain the other field.
    #[serde(borrow)]
    pub properties: BareProperties<'a>,
}

/// One field of an alert's properties.
#[derive(Debug, Deserialize)]
pub struct BareProperties<'a> {
    /// The severity.
    pub severity: &'a str,
}
