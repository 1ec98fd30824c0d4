//! What every part of the double promises: honesty about what it does not know, Resource Manager's
//! checks, faults, and doubles that do not touch each other.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use azure_core::http::{
    ClientOptions, Context,
    Method::{self, Delete, Get, Head, Patch, Post, Put},
    Pipeline, Request, RetryOptions, Url,
};
use mock_azure::{Fault, MockAzure};
use serde_json::{Value, json};
use support::{Answer, SUB};

const ROOT: &str = "https://management.azure.com";
const GROUPS: &str = "api-version=2024-03-01";
const ROLES: &str = "api-version=2022-04-01";
const READER: &str = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
const SOMEONE: &str = "00000000-0000-0000-0000-0000000000d1";

async fn send(azure: &MockAzure, method: Method, path_and_query: &str, body: Value) -> Answer {
    support::send(azure, method, &format!("{ROOT}{path_and_query}"), body).await
}

async fn get(azure: &MockAzure, path_and_query: &str) -> Answer {
    send(azure, Get, path_and_query, Value::Null).await
}

fn names(answer: &Answer) -> Vec<String> {
    answer.body["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_request_that_is_not_known_is_501_and_kept() {
    let azure = MockAzure::seed().start().await;
    let path = format!("/subscriptions/{SUB}/providers/Microsoft.Web/sites");
    let answer = get(&azure, &format!("{path}?api-version=2024-01-01")).await;
    assert_eq!((answer.status, answer.code()), (501, "MockNotImplemented"));
    let unknown = azure.unknown_requests();
    assert_eq!(unknown.len(), 1);
    assert_eq!((unknown[0].method.as_str(), unknown[0].path.as_str()), ("GET", path.as_str()));
    assert_eq!(unknown[0].query("API-version"), Some("2024-01-01"));
    assert_eq!(unknown[0].status, Some(501));
}

#[tokio::test]
async fn an_added_subscription_stands_beside_the_default_one_unless_a_seed_names_all() {
    const OTHER: &str = "00000000-0000-0000-0000-000000000002";
    let listed = async |seed: mock_azure::Seed| {
        let answer = get(&seed.start().await, "/subscriptions?api-version=2022-12-01").await;
        let ids = answer.body["value"].as_array().unwrap().iter();
        ids.map(|it| it["subscriptionId"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(MockAzure::seed()).await, [SUB]);
    assert_eq!(listed(MockAzure::seed().subscription(OTHER).subscription(SUB)).await, [SUB, OTHER]);
    assert_eq!(listed(MockAzure::seed().subscription(SUB).subscriptions([OTHER])).await, [OTHER]);
    let azure = MockAzure::seed().subscription(OTHER).vault(SUB, "rg", "kv-one").start().await;
    let vaults = format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01");
    assert_eq!(names(&get(&azure, &vaults).await), ["kv-one"]);
}

#[tokio::test]
async fn an_api_version_is_required_and_must_be_one_of_the_type() {
    let azure = MockAzure::seed().start().await;
    let missing = get(&azure, "/subscriptions").await;
    assert_eq!((missing.status, missing.code()), (400, "MissingApiVersionParameter"));
    let path = format!("/subscriptions/{SUB}/providers/Microsoft.Security/pricings");
    let wrong = get(&azure, &format!("{path}?api-version=1999-01-01")).await;
    assert_eq!((wrong.status, wrong.code()), (400, "InvalidResourceType"));
    assert!(wrong.message().contains("2024-01-01"), "{}", wrong.message());
    assert!(azure.unknown_requests().is_empty());
}

#[tokio::test]
async fn paths_are_read_without_regard_to_case_and_names_keep_theirs() {
    let azure = MockAzure::seed().resource_group(SUB, "rg-Prod", "westeurope").start().await;
    let path = format!("/SUBSCRIPTIONS/{}/resourcegroups/RG-PROD?{GROUPS}", SUB.to_uppercase());
    let answer = get(&azure, &path).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["name"], "rg-Prod");
}

#[tokio::test]
async fn a_request_without_a_token_or_with_a_bad_one_is_401_with_a_challenge() {
    let azure = MockAzure::seed().start().await;
    let url = format!("{ROOT}/subscriptions?api-version=2022-12-01");
    let none = support::send_with(&azure, Get, &url, Value::Null, None).await;
    assert_eq!((none.status, none.code()), (401, "AuthenticationFailed"));
    assert!(none.header("www-authenticate").starts_with("Bearer authorization_uri="));
    let token = azure.credential().get_token(&["https://vault.azure.net/.default"], None).await.unwrap();
    let vaults = support::send_with(&azure, Get, &url, Value::Null, Some(token.token.secret())).await;
    assert_eq!((vaults.status, vaults.code()), (401, "InvalidAuthenticationTokenAudience"));
    let other = azure.credential_in("00000000-0000-0000-0000-0000000000ff");
    let token = other.get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    let foreign = support::send_with(&azure, Get, &url, Value::Null, Some(token.token.secret())).await;
    assert_eq!((foreign.status, foreign.code()), (401, "InvalidAuthenticationTokenTenant"));
}

#[tokio::test]
async fn a_revoked_token_is_refused_and_a_new_one_is_good() {
    let azure = MockAzure::seed().start().await;
    let url = format!("{ROOT}/subscriptions?api-version=2022-12-01");
    let old = azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    azure.revoke_tokens();
    let refused = support::send_with(&azure, Get, &url, Value::Null, Some(old.token.secret())).await;
    assert_eq!((refused.status, refused.code()), (401, "ExpiredAuthenticationToken"));
    assert_eq!(get(&azure, "/subscriptions?api-version=2022-12-01").await.status, 200);
}

#[tokio::test]
async fn a_request_to_a_host_that_is_not_azure_never_leaves() {
    let azure = MockAzure::seed().start().await;
    let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    for url in ["https://attacker.example/next?page=2", "http://management.azure.com/subscriptions"] {
        let mut request = Request::new(Url::parse(url).unwrap(), Get);
        assert!(pipeline.send(&Context::new(), &mut request, None).await.is_err(), "{url}");
    }
    let foreign = azure.foreign_requests();
    assert_eq!(foreign.len(), 2);
    assert_eq!((foreign[0].host.as_str(), foreign[0].path.as_str()), ("attacker.example", "/next"));
    assert!(azure.requests().is_empty());
}

#[tokio::test]
async fn faults_strike_the_requests_they_name_and_as_often_as_they_say() {
    let azure = MockAzure::seed().start().await;
    azure.inject(Fault::throttled(Duration::from_millis(1500)).on("GET", "/RESOURCEGROUPS").times(2));
    azure.inject(Fault::status(503).code("ServerBusy").on("GET", "/resourcegroups").skip(2));
    let path = format!("/subscriptions/{SUB}/resourcegroups?{GROUPS}");
    assert_eq!(get(&azure, "/subscriptions?api-version=2022-12-01").await.status, 200);
    let first = get(&azure, &path).await;
    assert_eq!((first.status, first.header("retry-after")), (429, "2"));
    assert_eq!(get(&azure, &path).await.status, 429);
    let third = get(&azure, &path).await;
    assert_eq!((third.status, third.code()), (503, "ServerBusy"));
    assert_eq!(get(&azure, &path).await.status, 200);
}

#[tokio::test]
async fn a_lost_answer_leaves_what_the_service_did() {
    let azure = MockAzure::seed().start().await;
    let path = format!("{ROOT}/subscriptions/{SUB}/resourcegroups/rg?{GROUPS}");
    let token = azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    let put = async || {
        let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
        let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
        let mut request = Request::new(Url::parse(&path).unwrap(), Put);
        request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
        request.set_body(r#"{"location":"westeurope"}"#);
        pipeline.send(&Context::new(), &mut request, None).await.map(|response| u16::from(response.status()))
    };
    azure.inject(Fault::reset());
    assert!(put().await.is_err());
    assert_eq!(get(&azure, &format!("/subscriptions/{SUB}/resourcegroups/rg?{GROUPS}")).await.status, 404);
    azure.inject(Fault::reset_after_acting());
    assert!(put().await.is_err());
    assert_eq!(put().await.unwrap(), 200);
}

#[tokio::test]
async fn an_interrupted_program_reaches_nothing_until_it_starts_again() {
    let azure = MockAzure::seed().start().await;
    azure.interrupt_at(2);
    assert_eq!(get(&azure, "/subscriptions?api-version=2022-12-01").await.status, 200);
    let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    for _ in 0..3 {
        let mut request =
            Request::new(Url::parse(&format!("{ROOT}/subscriptions?api-version=2022-12-01")).unwrap(), Get);
        assert!(pipeline.send(&Context::new(), &mut request, None).await.is_err());
    }
    azure.clear_faults();
    assert_eq!(get(&azure, "/subscriptions?api-version=2022-12-01").await.status, 200);
}

#[tokio::test]
async fn links_can_be_made_to_lead_astray() {
    let azure = MockAzure::seed().start().await;
    azure.inject(Fault::foreign_next_link("https://attacker.example/next"));
    let answer = get(&azure, "/subscriptions?api-version=2022-12-01").await;
    assert_eq!(answer.body["nextLink"], "https://attacker.example/next");
}

#[tokio::test]
async fn a_list_comes_in_pages_and_an_empty_page_still_leads_on() {
    let seed = MockAzure::seed().page_size(2).empty_pages();
    let seed = (1..=5).fold(seed, |seed, n| seed.resource_group(SUB, &format!("rg-{n}"), "westeurope"));
    let azure = seed.start().await;
    let mut url = format!("{ROOT}/subscriptions/{SUB}/resourcegroups?{GROUPS}");
    let mut pages = Vec::new();
    loop {
        let answer = support::send(&azure, Get, &url, Value::Null).await;
        pages.push(names(&answer));
        match answer.body["nextLink"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [2, 0, 2, 1]);
    assert_eq!(pages.concat(), ["rg-1", "rg-2", "rg-3", "rg-4", "rg-5"]);
}

#[tokio::test]
async fn deleting_a_group_is_long_running_and_takes_everything_along() {
    let azure = MockAzure::seed()
        .virtual_machine(SUB, "rg", "vm")
        .vault(SUB, "rg", "kv-gone")
        .operation_polls(2)
        .start()
        .await;
    let group = format!("/subscriptions/{SUB}/resourcegroups/rg?{GROUPS}");
    let accepted = send(&azure, Delete, &group, Value::Null).await;
    assert_eq!((accepted.status, accepted.header("retry-after")), (202, "1"));
    let link = accepted.header("location").to_owned();
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(support::send(&azure, Get, &link, Value::Null).await.status);
    }
    assert_eq!(statuses, [202, 202, 200]);
    assert_eq!(get(&azure, &group).await.code(), "ResourceGroupNotFound");
    assert_eq!(send(&azure, Head, &group, Value::Null).await.status, 404);
    let machine = format!(
        "/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm?api-version=2024-03-01"
    );
    assert_eq!(get(&azure, &machine).await.code(), "ResourceGroupNotFound");
    let deleted =
        format!("/subscriptions/{SUB}/providers/Microsoft.KeyVault/deletedVaults?api-version=2026-02-01");
    assert_eq!(names(&get(&azure, &deleted).await), ["kv-gone"]);
}

#[tokio::test]
async fn a_long_running_operation_can_fail() {
    let azure = MockAzure::seed()
        .resource_group(SUB, "rg", "westeurope")
        .operation_fails("resourceGroups/rg", "ScopeLocked", "The scope is locked.")
        .start()
        .await;
    let group = format!("/subscriptions/{SUB}/resourcegroups/rg?{GROUPS}");
    let link = send(&azure, Delete, &group, Value::Null).await.header("location").to_owned();
    support::send(&azure, Get, &link, Value::Null).await;
    let failed = support::send(&azure, Get, &link, Value::Null).await;
    assert_eq!((failed.status, failed.code()), (409, "ScopeLocked"));
    assert_eq!(get(&azure, &group).await.body["properties"]["provisioningState"], "Succeeded");
}

#[tokio::test]
async fn groups_are_made_changed_and_refused_as_the_service_does() {
    let azure = MockAzure::seed().start().await;
    let path = |name: &str| format!("/subscriptions/{SUB}/resourcegroups/{name}?{GROUPS}");
    let made =
        send(&azure, Put, &path("rg"), json!({ "location": "West Europe", "tags": { "a": "1" } })).await;
    assert_eq!((made.status, &made.body["location"]), (201, &json!("westeurope")));
    assert_eq!(send(&azure, Head, &path("rg"), Value::Null).await.status, 204);
    let again = send(&azure, Put, &path("rg"), json!({ "location": "westeurope" })).await;
    assert_eq!((again.status, &again.body["tags"]), (200, &Value::Null));
    let moved = send(&azure, Put, &path("rg"), json!({ "location": "eastus" })).await;
    assert_eq!((moved.status, moved.code()), (409, "InvalidResourceGroupLocation"));
    let patched = send(&azure, Patch, &path("rg"), json!({ "tags": { "b": "2" } })).await;
    assert_eq!((patched.status, &patched.body["tags"]["b"]), (200, &json!("2")));
    assert_eq!(send(&azure, Put, &path("rg"), json!({})).await.code(), "LocationRequired");
    let odd = send(&azure, Put, &path("rg!"), json!({ "location": "westeurope" })).await;
    assert_eq!(odd.code(), "InvalidResourceGroup");
}

fn assignment(scope: &str, name: u32) -> String {
    format!(
        "{scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-{name:012}?{ROLES}"
    )
}

fn reader_for(principal: &str) -> Value {
    json!({ "properties": {
        "roleDefinitionId":
            format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{READER}"),
        "principalId": principal,
        "principalType": "ServicePrincipal",
    }})
}

#[tokio::test]
async fn an_assignment_counts_only_when_it_has_propagated() {
    let azure = MockAzure::seed().role_propagation(2).start().await;
    let scope = format!("/subscriptions/{SUB}");
    let made = send(&azure, Put, &assignment(&scope, 1), reader_for(SOMEONE)).await;
    assert_eq!(made.status, 201);
    assert_eq!(made.body["properties"]["principalType"], "ServicePrincipal");
    let seen: Vec<bool> = (0..3).map(|_| azure.has_role(SOMEONE, "reader", &scope)).collect();
    assert_eq!(seen, [false, false, true]);
    assert!(azure.has_role(SOMEONE, READER, &format!("{scope}/resourceGroups/any")));
    assert!(!azure.has_role(SOMEONE, "Owner", &scope));
}

#[tokio::test]
async fn a_second_assignment_of_the_same_role_is_409_and_an_unknown_principal_400() {
    let azure = MockAzure::seed().start().await;
    let scope = format!("/subscriptions/{SUB}");
    send(&azure, Put, &assignment(&scope, 1), reader_for(SOMEONE)).await;
    let mut described = reader_for(SOMEONE);
    described["properties"]["description"] = json!("another text");
    let again = send(&azure, Put, &assignment(&scope, 1), described).await;
    assert_eq!((again.status, &again.body["properties"]["description"]), (201, &json!("another text")));
    let twin = send(&azure, Put, &assignment(&scope, 2), reader_for(SOMEONE)).await;
    assert_eq!((twin.status, twin.code()), (409, "RoleAssignmentExists"));
    assert!(twin.message().contains("00000000000000000000000000000001"), "{}", twin.message());
    let mut body = reader_for("00000000-0000-0000-0000-0000000000d2");
    body["properties"].as_object_mut().unwrap().remove("principalType");
    let unknown = send(&azure, Put, &assignment(&scope, 3), body).await;
    assert_eq!((unknown.status, unknown.code()), (400, "PrincipalNotFound"));
    assert_eq!(send(&azure, Delete, &assignment(&scope, 1), Value::Null).await.status, 200);
    assert_eq!(send(&azure, Delete, &assignment(&scope, 1), Value::Null).await.status, 204);
}

#[tokio::test]
async fn a_reader_may_read_and_not_write() {
    let azure = MockAzure::seed().signed_in_role("Reader").start().await;
    let path = format!("/subscriptions/{SUB}/resourcegroups/rg?{GROUPS}");
    let refused = send(&azure, Put, &path, json!({ "location": "westeurope" })).await;
    assert_eq!((refused.status, refused.code()), (403, "AuthorizationFailed"));
    assert!(refused.message().contains("Microsoft.Resources/subscriptions/resourceGroups/write"));
    assert_eq!(get(&azure, &format!("/subscriptions/{SUB}/resourcegroups?{GROUPS}")).await.status, 200);
}

#[tokio::test]
async fn a_provider_that_is_not_registered_can_be_registered() {
    let azure = MockAzure::seed().unregistered(SUB, "Microsoft.Compute").start().await;
    let provider = format!("/subscriptions/{SUB}/providers/Microsoft.Compute");
    let shown = get(&azure, &format!("{provider}?{GROUPS}")).await;
    assert_eq!(shown.body["registrationState"], "NotRegistered");
    let registering = send(&azure, Post, &format!("{provider}/register?{GROUPS}"), Value::Null).await;
    assert_eq!((registering.status, &registering.body["registrationState"]), (200, &json!("Registering")));
    get(&azure, &format!("{provider}?{GROUPS}")).await;
    let shown = get(&azure, &format!("{provider}?{GROUPS}")).await;
    assert_eq!(shown.body["registrationState"], "Registered");
}

#[tokio::test]
async fn a_subscription_that_is_not_there_is_404_and_a_malformed_one_400() {
    let azure = MockAzure::seed().start().await;
    let other =
        get(&azure, &format!("/subscriptions/00000000-0000-0000-0000-0000000000ff/resourcegroups?{GROUPS}"))
            .await;
    assert_eq!((other.status, other.code()), (404, "SubscriptionNotFound"));
    let odd = get(&azure, &format!("/subscriptions/prod/resourcegroups?{GROUPS}")).await;
    assert_eq!((odd.status, odd.code()), (400, "InvalidSubscriptionId"));
}

#[tokio::test]
async fn every_answer_has_the_ids_and_limits_that_support_asks_for() {
    let azure = MockAzure::seed().start().await;
    let answer = get(&azure, &format!("/subscriptions/{SUB}/resourcegroups?{GROUPS}")).await;
    assert!(uuid::Uuid::parse_str(answer.header("x-ms-request-id")).is_ok());
    assert!(uuid::Uuid::parse_str(answer.header("x-ms-correlation-request-id")).is_ok());
    assert_eq!(answer.header("x-ms-ratelimit-remaining-subscription-reads"), "249");
}

#[tokio::test]
async fn graph_returns_the_signed_in_principal_unless_it_is_forbidden() {
    let token = async |azure: &MockAzure| {
        azure.credential().get_token(&["https://graph.microsoft.com/.default"], None).await.unwrap()
    };
    let me = "https://graph.microsoft.com/v1.0/me";
    let azure = MockAzure::seed().start().await;
    let answer =
        support::send_with(&azure, Get, me, Value::Null, Some(token(&azure).await.token.secret())).await;
    assert_eq!((answer.status, &answer.body["id"]), (200, &json!(azure.signed_in())));
    let azure = MockAzure::seed().graph_forbidden().start().await;
    let answer =
        support::send_with(&azure, Get, me, Value::Null, Some(token(&azure).await.token.secret())).await;
    assert_eq!((answer.status, answer.code()), (403, "Authorization_RequestDenied"));
    let azure = MockAzure::seed().signed_in_service_principal().start().await;
    let answer =
        support::send_with(&azure, Get, me, Value::Null, Some(token(&azure).await.token.secret())).await;
    assert_eq!((answer.status, answer.code()), (400, "BadRequest"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doubles_side_by_side_do_not_touch_each_other() {
    let runs = (0..8).map(|n| {
        tokio::spawn(async move {
            let name = format!("rg-{n}");
            let azure = MockAzure::seed().start().await;
            if n % 2 == 0 {
                azure.inject(Fault::status(500).on("DELETE", "").always());
            }
            let path = format!("/subscriptions/{SUB}/resourcegroups/{name}?{GROUPS}");
            send(&azure, Put, &path, json!({ "location": "westeurope" })).await;
            let found = names(&get(&azure, &format!("/subscriptions/{SUB}/resourcegroups?{GROUPS}")).await);
            let deleted = send(&azure, Delete, &path, Value::Null).await.status;
            (found == [name], deleted, azure.requests().len())
        })
    });
    for (n, run) in runs.enumerate() {
        assert_eq!(run.await.unwrap(), (true, if n % 2 == 0 { 500 } else { 202 }, 3));
    }
}

#[tokio::test]
async fn a_recorded_request_shows_no_token() {
    let azure = MockAzure::seed().start().await;
    let url = format!("{ROOT}/subscriptions?api-version=2022-12-01");
    let token = azure.credential().get_token(&["https://management.azure.com/.default"], None).await.unwrap();
    support::send_with(&azure, Get, &url, Value::Null, Some(token.token.secret())).await;
    let shown = format!("{:?}", azure.requests());
    assert!(shown.contains("GET https://management.azure.com/subscriptions"), "{shown}");
    assert!(!shown.contains(token.token.secret()));
}
