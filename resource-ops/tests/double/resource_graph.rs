//! Resource Graph against the double.

use crate::support::{arm, seed, subscription};
use arm_core::{ArmErrorExt as _, ManagementGroupId, ResourceId, SubscriptionId};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure, Seed};
use proptest::{prelude::*, test_runner::TestRunner};
use resource_ops::{
    GraphScope, QueryOptions, QueryRequest, ResourceGraphClient, ResultFormat,
    query::{GraphQuery, Order, Table, any_of, column},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, Deserialize, PartialEq)]
struct Row {
    id: ResourceId,
    name: String,
}

fn with(mut seed: Seed, subscriptions: u32, each: u32) -> Seed {
    for s in 1..=subscriptions {
        let subscription = number(s);
        seed = seed.subscription(&subscription);
        for n in 1..=each {
            seed = seed.vault(&subscription, "rg", &format!("kv-{s}-{n}"));
        }
    }
    seed
}

fn number(n: u32) -> SubscriptionId {
    format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()
}

fn vaults() -> GraphQuery {
    GraphQuery::table(Table::Resources).of_type("Microsoft.KeyVault/vaults").project(["name"])
}

fn client(azure: &MockAzure) -> ResourceGraphClient {
    ResourceGraphClient::new(&arm(azure))
}

#[tokio::test]
async fn all_rows_of_a_tenant_come_page_by_page_also_behind_an_empty_one() {
    let azure = with(seed().page_size(2).empty_pages(), 2, 3).start().await;
    let rows: Vec<Row> = client(&azure).rows(&vaults(), GraphScope::Tenant).try_collect().await.unwrap();
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[0].id.name(), rows[0].name);
    let requests = azure.requests();
    assert_eq!(requests.len(), 4, "2, 0, 2 and 2 rows");
    assert_eq!(requests[0].body, json!({ "query": vaults().to_string(), "options": {} }));
    assert_eq!(requests[0].query("api-version"), Some("2022-10-01"));
    assert!(requests[1].body["options"]["$skipToken"].is_string());
}

#[tokio::test]
async fn a_query_can_look_at_some_subscriptions_or_management_groups() {
    let azure = with(seed().management_group("mg", [number(2)]), 3, 1).start().await;
    let graph = client(&azure);
    let names = async |scope: GraphScope| {
        let rows: Vec<Row> = graph.rows(&vaults(), scope).try_collect().await.unwrap();
        rows.into_iter().map(|row| row.name).collect::<Vec<_>>()
    };
    assert_eq!(names((&number(3)).into()).await, ["kv-3-1"]);
    assert_eq!(names(vec![number(1), number(2)].into()).await, ["kv-1-1", "kv-2-1"]);
    assert_eq!(names((&"mg".parse::<ManagementGroupId>().unwrap()).into()).await, ["kv-2-1"]);
}

#[tokio::test]
async fn no_subscription_is_an_error_and_not_the_whole_tenant() {
    let azure = with(seed(), 1, 1).start().await;
    let graph = client(&azure);
    for scope in [GraphScope::Subscriptions(Vec::new()), GraphScope::ManagementGroups(Vec::new())] {
        let error = graph.rows::<Value>(&vaults(), scope).try_next().await.unwrap_err();
        assert!(error.to_string().contains("use GraphScope::Tenant"), "{error}");
    }
    assert!(azure.requests().is_empty());
}

#[tokio::test]
async fn many_subscriptions_are_queried_in_batches_and_nothing_is_missing() {
    let azure = with(seed().page_size(200), 650, 1).start().await;
    let all: Vec<SubscriptionId> = (1..=650).map(number).collect();
    let rows: Vec<Row> = client(&azure).rows(&vaults(), all).try_collect().await.unwrap();
    assert_eq!(rows.len(), 650);
    let asked: Vec<usize> = azure
        .requests()
        .iter()
        .map(|request| request.body["subscriptions"].as_array().unwrap().len())
        .collect();
    assert_eq!(asked, [300, 300, 300, 300, 50], "two pages, two pages, one page");
}

#[tokio::test]
async fn a_query_that_counts_is_never_asked_in_parts() {
    let azure = with(seed(), 2, 3).start().await;
    let graph = client(&azure);
    let count =
        GraphQuery::table(Table::Resources).count_by(["type"]).order_by(column("count_"), Order::Descending);
    let rows: Vec<Value> = graph.rows(&count, GraphScope::Tenant).try_collect().await.unwrap();
    assert_eq!(rows[0], json!({ "type": "microsoft.keyvault/vaults", "count_": 6 }));
    azure.clear_requests();
    let many: Vec<SubscriptionId> = (1..=1001).map(number).collect();
    let error = graph.rows::<Value>(&count, many).try_next().await.unwrap_err();
    assert!(error.to_string().contains("cannot be split"), "{error}");
    assert!(azure.requests().is_empty());
}

#[tokio::test]
async fn rows_that_the_service_cut_are_an_error_behind_the_rows_that_came() {
    let azure = with(seed().page_size(2), 1, 3).start().await;
    let query = GraphQuery::of_text("resources | project name");
    let mut rows = client(&azure).rows::<Value>(&query, GraphScope::Tenant);
    assert!(rows.try_next().await.unwrap().is_some());
    assert!(rows.try_next().await.unwrap().is_some());
    let error = rows.try_next().await.unwrap_err();
    assert!(error.to_string().contains("rows are missing"), "{error}");
}

#[tokio::test]
async fn a_scope_that_the_service_cut_is_an_error_too() {
    let azure = with(seed(), 1, 1).start().await;
    azure.inject(Fault::header("x-ms-tenant-subscription-limit-hit", "true"));
    let rows = client(&azure).rows::<Value>(&vaults(), GraphScope::Tenant);
    let error = rows.try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().contains("rows are missing"), "{error}");
}

#[tokio::test]
async fn a_row_that_cannot_be_decoded_hides_no_other() {
    let azure = seed()
        .vault(subscription(), "rg", "kv-a")
        .resource(json!({ "id": "not an id", "name": "odd", "type": "Microsoft.KeyVault/vaults" }))
        .start()
        .await;
    azure.inject(Fault::body(
        200,
        json!({
            "totalRecords": 3, "count": 3, "resultTruncated": "false", "facets": [],
            "data": [
                { "id": "/providers/A.B/c/d", "name": "first" },
                { "id": 7, "name": "odd" },
                { "id": "/providers/A.B/c/e", "name": "last" },
            ],
        })
        .to_string(),
    ));
    let mut rows = client(&azure).rows::<Row>(&vaults(), GraphScope::Tenant);
    assert_eq!(rows.try_next().await.unwrap().unwrap().name, "first");
    assert_eq!(rows.try_next().await.unwrap().unwrap().name, "last");
    let error = rows.try_next().await.unwrap_err();
    assert!(error.to_string().contains("item 2 of page 1"), "{error}");
}

#[tokio::test]
async fn a_stream_can_be_gone_on_with_elsewhere() {
    let azure = with(seed().page_size(2), 1, 5).start().await;
    let graph = client(&azure);
    let mut pages = graph.rows::<Row>(&vaults(), GraphScope::Tenant).into_pages();
    let first = pages.try_next().await.unwrap().unwrap();
    let place = first.continuation.clone().unwrap();
    let rest: Vec<Row> = graph.resume_rows(&vaults(), GraphScope::Tenant, place).try_collect().await.unwrap();
    assert_eq!((first.items.len(), rest.len()), (2, 3));
    let mut all = graph.rows::<Row>(&vaults(), GraphScope::Tenant);
    while all.try_next().await.unwrap().is_some() {}
    let end = all.continuation().unwrap();
    let mut none = graph.resume_rows::<Row>(&vaults(), GraphScope::Tenant, end);
    assert_eq!(none.try_next().await.unwrap().map(|row| row.name), None, "nothing is left behind the end");
    let error =
        graph.resume_rows::<Row>(&vaults(), GraphScope::Tenant, "nonsense").try_next().await.unwrap_err();
    assert!(error.to_string().contains("does not belong to this query"), "{error}");
}

#[tokio::test]
async fn one_page_can_be_asked_for_in_either_form() {
    let azure = with(seed(), 1, 2).start().await;
    let graph = client(&azure);
    let options =
        QueryOptions { top: Some(1), result_format: Some(ResultFormat::Table), ..Default::default() };
    let request = QueryRequest::builder()
        .query(vaults().to_string())
        .subscriptions(vec![number(1)])
        .options(options)
        .build();
    let page = graph.resources(&request).await.unwrap();
    assert_eq!((page.total_records, page.count, page.result_truncated), (2, 1, false));
    assert_eq!(page.data["columns"][1]["name"], "name");
    assert!(page.skip_token.is_some());
    assert!(page.quota.remaining.is_some() && page.quota.resets_after.is_some());
    assert_eq!(azure.requests()[0].body["options"], json!({ "$top": 1, "resultFormat": "table" }));
}

#[tokio::test]
async fn a_query_that_is_not_understood_says_where() {
    let azure = with(seed(), 1, 1).start().await;
    let query = GraphQuery::of_text("resources | where nosuch == 1");
    let error = client(&azure).rows::<Value>(&query, GraphScope::Tenant).try_next().await.unwrap_err();
    assert!(error.is_code("InvalidQuery") && error.to_string().contains("'nosuch'"), "{error}");
}

#[tokio::test]
async fn a_query_changes_nothing_and_is_asked_again_when_its_answer_is_lost() {
    let azure = with(seed(), 1, 1).start().await;
    azure.inject(Fault::reset_after_acting());
    azure.inject(Fault::status(500).skip(1));
    let rows: Vec<Row> = client(&azure).rows(&vaults(), GraphScope::Tenant).try_collect().await.unwrap();
    assert_eq!((rows.len(), azure.requests().len()), (1, 3));
}

#[tokio::test]
async fn a_throttled_query_is_asked_again() {
    let azure = with(seed(), 1, 1).start().await;
    azure.inject(Fault::throttled(std::time::Duration::from_secs(3)).times(2));
    let rows: Vec<Row> = client(&azure).rows(&vaults(), GraphScope::Tenant).try_collect().await.unwrap();
    assert_eq!((rows.len(), azure.requests().len()), (1, 3));
}

#[test]
fn a_value_of_a_user_finds_what_equals_it_and_nothing_else() {
    mock_azure::fast_forward();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    let hostile = prop_oneof![any::<String>(), "['\"\\\\|/ \\n]{1,12}", "x' or [a-z]+ != '"];
    runner
        .run(&hostile, |value| {
            let machine = |name: &str, value: &str| {
                let id =
                    format!("/subscriptions/{}/resourceGroups/rg/providers/A.B/c/{name}", subscription());
                json!({ "id": id, "name": name, "type": "A.B/c", "tags": { "who": value } })
            };
            let found = runtime.block_on(async {
                let azure = MockAzure::seed()
                    .resource(machine("wanted", &value))
                    .resource(machine("other", &format!("{value}+")))
                    .start()
                    .await;
                let who = || column("tags.who").to_text();
                let query = GraphQuery::table(Table::Resources)
                    .filter(any_of([who().equals(&*value), who().is_any_of([])]))
                    .extend("upper", column("name").to_lower())
                    .project(["name", "upper"]);
                client(&azure).rows::<Row>(&query, GraphScope::Tenant).try_collect::<Vec<_>>().await
            });
            let found = found.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0].name, "wanted");
            Ok(())
        })
        .unwrap();
}
