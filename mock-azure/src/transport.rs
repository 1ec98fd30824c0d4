//! The loopback transport: production URLs, answered on this machine.

use std::{net::SocketAddr, sync::Arc};

use async_trait::async_trait;
use azure_core::{
    Bytes, Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Request, headers::HeaderName},
};
use futures::stream;
use serde_json::Value;

use crate::{app::dispatch::Shared, http::host::Host, state::recorder::Recorded};

/// Marks requests that come through this transport.
pub(crate) const LOOPBACK: &str = "x-mock-loopback";
/// Tells this transport what to do to the connection.
pub(crate) const CONNECTION: &str = "x-mock-connection";

/// Sends requests for Azure's hosts to the double and refuses all others.
#[derive(Debug)]
pub(crate) struct Loopback {
    target: SocketAddr,
    inner: azure_core::Result<reqwest::Client>,
    shared: Shared,
}

impl Loopback {
    pub(crate) fn new(target: SocketAddr, shared: Shared) -> Self {
        Self { target, inner: plain_client(), shared }
    }

    /// The same request, for the local server; the production host stays in the `Host` header.
    fn localized(&self, request: &Request) -> azure_core::Result<Request> {
        let mut local = request.clone();
        let host = request.url().authority().to_owned();
        let url = local.url_mut();
        let moved = url.set_scheme("http").is_ok()
            && url.set_ip_host(self.target.ip()).is_ok()
            && url.set_port(Some(self.target.port())).is_ok();
        if !moved {
            return Err(Error::with_message(ErrorKind::Other, "the request's URL cannot be redirected"));
        }
        local.insert_header(HeaderName::from_static("host"), host);
        local.insert_header(HeaderName::from_static(LOOPBACK), "1");
        Ok(local)
    }

    fn refuse(&self, request: &Request) -> Error {
        let url = request.url();
        let recorded = Recorded {
            method: request.method().to_string(),
            host: url.authority().to_owned(),
            path: url.path().to_owned(),
            query: url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
            headers: request
                .headers()
                .iter()
                .map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()))
                .collect(),
            body: Value::Null,
            status: None,
        };
        self.shared.lock().journal.foreign.push(recorded);
        let message =
            format!("mock-azure does not let requests out to '{}'", url.host_str().unwrap_or_default());
        Error::with_message(ErrorKind::Connection, message)
    }
}

#[async_trait]
impl HttpClient for Loopback {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        if url.scheme() != "https" || Host::resolve(url.authority()).is_none() {
            return Err(self.refuse(request));
        }
        let inner =
            self.inner.as_ref().map_err(|error| Error::with_message(ErrorKind::Other, error.to_string()))?;
        let response = inner.execute_request(&self.localized(request)?).await?;
        let (status, mut headers, body) = response.deconstruct();
        let mark = headers.get_optional_string(&HeaderName::from_static(CONNECTION));
        match mark.as_deref() {
            None => Ok(AsyncRawResponse::new(status, headers, Box::pin(body))),
            Some("half") => {
                headers.remove(CONNECTION);
                let whole = body.collect().await?;
                Ok(AsyncRawResponse::new(status, headers, cut(&whole)))
            }
            Some("unresolved") => Err(Error::with_message(
                ErrorKind::Connection,
                format!("failed to look up '{}': no such host", url.host_str().unwrap_or_default()),
            )),
            Some(_) => Err(Error::with_message(ErrorKind::Io, "the connection was reset by the server")),
        }
    }
}

/// Half of a body, then a lost connection.
fn cut(whole: &Bytes) -> azure_core::http::response::PinnedStream {
    let half = whole.slice(..whole.len() / 2);
    let lost = Error::with_message(ErrorKind::Io, "the connection was closed before the body was complete");
    Box::pin(stream::iter([Ok(half), Err(lost)]))
}

/// A client that speaks plain HTTP only. The TLS configuration trusts no one: it is there because
/// the client builder would otherwise look for a provider of the whole process.
fn plain_client() -> azure_core::Result<reqwest::Client> {
    let failed = |error: Box<dyn std::error::Error + Send + Sync>| {
        Error::with_error(ErrorKind::Other, error, "the loopback client cannot be made")
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(error.into()))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tls_backend_preconfigured(tls)
        .build()
        .map_err(|error| failed(error.into()))
}
