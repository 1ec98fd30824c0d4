//! The same seed, the same time and the same requests: the same answers, byte for byte.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    thread::{self, JoinHandle},
    time::Duration,
};

use azure_core::http::{
    ClientOptions, Context, Method, Pipeline, PipelineSendOptions, Request, RetryOptions, Url,
};
use mock_azure::{DEFAULT_TENANT, MockAzure, ScriptOutput};
use serde_json::{Value, json};
use time::macros::datetime;

use crate::support::SUB;

const REQUESTS: usize = 5_000;

/// Random choices from a seed, by splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % sides as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

const GROUP: &str = "/subscriptions/{S}/resourceGroups/{g}";
const SECURITY: &str = "/subscriptions/{S}/providers/Microsoft.Security";

/// Path and api-version of every kind of resource that the double keeps or computes.
fn places() -> Vec<(String, &'static str, Value)> {
    let law = format!("{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law");
    let sentinel = format!("{law}/providers/Microsoft.SecurityInsights");
    let vault = format!("{GROUP}/providers/Microsoft.KeyVault/vaults/{{v}}");
    let machine = format!("{GROUP}/providers/Microsoft.Compute/virtualMachines/vm");
    let rule = "acdd72a7-3385-48ef-bd42-f606fba81ae7";
    let named = |start: &str, kind: &str| format!("{start}/{kind}/{{n}}");
    let on_vaults = json!({ "location": "westeurope", "properties": {
        "tenantId": DEFAULT_TENANT, "sku": { "family": "A", "name": "standard" }, "accessPolicies": [],
        "enableRbacAuthorization": true, "softDeleteRetentionInDays": 7,
    } });
    let assigns = json!({ "properties": {
        "roleDefinitionId": format!("/subscriptions/{SUB}/providers/Microsoft.Authorization/roleDefinitions/{rule}"),
        "principalId": "00000000-0000-0000-0000-0000000000d1", "principalType": "User",
    } });
    let tagged = json!({ "location": "westeurope", "tags": { "a": "b" }, "properties": {} });
    let logs = json!({ "properties": {
        "workspaceId": law.replace("{g}", "rg"), "logs": [{ "categoryGroup": "audit", "enabled": true }],
    } });
    let receivers = json!({ "location": "Global", "properties": {
        "groupShortName": "short", "enabled": true, "emailReceivers": [{ "name": "a", "emailAddress": "a@b.example" }],
    } });
    let queried = json!({ "location": "westeurope", "properties": {
        "severity": 2, "enabled": true, "scopes": [law.replace("{g}", "rg")], "evaluationFrequency": "PT5M",
        "windowSize": "PT5M", "criteria": { "allOf": [{ "query": "AzureDiagnostics", "timeAggregation": "Count",
            "operator": "GreaterThan", "threshold": 0 }] },
    } });
    let suppresses = json!({ "properties": { "alertType": "*", "reason": "Noise", "state": "Enabled" } });
    let contact = json!({ "properties": { "emails": "a@b.example", "isEnabled": true, "notificationsSources": [],
        "notificationsByRole": { "roles": ["Owner"], "state": "On" } } });
    let plan = json!({ "properties": { "pricingTier": "Standard" } });
    let script = json!({ "location": "westeurope", "commandId": "RunShellScript", "script": ["true"],
        "properties": { "source": { "script": "true" } } });
    let automation = json!({ "location": "westeurope", "properties": { "isEnabled": true,
        "scopes": [{ "scopePath": format!("/subscriptions/{SUB}") }],
        "sources": [{ "eventSource": "Alerts", "ruleSets": [] }],
        "actions": [{ "actionType": "LogicApp", "logicAppResourceId": machine.replace("{g}", "rg"), "uri": "https://a.example/x" }] } });
    let rows = |query: &str| json!({ "query": query, "subscriptions": [SUB] });
    let none = Value::Null;
    vec![
        ("/subscriptions".into(), "2022-12-01", none.clone()),
        ("/subscriptions/{S}".into(), "2022-12-01", none.clone()),
        ("/tenants".into(), "2022-12-01", none.clone()),
        ("/subscriptions/{S}/resources".into(), "2021-04-01", none.clone()),
        ("/subscriptions/{S}/providers/Microsoft.Security".into(), "2021-04-01", none.clone()),
        ("/subscriptions/{S}/providers/Microsoft.Insights/register".into(), "2021-04-01", none.clone()),
        ("/subscriptions/{S}/resourcegroups".into(), "2021-04-01", none.clone()),
        (GROUP.to_lowercase().replace("{s}", "{S}"), "2021-04-01", tagged.clone()),
        (format!("{GROUP}/providers/Microsoft.KeyVault/vaults"), "2023-07-01", none.clone()),
        (vault.clone(), "2023-07-01", on_vaults),
        ("/subscriptions/{S}/providers/Microsoft.KeyVault/deletedVaults".into(), "2023-07-01", none.clone()),
        (
            "/subscriptions/{S}/providers/Microsoft.KeyVault/locations/westeurope/deletedVaults/{v}/purge"
                .into(),
            "2023-07-01",
            none.clone(),
        ),
        (named(&vault, "providers/Microsoft.Insights/diagnosticSettings"), "2021-05-01-preview", logs),
        (format!("{vault}/providers/Microsoft.Security/assessments"), "2021-06-01", none.clone()),
        (
            format!(
                "{GROUP}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000000{{d}}"
            ),
            "2022-04-01",
            assigns,
        ),
        (
            format!("/subscriptions/{{S}}/providers/Microsoft.Authorization/roleDefinitions/{rule}"),
            "2022-04-01",
            none.clone(),
        ),
        (format!("{SECURITY}/pricings/{{p}}"), "2024-01-01", plan),
        (format!("{SECURITY}/alerts"), "2022-01-01", none.clone()),
        (
            format!("{SECURITY}/locations/westeurope/alerts/simulate"),
            "2022-01-01",
            json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } }),
        ),
        (named(SECURITY, "alertsSuppressionRules"), "2019-01-01-preview", suppresses),
        (format!("{SECURITY}/assessmentMetadata"), "2021-06-01", none.clone()),
        (format!("{SECURITY}/subAssessments"), "2019-01-01-preview", none.clone()),
        (format!("{SECURITY}/secureScores"), "2020-01-01", none.clone()),
        (format!("{SECURITY}/securityContacts/default"), "2023-12-01-preview", contact),
        (format!("{SECURITY}/securityStatuses"), "2015-06-01-preview", none.clone()),
        (format!("{GROUP}/providers/Microsoft.Security/automations/{{n}}"), "2023-12-01-preview", automation),
        (machine.clone(), "2024-03-01", json!({ "identity": { "type": "SystemAssigned" } })),
        (format!("{machine}/instanceView"), "2024-03-01", none.clone()),
        (format!("{machine}/runCommand"), "2024-03-01", script.clone()),
        (named(&machine, "runCommands"), "2024-03-01", script),
        (law.clone(), "2025-07-01", tagged.clone()),
        (format!("{sentinel}/onboardingStates/default"), "2025-09-01", json!({ "properties": {} })),
        (
            named(&sentinel, "alertRules"),
            "2025-09-01",
            json!({ "kind": "MicrosoftSecurityIncidentCreation",
            "properties": { "displayName": "a", "enabled": true, "productFilter": "Azure Security Center" } }),
        ),
        (
            named(&sentinel, "incidents"),
            "2025-09-01",
            json!({ "properties": { "title": "a", "severity": "High", "status": "New" } }),
        ),
        (format!("{GROUP}/providers/Microsoft.Insights/actionGroups/{{n}}"), "2023-01-01", receivers),
        (format!("{GROUP}/providers/Microsoft.Insights/scheduledQueryRules/{{n}}"), "2023-12-01", queried),
        (
            "/providers/Microsoft.ResourceGraph/resources".into(),
            "2022-10-01",
            rows("resources | project id, name, type"),
        ),
        (
            "/providers/Microsoft.ResourceGraph/resources".into(),
            "2022-10-01",
            rows("resourcecontainers | summarize count() by type"),
        ),
        ("/providers/Microsoft.ResourceGraph/resources".into(), "2022-10-01", rows("resources | take")),
        (format!("{GROUP}/providers/Microsoft.Network/virtualNetworks/{{n}}"), "2024-05-01", tagged),
        ("/providers/Microsoft.Unknown/things".into(), "2026-01-01", none),
    ]
}

/// Paths below a vault's own host, and bodies for them.
fn on_secrets() -> Vec<(&'static str, Value)> {
    vec![
        ("secrets", Value::Null),
        (
            "secrets/{n}",
            json!({ "value": "hunter2", "tags": { "a": "b" }, "attributes": { "exp": 1_900_000_000 } }),
        ),
        ("secrets/{n}", json!({ "attributes": { "enabled": false } })),
        ("secrets/{n}/versions", Value::Null),
        ("secrets/{n}/backup", json!({})),
        ("deletedsecrets", Value::Null),
        ("deletedsecrets/{n}", Value::Null),
        ("deletedsecrets/{n}/recover", json!({})),
    ]
}

struct Script {
    dice: Dice,
    places: Vec<(String, &'static str, Value)>,
    secrets: Vec<(&'static str, Value)>,
    /// Links that answers gave.
    links: Vec<String>,
}

impl Script {
    fn new(seed: u64) -> Self {
        Self { dice: Dice(seed), places: places(), secrets: on_secrets(), links: Vec::new() }
    }

    fn filled(&mut self, path: &str) -> String {
        let dice = &mut self.dice;
        path.replace("{S}", SUB)
            .replace("{g}", dice.pick(&["rg", "rg", "rg-2", "rg-none"]))
            .replace("{v}", dice.pick(&["kv-clock", "kv-clock", "kv-other"]))
            .replace("{n}", dice.pick(&["one", "two", "three"]))
            .replace("{d}", dice.pick(&["1", "2", "3"]))
            .replace("{p}", dice.pick(&["KeyVaults", "VirtualMachines", "CloudPosture", "Nothing"]))
    }

    /// The next request: a method, a URL and a body.
    fn next(&mut self) -> (Method, String, Value) {
        use Method::{Delete, Get, Head, Patch, Post, Put};
        let method = self.dice.pick(&[Get, Get, Get, Put, Put, Put, Patch, Post, Post, Delete, Head]);
        match self.dice.roll(20) {
            0 | 1 if !self.links.is_empty() => (Get, self.dice.pick(&self.links), Value::Null),
            2..=6 => {
                let (path, body) = self.dice.pick(&self.secrets);
                let path = self.filled(path);
                let vault = self.dice.pick(&["kv-clock", "kv-clock", "kv-clock", "kv-other", "kv-none"]);
                (method, format!("https://{vault}.vault.azure.net/{path}?api-version=7.5"), body)
            }
            7 => {
                let path =
                    self.dice.pick(&["me", "users", "groups", "servicePrincipals", "users/nobody", "things"]);
                (Get, format!("https://graph.microsoft.com/v1.0/{path}"), Value::Null)
            }
            8 => {
                let query = self.dice.pick(&[
                    "AzureDiagnostics | count",
                    "AzureDiagnostics | take 3",
                    "Heartbeat",
                    "| x",
                ]);
                (
                    Post,
                    "https://api.loganalytics.io/v1/workspaces/{law}/query".to_owned(),
                    json!({ "query": query }),
                )
            }
            9 => {
                let path =
                    self.dice.pick(&["v2.0/.well-known/openid-configuration", "oauth2/v2.0/token", "none"]);
                (method, format!("https://login.microsoftonline.com/{DEFAULT_TENANT}/{path}"), Value::Null)
            }
            _ => {
                let (path, version, body) = self.dice.pick(&self.places);
                let method =
                    if path.ends_with("resources") && path.starts_with("/prov") { Post } else { method };
                let path = self.filled(&path);
                let version = if self.dice.roll(40) == 0 { "1999-01-01" } else { version };
                let body = if self.dice.roll(25) == 0 { json!({ "properties": 3 }) } else { body };
                (method, format!("https://management.azure.com{path}?api-version={version}"), body)
            }
        }
    }

    /// Remembers where an answer says to look next.
    fn learn(&mut self, headers: &[(String, String)], body: &[u8]) {
        let linked = headers.iter().filter(|(name, _)| name == "location" || name == "azure-asyncoperation");
        let mut found: Vec<String> = linked.map(|(_, link)| link.clone()).collect();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        found.extend(body["nextLink"].as_str().map(str::to_owned));
        self.links.extend(found);
        let old = self.links.len().saturating_sub(30);
        self.links.drain(..old);
    }
}

async fn started(seed: u64) -> MockAzure {
    let vault =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-clock");
    let machine =
        format!("/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm");
    MockAzure::seed()
        .seed(seed)
        .starts_at(datetime!(2027-02-01 08:00 UTC))
        .page_size(3)
        .empty_pages()
        .role_propagation(1)
        .log_delay(Duration::from_secs(60))
        .vault(SUB, "rg", "kv-clock")
        .vault_role("kv-clock", "Key Vault Administrator")
        .secret_versions("kv-clock", "one", 5)
        .workspace(SUB, "rg", "law")
        .virtual_machine(SUB, "rg", "vm")
        .on_run_command(|script, _| Some(ScriptOutput::printed(script.text)))
        .key_vault_alerts(&vault)
        .alerts(SUB, 20)
        .key_vault_assessments(&vault)
        .exposed_secret(&machine, "database password")
        .attack_path(&machine, &vault, "A machine can read a vault")
        .start()
        .await
}

/// What a double answers to the requests of a seed, and how often each status came.
async fn transcript(of_double: u64, of_requests: u64, count: usize) -> (String, BTreeMap<u16, usize>) {
    let azure = started(of_double).await;
    let options = ClientOptions { retry: RetryOptions::none(), ..azure.client_options() };
    let pipeline = Pipeline::new(None, None, options, Vec::new(), Vec::new(), None);
    let (mut script, mut text, mut statuses) = (Script::new(of_requests), String::new(), BTreeMap::new());
    let mut law = String::new();
    for number in 0..count {
        if script.dice.roll(50) == 0 {
            azure.advance(Duration::from_secs(script.dice.roll(100_000) as u64));
        }
        let (method, url, body) = script.next();
        let url = url.replace("{law}", &law);
        let audience = match () {
            () if url.contains("vault.azure.net") => "https://vault.azure.net/.default",
            () if url.contains("api.loganalytics.io") => "https://api.loganalytics.io/.default",
            () if url.contains("graph.microsoft.com") => "https://graph.microsoft.com/.default",
            () => "https://management.azure.com/.default",
        };
        let mut request = Request::new(Url::parse(&url).unwrap(), method);
        request.insert_header("x-ms-client-request-id", number.to_string());
        if script.dice.roll(60) != 0 {
            let token = azure.credential().get_token(&[audience], None).await.unwrap();
            request.insert_header("authorization", format!("Bearer {}", token.token.secret()));
        }
        if !body.is_null() {
            request.insert_header("content-type", "application/json");
            request.set_body(body.to_string());
        }
        writeln!(text, "{number} {method:?} {url}").unwrap();
        let options = PipelineSendOptions { skip_checks: true, ..Default::default() };
        match pipeline.send(&Context::default(), &mut request, Some(options)).await {
            Ok(answer) => {
                let (status, headers, body) = answer.deconstruct();
                *statuses.entry(u16::from(status)).or_default() += 1;
                let mut headers: Vec<(String, String)> = headers
                    .iter()
                    .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
                    .collect();
                headers.sort();
                if url.contains("/workspaces/law?") {
                    let found: Value = serde_json::from_slice(&body).unwrap_or_default();
                    law = found["properties"]["customerId"].as_str().map_or(law, str::to_owned);
                }
                script.learn(&headers, &body);
                let body = String::from_utf8_lossy(&body);
                writeln!(text, "{} {headers:?}\n{body}", u16::from(status)).unwrap();
            }
            Err(error) => {
                *statuses.entry(0).or_default() += 1;
                writeln!(text, "{error}").unwrap();
            }
        }
    }
    (text, statuses)
}

/// On a thread and in a runtime of its own.
fn elsewhere(of_double: u64, of_requests: u64, count: usize) -> JoinHandle<(String, BTreeMap<u16, usize>)> {
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(transcript(of_double, of_requests, count))
    })
}

#[test]
fn five_thousand_random_requests_have_the_same_answers_twice() {
    let runs = [elsewhere(7, 42, REQUESTS), elsewhere(7, 42, REQUESTS), elsewhere(8, 42, 100)];
    let [(first, statuses), (second, _), (other, _)] = runs.map(|run| run.join().unwrap());
    if let Some(at) = first.lines().zip(second.lines()).position(|(one, other)| one != other) {
        let shown =
            |text: &str| text.lines().skip(at.saturating_sub(2)).take(3).collect::<Vec<_>>().join("\n");
        panic!("they part at line {at}:\n{}\n---\n{}", shown(&first), shown(&second));
    }
    assert_eq!(first.len(), second.len());
    // All kinds of answers are among them, lost connections (0) too.
    for status in [0, 200, 201, 202, 204, 400, 401, 403, 404, 409, 501] {
        assert!(statuses.get(&status).is_some_and(|count| *count >= 5), "{status}: {statuses:?}");
    }
    assert!(!first.starts_with(&other), "another seed makes other ids");
}
