//! Measures one request through the complete client.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use arm_core::ArmPath;
use azure_core::http::{Context, Method, Request};
use list_alerts_bare::bare;
use serde::Deserialize;

use crate::{
    runs::{each, rounds},
    table::{Bench, Row, Section},
    transport::{Local, arm, pipeline},
};

pub(crate) const BENCH: Bench = Bench { name: "pipeline", measure };
const BODY: &str = r#"{"name":"thing","properties":{"provisioningState":"Succeeded"}}"#;
const ROUNDS: usize = 21;
const REQUESTS: u32 = 1000;

#[derive(Deserialize)]
struct Thing {
    name: String,
}

fn measure() -> Section {
    let server = serve();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let plain = bare();
    let url = format!("{server}things/thing?api-version=2026-01-01");
    let local = || Local { client: bare(), server: server.parse().unwrap() };
    let pipeline = pipeline(local());
    let arm = arm(local());

    let floor = || {
        runtime.block_on(async {
            let body = plain.get(&url).send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<Thing>(&body).unwrap().name
        })
    };
    let ground = || {
        runtime.block_on(async {
            let url = "https://management.azure.com/things/thing?api-version=2026-01-01".parse().unwrap();
            let mut request = Request::new(url, Method::Get);
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
    let [[floor], [ground], [ours]] = rounds(
        ROUNDS,
        [&|| [each(REQUESTS, || floor() == "thing")], &|| [each(REQUESTS, || ground() == "thing")], &|| {
            [each(REQUESTS, || ours() == "thing")]
        }],
    );
    Section {
        title: "One request",
        about: "A small GET over plain HTTP on loopback, with its response decoded. The floor is a bare reqwest call.".to_owned(),
        rows: vec![
            Row::difference("through `ArmClient`", &floor, &ours, "µs").at_most(20.0, "µs"),
            Row::difference("of that, `azure_core`'s own pipeline", &floor, &ground, "µs"),
        ],
    }
}

/// Answers every request with the same body and keeps connections open, until the process ends.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || answer(stream.unwrap()));
        }
    });
    format!("http://{address}/")
}

fn answer(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        seen.extend_from_slice(&buffer[..read]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            stream.write_all(reply.as_bytes()).unwrap();
        }
    }
}
