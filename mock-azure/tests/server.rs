//! The double on a port: connections, their faults, and their bounds.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{net::TcpListener, time::Duration};

use mock_azure::{Fault, MockAzure, Server};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const GROUPS: &str =
    "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups?api-version=2024-03-01";

async fn server() -> Server {
    let seed = MockAzure::seed().subscription("00000000-0000-0000-0000-000000000001");
    seed.serve(TcpListener::bind("127.0.0.1:0").unwrap(), mock_azure::ServerOptions::new()).await.unwrap()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.uri().strip_prefix("http://").unwrap()).await.unwrap()
}

/// Begins a request: its first line and its headers, but for the empty line at the end.
async fn begin(stream: &mut TcpStream, method: &str, headers: &str) {
    let head = format!(
        "{method} {GROUPS} HTTP/1.1\r\nHost: management.azure.com\r\nAuthorization: Bearer x\r\n{headers}"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// All that comes until the connection ends.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

async fn get(server: &Server) -> String {
    let mut stream = connect(server).await;
    begin(&mut stream, "GET", "Connection: close\r\n\r\n").await;
    rest(stream).await
}

#[tokio::test]
async fn a_connection_that_waits_for_its_answer_holds_up_no_other() {
    let server = server().await;
    server.inject(Fault::delay(Duration::from_secs(86_400)));
    let mut slow = connect(&server).await;
    begin(&mut slow, "GET", "\r\n").await;
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    assert!(get(&server).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn faults_cut_a_connection_before_or_within_the_answer() {
    let server = server().await;
    server.inject(Fault::reset());
    assert_eq!(get(&server).await, "");
    server.inject(Fault::truncated());
    let answer = get(&server).await;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    assert!(
        head.starts_with("HTTP/1.1 200") && body.len() == length.parse::<usize>().unwrap() / 2,
        "{answer}"
    );
    assert!(get(&server).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn too_many_headers_and_too_long_bodies_are_refused_in_the_doubles_own_words() {
    let server = server().await;
    let mut stream = connect(&server).await;
    let many = (0..120).fold(String::new(), |all, n| format!("{all}x-{n}: 1\r\n"));
    begin(&mut stream, "GET", &format!("{many}Connection: close\r\n\r\n")).await;
    let answer = rest(stream).await;
    assert!(answer.starts_with("HTTP/1.1 431") && answer.contains("MockHeadersTooBig"), "{answer}");

    let mut stream = connect(&server).await;
    begin(&mut stream, "PUT", &format!("Content-Length: {}\r\n\r\n", 64 * 1024 * 1024)).await;
    let piece = [b' '; 64 * 1024];
    for _ in 0..65 {
        if stream.write_all(&piece).await.is_err() {
            break;
        }
    }
    let mut answer = vec![0; 4096];
    let read = stream.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("MockBodyTooLong"), "{answer}");
}

#[tokio::test]
async fn a_server_that_is_dropped_ends_its_connections() {
    let server = server().await;
    let mut stream = connect(&server).await;
    begin(&mut stream, "GET", "").await;
    drop(server);
    assert_eq!(rest(stream).await, "");
}
