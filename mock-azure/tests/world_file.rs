//! One world, said in a file, by the builder and to the control endpoint; saved and loaded.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{collections::BTreeSet, fs, net::TcpListener, path::Path};

use mock_azure::{AuditEvent, DEFAULT_SUBSCRIPTION, MockAzure, Seed, Server, ServerOptions, world_schema};
use serde_json::{Value, json};
use time::macros::datetime;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

const WORLD: &str = "
seed: 7
starts_at: 2027-02-01T08:00:00Z
page_size: 2
signed_in: service_principal
steps:
  - vault: { group: rg-app, name: kv-prod }
  - vault_role: { vault: kv-prod, role: Key Vault Secrets Officer }
  - secret: { vault: kv-prod, name: db-password, value: leaked }
  - secret_versions: { vault: kv-prod, name: old, count: 3 }
  - certificate: { vault: kv-prod, name: tls }
  - plan: { plan: KeyVaults, tier: Standard }
  - key_vault_alerts: /subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-prod
  - audit_event: { operation: SecretGet, vault_id: /vault, time: 2027-01-31T12:00:00Z, status: 403 }
";

/// The same, by the builder.
fn built() -> Seed {
    let vault = format!(
        "/subscriptions/{DEFAULT_SUBSCRIPTION}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-prod"
    );
    let mut event = AuditEvent::new("SecretGet", "/vault", datetime!(2027-01-31 12:00 UTC));
    event.status = 403;
    MockAzure::seed()
        .seed(7)
        .starts_at(datetime!(2027-02-01 08:00 UTC))
        .page_size(2)
        .signed_in_service_principal()
        .vault(DEFAULT_SUBSCRIPTION, "rg-app", "kv-prod")
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .secret("kv-prod", "db-password", "leaked")
        .secret_versions("kv-prod", "old", 3)
        .certificate("kv-prod", "tls")
        .plan(DEFAULT_SUBSCRIPTION, "KeyVaults", "Standard")
        .key_vault_alerts(vault)
        .audit_event(event)
}

async fn serve(seed: Seed, options: ServerOptions) -> Server {
    seed.serve(TcpListener::bind("127.0.0.1:0").unwrap(), options).await.unwrap()
}

async fn ask(server: &Server, method: &str, host: &str, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(server.uri().strip_prefix("http://").unwrap()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer any\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    // When it was answered is told by the clock of the machine.
    String::from_utf8(answer).unwrap().lines().filter(|line| !line.starts_with("date:")).collect()
}

/// What a world answers: its vaults, secrets, plans, alerts, roles, and the vaults' log.
async fn fingerprint(server: &Server) -> Vec<String> {
    let subscription = format!("/subscriptions/{DEFAULT_SUBSCRIPTION}");
    let security = format!("{subscription}/providers/Microsoft.Security");
    let mut all = Vec::new();
    for (host, path) in [
        (
            "management.azure.com",
            format!("{subscription}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01"),
        ),
        ("management.azure.com", format!("{security}/pricings?api-version=2024-01-01")),
        ("management.azure.com", format!("{security}/alerts?api-version=2022-01-01")),
        (
            "management.azure.com",
            format!(
                "{subscription}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
            ),
        ),
        ("kv-prod.vault.azure.net", "/secrets?api-version=7.5".to_owned()),
        ("kv-prod.vault.azure.net", "/secrets/db-password?api-version=7.5".to_owned()),
        ("kv-prod.vault.azure.net", "/secrets/old/versions?api-version=7.5".to_owned()),
        ("kv-prod.vault.azure.net", "/certificates/tls?api-version=7.5".to_owned()),
        ("kv-prod.vault.azure.net", "/secrets/tls?api-version=7.5".to_owned()),
        ("localhost", "/_mock/audit-events".to_owned()),
        ("localhost", "/_mock/clock".to_owned()),
    ] {
        all.push(ask(server, "GET", host, &path, "").await);
    }
    all
}

#[tokio::test]
async fn a_file_the_builder_and_the_control_endpoint_give_the_same_world() {
    let by_builder = fingerprint(&serve(built(), ServerOptions::new()).await).await;
    assert!(by_builder.iter().all(|answer| answer.starts_with("HTTP/1.1 200")), "{by_builder:?}");

    let from_yaml = serve(Seed::from_text(WORLD).unwrap(), ServerOptions::new()).await;
    assert_eq!(fingerprint(&from_yaml).await, by_builder);

    let as_json = mock_azure::world_from_text(WORLD).unwrap().to_string();
    let from_json = serve(Seed::from_text(&as_json).unwrap(), ServerOptions::new()).await;
    assert_eq!(fingerprint(&from_json).await, by_builder);

    let other = serve(MockAzure::seed().signed_in_service_principal(), ServerOptions::new()).await;
    let put = ask(&other, "PUT", "localhost", "/_mock/world", WORLD).await;
    assert!(put.starts_with("HTTP/1.1 204"), "{put}");
    assert_eq!(fingerprint(&other).await, by_builder);

    // And again, after something else was done there.
    let secret = "{\"value\":\"new\"}";
    ask(&other, "PUT", "kv-prod.vault.azure.net", "/secrets/another?api-version=7.5", secret).await;
    assert_ne!(fingerprint(&other).await, by_builder);
    assert!(ask(&other, "POST", "localhost", "/_mock/reset", "").await.starts_with("HTTP/1.1 204"));
    assert_eq!(fingerprint(&other).await, by_builder);
}

#[test]
fn an_error_in_a_file_is_reported_with_its_location() {
    for (text, place) in [
        ("page_sizes: 2", "page_sizes"),
        ("page_size: many", "page_size"),
        ("starts_at: yesterday", "starts_at: 'yesterday'"),
        ("steps: [{ vault: { group: rg } }]", "steps[0].vault: missing field `name`"),
        ("steps: [{ vault: { group: rg, name: kv, color: red } }]", "steps[0].vault.color"),
        ("steps: [{ vaults: {} }]", "steps[0]"),
        ("steps: [{ audit_event: { operation: x, vault_id: y, time: z } }]", "steps[0]: time: 'z'"),
        ("{ \"steps\": [}", "not JSON"),
        ("steps: [", "not YAML"),
        ("a: 1\n---\nb: 2", "one YAML document, found 2"),
    ] {
        let message = Seed::from_text(text).unwrap_err().to_string();
        assert!(message.contains(place), "{text}: {message}");
    }
}

#[test]
fn a_file_can_say_all_that_the_builder_can() {
    // What is said on another way in a file, or not by a seed at all.
    const OTHERWISE: &[(&str, &str)] = &[
        ("subscription", "subscriptions"),
        ("signed_in_service_principal", "signed_in"),
        ("role_propagation_time", "role_propagation_seconds"),
        ("log_delay", "log_delay_seconds"),
        ("key_propagation_time", "key_propagation_seconds"),
        ("password_propagation_time", "password_propagation_seconds"),
        ("plan_updates_take", "plan_updates_take_seconds"),
    ];
    const NOT: &[&str] = &["start", "serve", "from_text", "on_run_command"];
    let schema = world_schema().to_string();
    let mut files = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut missing = BTreeSet::new();
    let mut seen = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap_or_default();
        let blocks = text.split("\nimpl Seed {\n").skip(1).filter_map(|rest| rest.split("\n}\n").next());
        for method in blocks.flat_map(|block| block.split("\n    pub ").skip(1)) {
            let name = method.trim_start_matches("async ").strip_prefix("fn ").unwrap();
            let name = name.split(['(', '<']).next().unwrap();
            let said = OTHERWISE.iter().find(|(method, _)| *method == name).map_or(name, |(_, said)| said);
            seen += 1;
            if !NOT.contains(&name) && !schema.contains(&format!("\"{said}\"")) {
                missing.insert(name.to_owned());
            }
        }
    }
    assert!(seen > 60, "the builder's methods are not read: {seen}");
    assert!(missing.is_empty(), "a world's file cannot say {missing:?}");
}

#[test]
fn the_published_schema_is_that_of_the_files() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("world.schema.json");
    let schema = format!("{:#}\n", world_schema());
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &schema).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == schema,
        "written anew by: UPDATE=1 cargo test -p mock-azure --test world_file"
    );
}

#[tokio::test]
async fn a_world_that_is_saved_and_loaded_is_the_same_world() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("state.jsonl");
    let options = ServerOptions::new().world(WORLD).save_to(fs::File::create(&at).unwrap());
    let first = serve(Seed::from_text(WORLD).unwrap(), options).await;
    let vault = "kv-prod.vault.azure.net";
    ask(
        &first,
        "POST",
        "localhost",
        "/_mock/faults",
        "{\"effect\":\"reset\",\"method\":\"PUT\",\"url_contains\":\"lost\"}",
    )
    .await;
    ask(&first, "PUT", vault, "/secrets/lost?api-version=7.5", "{\"value\":\"never\"}").await;
    ask(&first, "PUT", vault, "/secrets/kept?api-version=7.5", "{\"value\":\"x\"}").await;
    ask(&first, "PUT", "localhost", "/_mock/clock", "{\"advance_seconds\":3600}").await;
    ask(&first, "DELETE", vault, "/secrets/old?api-version=7.5", "").await;
    let policy = "{\"policy\":{\"issuer\":{\"name\":\"Self\"},\"key_props\":{\"kty\":\"EC\"},\"x509_props\":{\"subject\":\"CN=tls\"}}}";
    let renewed = ask(&first, "POST", vault, "/certificates/tls/create?api-version=7.5", policy).await;
    assert!(renewed.starts_with("HTTP/1.1 202"), "{renewed}");
    let saved = fs::read_to_string(&at).unwrap();

    let load = |saved: String| async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        Server::load(&saved, listener, ServerOptions::new()).await
    };
    // A stop in the middle of a line: that request was not answered.
    let second = load(format!("{saved}{{\"at\":\"2027")).await.unwrap();
    let (one, other) = (fingerprint(&first).await, fingerprint(&second).await);
    assert_eq!(other, one);
    assert!(one.iter().any(|answer| answer.contains("kept")), "{one:?}");
    assert!(!one.iter().any(|answer| answer.contains("/secrets/lost")), "{one:?}");

    let refused = load(saved.replacen("\"journal\":1", "\"jornal\":1", 1)).await.unwrap_err().to_string();
    assert!(refused.contains("line 1"), "{refused}");
}

#[tokio::test]
async fn the_control_endpoint_is_no_host_of_azure() {
    let server = serve(MockAzure::seed(), ServerOptions::new()).await;
    for host in ["management.azure.com", "kv.vault.azure.net", "example.com"] {
        let answer = ask(&server, "GET", host, "/_mock/requests", "").await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(ask(&server, "GET", "localhost", "/health", "").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn the_control_endpoint_shows_what_happened_without_tokens() {
    let server = serve(Seed::from_text(WORLD).unwrap(), ServerOptions::new()).await;
    ask(&server, "GET", "kv-prod.vault.azure.net", "/secrets/db-password?api-version=7.5", "").await;
    ask(&server, "GET", "management.azure.com", "/providers/Microsoft.Nothing/x?api-version=2020-01-01", "")
        .await;
    let control = |method: &str, path: &str, body: Value| server.control(method, path, &body);
    let seen = control("GET", "/_mock/requests", Value::Null).unwrap();
    assert_eq!(seen[0]["path"], "/secrets/db-password");
    assert_eq!(seen[0]["status"], 200);
    assert!(!seen.to_string().contains("Bearer any"), "{seen}");
    let unknown = control("GET", "/_mock/unknown-requests", Value::Null).unwrap();
    assert_eq!(unknown.as_array().map(Vec::len), Some(1), "{unknown}");
    control("DELETE", "/_mock/requests", Value::Null).unwrap();
    assert_eq!(control("GET", "/_mock/requests", Value::Null).unwrap(), json!([]));

    let moved =
        control("PUT", "/_mock/clock", json!({ "now": "2027-03-01T00:00:00Z", "advance_seconds": 60 }));
    assert_eq!(moved.unwrap(), json!({ "now": "2027-03-01T00:01:00Z", "running": false }));
    let at = json!({ "operation": "SecretList", "vault_id": "/v", "time": "2027-02-28T00:00:00Z" });
    control("POST", "/_mock/audit-events", at).unwrap();
    let events = control("GET", "/_mock/audit-events", Value::Null).unwrap();
    assert_eq!(events[2]["operation"], "SecretList", "{events}");

    for (path, body, word) in [
        ("/_mock/faults", json!({ "effect": "explode" }), "effect"),
        ("/_mock/faults", json!({ "effect": "reset", "times": 2, "always": true }), "exclude each other"),
        ("/_mock/interrupt", json!({}), "missing field `at`"),
        ("/_mock/nothing", Value::Null, "openapi.json"),
        ("/_mock/clock", Value::Null, "does not accept POST"),
    ] {
        let refused = control("POST", path, body).unwrap_err().to_string();
        assert!(refused.contains(word), "{path}: {refused}");
    }
}
