//! What stands in the way of a rotation is told in one clear error, before anything is written: by every issuer, and for every type of
//! resource. What stands in the way of two roles of PostgreSQL: `postgres.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::sync::Arc;

use arm_core::ResourceId;
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        Context, Request,
        policies::{Policy, PolicyResult},
    },
};
use keyvault_issuers::{EntraPasswordIssuer, ResourceKeyIssuer, WebhookIssuer};
use keyvault_ops::{Issuer, IssuerKind};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, DEFAULT_TENANT, Fault};
use serde_json::json;
use support::{
    Lab, VAULT, id, name, seed,
    service::{ADDRESS, Hook, KEY, Service},
};

/// What is wrong, and what must be said.
struct Case {
    what: String,
    value: String,
    fault: Option<Fault>,
    expected: String,
    /// The writes that the service itself refused.
    refused: Vec<String>,
}

fn case(what: impl Into<String>, value: impl Into<String>, expected: impl Into<String>) -> Case {
    let (what, value, expected) = (what.into(), value.into(), expected.into());
    Case { what, value, fault: None, expected, refused: Vec::new() }
}

impl Case {
    fn with(self, fault: Fault) -> Self {
        Self { fault: Some(fault), ..self }
    }

    async fn check(self, lab: &Lab, issuer: Arc<dyn Issuer>) {
        let Self { what, value, fault, expected, refused } = self;
        lab.set("db", &value).await;
        if let Some(fault) = fault {
            lab.azure.inject(fault.always());
        }
        lab.azure.clear_requests();

        let error = lab.secrets.rotate(&name("db")).issuer(issuer).await.expect_err(&what);

        let said = error.to_string();
        assert!(said.contains(&expected), "{what}: {said}");
        assert_eq!(said.lines().count(), 1, "{what}: {said}");
        assert!(!said.contains(&value), "{what}: {said}");
        assert_eq!(lab.writes(), refused, "{what}: {said}");
        let versions = lab.azure.secret_versions(VAULT, "db");
        assert_eq!((versions.len(), versions[0].tags.len()), (1, 0), "{what}: the secret is as it was");
    }
}

/// A type, the name of a resource of it, the key that the secret holds, and what turns its keys off.
const TYPES: &[(&str, &str, &str, &str)] = &[
    ("Microsoft.Storage/storageAccounts", "stlab", "key1", "allowSharedKeyAccess"),
    ("Microsoft.DocumentDB/databaseAccounts", "cosmos", "primaryMasterKey", "disableLocalAuth"),
    ("Microsoft.ServiceBus/namespaces/authorizationRules", "bus/send", "primaryKey", "disableLocalAuth"),
    ("Microsoft.EventHub/namespaces/authorizationRules", "hubs/Root", "primaryKey", "disableLocalAuth"),
    ("Microsoft.CognitiveServices/accounts", "models", "key1", "disableLocalAuth"),
    ("Microsoft.Search/searchServices", "search", "primaryKey", "disableLocalAuth"),
    ("Microsoft.Cache/redis", "cache", "primaryKey", "disableAccessKeyAuthentication"),
    ("Microsoft.SignalRService/signalR", "signals", "primaryKey", "disableLocalAuth"),
    ("Microsoft.SignalRService/webPubSub", "pubsub", "primaryKey", "disableLocalAuth"),
    ("Microsoft.Maps/accounts", "maps", "primaryKey", "disableLocalAuth"),
    ("Microsoft.Batch/batchAccounts", "batch", "primary", "allowedAuthenticationModes"),
    ("Microsoft.EventGrid/topics", "topic", "key1", "disableLocalAuth"),
    ("Microsoft.EventGrid/domains", "domain", "key1", "disableLocalAuth"),
];

/// The resource that says whether its keys count: of a rule its namespace.
fn owner(id: &ResourceId) -> ResourceId {
    id.parent().filter(|_| id.as_str().contains("authorizationRules")).unwrap_or_else(|| id.clone())
}

fn off(member: &str) -> serde_json::Value {
    match member {
        "allowSharedKeyAccess" => json!(false),
        "allowedAuthenticationModes" => json!(["AAD", "TaskAuthenticationToken"]),
        _ => json!(true),
    }
}

#[tokio::test]
async fn every_type_of_resource_tells_what_is_wrong_before_anything_is_written() {
    for (kind, resource, listed, member) in TYPES {
        let (id, seed) = (id(kind, resource), || seed().keyed_resource(SUB, "rg", kind, resource));
        let gone = support::id(kind, &resource.replace(resource.split('/').next().unwrap(), "gone"));
        let elsewhere: ResourceId = id.as_str().replace("0001/", "0002/").parse().unwrap();
        // A role of one's own that lists keys, and makes none anew.
        let lists = json!({ "value": [{ "actions": ["*/read", "*/list*/action"], "notActions": [] }] });
        let may = |answer: &serde_json::Value| Fault::body(200, answer.to_string()).on("GET", "/permissions");
        let turned_off = seed().resource_property(owner(&id).as_str(), member, off(member));
        let cases = [
            (
                seed(),
                id.clone(),
                Some("AccountKey=bm90IG9mIHRoaXMgcmVzb3VyY2U=;"),
                None,
                "did not identify the current value",
            ),
            (seed(), gone, None, None, "NotFound"),
            (seed(), elsewhere, None, None, "SubscriptionNotFound"),
            (seed().signed_in_role("Reader"), id.clone(), None, None, "may not perform"),
            (seed(), id.clone(), None, Some(may(&lists)), "may not perform"),
            (turned_off, id.clone(), None, None, "so it accepts no keys"),
        ];
        for (seed, target, value, fault, expected) in cases {
            let lab = Lab::of(seed).await;
            let value = value.map_or_else(|| lab.key(&id, listed), str::to_owned);
            let what = format!("{target}, {expected}");
            let issuer = Arc::new(ResourceKeyIssuer::new(&lab.arm, target).unwrap());
            let case = Case { fault, ..case(what, value, expected) };
            case.check(&lab, issuer).await;
        }
    }
}

const APP: &str = "00000000-0000-0000-0000-0000000000d1";
const CLIENT: &str = "00000000-0000-0000-0000-0000000000c9";
const PASSWORD: &str = "old8Q~0123456789012345678901234567abcd";

#[tokio::test]
async fn an_application_tells_what_is_wrong_before_anything_is_written() {
    let application = || seed().application(APP, CLIENT, "web", PASSWORD);
    let forbidden = json!([{ "restrictionType": "passwordAddition", "state": "enabled" }]);
    // Supposed: no source tells which limit there is, or its words.
    let full = json!({ "error": { "code": "Directory_QuotaExceeded", "message": "too many values" } });
    let full = Fault::body(400, full.to_string()).on("POST", "/addPassword");
    let mut at_its_limit =
        case("at its limit", PASSWORD, "already has 1 passwords, 0 of them expired, and accepts no more")
            .with(full);
    at_its_limit.refused = vec![format!("POST /v1.0/applications/{APP}/addPassword")];
    let cases = [
        (seed(), case("no such application", PASSWORD, "Request_ResourceNotFound")),
        (application().graph_forbidden(), case("no permission", PASSWORD, "Insufficient privileges")),
        (application().application_policy(forbidden), case("a policy", PASSWORD, "forbids passwords")),
        (
            application(),
            case("no password", "postgres://user:pass@host/db", "no password can be recognized in the value"),
        ),
        (
            application(),
            case(
                "the password of another application",
                "xyz8Q~9999999999999999999999999999abcd",
                "contains none of the passwords of the application",
            ),
        ),
        (application(), at_its_limit),
    ];
    for (seed, case) in cases {
        let lab = Lab::of(seed).await;
        let issuer = EntraPasswordIssuer::new(&lab.arm, DEFAULT_TENANT, APP);
        case.check(&lab, Arc::new(issuer)).await;
        assert!(lab.azure.application_passwords(APP).len() <= 1, "none was added");
    }
}

/// Stands for the way to a service that is not there.
#[derive(Debug)]
struct Down;

#[async_trait]
impl Policy for Down {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        match request.url().host_str() {
            Some("credentials.contoso.example") => {
                Err(Error::with_message(ErrorKind::Io, "error trying to connect: connection refused"))
            }
            _ => next[0].send(ctx, request, &next[1..]).await,
        }
    }
}

#[tokio::test]
async fn a_webhook_reports_what_is_wrong_before_anything_is_written() {
    let other = "a key that the service does not have";
    let cases = [
        (
            false,
            KEY,
            IssuerKind::Many,
            case("unreachable", "leaked-value", "credentials.contoso.example cannot be reached"),
        ),
        (
            true,
            other,
            IssuerKind::Many,
            case("another key", "leaked-value", "use the same key on both sides"),
        ),
        (
            true,
            KEY,
            IssuerKind::TwoSlots,
            case("a value of another service", "of-another-service", "did not identify the current value"),
        ),
    ];
    for (up, key, kind, case) in cases {
        let service = Arc::new(Service { two_slots: kind == IssuerKind::TwoSlots, ..Service::default() });
        service.held.lock().unwrap().push(("key1".into(), "leaked-value".into(), String::new(), true));
        let way: Arc<dyn Policy> = if up { Arc::new(Hook(service.clone())) } else { Arc::new(Down) };
        let lab = Lab::with_policies(seed(), vec![way]).await;
        let issuer = WebhookIssuer::new(&lab.arm, ADDRESS.parse().unwrap(), key.into(), kind).unwrap();
        case.check(&lab, Arc::new(issuer)).await;
        let asked = service.seen.lock().unwrap().clone();
        assert!(asked.iter().all(|operation| operation == "identify"), "{asked:?}");
        assert_eq!(service.held.lock().unwrap().len(), 1);
    }
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn an_unreachable_postgresql_server_is_reported_before_anything_is_written() {
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let lab = Lab::of(seed()).await;
    let url = |user: &str| format!("postgresql://{user}:a-password@localhost:{port}/shop");
    let issuer =
        keyvault_issuers::PostgresRoleIssuer::new(&url("rotator").into(), ["app_a", "app_b"]).unwrap();
    let expected = format!("localhost:{port} cannot be used");
    case("no server", url("app_a"), expected).check(&lab, Arc::new(issuer)).await;
}
