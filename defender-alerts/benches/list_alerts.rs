//! CPU and memory, over TLS as Azure speaks it, of listing 10,000 alerts (100 pages of 100), as a multiple of a bare reqwest client that
//! borrows two fields of each.
//!
//! `cargo bench -p defender-alerts`. The pages are served by another process, so that only the client is
//! measured; each way of reading runs in a process of its own for the same reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // a bench that cannot go on stops

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Command, Stdio},
    sync::Arc,
};

use arm_core::{ArmClient, ArmOptions, SubscriptionId};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport},
    time::{Duration, OffsetDateTime},
};
use defender_alerts::{Alert, AlertsClient, EntityKind};
use futures::TryStreamExt as _;
use mock_azure::MockAzure;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

const SUBSCRIPTION: &str = mock_azure::DEFAULT_SUBSCRIPTION;
const PAGES: usize = 100;
const ROUNDS: usize = 11;
const LIMITS: &[(&str, f64)] =
    &[("two fields", f64::NAN), ("list", 1.5), ("everything", 2.5), ("value", f64::NAN)];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("serve") => serve(),
        Some("read") => read(&arguments[2], &Server::parse(&arguments[3])),
        _ => compare(),
    }
}

/// Runs each way of reading several times, and prints the least of each: what other programs of the machine add is not ours.
fn compare() {
    let program = std::env::current_exe().unwrap();
    let mut server = Command::new(&program).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim();
    let mut runs: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for _ in 0..ROUNDS {
        for (way, _) in LIMITS {
            let output = Command::new(&program).args(["read", way, address]).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let text = String::from_utf8(output.stdout).unwrap();
            let (cpu, memory) = text.trim().split_once(' ').unwrap();
            runs.entry(way).or_default().push((cpu.parse().unwrap(), memory.parse().unwrap()));
        }
    }
    server.kill().unwrap();
    server.wait().unwrap();
    let least = |way: &str| {
        runs[way].iter().copied().reduce(|(cpu, memory), run| (run.0.min(cpu), run.1.max(memory))).unwrap()
    };
    let floor = least(LIMITS[0].0).0;
    println!("10,000 alerts on 100 pages, least CPU and most memory of {ROUNDS} runs");
    for (way, limit) in LIMITS {
        let (cpu, memory) = least(way);
        let limit = if limit.is_nan() { String::new() } else { format!("  (at most {limit})") };
        println!("{way:12} {cpu:7.1} ms CPU  {:5.2} x  {memory:6.1} MiB peak{limit}", cpu / floor);
    }
}

/// Serves the pages that the double answers, ready made.
fn serve() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let pages: Vec<String> = runtime.block_on(async {
        let azure = MockAzure::seed().alerts(SUBSCRIPTION, PAGES * 100).start().await;
        let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
        let mut pages = Vec::new();
        let path = || arm_core::ArmPath::from(&SUBSCRIPTION.parse::<SubscriptionId>().unwrap());
        let mut token: Option<String> = None;
        loop {
            let path = path().provider("Microsoft.Security").literal("alerts");
            let request = arm.get(path, "2022-01-01").query_opt("$skiptoken", token.take());
            let page: serde_json::Value = request.json().await.unwrap();
            let link = page["nextLink"].as_str().and_then(|link| link.split_once("%24skiptoken="));
            token = link.map(|(_, token)| token.to_owned());
            pages.push(page.to_string());
            if token.is_none() {
                break pages;
            }
        }
    });
    assert_eq!(pages.len(), PAGES);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let certificate: CertificateDer<'static> = signed.cert.der().clone();
    let config = rustls::ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let hex: String = certificate.iter().map(|byte| format!("{byte:02x}")).collect();
    println!("{}/{hex}", listener.local_addr().unwrap().port());
    std::io::stdout().flush().unwrap();
    let (pages, config) = (Arc::new(pages), Arc::new(config));
    for stream in listener.incoming() {
        let (pages, config) = (pages.clone(), config.clone());
        std::thread::spawn(move || answer(stream.unwrap(), config, &pages));
    }
}

fn answer(stream: TcpStream, config: Arc<rustls::ServerConfig>, pages: &[String]) {
    stream.set_nodelay(true).unwrap();
    let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), stream);
    let (mut seen, mut buffer) = (Vec::new(), [0; 8192]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
        if !seen.ends_with(b"\r\n\r\n") {
            continue;
        }
        let head = String::from_utf8_lossy(&seen).into_owned();
        let token = head.split_once("skiptoken=p-").map(|(_, rest)| {
            let digits: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            usize::from_str_radix(&digits, 36).unwrap() / 100
        });
        seen.clear();
        let body = &pages[token.unwrap_or(0)];
        let header = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let written = stream.write_all(header.as_bytes()).and_then(|()| stream.write_all(body.as_bytes()));
        if written.and_then(|()| stream.flush()).is_err() {
            return;
        }
    }
}

/// Reads all alerts in one way, and prints milliseconds of CPU and the peak of memory in MiB.
fn read(way: &str, server: &Server) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // The first page costs what only happens once in a process.
    let before = runtime.block_on(async {
        let reader = Reader::new(server);
        reader.warm_up(way).await;
        let before = cpu();
        let count = reader.all(way).await;
        assert_eq!(count, PAGES * 100);
        before
    });
    println!("{} {}", cpu() - before, peak());
}

/// Where the pages are, and the certificate of who serves them.
struct Server {
    port: u16,
    certificate: CertificateDer<'static>,
}

impl Server {
    fn parse(text: &str) -> Self {
        let (port, hex) = text.split_once('/').unwrap();
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        let certificate: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
        Self { port: port.parse().unwrap(), certificate: certificate.into() }
    }

    fn client(&self) -> reqwest::Client {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let tls = rustls::ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
    }
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

struct Reader {
    bare: reqwest::Client,
    first: String,
    port: u16,
    alerts: AlertsClient,
    subscription: SubscriptionId,
}

impl Reader {
    fn new(server: &Server) -> Self {
        let port = server.port;
        let transport = Transport::new(Arc::new(Local { inner: server.client(), port }));
        let client = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
        let arm = ArmClient::new(Arc::new(Fixed), ArmOptions::from(client)).unwrap();
        let first = format!(
            "https://localhost:{port}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
        );
        let subscription = SUBSCRIPTION.parse().unwrap();
        Self { bare: server.client(), first, port, alerts: AlertsClient::new(&arm), subscription }
    }

    async fn warm_up(&self, way: &str) {
        match way {
            "two fields" | "value" => drop(self.page(&self.first).await),
            _ => drop(self.alerts.list(&self.subscription).try_next().await.unwrap()),
        }
    }

    async fn all(&self, way: &str) -> usize {
        match way {
            "two fields" => self.two_fields().await,
            "value" => self.value().await,
            "list" => self.list().await,
            "everything" => self.everything().await,
            other => panic!("no way named {other}"),
        }
    }

    async fn page(&self, url: &str) -> azure_core::Bytes {
        self.bare.get(url).send().await.unwrap().bytes().await.unwrap()
    }

    fn next(&self, link: Option<&str>) -> Option<String> {
        Some(link?.replace("https://management.azure.com", &format!("https://localhost:{}", self.port)))
    }

    /// The floor.
    async fn two_fields(&self) -> usize {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow)]
            value: Vec<Item<'a>>,
            next_link: Option<&'a str>,
        }
        #[derive(Deserialize)]
        struct Item<'a> {
            id: &'a str,
            #[serde(borrow)]
            properties: Properties<'a>,
        }
        #[derive(Deserialize)]
        struct Properties<'a> {
            severity: &'a str,
        }
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: Page<'_> = serde_json::from_slice(&body).unwrap();
            count += page
                .value
                .iter()
                .filter(|item| !item.id.is_empty() && !item.properties.severity.is_empty())
                .count();
            next = self.next(page.next_link);
        }
        count
    }

    /// What comes to mind first.
    async fn value(&self) -> usize {
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let items = page["value"].as_array().unwrap();
            count += items.iter().filter(|item| item["properties"]["severity"].is_string()).count();
            next = self.next(page["nextLink"].as_str());
        }
        count
    }

    async fn list(&self) -> usize {
        let alerts = self.alerts.list(&self.subscription);
        let keep =
            |count, alert: Alert| async move { Ok(count + usize::from(!alert.id.as_str().is_empty())) };
        alerts.try_fold(0, keep).await.unwrap()
    }

    async fn everything(&self) -> usize {
        let alerts = self.alerts.list(&self.subscription);
        alerts
            .try_fold(0, |count, alert| async move { Ok(count + usize::from(read_all(&alert))) })
            .await
            .unwrap()
    }
}

fn read_all(alert: &Alert) -> bool {
    let entities = alert.entities().unwrap();
    let known = entities.iter().all(|entity| !matches!(entity.kind, EntityKind::Other(_)));
    known
        && !alert.resource_identifiers().unwrap().is_empty()
        && !alert.remediation_steps().unwrap().is_empty()
        && !alert.extended_links().unwrap().is_empty()
        && !alert.extended_properties().unwrap().is_empty()
        && !alert.techniques().unwrap().is_empty()
        && !alert.sub_techniques().unwrap().is_empty()
        && alert.supporting_evidence().unwrap().is_some()
}

/// Milliseconds that this process has spent, in user and kernel.
fn cpu() -> f64 {
    // Nanoseconds on a processor, of each thread of this process.
    let threads = std::fs::read_dir("/proc/self/task").expect("Linux: /proc tells the CPU time");
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<f64>().unwrap()
    };
    threads.map(|thread| of(thread.unwrap())).sum::<f64>() / 1e6
}

/// The most memory that this process has had, in MiB.
fn peak() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Sends requests to the local server.
#[derive(Debug)]
struct Local {
    inner: reqwest::Client,
    port: u16,
}

#[async_trait]
impl HttpClient for Local {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut local = request.clone();
        local.url_mut().set_host(Some("localhost")).unwrap();
        local.url_mut().set_port(Some(self.port)).unwrap();
        self.inner.execute_request(&local).await
    }
}

#[derive(Debug)]
struct Fixed;

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::now_utc() + Duration::hours(1)))
    }
}
