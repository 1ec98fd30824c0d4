//! The double: the cost of a request in process and over HTTP, and the growth of memory over a million requests.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::Instant,
};

use azure_core::http::{Method, Request, Url};
use list_alerts::cpu;
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, MockAzure, Seed};

use crate::{
    runs::{each, rounds},
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "double", measure };
const ROUNDS: usize = 7;
const REQUESTS: u32 = 5_000;
/// The number of requests before memory is measured: by then, everything that is bounded is full.
const WARM_UP: u32 = 200_000;
const MILLION: u32 = 1_000_000;
/// The microseconds that one GET took over the socket when wiremock was the server, on the same machine.
const BEFORE: f64 = 220.0;

fn seed() -> Seed {
    MockAzure::seed().subscriptions([SUB]).demo(SUB)
}

/// Serves the double on a port, prints its URL, and ends when standard input is closed.
pub(crate) fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let server = seed().serve(listener, mock_azure::ServerOptions::new()).await.unwrap();
        println!("{}", server.uri());
        tokio::task::spawn_blocking(|| std::io::stdin().read(&mut [0])).await.unwrap().unwrap();
    });
}

fn measure() -> Section {
    let [[in_process]] = rounds(ROUNDS, [&|| [in_process()]]);
    let program = Program::start();
    let connection = program.connect();
    let over_http = || [each(REQUESTS, || ask(&connection, &LIST).0 == 200)];
    let [[over_http]] = rounds(ROUNDS, [&over_http]);
    let connection = program.connect();
    mixed(&connection, 0..WARM_UP);
    let before = program.memory();
    let since = Instant::now();
    mixed(&connection, WARM_UP..WARM_UP + MILLION);
    let (grown, seconds) = (program.memory() - before, since.elapsed().as_secs_f64());
    Section {
        title: "The double",
        about: format!(
            "`GET` of a list, on the demo tenant: processor time in process, and time over HTTP with one connection. The floor \
             is what a request took when every one went through a socket. Then {MILLION} mixed requests to the program ({:.0} \
             a second): lists, reads, writes, deletes, queries, refusals and unknown ones.",
            f64::from(MILLION) / seconds
        ),
        rows: vec![
            Row::ratio("in process: processor time of a GET", &BEFORE.into(), &in_process, "µs")
                .at_most(0.27, "×"),
            Row::alone("over HTTP: time of a GET, one connection", over_http.median(), "µs")
                .at_most(333.0, "µs"),
            Row::alone("growth over a million mixed requests", grown, "MB").at_most(2.0, "MB"),
        ],
    }
}

/// The microseconds of processor time for one GET through the transport.
fn in_process() -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let azure = seed().start().await;
        let token =
            azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
        let url = format!("https://management.azure.com{}", LIST.path.replace("SUB", SUB));
        let mut request = Request::new(Url::parse(&url).unwrap(), Method::Get);
        request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
        let transport = azure.client_options().transport.unwrap();
        let used = cpu();
        for _ in 0..REQUESTS {
            let answer = transport.send(&azure_core::http::Context::new(), &mut request).await.unwrap();
            assert_eq!(u16::from(answer.status()), 200);
        }
        (cpu() - used) * 1e3 / f64::from(REQUESTS)
    })
}

struct Ask {
    method: &'static str,
    host: &'static str,
    path: &'static str,
    body: &'static str,
}

const ARM: &str = "management.azure.com";
const VAULT: &str = "kv-lab.vault.azure.net";

const fn arm(method: &'static str, path: &'static str, body: &'static str) -> Ask {
    Ask { method, host: ARM, path, body }
}

const fn vault(method: &'static str, path: &'static str, body: &'static str) -> Ask {
    Ask { method, host: VAULT, path, body }
}

const LIST: Ask = arm("GET", "/subscriptions/SUB/resourcegroups?api-version=2024-03-01", "");

/// The requests, sent in turn. `SUB` stands for the subscription, `N` for one of a thousand numbers.
const MIXED: &[Ask] = &[
    LIST,
    arm("GET", "/subscriptions/SUB/providers/Microsoft.Security/alerts?api-version=2022-01-01", ""),
    arm("GET", "/subscriptions/SUB/providers/Microsoft.Security/pricings?api-version=2024-01-01", ""),
    arm(
        "GET",
        "/subscriptions/SUB/resourceGroups/rg-lab/providers/Microsoft.KeyVault/vaults/kv-lab?api-version=2023-07-01",
        "",
    ),
    arm(
        "PUT",
        "/subscriptions/SUB/resourcegroups/rg-N?api-version=2024-03-01",
        r#"{"location":"westeurope","tags":{"a":"N"}}"#,
    ),
    arm("DELETE", "/subscriptions/SUB/resourcegroups/rg-N?api-version=2024-03-01", ""),
    arm("GET", "/subscriptions/SUB/resourcegroups/rg-N?api-version=2024-03-01", ""),
    arm("GET", "/subscriptions/SUB/resourcegroups/rg-none?api-version=2024-03-01", ""),
    arm("GET", "/subscriptions/SUB/providers/Microsoft.Unknown/things?api-version=2024-03-01", ""),
    arm(
        "POST",
        "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01",
        r#"{"query":"resources | where type =~ 'microsoft.keyvault/vaults' | project id"}"#,
    ),
    vault("GET", "/secrets?api-version=7.5", ""),
    vault("GET", "/secrets/db-password?api-version=7.5", ""),
    vault("PUT", "/secrets/s-N?api-version=7.5", r#"{"value":"value-N"}"#),
    vault("DELETE", "/secrets/s-N?api-version=7.5", ""),
    vault("GET", "/deletedsecrets/s-N?api-version=7.5", ""),
    vault("GET", "/deletedsecrets/s-N?api-version=7.5", ""),
    vault("DELETE", "/deletedsecrets/s-N?api-version=7.5", ""),
    vault("GET", "/secrets/s-N?api-version=7.5", ""),
];

fn mixed(connection: &TcpStream, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let (turn, round) = (number as usize % MIXED.len(), number as usize / MIXED.len() % 1000);
        let Ask { method, host, path, body } = &MIXED[turn];
        let (path, body) = (path.replace("-N", &format!("-{round}")), body.replace('N', &round.to_string()));
        let (status, _) = exchange(connection, method, host, &path, &body);
        assert!(status < 500 || status == 501, "{method} {path}: {status}");
    }
}

fn ask(connection: &TcpStream, ask: &Ask) -> (u16, usize) {
    exchange(connection, ask.method, ask.host, ask.path, ask.body)
}

/// Sends one request and reads the complete response. Returns the status and the length of the body.
fn exchange(mut connection: &TcpStream, method: &str, host: &str, path: &str, body: &str) -> (u16, usize) {
    let path = path.replace("SUB", SUB);
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer x\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(connection);
    let (mut line, mut status, mut length) = (String::new(), 0, 0);
    loop {
        line.clear();
        reader.read_line(&mut line).unwrap();
        if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
            status = rest[..3].parse().unwrap();
        } else if let Some(rest) = line.strip_prefix("content-length: ") {
            length = rest.trim().parse().unwrap();
        } else if line.trim().is_empty() {
            break;
        }
    }
    reader.read_exact(&mut vec![0; length]).unwrap();
    (status, length)
}

/// Another process of this program, which serves the double on a port.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve-double")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, address: line.trim().trim_start_matches("http://").to_owned() }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// The resident memory, in megabytes.
    fn memory(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1e3
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
