//! The double as a program: HTTP on a port.

mod connection;

use std::{io, net::SocketAddr, ops::Deref, time::Duration};

use tokio::{
    net::TcpListener,
    task::{JoinHandle, JoinSet},
};

use crate::{
    app,
    state::{MockAzure, Seed, Shared},
};

/// How many connections are served at once.
const CONNECTIONS: usize = 512;
/// How many more are told so; all beyond are closed at once.
const TURNED_AWAY: usize = 64;

/// A double on a port of this machine. Dropping it stops it and cuts its connections.
#[derive(Debug)]
pub struct Server {
    azure: MockAzure,
    address: SocketAddr,
    accepting: JoinHandle<()>,
}

impl Seed {
    /// Starts the double on a port for other programs. It then accepts any bearer token, as real
    /// clients may bring their own, and calls `log` with one line for each request. A token of its own
    /// sign-in host is held to the roles of whom it names. Long-running operations end by the clock
    /// too, for clients that do not poll them. Of the requests it keeps the last thousand, and the first
    /// thousand that it did not know, without tokens and secrets.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn serve(self, listener: std::net::TcpListener, log: Option<fn(&str)>) -> io::Result<Server> {
        let azure = MockAzure::of(app::build_program(self));
        {
            let mut state = azure.shared.lock();
            state.log = log;
            state.recorder.bound();
        }
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        let accepting = tokio::spawn(accept(listener, azure.shared.clone()));
        Ok(Server { azure, address, accepting })
    }
}

impl Server {
    /// The address on this machine, such as `http://127.0.0.1:40123`.
    pub fn uri(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// The server is the double that it serves.
impl Deref for Server {
    type Target = MockAzure;

    fn deref(&self) -> &MockAzure {
        &self.azure
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Shared) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: some come back as connections end.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        while connections.try_join_next().is_some() {}
        let others = connections.len();
        if others < CONNECTIONS + TURNED_AWAY {
            let _ = stream.set_nodelay(true);
            connections.spawn(connection::serve(stream, shared.clone(), others >= CONNECTIONS));
        }
    }
}
