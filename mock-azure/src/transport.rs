//! The transport to a double in the same process, with production URLs and no socket.

use std::sync::Arc;

use async_trait::async_trait;
use azure_core::{
    Bytes, Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Body, ClientOptions, HttpClient, Method, Request, Transport,
        headers::{HeaderName, HeaderValue, Headers},
        response::PinnedStream,
    },
};
use futures::{AsyncReadExt as _, stream};
use serde_json::Value;

use crate::{
    app::{self, Disposition},
    http::{
        self, Reply,
        host::{Host, Service},
    },
    state::{MockAzure, Shared, recorder::Recorded},
};

impl MockAzure {
    /// Returns options whose transport routes requests for Azure's hosts to this double; everything else is
    /// azure_core's default. A request for any other host, or without TLS, is recorded in
    /// [`foreign_requests`](Self::foreign_requests) and fails like a refused connection.
    pub fn client_options(&self) -> ClientOptions {
        let transport = Transport::new(Arc::new(InProcess { shared: self.shared.clone() }));
        ClientOptions { transport: Some(transport), ..ClientOptions::default() }
    }
}

/// Routes requests for Azure's hosts to the double and refuses all others.
#[derive(Debug)]
struct InProcess {
    shared: Shared,
}

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        // The endpoint for a machine's tokens has no TLS.
        let scheme = |host: Host| if host.service == Service::Identity { "http" } else { "https" };
        if Host::resolve(url.authority()).map(scheme) != Some(url.scheme()) {
            return Err(self.refuse(request));
        }
        let incoming = incoming(request).await?;
        let disposition = app::handle(&mut self.shared.lock(), incoming);
        match disposition {
            Disposition::Answered(reply) => {
                let head = request.method() == Method::Head;
                Ok(answer(reply, |body| whole(if head { Bytes::new() } else { body })).await)
            }
            Disposition::HalfAnswered(reply) => Ok(answer(reply, half).await),
            Disposition::Lost => {
                Err(Error::with_message(ErrorKind::Io, "the connection was reset by the server"))
            }
            Disposition::Unresolved => Err(Error::with_message(
                ErrorKind::Connection,
                format!("failed to look up '{}': no such host", url.host_str().unwrap_or_default()),
            )),
        }
    }
}

impl InProcess {
    fn refuse(&self, request: &Request) -> Error {
        let url = request.url();
        let recorded = Recorded {
            method: request.method().to_string(),
            host: url.authority().to_owned(),
            path: url.path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            headers: headers(request),
            body: Value::Null,
            status: None,
        };
        self.shared.lock().recorder.foreign.push(recorded);
        let message = format!("mock-azure refuses requests to '{}'", url.host_str().unwrap_or_default());
        Error::with_message(ErrorKind::Connection, message)
    }
}

async fn incoming(request: &Request) -> azure_core::Result<http::Request> {
    let url = request.url();
    let body = match request.body().clone() {
        Body::Bytes(bytes) => bytes,
        Body::SeekableStream(mut stream) => {
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await?;
            bytes.into()
        }
    };
    Ok(http::Request {
        method: request.method().to_string(),
        authority: url.authority().to_owned(),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: headers(request),
        body,
    })
}

fn headers(request: &Request) -> Vec<(String, String)> {
    let owned = |(name, value): (&HeaderName, &HeaderValue)| {
        (name.as_str().to_ascii_lowercase(), value.as_str().to_owned())
    };
    request.headers().iter().map(owned).collect()
}

/// The response, after its delay.
async fn answer(reply: Reply, body: impl FnOnce(Bytes) -> PinnedStream) -> AsyncRawResponse {
    let wire = reply.into_wire();
    if !wire.delay.is_zero() {
        let delay = wire.delay.try_into().unwrap_or(azure_core::time::Duration::MAX);
        azure_core::sleep(delay).await;
    }
    let mut headers = Headers::new();
    headers.insert("content-length", wire.body.len().to_string());
    for (name, value) in wire.headers {
        headers.insert(name, value);
    }
    AsyncRawResponse::new(wire.status.into(), headers, body(wire.body))
}

fn whole(body: Bytes) -> PinnedStream {
    Box::pin(stream::iter([Ok(body)]))
}

/// Half of a body, followed by a lost connection.
fn half(body: Bytes) -> PinnedStream {
    let half = body.slice(..body.len() / 2);
    let lost = Error::with_message(ErrorKind::Io, "the connection was closed before the body was complete");
    Box::pin(stream::iter([Ok(half), Err(lost)]))
}
