//! The double on a port.

use std::{
    io,
    net::TcpListener,
    sync::{Arc, Mutex, PoisonError},
};

use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate, matchers::any};

use crate::app::dispatch::Shared;

/// Starts to serve; on a free port of this machine unless a listener is given.
pub(crate) async fn serve(shared: Shared, listener: Option<TcpListener>) -> MockServer {
    let builder = MockServer::builder().disable_request_recording();
    let server = match listener {
        Some(listener) => builder.listener(listener).start().await,
        None => builder.start().await,
    };
    // The server handles one request at a time, mock by mock: the first acts, and takes the request
    // when the connection is to be dropped; the second hands out the answer that the first prepared.
    let prepared = Arc::new(Mutex::new(None));
    let acting = Acting { shared, prepared: prepared.clone() };
    let lost = |_: &Request| io::Error::from(io::ErrorKind::ConnectionReset);
    let answering = move |_: &Request| {
        let prepared = prepared.lock().unwrap_or_else(PoisonError::into_inner).take();
        prepared.unwrap_or_else(|| ResponseTemplate::new(500))
    };
    Mock::given(acting).respond_with_err(lost).with_priority(1).mount(&server).await;
    Mock::given(any()).respond_with(answering).with_priority(2).mount(&server).await;
    server
}

/// Carries out the request; matches when the connection must be dropped without an answer.
struct Acting {
    shared: Shared,
    prepared: Arc<Mutex<Option<ResponseTemplate>>>,
}

impl Match for Acting {
    fn matches(&self, request: &Request) -> bool {
        let template = self.shared.lock().handle(request);
        let dropped = template.is_none();
        *self.prepared.lock().unwrap_or_else(PoisonError::into_inner) = template;
        dropped
    }
}
