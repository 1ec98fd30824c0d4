//! A bare HTTP client with TLS, and the two fields that it reads of an alert.
#![allow(clippy::unwrap_used)] // a measurement that cannot be taken stops

use std::sync::Arc;

use serde::Deserialize;

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
