//! TLS servers. The one with 10,000 alerts on prepared pages is a process of its own, so that only the clients are
//! measured.

use std::{
    io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use arm_core::{ArmClient, ArmOptions, ArmPath, SubscriptionId};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use mock_azure::MockAzure;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tempfile::NamedTempFile;

pub(crate) const SUBSCRIPTION: &str = mock_azure::DEFAULT_SUBSCRIPTION;
/// Another subscription, whose list is one page with one alert.
pub(crate) const WITH_ONE_ALERT: &str = "00000000-0000-0000-0000-0000000000a1";
pub(crate) const PAGES: usize = 100;

/// The server's process, which is killed when this value is dropped.
pub(crate) struct Serving {
    child: Child,
    endpoint: String,
    certificate: NamedTempFile,
}

impl Serving {
    pub(crate) fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut child = Command::new(program).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (endpoint, text) = line.trim().split_once(' ').unwrap();
        let mut certificate = NamedTempFile::new().unwrap();
        writeln!(certificate, "-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----").unwrap();
        Self { child, endpoint: endpoint.to_owned(), certificate }
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A command for a program, with an environment in which it trusts this server and connects without a proxy.
    pub(crate) fn ask(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env("SSL_CERT_FILE", self.certificate.path()).env("NO_PROXY", "localhost");
        command
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves the pages until the process ends.
pub(crate) fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = endpoint(&listener);
    let pages = Arc::new(pages(&endpoint));
    let (certificate, config) = tls();
    println!("{endpoint} {}", BASE64.encode(certificate));
    for stream in listener.incoming() {
        let (pages, config) = (pages.clone(), config.clone());
        std::thread::spawn(move || answer(stream.unwrap(), config, |head| &pages[page_of(head)]));
    }
}

/// The endpoint of a listener.
pub(crate) fn endpoint(listener: &TcpListener) -> String {
    format!("https://localhost:{}", listener.local_addr().unwrap().port())
}

/// A new certificate for `localhost`, and a configuration with it.
pub(crate) fn tls() -> (CertificateDer<'static>, Arc<rustls::ServerConfig>) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let certificate = signed.cert.der().clone();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
    (certificate, Arc::new(config))
}

/// The pages that the double returns, with links to this endpoint.
fn pages(endpoint: &str) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut pages: Vec<String> = runtime.block_on(async {
        let azure = MockAzure::seed().alerts(SUBSCRIPTION, PAGES * 100).start().await;
        let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
        let subscription: SubscriptionId = SUBSCRIPTION.parse().unwrap();
        let (mut pages, mut token) = (Vec::new(), None::<String>);
        loop {
            let path = ArmPath::from(&subscription).provider("Microsoft.Security").literal("alerts");
            let request = arm.get(path, "2022-01-01").query_opt("$skiptoken", token.take());
            let page: serde_json::Value = request.json().await.unwrap();
            let link = page["nextLink"].as_str().and_then(|link| link.split_once("%24skiptoken="));
            token = link.map(|(_, token)| token.to_owned());
            pages.push(page.to_string().replace("https://management.azure.com", endpoint));
            if token.is_none() {
                break pages;
            }
        }
    });
    assert_eq!(pages.len(), PAGES);
    let first: serde_json::Value = serde_json::from_str(&pages[0]).unwrap();
    pages.push(serde_json::json!({ "value": [first["value"][0]] }).to_string());
    pages
}

/// Answers each request with the body that is chosen by its head, until the connection is closed. On a stream that does
/// not block, the thread polls, and bodies must be small.
pub(crate) fn answer<'a>(
    stream: TcpStream,
    config: Arc<rustls::ServerConfig>,
    body_for: impl Fn(&str) -> &'a str,
) {
    stream.set_nodelay(true).unwrap();
    let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
    let (mut seen, mut buffer) = (Vec::new(), [0; 8192]);
    loop {
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => seen.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            _ => return,
        }
        if !seen.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&seen).into_owned();
        seen.clear();
        let body = body_for(&head);
        let length = body.len();
        // Head and body together, so that a small response wakes the client once.
        let response = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        if stream.write_all(response.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// The index of the requested page. The page of the other subscription comes after the last one.
fn page_of(head: &str) -> usize {
    if head.contains(WITH_ONE_ALERT) {
        return PAGES;
    }
    let Some((_, token)) = head.split_once("skiptoken=p-") else { return 0 };
    let digits: String = token.chars().take_while(char::is_ascii_alphanumeric).collect();
    usize::from_str_radix(&digits, 36).unwrap() / 100
}
