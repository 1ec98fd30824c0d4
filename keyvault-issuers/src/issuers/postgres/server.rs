//! Sessions with a PostgreSQL server. A password is sent only over TLS, or to this machine.

use std::{sync::Arc, time::Duration};

use arm_core::{Secret, printable};
use azure_core::{Error, Result};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio::task::JoinHandle;
use tokio_postgres::{
    Client, Config, SimpleQueryMessage,
    config::{SslMode, TargetSessionAttrs},
    error::SqlState,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{address::Address, stored::Stored};
use crate::proof::{Verdict, failure};

/// How long each address may take to respond.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// The application name of our sessions.
pub(super) const APPLICATION: &str = "keyvault-issuers";

/// The server, and the role that alters the others.
#[derive(Clone)]
pub(super) struct Server {
    administrator: Stored,
    /// Additional addresses at which it listens.
    others: Vec<Address>,
    tls: Option<Arc<ClientConfig>>,
    own_roots: bool,
}

impl Server {
    pub(super) fn new(administrator: Stored) -> Self {
        Self { administrator, others: Vec::new(), tls: None, own_roots: false }
    }

    pub(super) fn also_at(&mut self, host: &str, port: u16) {
        self.others.push(Address::new(host, port));
    }

    pub(super) fn trust(&mut self, pem: &str) -> Result<()> {
        let mut roots = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
            let added = certificate.map(|certificate| roots.add(certificate));
            if !matches!(added, Ok(Ok(()))) {
                return Err(failure(
                    "a root certificate cannot be read: give certificates in PEM".to_owned(),
                ));
            }
        }
        if roots.is_empty() {
            return Err(failure(
                "the text contains no root certificate: give certificates in PEM".to_owned(),
            ));
        }
        let config = builder()?.with_root_certificates(roots).with_no_client_auth();
        (self.tls, self.own_roots) = (Some(Arc::new(config)), true);
        Ok(())
    }

    pub(super) fn administrator(&self) -> &str {
        &self.administrator.user
    }

    /// Whether all addresses in a value belong to this server.
    pub(super) fn is_at(&self, addresses: &[Address]) -> bool {
        let own = |address| self.administrator.addresses.contains(address) || self.others.contains(address);
        addresses.iter().all(own)
    }

    /// Its name in error messages.
    pub(super) fn name(&self) -> String {
        name(&self.administrator.addresses)
    }

    /// Opens a session of the administrator role, in the database of the value.
    pub(super) async fn administer(&self, stored: Option<&Stored>) -> Result<Session> {
        let administrator = &self.administrator;
        let database =
            stored.and_then(|stored| stored.database.as_deref()).or(administrator.database.as_deref());
        let opened = self
            .open(&administrator.addresses, database, &administrator.user, &administrator.password)
            .await?;
        opened.map_err(|error| failure(said(&administrator.addresses, &error)))
    }

    /// Signs a role in, at the address and in the database of the value.
    pub(super) async fn sign_in(&self, stored: &Stored, role: &str, password: &Secret) -> Result<Verdict> {
        let administrator = &self.administrator;
        let addresses = match stored.addresses.is_empty() {
            true => &administrator.addresses,
            false => &stored.addresses,
        };
        let database = stored.database.as_deref().or(administrator.database.as_deref());
        match self.open(addresses, database, role, password).await? {
            Ok(session) => {
                let asked = session.client.simple_query("SELECT 1").await;
                session.close().await;
                asked.map(|_| Verdict::Works).map_err(|error| failure(said(addresses, &error)))
            }
            Err(error) if error.code() == Some(&SqlState::INVALID_PASSWORD) => {
                Ok(Verdict::Refused(said(addresses, &error)))
            }
            Err(error) => Err(failure(said(addresses, &error))),
        }
    }

    async fn open(
        &self,
        addresses: &[Address],
        database: Option<&str>,
        user: &str,
        password: &Secret,
    ) -> Result<std::result::Result<Session, tokio_postgres::Error>> {
        let mut config = Config::new();
        config.user(user).password(password.expose()).application_name(APPLICATION);
        config.connect_timeout(CONNECT_LIMIT);
        addresses.iter().for_each(|address| {
            config.host(&address.host).port(address.port);
        });
        if let Some(database) = database {
            config.dbname(database);
        }
        if addresses.len() > 1 {
            config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        }
        let plain = addresses.iter().all(Address::is_local) && !self.own_roots;
        config.ssl_mode(if plain { SslMode::Disable } else { SslMode::Require });
        let connector = MakeRustlsConnect::new(self.tls()?);
        let (client, connection) = match config.connect(connector).await {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(error)),
        };
        let task = tokio::spawn(async move {
            // An error is reported by the request that is waiting for a response.
            let _ = connection.await;
        });
        Ok(Ok(Session { client, task, name: name(addresses) }))
    }

    fn tls(&self) -> Result<ClientConfig> {
        if let Some(own) = &self.tls {
            return Ok(ClientConfig::clone(own));
        }
        let verifier = rustls_platform_verifier::Verifier::new(Arc::new(ring::default_provider()))
            .map_err(|error| failure(format!("the system's root certificates cannot be loaded: {error}")))?;
        Ok(builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier)).with_no_client_auth())
    }
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| failure(format!("TLS cannot be set up: {error}")))
}

/// A session. [`close`](Self::close) waits until it is closed.
pub(super) struct Session {
    client: Client,
    task: JoinHandle<()>,
    name: String,
}

impl Session {
    /// Sends a statement, and returns its rows as text. It is sent unchanged, so it may contain only checked names and
    /// quoted literals.
    pub(super) async fn ask(&self, statement: &str) -> Result<Vec<Vec<String>>> {
        let answer = self.client.simple_query(statement).await;
        let answer = answer.map_err(|error| failure(said_by(&self.name, &error)))?;
        let row = |message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).map(|at| row.get(at).unwrap_or_default().to_owned()).collect())
            }
            _ => None,
        };
        Ok(answer.into_iter().filter_map(row).collect())
    }

    pub(super) async fn close(self) {
        drop(self.client);
        let _ = self.task.await;
    }
}

fn name(addresses: &[Address]) -> String {
    addresses.iter().map(|address| format!("{address:?}")).collect::<Vec<_>>().join(",")
}

fn said(addresses: &[Address], error: &tokio_postgres::Error) -> String {
    said_by(&name(addresses), error)
}

/// The error of the server, or of the connection to it. It contains no password.
fn said_by(server: &str, error: &tokio_postgres::Error) -> String {
    match error.as_db_error() {
        Some(said) => format!("{server} answered {}: {}", said.code().code(), printable(said.message())),
        None => format!("{server} cannot be used: {error}"),
    }
}

/// The error for an unusable value.
pub(super) fn unfit(why: &str) -> Error {
    failure(format!("the value cannot be used: {why}"))
}
