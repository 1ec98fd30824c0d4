//! Every request is a span below its task, and nothing secret is in any of them.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use std::{collections::BTreeSet, sync::Arc};

use arm_core::{Secret, prelude::*};
use azure_core_opentelemetry::OpenTelemetryTracerProvider;
use defender_alerts::AlertsClient;
use defender_playbooks::CoverageClient;
use defender_pricing::{PlanName, PricingClient};
use keyvault_issuers::ResourceKeyIssuer;
use keyvault_ops::SecretsClient;
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::{DiagnosticSpec, WorkspaceId};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use resource_ops::{ResourceGroupSpec, ResourceGroupsClient};
use test_kit::{group, subscription};
use tracing_subscriber::layer::SubscriberExt as _;

const CANARY: &str = "canary-2b7e151628aed2a6";

/// A double, and a program that exports all that it sees.
struct Program {
    azure: MockAzure,
    arm: ArmClient,
    provider: Arc<SdkTracerProvider>,
    exporter: InMemorySpanExporter,
    _subscriber: tracing::subscriber::DefaultGuard,
}

impl Program {
    async fn start(seed: Seed) -> Self {
        mock_azure::fast_forward();
        let azure = seed.start().await;
        let exporter = InMemorySpanExporter::default();
        let provider = Arc::new(SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build());
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("program"));
        let subscriber = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        let mut client = azure.client_options();
        client.instrumentation.tracer_provider = Some(OpenTelemetryTracerProvider::new(provider.clone()));
        let arm = ArmClient::new(azure.credential(), ArmOptions::from(client)).unwrap();
        Self { azure, arm, provider, exporter, _subscriber: subscriber }
    }

    /// The spans so far, after what every test asks of them.
    fn spans(&self) -> Vec<SpanData> {
        self.provider.force_flush().unwrap();
        let spans = self.exporter.get_finished_spans().unwrap();
        let mut seen: Vec<_> = spans.iter().filter_map(http).collect();
        let requests = self.azure.requests();
        let mut sent: Vec<_> = requests
            .iter()
            .map(|it| {
                (it.method.clone(), it.host.clone(), it.path.to_lowercase(), it.status.unwrap().to_string())
            })
            .collect();
        (seen.sort(), sent.sort());
        assert_eq!(seen, sent, "each attempt at each request is a span, and nothing else is");
        for span in spans.iter().filter(|span| http(span).is_some()) {
            let parents = above(span, &spans);
            // The official client has a span for each of its operations, and puts its requests right below.
            let is_above = |name: &String| name == "request" || name.starts_with("KeyVault.");
            assert!(parents.iter().any(is_above), "{} is below {parents:?}", span.name);
        }
        spans
    }
}

/// An attribute of a span, as text.
fn attribute(span: &SpanData, name: &str) -> Option<String> {
    span.attributes.iter().find(|it| it.key.as_str() == name).map(|it| it.value.to_string())
}

/// Method, host, path and status of a span for an attempt at a request.
fn http(span: &SpanData) -> Option<(String, String, String, String)> {
    let url = attribute(span, "url.full")?;
    let (_, rest) = url.split_once("://")?;
    let path = rest.split('?').next()?.split_once('/')?.1;
    Some((
        attribute(span, "http.request.method")?,
        attribute(span, "server.address")?,
        format!("/{path}").to_lowercase(),
        attribute(span, "http.response.status_code")?,
    ))
}

/// The names of the spans above one, from below; a task's with its own name.
fn above(span: &SpanData, all: &[SpanData]) -> Vec<String> {
    let mut names = Vec::new();
    let mut at = span;
    while let Some(parent) = all.iter().find(|it| it.span_context.span_id() == at.parent_span_id) {
        names.push(attribute(parent, "name").unwrap_or_else(|| parent.name.to_string()));
        at = parent;
    }
    names
}

/// All names of tasks and of what was sent for them.
fn tasks(spans: &[SpanData]) -> BTreeSet<String> {
    spans.iter().filter(|span| span.name == "task").filter_map(|span| attribute(span, "name")).collect()
}

/// The seed of the kit, whose caller may also write secrets.
fn seed() -> Seed {
    test_kit::seed().vault_role("kv-prod", "Key Vault Secrets Officer")
}

#[tokio::test]
async fn an_operation_is_a_span_and_each_of_its_attempts() {
    let program = Program::start(seed()).await;
    program.azure.inject(Fault::status(503).on("GET", "/pricings/KeyVaults"));
    PricingClient::new(&program.arm).get(subscription(), &PlanName::KeyVaults).await.unwrap();

    let spans = program.spans();
    let attempts: Vec<_> = spans.iter().filter_map(http).map(|(.., status)| status).collect();
    assert_eq!(attempts, ["503", "200"]);
    let request = spans.iter().find(|span| span.name == "request").unwrap();
    let path = format!("/subscriptions/{}/providers/Microsoft.Security/pricings/KeyVaults", subscription());
    assert_eq!(attribute(request, "what"), Some(format!("GET {path}")));
    assert_eq!(attribute(request, "az.namespace").as_deref(), Some("Microsoft.Security"));
    let last = spans.iter().rfind(|span| http(span).is_some()).unwrap();
    assert_eq!(last.name, "GET");
    assert_eq!(
        attribute(last, "url.full"),
        Some(format!("https://management.azure.com{path}?api-version=2024-01-01"))
    );
    assert!(attribute(last, "az.client_request_id").is_some());
}

#[tokio::test]
async fn each_page_of_a_list_is_a_request_and_the_query_of_a_link_is_not_shown() {
    let program = Program::start(seed().alerts(subscription(), 5).page_size(2)).await;
    let all: Vec<_> = AlertsClient::new(&program.arm).list(&subscription()).try_collect().await.unwrap();
    assert_eq!(all.len(), 5);
    assert_eq!(program.spans().iter().filter(|span| span.name == "request").count(), 3);

    // A link that is signed.
    let link = format!(
        "https://management.azure.com/subscriptions/{}/providers/Microsoft.Security/alerts?api-version=2022-01-01&sig={CANARY}",
        subscription()
    );
    let page = format!(r#"{{"value":[],"nextLink":"{link}"}}"#);
    program.azure.inject(Fault::body(200, page).on("GET", "/alerts?"));
    let _ = AlertsClient::new(&program.arm).list(&subscription()).try_next().await;
    assert!(program.azure.requests().last().unwrap().query("sig").is_some(), "the link was followed");
    let shown = format!("{:?}", program.spans());
    assert!(!shown.contains(CANARY), "{shown}");
    assert!(shown.contains("sig=REDACTED"), "{shown}");
}

#[tokio::test]
async fn each_poll_of_a_long_running_operation_is_a_request() {
    let program = Program::start(seed().operation_polls(3)).await;
    let groups = ResourceGroupsClient::new(&program.arm);
    let id = subscription().resource_group("rg-new").unwrap();
    groups.ensure(&id, ResourceGroupSpec::new("westeurope")).await.unwrap();
    groups.delete(&id).await.unwrap();

    let spans = program.spans();
    let requests: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "request")
        .filter_map(|span| attribute(span, "what"))
        .collect();
    let polls = requests.iter().filter(|what| what.contains("operationresults")).count();
    assert!(polls >= 3, "{requests:?}");
    assert!(requests.iter().any(|what| what.starts_with("DELETE ")), "{requests:?}");
}

#[tokio::test]
async fn tasks_of_every_kind_are_spans_above_their_requests_and_show_no_secret() {
    let program = Program::start(seed().storage_account(subscription(), "rg-sec", "stprod")).await;
    let Program { azure, arm, .. } = &program;
    let account: ResourceId =
        group().resource(&"Microsoft.Storage/storageAccounts".parse().unwrap(), "stprod").unwrap();
    let keys = ["key1", "key2"].map(|key| azure.resource_key(account.as_str(), key).unwrap());

    let enabled = PricingClient::new(arm).enable(subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(enabled.is_complete());
    let workspace = WorkspaceId::new(&group(), "law-sec").unwrap();
    let spec = DiagnosticSpec::audit_to(&workspace).unwrap();
    let fixed = CoverageClient::new(arm).fix(&subscription(), &spec).await.unwrap();
    assert!(fixed.is_complete());
    let secrets = SecretsClient::new(arm, &"kv-prod".parse().unwrap()).unwrap();
    let (name, key) = ("db".parse().unwrap(), "storage".parse().unwrap());
    secrets.rotate(&name).to(Secret::new(CANARY)).dry_run().await.unwrap();
    secrets.rotate(&name).to(Secret::new(CANARY)).await.unwrap();
    assert_eq!(secrets.get(&name).await.unwrap().value.expose(), CANARY);
    secrets.set(&key, Secret::new(keys[0].clone())).await.unwrap();
    let issuer = Arc::new(ResourceKeyIssuer::new(arm, account.clone()).unwrap());
    assert!(secrets.rotate(&key).issuer(issuer).await.unwrap().is_complete());

    let spans = program.spans();
    let expected =
        ["defender_playbooks::CoverageClient::fix", "defender_pricing::EnablePlan", "keyvault_ops::Rotate"];
    assert!(expected.iter().all(|name| tasks(&spans).contains(*name)), "{:?}", tasks(&spans));
    let put = spans
        .iter()
        .find(|span| attribute(span, "url.full").is_some_and(|url| url.contains("/diagnosticSettings/")));
    let above = above(put.unwrap(), &spans);
    assert!(above.iter().any(|name| name == "defender_playbooks::CoverageClient::fix"), "{above:?}");
    let dry: Vec<_> = spans
        .iter()
        .filter(|span| {
            span.name == "task" && attribute(span, "name").is_some_and(|it| it.ends_with("Rotate"))
        })
        .filter_map(|span| attribute(span, "dry_run"))
        .collect();
    assert_eq!(dry, ["true", "false", "false"]);

    let shown = format!("{spans:?}");
    let scopes = ["https://vault.azure.net/.default", "https://management.azure.com/.default"];
    let mut hidden = vec![CANARY.to_owned()];
    hidden.extend(keys);
    hidden.push(azure.resource_key(account.as_str(), "key1").unwrap());
    for scope in scopes {
        let token = azure.credential().get_token(&[scope], None).await.unwrap();
        hidden.push(token.token.secret().to_owned());
    }
    for secret in hidden {
        assert!(!shown.contains(&secret), "{secret} is shown");
    }
    assert!(!shown.contains("SharedKey "), "a request's signature is shown");
}
