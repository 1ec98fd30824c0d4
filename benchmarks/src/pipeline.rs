//! Measures one request through the complete client.

use std::{net::TcpListener, sync::Arc};

use arm_core::ArmPath;
use azure_core::http::{Context, Method, Request};
use list_alerts::cloud_at;
use rustls::pki_types::CertificateDer;
use serde::Deserialize;

use crate::{
    runs::{Runs, each, rounds},
    server,
    table::{Bench, Row, Section},
    transport::{arm, pipeline},
};

pub(crate) const BENCH: Bench = Bench { name: "pipeline", measure };
const BODY: &str = r#"{"name":"thing","properties":{"provisioningState":"Succeeded"}}"#;
const ROUNDS: usize = 21;
const REQUESTS: u32 = 1000;

/// What client and server do while they wait for each other.
#[derive(Clone, Copy, PartialEq)]
enum Waiting {
    Polls,
    Sleeps,
}

#[derive(Deserialize)]
struct Thing {
    name: String,
}

fn measure() -> Section {
    let [floor, ground, ours] = round_trips(Waiting::Polls);
    let [asleep_floor, asleep_ground, asleep] = round_trips(Waiting::Sleeps);
    Section {
        title: "One request",
        about: "A small GET over TLS on loopback, with its response decoded, again and again on one connection. The floor is a bare \
                reqwest call. Client and server poll while they wait for each other, as if the program had more to do. In the rows \
                \"from sleep\" they do not, and the time to wake a processor is part of each figure."
            .to_owned(),
        rows: vec![
            Row::difference("through `ArmClient`", &floor, &ours, "µs").at_most(20.0, "µs"),
            Row::difference("of that, `azure_core`'s own pipeline", &floor, &ground, "µs"),
            Row::difference("through `ArmClient`, from sleep", &asleep_floor, &asleep, "µs"),
            Row::difference("of that, `azure_core`'s own pipeline, from sleep", &asleep_floor, &asleep_ground, "µs"),
        ],
    }
}

/// The microseconds of a request with bare reqwest, with `azure_core`'s own pipeline, and with ours.
fn round_trips(waiting: Waiting) -> [Runs; 3] {
    let (server, certificate) = serve(waiting);
    let client = client(certificate);
    let url = format!("{server}/things/thing?api-version=2026-01-01");
    let pipeline = pipeline(client.clone());
    let arm = arm(client.clone(), cloud_at(&server).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if waiting == Waiting::Polls {
        runtime.spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
    }
    let floor = || {
        runtime.block_on(async {
            let body = client.get(&url).send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<Thing>(&body).unwrap().name
        })
    };
    let ground = || {
        runtime.block_on(async {
            let mut request = Request::new(url.parse().unwrap(), Method::Get);
            let response = pipeline.send(&Context::new(), &mut request, None).await.unwrap();
            serde_json::from_slice::<Thing>(response.body()).unwrap().name
        })
    };
    let ours = || {
        runtime.block_on(async {
            let path = ArmPath::root().literal("things").segment("thing");
            arm.get(path, "2026-01-01").json::<Thing>().await.unwrap().name
        })
    };
    let runs = rounds(
        ROUNDS,
        [&|| [each(REQUESTS, || floor() == "thing")], &|| [each(REQUESTS, || ground() == "thing")], &|| {
            [each(REQUESTS, || ours() == "thing")]
        }],
    );
    runs.map(|[runs]| runs)
}

/// A client that trusts one certificate.
fn client(certificate: CertificateDer<'static>) -> reqwest::Client {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
}

/// Answers every request with the same body, until the process ends. Returns the endpoint and its certificate.
fn serve(waiting: Waiting) -> (String, CertificateDer<'static>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = server::endpoint(&listener);
    let (certificate, config) = server::tls();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, config) = (stream.unwrap(), config.clone());
            stream.set_nonblocking(waiting == Waiting::Polls).unwrap();
            std::thread::spawn(move || server::answer(stream, config, |_| BODY));
        }
    });
    (endpoint, certificate)
}
