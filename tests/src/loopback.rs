//! Production URLs, answered by a server on this machine.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, OnceLock},
};

use arm_core::{ArmClient, ArmOptions};
use async_trait::async_trait;
use azure_core::{
    Error, Result,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    error::ErrorKind,
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport},
    time::{Duration, OffsetDateTime},
};

/// The token of every request. It must be seen nowhere else.
pub const TOKEN: &str = "token-that-must-not-be-seen";

/// Sends every `https` request to one local address; the production host stays in `Host`.
#[derive(Debug)]
pub struct Loopback {
    target: SocketAddr,
    origins: Mutex<Vec<String>>,
}

impl Loopback {
    /// A transport to this address.
    pub fn new(target: SocketAddr) -> Arc<Self> {
        Arc::new(Self { target, origins: Mutex::default() })
    }

    /// The origins that requests were sent to, each once, in order.
    pub fn origins(&self) -> Vec<String> {
        self.origins.lock().unwrap().clone()
    }

    fn note(&self, origin: String) {
        let mut origins = self.origins.lock().unwrap();
        if !origins.contains(&origin) {
            origins.push(origin);
        }
    }
}

#[async_trait]
impl HttpClient for Loopback {
    async fn execute_request(&self, request: &Request) -> Result<AsyncRawResponse> {
        let mut local = request.clone();
        let url = local.url_mut();
        let (origin, authority) = (url.origin().ascii_serialization(), url.authority().to_owned());
        self.note(origin);
        if url.scheme() != "https" {
            return Err(Error::with_message(ErrorKind::Other, "a request in clear text"));
        }
        let moved = url.set_scheme("http").is_ok() && url.set_ip_host(self.target.ip()).is_ok();
        assert!(moved && url.set_port(Some(self.target.port())).is_ok());
        local.insert_header("host", authority);
        plain_client().execute_request(&local).await
    }
}

/// A client for plain HTTP. The TLS configuration trusts no one: without it the builder looks for a
/// provider of the whole process.
fn plain_client() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        let tls =
            rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(rustls::RootCertStore::empty())
                .with_no_client_auth();
        let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        // A connection belongs to the runtime that opened it, and each test has its own.
        builder.pool_max_idle_per_host(0).tls_backend_preconfigured(tls).build().unwrap()
    })
}

/// Hands out [`TOKEN`].
#[derive(Debug)]
pub struct StaticToken;

#[async_trait]
impl TokenCredential for StaticToken {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> Result<AccessToken> {
        Ok(AccessToken::new(TOKEN, OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}

/// Options whose transport is this loopback.
pub fn client_options(loopback: &Arc<Loopback>) -> ClientOptions {
    ClientOptions { transport: Some(Transport::new(loopback.clone())), ..Default::default() }
}

/// The client under test: nothing but its transport and credential differs from production.
pub fn client(loopback: &Arc<Loopback>, options: ArmOptions) -> ArmClient {
    let options = ArmOptions { client: client_options(loopback), ..options };
    ArmClient::new(Arc::new(StaticToken), options).unwrap()
}
