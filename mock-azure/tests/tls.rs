//! The port as a proxy and as a TLS server: every host of Azure, and no other.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{net::TcpListener, sync::Arc};

use mock_azure::{Authority, MockAzure, Server, ServerOptions};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

const SUBSCRIPTIONS: &str =
    "GET /subscriptions?api-version=2022-12-01 HTTP/1.1\r\nAuthorization: Bearer any\r\n";

async fn serve(options: ServerOptions) -> Server {
    MockAzure::seed().serve(TcpListener::bind("127.0.0.1:0").unwrap(), options).await.unwrap()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.uri().strip_prefix("http://").unwrap()).await.unwrap()
}

/// TLS that trusts this authority and no other.
async fn trusting<IO>(
    authority: &str,
    host: &str,
    io: IO,
) -> std::io::Result<tokio_rustls::client::TlsStream<IO>>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, io).await
}

async fn ask<IO: AsyncRead + AsyncWrite + Unpin>(mut io: IO, host: &str) -> String {
    let request = format!("{SUBSCRIPTIONS}Host: {host}\r\nConnection: close\r\n\r\n");
    io.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // Whether TLS is closed in due form is not what is asked here.
    let _ = io.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

/// The head of the answer to `CONNECT`, and the connection.
async fn tunnel(server: &Server, target: &str) -> (String, TcpStream) {
    let mut stream = connect(server).await;
    stream
        .write_all(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), stream)
}

#[tokio::test]
async fn a_program_that_uses_the_port_as_its_proxy_reaches_every_host_of_azure_by_tls() {
    let server = serve(ServerOptions::new()).await;
    for host in ["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"] {
        let (head, stream) = tunnel(&server, &format!("{host}:443")).await;
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        let stream = trusting(server.authority().certificate(), host, stream).await.unwrap();
        let answer = ask(stream, host).await;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("Subscription 0001"), "{answer}");
    }
    let seen: Vec<String> = server.requests().into_iter().map(|request| request.host).collect();
    assert_eq!(seen, ["management.azure.com", "management.usgovcloudapi.net", "management.chinacloudapi.cn"]);
}

#[tokio::test]
async fn a_client_that_takes_the_port_for_azure_itself_is_answered_too() {
    let server = serve(ServerOptions::new()).await;
    let stream = connect(&server).await;
    let stream = trusting(server.authority().certificate(), "management.azure.com", stream).await.unwrap();
    assert!(ask(stream, "management.azure.com").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_proxy_leads_nowhere_else_and_keeps_that_it_was_asked_to() {
    let server = serve(ServerOptions::new()).await;
    for target in
        ["example.com:443", "management.azure.com.attacker.example:443", "management.azure.com:8443"]
    {
        let (head, mut stream) = tunnel(&server, target).await;
        assert!(head.starts_with("HTTP/1.1 403"), "{head}");
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(rest.contains("MockForeignHost"), "{rest}");
    }
    let asked: Vec<String> = server.foreign_requests().into_iter().map(|request| request.host).collect();
    assert_eq!(
        asked,
        ["example.com:443", "management.azure.com.attacker.example:443", "management.azure.com:8443"]
    );
}

#[tokio::test]
async fn nobody_is_vouched_for_but_azure_and_nobody_else_is_believed() {
    let server = serve(ServerOptions::new()).await;
    let other = Authority::ephemeral().unwrap();
    let ours = server.authority().certificate();
    assert!(trusting(ours, "example.com", connect(&server).await).await.is_err());
    assert!(trusting(other.certificate(), "management.azure.com", connect(&server).await).await.is_err());
    assert!(trusting(ours, "management.azure.com", connect(&server).await).await.is_ok());
}

#[tokio::test]
async fn an_authority_that_was_kept_is_still_trusted_after_a_new_start() {
    let folder = tempfile::tempdir().unwrap();
    let first = serve(ServerOptions::new().authority(Authority::in_folder(folder.path()).unwrap())).await;
    let trusted = first.authority().certificate().to_owned();
    drop(first);
    let again = serve(ServerOptions::new().authority(Authority::in_folder(folder.path()).unwrap())).await;
    assert!(trusting(&trusted, "kv-prod.vault.azure.net", connect(&again).await).await.is_ok());
}
