//! Queries of logs and of Resource Graph.

use azure_core::http::Method::Post;
use serde_json::json;

use crate::{ARM, Case, all_unknown, seed, send, workspace_of};

const TABLES: &[&str] = &[
    "Heartbeat",
    "SecurityEvent",
    "SigninLogs",
    "AuditLogs",
    "AzureActivity",
    "AzureMetrics",
    "StorageBlobLogs",
    "AzureDiagnostic",
    "azurediagnostics",
    "union isfuzzy=true (AzureDiagnostics), (Usage)",
    "SecurityIncident",
];

const OPERATORS: &[&str] = &[
    "join kind=inner (b) on a",
    "lookup b on a",
    "mv-expand a",
    "mv-apply a on (take 1)",
    "make-series count() on a step 1d",
    "parse a with b",
    "parse-kv a as (b:string)",
    "evaluate bag_unpack(a)",
    "project-reorder a",
    "project-keep a",
    "top-nested 2 of a by count()",
    "sample 5",
    "render timechart",
    "serialize",
    "invented a",
    "where a hasprefix 'b'",
    "where a has_any_index ('b')",
];

const FUNCTIONS: &[&str] = &[
    "geo_distance_2points(1, 2, 3, 4)",
    "hash('a')",
    "format_datetime(now(), 'yyyy')",
    "parse_url('https://a')",
    "ipv4_is_private('10.0.0.1')",
    "replace_string('a', 'b', 'c')",
    "indexof('a', 'b')",
    "bag_keys(dynamic({}))",
    "todecimal(1)",
    "datetime_diff('day', now(), now())",
    "row_number()",
    "invented('a')",
];

#[tokio::test]
async fn a_table_operator_or_function_of_logs() {
    let azure = seed().start().await;
    let url = format!("https://api.loganalytics.io/v1/workspaces/{}/query", workspace_of(&azure).await);
    let ask = |query: String| Case { method: Post, url: url.clone(), body: json!({ "query": query }) };
    let tables = TABLES.iter().map(|table| ask(format!("{table} | take 1"))).collect();
    all_unknown(&azure, "table of logs", tables).await;
    let with = |step: &str| ask(format!("datatable(a:string)['b'] | {step}"));
    let operators = OPERATORS.iter().map(|operator| with(operator)).collect();
    all_unknown(&azure, "operator of logs", operators).await;
    let functions = FUNCTIONS.iter().map(|function| with(&format!("extend x = {function}"))).collect();
    all_unknown(&azure, "function of logs", functions).await;
}

#[tokio::test]
async fn a_query_in_a_batch_makes_the_batch_unknown() {
    let azure = seed().start().await;
    let id = workspace_of(&azure).await;
    let url = "https://api.loganalytics.io/v1/$batch";
    azure.clear_requests();
    let one = |id: &str, query: &str, workspace: &str| json!({ "id": id, "method": "POST", "path": "/query", "workspace": workspace, "body": { "query": query } });
    let body = json!({ "requests": [one("1", "print 1", &id), one("2", "Heartbeat", &id)] });
    assert_eq!(send(&azure, Post, url, body).await.status, 501);
    assert_eq!(azure.unknown_requests().len(), 1);
}

#[tokio::test]
async fn a_table_type_operator_or_function_of_resource_graph() {
    let azure = seed().start().await;
    let url = format!("{ARM}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01");
    let ask = |query: String| Case { method: Post, url: url.clone(), body: json!({ "query": query }) };
    let tables = [
        "policyresources",
        "advisorresources",
        "healthresources",
        "patchassessmentresources",
        "RecoveryServicesResources",
        "networkresources",
        "servicehealthresources",
        "resourcechanges",
        "alertsmanagementresources",
        "computeresources",
        "nosuchtable",
    ];
    let cases = tables.iter().map(|table| ask(format!("{table} | take 1"))).collect();
    all_unknown(&azure, "table of Resource Graph", cases).await;
    let types = [
        "securityresources | where type == 'microsoft.security/iotalerts'",
        "securityresources | where type =~ 'Microsoft.Security/SoftwareInventories'",
        "securityresources | where type in~ ('microsoft.security/pricings', 'microsoft.security/iotalerts')",
        "securityresources | where type has 'governance'",
        "resources | where type == 'microsoft.network/virtualnetworks'",
        "resources | where type startswith 'microsoft.web/'",
        "resources | where type endswith '/managedclusters'",
        "resources | where type contains 'storagesync'",
        "where type == 'microsoft.sql/servers' | count",
        "resources | where tolower(type) == 'microsoft.cache/redisenterprise'",
        "let wanted = dynamic([\"microsoft.web/serverfarms\"]); resources | where type in (wanted)",
        "resources | summarize countif(type == 'microsoft.documentdb/mongoclusters')",
        "resources | where type matches regex 'x' or 'microsoft.purview/accounts' =~ type",
    ];
    let cases = types.iter().map(|query| ask((*query).to_owned())).collect();
    all_unknown(&azure, "type of Resource Graph", cases).await;
    let operators =
        OPERATORS.iter().map(|step| ask(format!("resources | extend a = name | {step}"))).collect();
    all_unknown(&azure, "operator of Resource Graph", operators).await;
    let functions = FUNCTIONS.iter().map(|call| ask(format!("resources | extend x = {call}"))).collect();
    all_unknown(&azure, "function of Resource Graph", functions).await;
}
