//! The floor: what `list-alerts` does, with a bare HTTP client and two borrowed fields.
//!
//! `list-alerts-bare SUBSCRIPTION ENDPOINT`
#![allow(clippy::unwrap_used, clippy::print_stdout)] // as little as can be

use std::sync::Arc;

use serde::Deserialize;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    value: Vec<Alert<'a>>,
}

#[derive(Deserialize)]
struct Alert<'a> {
    id: &'a str,
    #[serde(borrow)]
    properties: Properties<'a>,
}

#[derive(Deserialize)]
struct Properties<'a> {
    severity: &'a str,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (subscription, endpoint) = (arguments.next().unwrap(), arguments.next().unwrap());
    let url = format!(
        "{endpoint}/subscriptions/{subscription}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let answer = client().get(url).bearer_auth("any").send().await.unwrap();
        let body = answer.error_for_status().unwrap().bytes().await.unwrap();
        let page: Page<'_> = serde_json::from_slice(&body).unwrap();
        for alert in page.value {
            println!("{:12} {}", alert.properties.severity, alert.id);
        }
    });
}

fn client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = rustls_platform_verifier::Verifier::new(provider.clone()).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}
