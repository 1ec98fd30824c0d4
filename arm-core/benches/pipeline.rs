//! What one request costs through the whole client, over a bare reqwest call to the same server.
//!
//! `cargo bench -p arm-core`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)] // criterion's macro; a bench that cannot go on stops

use std::{net::SocketAddr, sync::Arc};

use arm_core::{ArmClient, ArmOptions, ArmPath};
use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{
        AsyncRawResponse, ClientOptions, Context, HttpClient, Method, Pipeline, Request, Transport,
        policies::{Policy, auth::BearerTokenAuthorizationPolicy},
    },
    time::{Duration, OffsetDateTime},
};
use criterion::{Criterion, criterion_group, criterion_main};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

const BODY: &str = r#"{"name":"thing","properties":{"provisioningState":"Succeeded"}}"#;

#[derive(Deserialize)]
struct Thing {
    name: String,
}

/// Answers every request with the same body and keeps the connection.
async fn serve(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream));
    }
}

async fn answer(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let reply = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let (mut seen, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer).await {
        seen.extend_from_slice(&buffer[..read]);
        if seen.ends_with(b"\r\n\r\n") {
            seen.clear();
            stream.write_all(reply.as_bytes()).await.unwrap();
        }
    }
}

/// Sends `https` requests to the local server in clear.
#[derive(Debug)]
struct Local {
    inner: reqwest::Client,
    target: SocketAddr,
}

#[async_trait]
impl HttpClient for Local {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let mut local = request.clone();
        local.url_mut().set_scheme("http").unwrap();
        local.url_mut().set_ip_host(self.target.ip()).unwrap();
        local.url_mut().set_port(Some(self.target.port())).unwrap();
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

fn plain_client() -> reqwest::Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().tls_backend_preconfigured(tls).build().unwrap()
}

fn pipeline(criterion: &mut Criterion) {
    let (address, bound) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            serve(listener).await;
        });
    });
    let target = bound.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bare = plain_client();
    let url = format!("http://{target}/things/thing?api-version=2026-01-01");
    let transport = Transport::new(Arc::new(Local { inner: plain_client(), target }));
    let client = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
    let per_try: Vec<Arc<dyn Policy>> =
        vec![Arc::new(BearerTokenAuthorizationPolicy::new(Arc::new(Fixed), ["s"]))];
    let plain = Pipeline::new(None, None, client.clone(), Vec::new(), per_try, None);
    let arm = ArmClient::new(Arc::new(Fixed), ArmOptions::from(client)).unwrap();

    let mut group = criterion.benchmark_group("request");
    group.bench_function("bare reqwest", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let body = bare.get(&url).send().await.unwrap().bytes().await.unwrap();
            serde_json::from_slice::<Thing>(&body).unwrap().name
        });
    });
    group.bench_function("azure_core pipeline", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let mut request = Request::new(
                "https://management.azure.com/things/thing?api-version=2026-01-01".parse().unwrap(),
                Method::Get,
            );
            let response = plain.send(&Context::new(), &mut request, None).await.unwrap();
            serde_json::from_slice::<Thing>(response.body()).unwrap().name
        });
    });
    group.bench_function("ArmClient", |bencher| {
        bencher.to_async(&runtime).iter(|| async {
            let path = ArmPath::root().literal("things").segment("thing");
            arm.get(path, "2026-01-01").json::<Thing>().await.unwrap().name
        });
    });
    group.finish();
}

criterion_group!(benches, pipeline);
criterion_main!(benches);
