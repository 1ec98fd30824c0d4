//! Tokens for code that has no secret: on a machine, and in an app.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::net::TcpListener;

use mock_azure::{MockAzure, Server, ServerOptions};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const CLIENT: &str = "00000000-0000-0000-0000-0000000000c2";
const ON_A_MACHINE: &str =
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/";
const IN_AN_APP: &str = "/msi/token?api-version=2019-08-01&resource=https://vault.azure.net";

async fn serve() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    MockAzure::seed().signed_in_service_principal().serve(listener, ServerOptions::new()).await.unwrap()
}

/// Asks as a client does that uses the port as its proxy: with the whole address.
async fn ask(server: &Server, host: &str, path: &str, header: &str) -> (u16, Value) {
    let mut stream = TcpStream::connect(server.uri().strip_prefix("http://").unwrap()).await.unwrap();
    let request =
        format!("GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n{header}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), serde_json::from_str(body).unwrap_or_default())
}

#[tokio::test]
async fn the_code_of_a_machine_asks_its_own_address_for_a_token_that_is_good() {
    let server = serve().await;
    let host = "169.254.169.254";
    let (status, refused) = ask(&server, host, ON_A_MACHINE, "").await;
    assert_eq!((status, refused["error"].as_str()), (400, Some("bad_request_102")));

    let (status, granted) = ask(&server, host, ON_A_MACHINE, "Metadata: true\r\n").await;
    assert_eq!((status, granted["client_id"].as_str()), (200, Some(CLIENT)), "{granted}");
    assert_eq!(
        (granted["resource"].as_str(), granted["expires_in"].as_str()),
        (Some("https://management.azure.com/"), Some("3600"))
    );
    let token = format!("Authorization: Bearer {}\r\n", granted["access_token"].as_str().unwrap());
    let subscriptions = "/subscriptions?api-version=2022-12-01";
    assert_eq!(ask(&server, "management.azure.com", subscriptions, &token).await.0, 200);
    // For Resource Manager, and for nothing else.
    assert_eq!(ask(&server, "graph.microsoft.com", "/v1.0/me", &token).await.0, 401);

    let other = format!("{ON_A_MACHINE}&client_id=00000000-0000-0000-0000-00000000dead");
    let (status, refused) = ask(&server, host, &other, "Metadata: true\r\n").await;
    assert_eq!((status, refused["error_description"].as_str()), (400, Some("Identity not found")));
    for unknown in [
        ON_A_MACHINE.replace("2018-02-01", "2099-01-01"),
        "/metadata/instance?api-version=2021-02-01".to_owned(),
    ] {
        assert_eq!(ask(&server, host, &unknown, "Metadata: true\r\n").await.0, 501, "{unknown}");
    }
    assert_eq!(server.unknown_requests().len(), 2);
}

#[tokio::test]
async fn an_app_asks_the_address_that_its_environment_names() {
    let server = serve().await;
    let address = server.uri().strip_prefix("http://").unwrap().to_owned();
    let (status, granted) = ask(&server, &address, IN_AN_APP, "X-IDENTITY-HEADER: any\r\n").await;
    assert_eq!((status, granted["resource"].as_str()), (200, Some("https://vault.azure.net")), "{granted}");
    assert!(granted.get("expires_in").is_none() && granted["expires_on"].is_string(), "{granted}");
    assert_eq!(ask(&server, &address, IN_AN_APP, "").await.0, 501);
    // It is no path of Azure itself.
    assert_eq!(ask(&server, "management.azure.com", IN_AN_APP, "X-IDENTITY-HEADER: any\r\n").await.0, 401);
}
