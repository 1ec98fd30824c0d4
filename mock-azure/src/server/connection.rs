//! A connection: plain HTTP, TLS, or a proxy request for one of Azure's hosts.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use azure_core::Bytes;
use hyper::{
    Method, Request, Response,
    body::{Body, Frame, Incoming},
    header::{CONNECTION, CONTENT_LENGTH, HOST},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
    upgrade::OnUpgrade,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use super::program::Program;
use crate::{
    app::{Disposition, bounds},
    http::{self, Reply, host::Host},
};

/// How long a connection may be idle between requests.
const IDLE: Duration = Duration::from_secs(120);
/// How long receiving a body, or a TLS handshake, may take.
const SLOW: Duration = Duration::from_secs(30);
/// The first byte of TLS.
const HANDSHAKE: u8 = 0x16;

/// What every connection needs.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) program: Arc<Program>,
    pub(super) tls: TlsAcceptor,
}

/// Serves a connection until it ends.
pub(super) async fn serve(stream: TcpStream, door: Door, crowded: bool) {
    let mut first = [0];
    let begins = timeout(IDLE, stream.peek(&mut first)).await;
    if matches!(begins, Ok(Ok(1))) && first[0] == HANDSHAKE {
        return encrypted(stream, &door, crowded).await;
    }
    if let Some(upgrade) = requests(stream, &door, crowded, true).await
        && let Ok(client) = upgrade.await
    {
        encrypted(TokioIo::new(client), &door, crowded).await;
    }
}

/// Serves TLS as the host that the client names.
async fn encrypted<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(io: IO, door: &Door, crowded: bool) {
    if let Ok(Ok(stream)) = timeout(SLOW, door.tls.accept(io)).await {
        requests(stream, door, crowded, false).await;
    }
}

/// Answers all requests of a connection or, if there are too many connections, says so. Returns the tunnel if the
/// client requested one to a host of Azure.
async fn requests<IO: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    io: IO,
    door: &Door,
    crowded: bool,
    is_proxy: bool,
) -> Option<OnUpgrade> {
    let led: Arc<Mutex<Option<OnUpgrade>>> = Arc::default();
    let service = service_fn(|mut request: Request<Incoming>| {
        let (program, led) = (door.program.clone(), led.clone());
        async move {
            if is_proxy && !crowded && request.method() == Method::CONNECT {
                return connect(&program, &mut request, &led);
            }
            answer(&program, request, crowded).await
        }
    });
    let mut http1 = http1::Builder::new();
    // Twice the limits: the parser itself refuses anything larger.
    http1.max_headers(2 * bounds::HEADERS).max_buf_size(2 * bounds::HEAD);
    http1.timer(TokioTimer::new()).header_read_timeout(IDLE);
    // A connection that the client closes, or that a fault cuts, ends with an error that nobody needs to see.
    let _ = http1.serve_connection(TokioIo::new(io), service).with_upgrades().await;
    led.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// Opens a tunnel to one of Azure's hosts, which are all served here, and refuses any other host.
fn connect(
    program: &Program,
    request: &mut Request<Incoming>,
    led: &Mutex<Option<OnUpgrade>>,
) -> io::Result<Response<Sent>> {
    let target = request.uri().authority().map(ToString::to_string).unwrap_or_default();
    if Host::resolve(&target).is_none() {
        program.azure.shared.lock().recorder.refuse_to_lead_to(&target);
        let message =
            format!("mock-azure connects only to Azure's hosts, and '{target}' is not one of them.");
        return closing(Reply::arm_error(403, "MockForeignHost", message));
    }
    *led.lock().unwrap_or_else(PoisonError::into_inner) = Some(hyper::upgrade::on(request));
    Ok(Response::new(Sent { left: None, cut: Cut::Never }))
}

/// Answers a request. On an error, the connection is cut without a response.
async fn answer(program: &Program, request: Request<Incoming>, crowded: bool) -> io::Result<Response<Sent>> {
    let (parts, body) = request.into_parts();
    if crowded {
        let message = "mock-azure accepts no more concurrent connections.";
        return closing(Reply::arm_error(503, "MockTooManyConnections", message));
    }
    let body = timeout(SLOW, whole(body)).await.map_err(io::Error::other)?;
    let Some(body) = body? else { return closing(bounds::body_too_long()) };
    match program.handle(incoming(parts, body))? {
        Disposition::Answered(reply) => response(reply, false).await,
        Disposition::HalfAnswered(reply) => response(reply, true).await,
        Disposition::Lost | Disposition::Unresolved => Err(io::ErrorKind::ConnectionReset.into()),
    }
}

/// Reads the whole body. `None` if it is too long.
async fn whole(mut body: Incoming) -> io::Result<Option<Bytes>> {
    let mut all = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
        let Ok(data) = frame.map_err(io::Error::other)?.into_data() else { continue };
        if all.len() + data.len() > bounds::BODY {
            return Ok(None);
        }
        all.extend_from_slice(&data);
    }
    Ok(Some(all.into()))
}

fn incoming(parts: Parts, body: Bytes) -> http::Request {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let named = parts.headers.get(HOST).map(|host| text(host.as_bytes()));
    let asked = || parts.uri.authority().map(|authority| authority.as_str().to_owned());
    http::Request {
        method: parts.method.as_str().to_owned(),
        authority: named.or_else(asked).unwrap_or_default(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
        body,
    }
}

/// A response that closes the connection, because the rest of the request is not read.
fn closing(reply: Reply) -> io::Result<Response<Sent>> {
    sent(reply.header(CONNECTION.as_str(), "close").into_wire(), false)
}

async fn response(reply: Reply, half: bool) -> io::Result<Response<Sent>> {
    let wire = reply.into_wire();
    if !wire.delay.is_zero() {
        tokio::time::sleep(wire.delay).await;
    }
    sent(wire, half)
}

fn sent(wire: http::Wire, half: bool) -> io::Result<Response<Sent>> {
    let mut response = Response::builder().status(wire.status);
    for (name, value) in wire.headers {
        response = response.header(name, value);
    }
    let length = wire.body.len();
    if !matches!(wire.status, 204 | 304) {
        response = response.header(CONTENT_LENGTH, length);
    }
    let body = if half { wire.body.slice(..length / 2) } else { wire.body };
    let cut = if half { Cut::Soon } else { Cut::Never };
    response.body(Sent { left: (!body.is_empty()).then_some(body), cut }).map_err(io::Error::other)
}

/// The body of a response, or its first half, after which the connection is cut.
struct Sent {
    left: Option<Bytes>,
    cut: Cut,
}

enum Cut {
    Never,
    /// Cuts the connection once the written data has been sent, which happens while the body is polled.
    Soon,
    Now,
}

impl Body for Sent {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(data) = self.left.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.cut {
            Cut::Never => Poll::Ready(None),
            Cut::Soon => {
                self.cut = Cut::Now;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Cut::Now => Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_none() && matches!(self.cut, Cut::Never)
    }
}
