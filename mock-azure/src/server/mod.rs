//! The double as a server: HTTP and HTTPS on one port, which is also a proxy for Azure's hosts.

mod authority;
mod connection;
mod control;
mod faults;
mod program;

use std::{fs::File, io, net::SocketAddr, ops::Deref, path::Path, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

pub use self::authority::Authority;
use self::{
    connection::Door,
    program::{Program, Saved},
};
use crate::{
    app::{self, Disposition},
    http::{Body, Reply, Request},
    state::{DEFAULT_SUBSCRIPTION, MockAzure, Seed},
};

/// The maximum number of connections that are served at once.
const CONNECTIONS: usize = 512;
/// How many more connections get a refusal; any beyond those are closed immediately.
const TURNED_AWAY: usize = 64;

/// A double served on a local port. Dropping it stops it and closes its connections.
#[derive(Debug)]
pub struct Server {
    program: Arc<Program>,
    address: SocketAddr,
    authority: Arc<Authority>,
    accepting: JoinHandle<()>,
}

/// Options for serving a double.
#[derive(Debug, Default)]
#[must_use]
pub struct ServerOptions {
    log: Option<fn(&str)>,
    authority: Option<Authority>,
    world: Option<String>,
    save: Option<File>,
}

impl ServerOptions {
    /// Creates the default options: no log, and a new certificate authority.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a function that is called with one line for each request. Default: none.
    pub fn log(mut self, log: fn(&str)) -> Self {
        self.log = Some(log);
        self
    }

    /// Sets the world to which the control API's `reset` returns, in the format of [`Seed::from_text`]. Default: none,
    /// until one is set through the control API.
    pub fn world(mut self, text: impl Into<String>) -> Self {
        self.world = Some(text.into());
        self
    }

    /// Records every request in this file, from which [`Server::load`] can restore the state. The file contains the
    /// tokens and secrets in the requests.
    pub fn save_to(mut self, file: File) -> Self {
        self.save = Some(file);
        self
    }

    /// Sets the certificate authority for Azure's hosts. Default: a new one.
    pub fn authority(mut self, authority: Authority) -> Self {
        self.authority = Some(authority);
        self
    }
}

impl Seed {
    /// Serves the double on a port, for other programs. They can use it over plain HTTP, where the `Host` header
    /// selects the part of Azure; as a proxy for Azure's hosts and no others; and over TLS at the port itself. For TLS,
    /// they have to trust its [`authority`](Server::authority).
    ///
    /// The server accepts any bearer token, since real clients may bring their own. A token issued by its own sign-in
    /// host has the roles of its principal. Long-running operations also complete as time passes, for clients that do
    /// not poll them. The server keeps the last thousand requests and the first thousand unknown ones, without tokens
    /// and secrets.
    ///
    /// # Errors
    ///
    /// The listener cannot be used, the file of [`save_to`](ServerOptions::save_to) cannot be written, or the system
    /// provides no random numbers.
    pub async fn serve(self, listener: std::net::TcpListener, options: ServerOptions) -> io::Result<Server> {
        start(self, listener, options, None)
    }
}

fn start(
    seed: Seed,
    listener: std::net::TcpListener,
    options: ServerOptions,
    saved: Option<&Saved>,
) -> io::Result<Server> {
    let authority = Arc::new(options.authority.map_or_else(Authority::ephemeral, Ok)?);
    let tls = TlsAcceptor::from(Arc::new(authority.clone().tls()?));
    let azure = MockAzure::of(app::build_program(seed));
    azure.shared.lock().recorder.bound();
    let program = Arc::new(Program::new(azure, options.world.or_else(|| saved.map(Saved::world))));
    if let Some(saved) = saved {
        program.replay(saved)?;
    }
    if let Some(file) = options.save {
        program.save_to(file, saved)?;
    }
    program.azure.shared.lock().log = options.log;
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    let door = Door { program: program.clone(), tls };
    let accepting = tokio::spawn(accept(listener, door));
    Ok(Server { program, address, authority, accepting })
}

impl Server {
    /// Restores the state recorded by [`ServerOptions::save_to`], as of the last request. If the clock was running, it
    /// runs again and shows the real time.
    ///
    /// # Errors
    ///
    /// As for [`Seed::serve`], or `saved` is not a recording that this version can read.
    pub async fn load(
        saved: &str,
        listener: std::net::TcpListener,
        options: ServerOptions,
    ) -> io::Result<Self> {
        let saved = Saved::read(saved)?;
        start(saved.seed()?, listener, options, Some(&saved))
    }

    /// Returns the local address, such as `http://127.0.0.1:40123`.
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the certificate authority for Azure's hosts.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Calls the control API, as a request over HTTP would; the crate's `control.openapi.json` describes it. If
    /// requests are being recorded ([`ServerOptions::save_to`]), these calls are recorded too; calls to the other
    /// methods are not.
    ///
    /// # Errors
    ///
    /// The API refuses the request, in which case the error contains its message, or the request cannot be recorded.
    pub fn control(&self, method: &str, path: &str, body: &Value) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.program.handle(Request {
            method: method.to_owned(),
            authority: "localhost".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: body.into(),
        })?;
        let Disposition::Answered(Reply { status, body, .. }) = answer else { return Ok(Value::Null) };
        let value = match body {
            Body::Json(value) => value,
            _ => Value::Null,
        };
        match status {
            200..300 => Ok(value),
            _ => Err(io::Error::other(value["error"]["message"].as_str().unwrap_or_default())),
        }
    }

    /// Returns the environment variables that direct a program to this server instead of Azure. `certificate` is the
    /// path of a file with the certificate of the [`authority`](Server::authority).
    pub fn environment(&self, certificate: &Path) -> Vec<(&'static str, String)> {
        let certificate = certificate.display().to_string();
        let mut all: Vec<(&'static str, String)> = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"]
            .into_iter()
            .map(|name| (name, self.uri()))
            .collect();
        // Only local addresses bypass the proxy, whatever the machine's own settings say.
        all.extend(["NO_PROXY", "no_proxy"].map(|name| (name, "localhost,127.0.0.1,::1".to_owned())));
        // Python, OpenSSL, curl, Node.js.
        for name in ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"] {
            all.push((name, certificate.clone()));
        }
        all.push(("NODE_USE_ENV_PROXY", "1".to_owned()));
        // The application that `Seed::signed_in_service_principal` signs in, with any secret.
        all.extend([
            ("AZURE_TENANT_ID", self.tenant().to_owned()),
            ("AZURE_CLIENT_ID", "00000000-0000-0000-0000-0000000000c2".to_owned()),
            ("AZURE_CLIENT_SECRET", "any".to_owned()),
            ("AZURE_SUBSCRIPTION_ID", DEFAULT_SUBSCRIPTION.to_owned()),
        ]);
        all
    }
}

/// A server dereferences to the double that it serves.
impl Deref for Server {
    type Target = MockAzure;

    fn deref(&self) -> &MockAzure {
        &self.program.azure
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, door: Door) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Most likely out of file descriptors, which are freed as connections end.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let others = connections.len();
        if others < CONNECTIONS + TURNED_AWAY {
            let _ = stream.set_nodelay(true);
            connections.spawn(connection::serve(stream, door.clone(), others >= CONNECTIONS));
        }
    }
}
