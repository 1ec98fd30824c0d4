//! Resource Graph.
#![allow(clippy::unwrap_used, reason = "tests")]

mod support;

use std::time::Duration;

use azure_core::http::Method::Post;
use mock_azure::{MockAzure, Seed};
use serde_json::{Value, json};
use support::{Answer, SUB};

const OTHER: &str = "00000000-0000-0000-0000-000000000002";

fn seed() -> Seed {
    let machine = |n: u32, location: &str| {
        json!({
            "id": format!("/subscriptions/{SUB}/resourceGroups/RG-App/providers/Microsoft.HybridCompute/machines/arc-{n}"),
            "name": format!("arc-{n}"),
            "type": "Microsoft.HybridCompute/machines",
            "location": location,
            "tags": { "cost center": format!("c{n}") },
            "properties": { "status": "Connected", "agents": [n, n + 1], "enabled": n == 1 },
        })
    };
    MockAzure::seed()
        .subscription(SUB)
        .subscription(OTHER)
        .resource_group(SUB, "RG-App", "westeurope")
        .resource(machine(1, "westeurope"))
        .resource(machine(2, "eastus"))
        .resource(machine(3, "westeurope"))
        .vault(OTHER, "rg-b", "kv-b")
}

async fn ask(azure: &MockAzure, body: Value) -> Answer {
    let url =
        "https://management.azure.com/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01";
    support::send(azure, Post, url, body).await
}

async fn rows(azure: &MockAzure, query: &str) -> Vec<Value> {
    let answer = ask(azure, json!({ "query": query })).await;
    assert_eq!(answer.status, 200, "{query}: {:?}", answer.body);
    answer.body["data"].as_array().unwrap().clone()
}

async fn names(azure: &MockAzure, query: &str) -> Vec<String> {
    let rows = rows(azure, &format!("{query} | project name")).await;
    rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_query_filters_computes_and_sorts_over_the_doubles_resources() {
    let azure = seed().start().await;
    assert_eq!(
        rows(
            &azure,
            "Resources | where type =~ 'microsoft.hybridcompute/MACHINES' and resourceGroup == 'rg-app'
             | extend state = tostring(properties.status), cost = tags['cost center']
             | where location in~ ('WestEurope', 'northeurope') and not(name startswith 'arc-3')
             | project name, state, cost, properties.agents[0], missing = coalesce(properties.none, 'x')",
        )
        .await,
        [json!({ "name": "arc-1", "state": "Connected", "cost": "c1", "Column4": 1, "missing": "x" })]
    );
    assert_eq!(
        names(&azure, "resources | where name has_any ('arc', 'kv') | order by name desc").await,
        ["kv-b", "arc-3", "arc-2", "arc-1"]
    );
    assert_eq!(names(&azure, "resources | where properties.enabled == true").await, ["arc-1"]);
    assert_eq!(names(&azure, "resources | where name matches regex '^arc-[23]$' | take 1").await, ["arc-2"]);
    assert_eq!(
        rows(&azure, "resources | summarize count() by location | order by count_ desc | limit 1").await,
        [json!({ "location": "westeurope", "count_": 3 })]
    );
    assert_eq!(rows(&azure, "where type has 'vaults' | count").await, [json!({ "Count": 1 })]);
}

#[tokio::test]
async fn containers_and_plans_have_tables_of_their_own() {
    let azure = seed().start().await;
    let query = "resourcecontainers | where type == 'microsoft.resources/subscriptions/resourcegroups'";
    assert_eq!(names(&azure, query).await, ["RG-App", "rg-b"]);
    let query =
        "ResourceContainers | where type == 'microsoft.resources/subscriptions' | project subscriptionId";
    assert_eq!(rows(&azure, query).await.len(), 2);
    let query = "SecurityResources | where type == 'microsoft.security/pricings' and name == 'KeyVaults'
                 | project subscriptionId, tier = tostring(properties.pricingTier)";
    assert_eq!(
        rows(&azure, query).await,
        [
            json!({ "subscriptionId": SUB, "tier": "Free" }),
            json!({ "subscriptionId": OTHER, "tier": "Free" }),
        ]
    );
}

#[tokio::test]
async fn a_query_looks_at_the_scope_it_names() {
    let azure = seed().management_group("mg-b", [OTHER]).start().await;
    let of = async |mut body: Value| {
        body["query"] = json!("resources | project name");
        ask(&azure, body).await.body["totalRecords"].clone()
    };
    assert_eq!(of(json!({})).await, 4);
    assert_eq!(of(json!({ "subscriptions": [OTHER] })).await, 1);
    assert_eq!(of(json!({ "managementGroups": ["mg-b"] })).await, 1);
    assert_eq!(of(json!({ "managementGroups": [mock_azure::DEFAULT_TENANT] })).await, 4);
    let none = json!({ "query": "resources", "subscriptions": ["00000000-0000-0000-0000-0000000000ff"] });
    let refused = ask(&azure, none).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.body["error"]["details"][0]["code"], "NoValidSubscriptionsInQueryRequest");
}

#[tokio::test]
async fn a_management_group_names_also_what_the_caller_may_not_read() {
    let hidden = "00000000-0000-0000-0000-0000000000ff";
    let azure = seed().management_group("mg-b", [OTHER, hidden]).start().await;
    let below = async |group: &str| {
        let url = format!(
            "https://management.azure.com/providers/Microsoft.Management/managementGroups/{group}/descendants\
             ?api-version=2020-05-01"
        );
        support::send(&azure, azure_core::http::Method::Get, &url, Value::Null).await
    };
    let found = below("MG-B").await;
    let told: Vec<_> =
        found.body["value"].as_array().unwrap().iter().map(|it| (&it["id"], &it["type"])).collect();
    let id = |id: &str| json!(format!("/subscriptions/{id}"));
    assert_eq!(told, [(&id(OTHER), &json!("/subscriptions")), (&id(hidden), &json!("/subscriptions"))]);
    assert_eq!(below(azure.tenant()).await.body["value"].as_array().unwrap().len(), 3);
    assert_eq!(below("none").await.code(), "NotFound");
    let seen = json!({ "query": "resources | project name", "managementGroups": ["mg-b"] });
    assert_eq!(ask(&azure, seen).await.body["totalRecords"], 1, "of the hidden one there is no row");
}

#[tokio::test]
async fn rows_that_the_caller_may_not_read_are_left_out() {
    let azure = seed().signed_in_role("Security Reader").start().await;
    assert_eq!(rows(&azure, "resources").await, Vec::<Value>::new());
    assert_eq!(rows(&azure, "securityresources | where name == 'KeyVaults'").await.len(), 2);
}

#[tokio::test]
async fn pages_follow_the_skip_token_and_an_empty_one_still_leads_on() {
    let azure = seed().empty_pages().start().await;
    let (mut found, mut counts, mut token) = (Vec::new(), Vec::new(), Value::Null);
    loop {
        let mut body = json!({ "query": "resources | project id, name", "options": { "$top": 2 } });
        body["options"]["$skipToken"] = token;
        let answer = ask(&azure, body).await.body;
        assert_eq!((&answer["totalRecords"], &answer["resultTruncated"]), (&json!(4), &json!("false")));
        counts.push(answer["count"].as_u64().unwrap());
        found.extend(answer["data"].as_array().unwrap().clone());
        token = answer["$skipToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!((counts, found.len()), (vec![2, 0, 2], 4));
}

#[tokio::test]
async fn rows_without_an_id_cannot_be_paged_and_are_cut() {
    let azure = seed().start().await;
    let body = json!({ "query": "resources | project name", "options": { "$top": 3 } });
    let answer = ask(&azure, body).await.body;
    assert_eq!((&answer["count"], &answer["resultTruncated"]), (&json!(3), &json!("true")));
    assert_eq!(answer["$skipToken"], Value::Null);
}

#[tokio::test]
async fn a_table_has_columns_and_rows() {
    let azure = seed().start().await;
    let query = "resources | where name == 'arc-1' | project name, n = array_length(properties.agents), tags";
    let answer = ask(&azure, json!({ "query": query, "options": { "resultFormat": "table" } })).await.body;
    assert_eq!(
        answer["data"],
        json!({
            "columns": [
                { "name": "name", "type": "string" },
                { "name": "n", "type": "integer" },
                { "name": "tags", "type": "object" },
            ],
            "rows": [["arc-1", 2, { "cost center": "c1" }]],
        })
    );
}

#[tokio::test]
async fn a_query_that_is_not_understood_is_refused_in_the_services_shape() {
    let azure = seed().start().await;
    let cases = [
        ("resources | where", "ParserFailure"),
        ("resources | where nosuch == 1", "Default"),
        ("resources | where (name == 'a'", "ParserFailure"),
        ("resources | where name == 'open", "ParserFailure"),
    ];
    for (query, expected) in cases {
        let answer = ask(&azure, json!({ "query": query })).await;
        assert_eq!((answer.status, answer.code()), (400, "BadRequest"), "{query}");
        let details = &answer.body["error"]["details"];
        assert_eq!(details[0]["code"], "InvalidQuery", "{query}");
        assert_eq!(details[1]["code"], expected, "{query}: {details}");
    }
    for body in
        [json!({}), json!({ "query": " " }), json!({ "query": "resources", "options": { "$top": 0 } })]
    {
        assert_eq!(ask(&azure, body).await.status, 400);
    }
}

#[tokio::test]
async fn no_rows_are_answered_for_what_the_double_does_not_hold() {
    let azure = seed().start().await;
    for known in [
        "resources | where type =~ 'Microsoft.KeyVault/vaults' and name == 'none'",
        "securityresources | where type in~ ('microsoft.security/pricings', 'microsoft.security/assessments') and name == 'none'",
        "securityresources | where type != 'microsoft.security/regulatorycompliancestandards' and name == 'none'",
        "securityresources | where type has 'attackpaths' and name == 'none'",
    ] {
        assert_eq!(rows(&azure, known).await, Vec::<Value>::new(), "{known}");
    }
    for unknown in [
        "policyresources | take 1",
        "nosuchtable | take 1",
        "securityresources | where type =~ 'microsoft.security/iotalerts'",
        "securityresources | where type in~ ('microsoft.security/pricings', 'microsoft.security/softwareinventories')",
        "resources | where tolower(type) startswith 'microsoft.web/'",
        "resources | where type contains 'sql'",
        "resources | wher name",
        "resources | join (resources) on id",
        "resources | extend a = hash(name)",
    ] {
        let answer = ask(&azure, json!({ "query": unknown })).await;
        assert_eq!((answer.status, answer.code()), (501, "MockNotImplemented"), "{unknown}");
    }
    for body in [
        json!({ "query": "resources", "options": { "authorizationScopeFilter": "AtScopeExact" } }),
        json!({ "query": "resources", "options": { "$skipTake": 1 } }),
        json!({ "query": "resources", "facets": [{ "expression": "type" }] }),
    ] {
        assert_eq!(ask(&azure, body.clone()).await.status, 501, "{body}");
    }
    assert_eq!(azure.unknown_requests().len(), 12);
}

#[tokio::test]
async fn a_quote_in_a_value_is_a_value_when_it_is_escaped() {
    let azure = seed().start().await;
    let query = r"resources | where name == 'x\' or name != \'' | project name";
    assert_eq!(rows(&azure, query).await, Vec::<Value>::new());
}

#[tokio::test]
async fn the_quota_in_every_response_is_kept() {
    let azure = seed().graph_quota(2, Duration::from_secs(60)).start().await;
    let query = json!({ "query": "resources | count" });
    let left: Vec<String> = [
        ask(&azure, query.clone()).await.header("x-ms-user-quota-remaining").to_owned(),
        ask(&azure, query.clone()).await.header("x-ms-user-quota-remaining").to_owned(),
    ]
    .into();
    assert_eq!(left, ["1", "0"]);
    let refused = ask(&azure, query).await;
    assert_eq!((refused.status, refused.code()), (429, "RateLimiting"));
    assert_eq!(refused.header("x-ms-user-quota-resets-after"), "00:01:00");
    assert_eq!(refused.header("retry-after"), "60");
}
