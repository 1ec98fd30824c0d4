//! What the double does not know is 501 in its own name and stands in `unknown_requests()`: never an
//! answer in Azure's words, which tools take for truth, and never an empty one.
#![allow(clippy::unwrap_used, reason = "tests")]

mod queries;
#[path = "../support/mod.rs"]
mod support;

use azure_core::http::Method::{self, Delete, Get, Patch, Post, Put};
use mock_azure::MockAzure;
use serde_json::{Value, json};
use support::{SUB, send};

const ARM: &str = "https://management.azure.com";
const GRAPH: &str = "https://graph.microsoft.com/v1.0";
const VAULT: &str = "https://kv-prod.vault.azure.net";
const SOMEONE: &str = "00000000-0000-0000-0000-0000000000d1";

struct Case {
    method: Method,
    url: String,
    body: Value,
}

fn seed() -> mock_azure::Seed {
    MockAzure::seed()
        .workspace(SUB, "rg-sec", "law-sec")
        .vault(SUB, "rg-sec", "kv-prod")
        .vault_role("kv-prod", "Key Vault Administrator")
        .secret("kv-prod", "db", "REDACTED")
        .virtual_machine(SUB, "rg-sec", "vm-one")
}

fn subscription(rest: &str) -> String {
    format!("{ARM}/subscriptions/{SUB}{rest}")
}

fn group(rest: &str) -> String {
    subscription(&format!("/resourceGroups/rg-sec{rest}"))
}

/// A path below a provider of the subscription, or of the group when it names a resource of one.
fn provider(rest: &str) -> String {
    subscription(&format!("/providers/{rest}"))
}

fn case(method: Method, url: String) -> Case {
    Case { method, url, body: json!({ "properties": {} }) }
}

fn reads(urls: impl IntoIterator<Item = String>) -> Vec<Case> {
    urls.into_iter().map(|url| Case { method: Get, url, body: Value::Null }).collect()
}

async fn workspace_of(azure: &MockAzure) -> String {
    let path = group("/providers/Microsoft.OperationalInsights/workspaces/law-sec?api-version=2023-09-01");
    let found = send(azure, Get, &path, Value::Null).await;
    found.body["properties"]["customerId"].as_str().unwrap().to_owned()
}

/// Every case is 501 in the double's name, says what is not known, and is kept as it was sent.
async fn all_unknown(azure: &MockAzure, kind: &str, cases: Vec<Case>) {
    assert!(cases.len() > 10, "{kind}: {} cases", cases.len());
    for Case { method, url, body } in cases {
        azure.clear_requests();
        let answer = send(azure, method, &url, body.clone()).await;
        let line = format!("{kind}: {method} {url} {body}");
        assert_eq!((answer.status, answer.code()), (501, "MockNotImplemented"), "{line}: {}", answer.body);
        assert!(answer.message().starts_with("mock-azure does not know "), "{line}: {}", answer.message());
        let unknown = azure.unknown_requests();
        assert_eq!(unknown.len(), 1, "{line}");
        assert_eq!((unknown[0].method.as_str(), &unknown[0].body), (method.as_str(), &body), "{line}");
        assert_eq!(azure.requests().len(), 1, "{line}");
    }
}

#[tokio::test]
async fn an_api_version_that_azure_may_have() {
    let azure = seed().start().await;
    let arm = [
        ("Microsoft.Security/pricings", "2017-08-01-preview"),
        ("Microsoft.Security/pricings", "2026-07-01"),
        ("Microsoft.Security/alerts", "2015-06-01-preview"),
        ("Microsoft.Security/automations", "2024-07-01"),
        ("Microsoft.KeyVault/vaults", "2015-06-01"),
        ("Microsoft.KeyVault/vaults", "2018-02-14-preview"),
        ("Microsoft.KeyVault/deletedVaults", "2016-10-01-preview"),
        ("Microsoft.Compute/virtualMachines", "2014-12-01-test.1"),
        ("Microsoft.OperationalInsights/workspaces", "2015-03-20"),
        ("Microsoft.Insights/actionGroups", "2017-04-01"),
        ("Microsoft.Authorization/roleAssignments", "2014-10-01-preview"),
    ];
    let mut cases = reads(arm.map(|(kind, version)| provider(&format!("{kind}?api-version={version}"))));
    cases.extend(reads([
        subscription("?api-version=2012-04-01"),
        subscription("/resourceGroups?api-version=2013-03-01"),
        group("/providers/Microsoft.KeyVault/vaults/kv-prod?api-version=2015-06-01"),
        format!("{VAULT}/secrets?api-version=7.9"),
        format!("{VAULT}/secrets/db?api-version=2027-01-01-preview"),
    ]));
    all_unknown(&azure, "api-version", cases).await;
}

#[tokio::test]
async fn a_namespace_that_may_exist() {
    let azure = seed().start().await;
    let names = [
        "Microsoft.Network",
        "Microsoft.StorageSync",
        "Microsoft.Web",
        "Microsoft.Sql",
        "Microsoft.DBforPostgreSQL",
        "Microsoft.ContainerRegistry",
        "Microsoft.PolicyInsights",
        "Microsoft.Advisor",
        "microsoft.network",
        "Contoso.Nothing",
        "Astronomer.Astro",
    ];
    let mut cases = reads(names.map(|name| provider(&format!("{name}?api-version=2021-04-01"))));
    cases.extend(names.map(|name| case(Post, provider(&format!("{name}/register?api-version=2021-04-01")))));
    all_unknown(&azure, "namespace", cases).await;
}

#[tokio::test]
async fn a_resource_type() {
    let azure = seed().start().await;
    let mut cases = reads(
        [
            "Microsoft.Network/virtualNetworks",
            "Microsoft.Web/sites",
            "Microsoft.Security/topologies",
            "Microsoft.Security/apiCollections",
            "Microsoft.Security/governanceRules",
            "Microsoft.Authorization/policyDefinitions",
            "Microsoft.Authorization/roleManagementPolicies",
            "Microsoft.Insights/components",
            "Microsoft.KeyVault/hsmPools",
            "Microsoft.Compute/disks",
        ]
        .map(|kind| provider(&format!("{kind}?api-version=2022-01-01"))),
    );
    cases.extend(reads([
        group("/providers/Microsoft.StorageSync/storageSyncServices/sync?api-version=2022-06-01"),
        group(
            "/providers/Microsoft.KeyVault/vaults/kv-prod/privateEndpointConnections?api-version=2023-07-01",
        ),
        group("/providers/Microsoft.Compute/virtualMachines/vm-one/extensions?api-version=2024-07-01"),
        subscription("/tagNames?api-version=2021-04-01"),
        format!("{ARM}/providers/Microsoft.Management/managementGroups?api-version=2021-04-01"),
        format!("{GRAPH}/applications"),
        format!("{VAULT}/storage?api-version=7.5"),
        format!("{VAULT}/storage/account?api-version=7.5"),
    ]));
    cases.push(case(Put, group("/providers/Microsoft.Logic/workflows/respond?api-version=2019-05-01")));
    all_unknown(&azure, "resource type", cases).await;
}

#[tokio::test]
async fn a_filter() {
    let azure = seed().start().await;
    let lists = [
        ("/resources?api-version=2021-04-01", "name eq 'a' or name eq 'b'"),
        ("/resources?api-version=2021-04-01", "substringof('kv', name)"),
        ("/resources?api-version=2021-04-01", "plan eq 'x'"),
        ("/resources?api-version=2021-04-01", "name eq kv-prod"),
        ("/resourceGroups?api-version=2021-04-01", "name eq 'rg-sec'"),
        ("/resourceGroups?api-version=2021-04-01", "tagName eq 'a'"),
        ("/resourceGroups?api-version=2021-04-01", "tagName eq 'a' and tagValue eq 'b' or true"),
        (
            "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01",
            "principalType eq 'User'",
        ),
        (
            "/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01",
            "principalId eq 'a' or atScope()",
        ),
        ("/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01", "assignedTo('a"),
        (
            "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01",
            "startswith(roleName,'Key')",
        ),
        ("/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01", "type eq 'Anything'"),
        ("/providers/Microsoft.Security/pricings?api-version=2024-01-01", "tier eq 'Free'"),
        ("/providers/Microsoft.Security/alerts?api-version=2022-01-01", "status eq 'Active'"),
        ("/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01", "'x' eq 'y'"),
    ];
    let escaped = |filter: &str| filter.replace(' ', "%20");
    let mut cases =
        reads(lists.map(|(list, filter)| subscription(&format!("{list}&$filter={}", escaped(filter)))));
    cases.extend(reads(
        ["startswith(displayName,'Lab')", "displayName eq 'a' and id eq 'b'", "accountEnabled eq true"]
            .map(|filter| format!("{GRAPH}/users?$filter={}", escaped(filter))),
    ));
    all_unknown(&azure, "filter", cases).await;
}

#[tokio::test]
async fn what_to_expand() {
    let azure = seed().start().await;
    let mut cases = reads(
        [
            "/resources?api-version=2021-04-01&$expand=createdTime",
            "/resources?api-version=2021-04-01&$expand=provisioningState,changedTime",
            "/resources?api-version=2021-04-01&$expand=",
            "/resourceGroups?api-version=2021-04-01&$expand=createdTime",
            "/providers/Microsoft.Security?api-version=2021-04-01&$expand=metadata",
            "/providers/Microsoft.Security?api-version=2021-04-01&$expand=resourceTypes/aliases",
            "/providers/Microsoft.Security/assessments?api-version=2021-06-01&$expand=everything",
            "/providers/Microsoft.Security/assessments?api-version=2021-06-01&$expand=links,risks",
            "/providers/Microsoft.Security/secureScoreControls?api-version=2020-01-01&$expand=definitions",
            "/providers/Microsoft.Security/pricings?api-version=2024-01-01&$expand=extensions",
            "/providers/Microsoft.Compute/virtualMachines?api-version=2024-07-01&$expand=userData",
            "/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01&$expand=properties",
        ]
        .map(subscription),
    );
    cases.extend(reads([
        group("/providers/Microsoft.Compute/virtualMachines/vm-one?api-version=2024-07-01&$expand=userData"),
        format!("{GRAPH}/users?$expand=manager"),
        format!("{GRAPH}/me?$expand=manager"),
    ]));
    all_unknown(&azure, "$expand", cases).await;
}

#[tokio::test]
async fn a_query_option() {
    let azure = seed().start().await;
    let mut cases = reads(
        [
            "/resources?api-version=2021-04-01&$select=id",
            "/resources?api-version=2021-04-01&$orderby=name",
            "/resources?api-version=2021-04-01&$skip=1",
            "/resources?api-version=2021-04-01&$top=none",
            "/resources?api-version=2021-04-01&$top=0",
            "/resourceGroups?api-version=2021-04-01&$top=-1",
            "/resourceGroups?api-version=2021-04-01&$count=true",
            "/providers/Microsoft.Security/alerts?api-version=2022-01-01&$top=1",
            "/providers/Microsoft.Security/alerts?api-version=2022-01-01&$select=id",
            "/providers/Microsoft.Security/pricings?api-version=2024-01-01&$top=1",
            "/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-04-01&$top=1",
            "/providers/Microsoft.Insights/actionGroups?api-version=2022-06-01&$top=1",
            "/providers/Microsoft.KeyVault/vaults?api-version=2023-07-01&$Select=id",
            "?api-version=2022-12-01&$select=displayName",
        ]
        .map(subscription),
    );
    cases.extend(reads([
        format!("{GRAPH}/users?$select=id"),
        format!("{GRAPH}/me?$select=id"),
        format!("{GRAPH}/groups?$search=%22displayName:a%22"),
        format!("{VAULT}/secrets?api-version=7.5&$filter=enabled"),
    ]));
    all_unknown(&azure, "query option", cases).await;
}

#[tokio::test]
async fn a_role() {
    let azure = seed().user(SOMEONE, "someone@contoso.example").start().await;
    let roles = provider("Microsoft.Authorization/roleDefinitions");
    let ids = [
        "00000000-0000-0000-0000-0000000000ee",
        "0b555d9b-b4a7-4f43-b330-627f0e5be8f1",
        "12345678-1234-1234-1234-123456789012",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ];
    let names =
        ["Chaos%20Studio%20Reader", "AzureML%20Compute%20Operator", "Grafana%20Admin", "My%20Role", "Ownr"];
    let mut cases = reads(ids.map(|id| format!("{roles}/{id}?api-version=2022-04-01")));
    cases.extend(reads(
        names.map(|name| format!("{roles}?api-version=2022-04-01&$filter=roleName%20eq%20'{name}'")),
    ));
    let conditional = "8b54135c-b56d-4d72-a534-26097cfdc8d8";
    for id in ids.iter().chain(&[conditional]) {
        let name = "00000000-0000-0000-0000-000000000001";
        let definition =
            format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{id}");
        cases.push(Case {
            method: Put,
            url: provider(&format!("Microsoft.Authorization/roleAssignments/{name}?api-version=2022-04-01")),
            body: json!({ "properties": { "roleDefinitionId": definition, "principalId": SOMEONE } }),
        });
    }
    cases.push(case(Put, format!("{roles}/{}?api-version=2022-04-01", ids[0])));
    all_unknown(&azure, "role", cases).await;
}

#[tokio::test]
async fn a_method_on_a_path_that_is_known() {
    let azure = seed().start().await;
    let security = |rest: &str| provider(&format!("Microsoft.Security/{rest}"));
    let cases = vec![
        case(Post, subscription("?api-version=2022-12-01")),
        case(Delete, subscription("?api-version=2022-12-01")),
        case(Post, subscription("/resources?api-version=2021-04-01")),
        case(Post, group("?api-version=2021-04-01")),
        case(Patch, security("pricings/KeyVaults?api-version=2024-01-01")),
        case(Post, security("pricings/KeyVaults?api-version=2024-01-01")),
        case(Put, security("secureScores/ascScore?api-version=2020-01-01")),
        case(Delete, security("secureScores/ascScore?api-version=2020-01-01")),
        case(Put, security("alerts?api-version=2022-01-01")),
        case(Delete, security("securityContacts?api-version=2023-12-01-preview")),
        case(Patch, provider("Microsoft.Authorization/roleDefinitions?api-version=2022-04-01")),
        case(Post, group("/providers/Microsoft.KeyVault/vaults/kv-prod?api-version=2023-07-01")),
        case(Put, group("/providers/Microsoft.Compute/virtualMachines/vm-one?api-version=2024-07-01")),
        case(
            Post,
            group("/providers/Microsoft.OperationalInsights/workspaces/law-sec?api-version=2023-09-01"),
        ),
        case(Post, format!("{VAULT}/secrets/db?api-version=7.5")),
        case(Put, format!("{VAULT}/secrets?api-version=7.5")),
        case(Delete, format!("{VAULT}/secrets/db/versions?api-version=7.5")),
    ];
    all_unknown(&azure, "method", cases).await;
}

#[tokio::test]
async fn a_value_of_a_kind_that_azure_adds_to() {
    let azure = seed()
        .sentinel(&group("/providers/Microsoft.OperationalInsights/workspaces/law-sec").replace(ARM, ""))
        .start()
        .await;
    let security = |rest: &str| provider(&format!("Microsoft.Security/{rest}"));
    let sentinel = |rest: &str| {
        group(&format!(
            "/providers/Microsoft.OperationalInsights/workspaces/law-sec/providers/Microsoft.SecurityInsights/{rest}?api-version=2025-09-01"
        ))
    };
    let put = |url: String, body: Value| Case { method: Put, url, body };
    let plan = |name: &str, properties: Value| {
        put(security(&format!("pricings/{name}?api-version=2024-01-01")), json!({ "properties": properties }))
    };
    let simulate = |properties: Value| Case {
        method: Post,
        url: security("locations/westeurope/alerts/default/simulate?api-version=2022-01-01"),
        body: json!({ "properties": properties }),
    };
    let cases = vec![
        plan("Discovery", json!({ "pricingTier": "Standard" })),
        plan("KeyVaults", json!({ "pricingTier": "Standard", "subPlan": "PerSecret" })),
        plan(
            "CloudPosture",
            json!({ "pricingTier": "Standard", "extensions": [{ "name": "NewOne", "isEnabled": "True" }] }),
        ),
        simulate(json!({ "kind": "Bundles", "bundles": ["KeyVaults", "Keys"] })),
        simulate(json!({ "kind": "Single", "bundles": ["KeyVaults"] })),
        put(sentinel("alertRules/a"), json!({ "kind": "NRT", "properties": {} })),
        put(sentinel("alertRules/a"), json!({ "kind": "ThreatIntelligence", "properties": {} })),
        put(sentinel("dataConnectors/a"), json!({ "kind": "Dynamics365", "properties": {} })),
        put(
            group("/providers/Microsoft.OperationalInsights/workspaces/law-two?api-version=2023-09-01"),
            json!({ "location": "westeurope", "properties": { "sku": { "name": "Gold" } } }),
        ),
        put(
            group("/providers/Microsoft.Security/automations/a?api-version=2023-12-01-preview"),
            json!({ "location": "westeurope", "properties": {
                "scopes": [{ "scopePath": format!("/subscriptions/{SUB}") }],
                "sources": [{ "eventSource": "AttackPathsOfTomorrow" }],
                "actions": [{ "actionType": "Workspace", "workspaceResourceId": "x" }],
            } }),
        ),
        put(
            group("/providers/Microsoft.Security/automations/a?api-version=2023-12-01-preview"),
            json!({ "location": "westeurope", "properties": {
                "scopes": [{ "scopePath": format!("/subscriptions/{SUB}") }],
                "sources": [{ "eventSource": "Alerts" }],
                "actions": [{ "actionType": "Webhook" }],
            } }),
        ),
        put(
            group("/providers/Microsoft.Insights/scheduledQueryRules/a?api-version=2023-12-01"),
            json!({ "location": "westeurope", "kind": "SimpleLogAlert", "properties": {
                "scopes": [format!("/subscriptions/{SUB}")],
            } }),
        ),
    ];
    all_unknown(&azure, "value", cases).await;
}

/// In process a request for a host that is none of Azure's is never sent.
#[tokio::test]
async fn a_host() {
    let azure = seed().start().await;
    let hosts = [
        "keys.file.core.windows.net",
        "keys.table.core.windows.net",
        "registry.azurecr.io",
        "config.azconfig.io",
        "site.scm.azurewebsites.net",
        "api.applicationinsights.io",
        "api.securitycenter.windows.com",
        "hsm.managedhsm.azure.net",
        "dev.azure.com",
        "management.azure.com.attacker.example",
        "kv-prod.vault.azure.net.attacker.example",
    ];
    let options = azure_core::http::ClientOptions {
        retry: azure_core::http::RetryOptions::none(),
        ..azure.client_options()
    };
    let pipeline = azure_core::http::Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    for host in hosts {
        let url = format!("https://{host}/a?b=c").parse().unwrap();
        let mut request = azure_core::http::Request::new(url, Get);
        let sent = pipeline.send(&azure_core::http::Context::default(), &mut request, None).await;
        assert!(sent.is_err(), "{host}");
        assert_eq!(azure.foreign_requests().last().unwrap().host, host);
    }
    assert_eq!(azure.foreign_requests().len(), hosts.len());
    assert!(azure.requests().is_empty());
}

/// What surely no Azure has is refused in its words, and is no unknown request.
#[tokio::test]
async fn what_azure_is_known_to_refuse_is_refused() {
    let azure = seed().start().await;
    let version = |version: &str| provider(&format!("Microsoft.Security/pricings?api-version={version}"));
    for (url, status, code) in [
        (subscription("/resourceGroups"), 400, "MissingApiVersionParameter"),
        (version("latest"), 400, "InvalidResourceType"),
        (version("2024-13-01"), 400, "InvalidResourceType"),
        (version("2024-01-01preview"), 400, "InvalidResourceType"),
        (version("1999-01-01"), 400, "InvalidResourceType"),
        (version("2999-01-01"), 400, "InvalidResourceType"),
        (subscription("?api-version=2999-01-01"), 400, "InvalidApiVersionParameter"),
        (
            group("/providers/Microsoft.KeyVault/vaults/kv-prod?api-version=2999-01-01"),
            400,
            "NoRegisteredProviderFound",
        ),
        (provider("Nothing?api-version=2021-04-01"), 404, "InvalidResourceNamespace"),
        (provider("Microsoft..Web?api-version=2021-04-01"), 404, "InvalidResourceNamespace"),
        (format!("{VAULT}/secrets?api-version=latest"), 400, "BadParameter"),
    ] {
        let answer = send(&azure, Get, &url, Value::Null).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{url}: {}", answer.body);
    }
    assert!(azure.unknown_requests().is_empty());
}
