//! Clients that ask a local server.

use std::sync::Arc;

use arm_core::{ArmClient, ArmOptions};
use async_trait::async_trait;
use azure_core::{
    Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport, Url},
    time::{Duration, OffsetDateTime},
};

/// Sends what is meant for Azure to a local server instead.
#[derive(Debug)]
pub(crate) struct Local {
    pub(crate) client: reqwest::Client,
    /// Scheme, host and port.
    pub(crate) server: Url,
}

#[async_trait]
impl HttpClient for Local {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mut local = request.clone();
        let url = local.url_mut();
        url.set_scheme(self.server.scheme()).unwrap();
        url.set_host(self.server.host_str()).unwrap();
        url.set_port(self.server.port()).unwrap();
        self.client.execute_request(&local).await
    }
}

#[derive(Debug)]
pub(crate) struct Fixed;

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

pub(crate) fn options(transport: impl HttpClient + 'static) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(Arc::new(transport))), ..ClientOptions::default() }
}

pub(crate) fn arm(transport: impl HttpClient + 'static) -> ArmClient {
    ArmClient::new(Arc::new(Fixed), ArmOptions::from(options(transport))).unwrap()
}

pub(crate) fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// A bare client for a server in clear.
pub(crate) fn bare() -> reqwest::Client {
    let tls = rustls::ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
}
