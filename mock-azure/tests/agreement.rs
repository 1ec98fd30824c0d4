//! Replays recorded sessions of the real service on the double, and counts where status and members agree.
//!
//! `RECORDED_SESSIONS=FOLDER cargo test -p mock-azure --test agreement -- --ignored --nocapture`. Each file of the folder is
//! `{"interactions": [{"request": {"method", "url", "body"}, "response": {"status", "body"}}]}`, in the order in which it happened.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the figures are what it is for")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::Path,
    time::Duration,
};

use azure_core::http::Method;
use mock_azure::{MockAzure, Seed};
use regex::Regex;
use serde_json::{Value, json};
use time::macros::datetime;

const CALLER: &str = "00000000-0000-0000-0000-0000000000b1";

struct Exchange {
    method: String,
    url: String,
    asked: Value,
    left_out: bool,
    status: u16,
    answer: Value,
}

/// What one family of requests came to.
#[derive(Default)]
struct Count {
    all: u32,
    unknown: u32,
    same: u32,
    members: usize,
    missing: BTreeMap<String, u32>,
    differ: BTreeMap<String, u32>,
}

fn json_of(value: &Value) -> Value {
    match value.as_str() {
        Some(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        None => value.clone(),
    }
}

/// Names in ids as they are in addresses.
fn ids(value: &mut Value) {
    match value {
        Value::String(text) if text.starts_with("/subscriptions/") => *text = text.replace('_', "-"),
        Value::Array(all) => all.iter_mut().for_each(ids),
        Value::Object(all) => all.values_mut().for_each(ids),
        _ => {}
    }
}

fn session(path: &Path) -> Vec<Exchange> {
    let document: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let exchange = |one: &Value| Exchange {
        method: one["request"]["method"].as_str().unwrap_or_default().to_owned(),
        url: one["request"]["url"].as_str().unwrap_or_default().replace('_', "-"),
        asked: {
            let mut asked = json_of(&one["request"]["body"]);
            ids(&mut asked);
            asked
        },
        left_out: one["request"]["body"] == "mock_body" || one["request"]["body"] == "redacted",
        status: one["response"]["status"]
            .as_u64()
            .and_then(|status| status.try_into().ok())
            .unwrap_or_default(),
        answer: json_of(&one["response"]["body"]),
    };
    document["interactions"].as_array().into_iter().flatten().map(exchange).collect()
}

/// Which family a request belongs to. `None`: it is of another service, or one the double makes up itself, such as a poll.
fn family(url: &str) -> Option<String> {
    let lower = url.to_ascii_lowercase().replace("%2f", "/");
    let path = lower.split_once("://")?.1.split(['?', '#']).next()?.to_owned();
    if path.contains("operationresults") || path.contains("operationstatus") || lower.contains("skiptoken") {
        return None;
    }
    if path.contains(".vault.azure.net/") {
        let collection = path.split('/').nth(1)?.trim_start_matches("deleted").to_owned();
        return Some(format!("vault {collection}"));
    }
    if !path.starts_with("management.azure.com/") {
        return None;
    }
    let Some((_, provider)) = path.rsplit_once("/providers/") else {
        return path.ends_with("/locations").then(|| "locations".to_owned());
    };
    let kind: Vec<&str> = provider.split('/').take(2).collect();
    let known = [
        "microsoft.security",
        "microsoft.insights",
        "microsoft.securityinsights",
        "microsoft.authorization",
        "microsoft.keyvault",
        "microsoft.resources",
        "microsoft.operationalinsights",
    ];
    known.contains(&kind[0]).then(|| kind.join("/"))
}

/// What was there before the recording began.
fn prepared(exchanges: &[Exchange]) -> Seed {
    let scope = Regex::new(r"(?i)/subscriptions/([0-9a-f-]{36})(?:/resourcegroups/([^/?]+))?").unwrap();
    let vault = Regex::new(r"(?i)https://([0-9a-z-]+)\.vault\.azure\.net/").unwrap();
    let resource =
        Regex::new(r"(?i)/resourcegroups/([^/]+)/providers/microsoft\.keyvault/vaults/([^/?]+)").unwrap();
    let (mut subscriptions, mut groups, mut vaults, mut made) =
        (Vec::new(), BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    for exchange in exchanges {
        let url = exchange.url.replace("%2F", "/");
        let written = exchange.method == "PUT" && exchange.status < 300;
        if let Some(found) = scope.captures(&url) {
            let id = found[1].to_ascii_lowercase();
            if !subscriptions.contains(&id) {
                subscriptions.push(id.clone());
            }
            if let Some(group) = found.get(2) {
                let key = format!("{id}/{}", group.as_str().to_ascii_lowercase());
                if written && url.split('?').next().unwrap().ends_with(group.as_str()) {
                    made.insert(key.clone());
                }
                groups.entry(key).or_insert_with(|| (id, group.as_str().to_owned()));
            }
        }
        if let Some(found) = resource.captures(&url) {
            let name = found[2].to_ascii_lowercase();
            let is_itself = url.split('?').next().unwrap().to_ascii_lowercase().ends_with(&name);
            let recovers = exchange.asked["properties"]["createMode"] == "recover";
            // The first that is heard of it is that it is made.
            if written && is_itself && !recovers && !vaults.contains_key(&name) {
                made.insert(name.clone());
            }
            if exchange.status < 400 {
                vaults.entry(name).or_insert_with(|| found[1].to_owned());
            }
        } else if let Some(found) = vault.captures(&url) {
            vaults.entry(found[1].to_ascii_lowercase()).or_insert_with(|| "prepared".to_owned());
        }
    }
    if subscriptions.is_empty() {
        subscriptions.push("00000000-0000-0000-0000-000000000000".to_owned());
    }
    let of_others = Regex::new(
        r"(?i)(/subscriptions/[^/]+/resourcegroups/[^/]+/providers/([^/]+/[^/]+)/([^/]+))/providers/microsoft\.(?:resources/tags|security/adv|authorization)",
    )
    .unwrap();
    let mut seed = MockAzure::seed().starts_at(datetime!(2026-03-01 12:00 UTC)).secret_settling(0);
    seed = seed.subscriptions(&subscriptions);
    for (key, (id, group)) in groups {
        if !made.contains(&key) {
            seed = seed.resource_group(id, &group, "westus");
        }
    }
    for exchange in exchanges {
        let url = exchange.url.replace("%2F", "/");
        if let Some(found) = of_others
            .captures(&url)
            .filter(|found| !found[2].eq_ignore_ascii_case("Microsoft.KeyVault/vaults"))
        {
            let resource =
                json!({ "id": &found[1], "name": &found[3], "type": &found[2], "location": "westus" });
            seed = seed.resource(resource);
        }
    }
    for (name, group) in vaults {
        if !made.contains(&name) {
            seed = seed.vault(&subscriptions[0], &group, &name).vault_role(&name, "Key Vault Administrator");
            let in_hardware = |exchange: &Exchange| {
                exchange.url.contains(&format!("://{name}.")) && exchange.asked.to_string().contains("-HSM\"")
            };
            if exchanges.iter().any(|exchange| exchange.status < 300 && in_hardware(exchange)) {
                seed = seed.vault_property(&name, "sku", json!({ "family": "A", "name": "premium" }));
            }
        }
    }
    seed
}

/// Sentinel in the workspace of a request, which was turned on before, or by a solution that is not here.
async fn onboard(azure: &MockAzure, url: &str, done: &mut BTreeSet<String>) {
    let Some((workspace, rest)) = url.split_once("/providers/Microsoft.SecurityInsights/") else { return };
    if !done.insert(workspace.to_ascii_lowercase()) {
        return;
    }
    let at = format!("{workspace}?api-version=2023-09-01");
    if support::send(azure, Method::Get, &at, Value::Null).await.status == 404 {
        let body = json!({ "location": "westeurope", "properties": {} });
        support::send(azure, Method::Put, &at, body).await;
    }
    if !rest.starts_with("onboardingStates") {
        let state = format!(
            "{workspace}/providers/Microsoft.SecurityInsights/onboardingStates/default?api-version=2024-03-01"
        );
        support::send(azure, Method::Put, &state, json!({ "properties": {} })).await;
    }
}

/// Ids that the service made up, and the double's in their place.
fn learn(theirs: &Value, ours: &Value, known: &mut HashMap<String, String>, id: &Regex) {
    match (theirs, ours) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                if let Some(other) = b.get(name) {
                    learn(value, other, known, id);
                }
            }
        }
        (Value::Array(a), Value::Array(b)) => a.iter().zip(b).for_each(|(a, b)| learn(a, b, known, id)),
        (Value::String(a), Value::String(b)) => {
            let pairs = id.find_iter(a).zip(id.find_iter(b));
            for (a, b) in pairs.filter(|(a, b)| a.as_str() != b.as_str() && !a.as_str().starts_with("0000")) {
                known.entry(a.as_str().to_owned()).or_insert_with(|| b.as_str().to_owned());
            }
        }
        _ => {}
    }
}

/// The names of all members. What is data and not schema is left out.
fn members(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    const DATA: &[&str] = &[
        "tags",
        "customDetails",
        "parameters",
        "extendedProperties",
        "userAssignedIdentities",
        "securityData",
    ];
    match value {
        Value::Object(all) => {
            for (name, value) in all {
                let path = format!("{at}/{name}");
                into.insert(path.clone());
                if !DATA.contains(&name.as_str()) {
                    members(value, &path, into);
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| members(one, &format!("{at}[]"), into)),
        _ => {}
    }
}

/// What the recordings do not hold, in its place: private halves and backups are `AAAA..` there.
#[derive(Default)]
struct StandIns {
    /// The last backup, by collection.
    backups: HashMap<String, Value>,
}

impl StandIns {
    fn put_into(&self, url: &str, body: &mut Value) {
        let is_blank =
            |value: &Value| value.as_str().is_some_and(|text| text.bytes().all(|byte| byte == b'A'));
        let (collection, verb) = collection_and_verb(url);
        if verb == "restore" && is_blank(&body["value"]) {
            body["value"] = self.backups.get(&collection).cloned().unwrap_or_default();
        } else if verb == "import" && is_blank(&body["value"]) {
            let key = rcgen::KeyPair::generate().unwrap();
            let mut params = rcgen::CertificateParams::new(["contoso.example".to_owned()]).unwrap();
            params.not_before = datetime!(2026-01-01 0:00 UTC);
            params.not_after = datetime!(2027-01-01 0:00 UTC);
            let whole = key.serialize_pem() + &params.self_signed(&key).unwrap().pem();
            body["value"] = json!(whole);
        } else if let Some(private) = body["key"]["d"].as_str().filter(|_| is_blank(&body["key"]["d"])) {
            // The smallest one there is.
            let smallest = format!("{}E", &private[1..]);
            body["key"]["d"] = json!(smallest);
        }
    }

    fn remember(&mut self, url: &str, answer: &Value) {
        let (collection, verb) = collection_and_verb(url);
        if verb == "backup" && answer["value"].is_string() {
            self.backups.insert(collection, answer["value"].clone());
        }
    }
}

/// The first and the last word of a path in a vault.
fn collection_and_verb(url: &str) -> (String, &str) {
    let path = url.split('?').next().unwrap();
    (path.split('/').nth(3).unwrap_or_default().to_owned(), path.rsplit('/').next().unwrap())
}

async fn replay(exchanges: &[Exchange], counts: &mut BTreeMap<String, Count>) {
    let id =
        Regex::new(r"(?i)\b(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})\b")
            .unwrap();
    let azure = prepared(exchanges).start().await;
    let mut onboarded = BTreeSet::new();
    let mut known = HashMap::new();
    let mut stand_ins = StandIns::default();
    for (index, exchange) in exchanges.iter().enumerate() {
        let next = exchanges.get(index + 1);
        let is_poll = exchange.method == "GET"
            && next
                .is_some_and(|next| next.method == "GET" && next.url == exchange.url && next.status != 401);
        // A challenge, all but the last of the same reads, and a body that the recorder left out.
        if exchange.status == 401 || is_poll || exchange.left_out {
            continue;
        }
        azure.advance(Duration::from_secs(60));
        let renamed = |text: &str| {
            known.iter().fold(text.to_owned(), |text, (from, to): (&String, &String)| text.replace(from, to))
        };
        let (url, mut body) = (renamed(&exchange.url), Value::Null);
        if !exchange.asked.is_null() {
            body = serde_json::from_str(&renamed(&exchange.asked.to_string())).unwrap();
        }
        // Once it could be left out; today each vault has it.
        if body["properties"]["enableSoftDelete"] == false {
            body["properties"]["enableSoftDelete"] = json!(true);
        }
        if body["properties"]["accessPolicies"].is_array() {
            let all = json!({ "keys": ["all"], "secrets": ["all"], "certificates": ["all"] });
            let policy =
                json!({ "tenantId": mock_azure::DEFAULT_TENANT, "objectId": CALLER, "permissions": all });
            body["properties"]["accessPolicies"] = json!([policy]);
            body["properties"]["tenantId"] = json!(mock_azure::DEFAULT_TENANT);
        }
        stand_ins.put_into(&url, &mut body);
        let method: Method = match exchange.method.as_str() {
            "GET" => Method::Get,
            "PUT" => Method::Put,
            "POST" => Method::Post,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => continue,
        };
        let group = url.to_ascii_lowercase().contains("/resourcegroups/");
        let family = family(&url);
        if family.is_none() && !(group && matches!(exchange.method.as_str(), "PUT" | "DELETE")) {
            continue;
        }
        onboard(&azure, &url, &mut onboarded).await;
        let got = support::try_send(&azure, method, &url, body).await;
        let Some(family) = family else { continue };
        let Ok(got) = got else {
            let count: &mut Count = counts.entry(family).or_default();
            count.all += 1;
            *count
                .differ
                .entry(format!("{} -> no such host {}", exchange.status, exchange.url))
                .or_default() += 1;
            continue;
        };
        learn(&exchange.answer, &got.body, &mut known, &id);
        stand_ins.remember(&url, &got.body);
        let count = counts.entry(family).or_default();
        count.all += 1;
        if got.status == 501 {
            count.unknown += 1;
            *count.differ.entry(format!("501 {} {}", exchange.method, got.message())).or_default() += 1;
            continue;
        }
        if got.status == exchange.status {
            count.same += 1;
        } else {
            let line = format!(
                "{} -> {} {} {} {} {}",
                exchange.status,
                got.status,
                got.code(),
                exchange.method,
                exchange.url.split_once("?").map_or("", |(path, _)| path),
                got.message()
            );
            *count.differ.entry(line).or_default() += 1;
        }
        if got.status < 300 && exchange.status < 300 {
            let (mut theirs, mut ours) = (BTreeSet::new(), BTreeSet::new());
            members(&exchange.answer, "", &mut theirs);
            members(&got.body, "", &mut ours);
            count.members += theirs.len();
            for path in theirs.difference(&ours) {
                *count.missing.entry(path.clone()).or_default() += 1;
            }
        }
    }
}

#[tokio::test]
#[ignore = "needs a folder of recorded sessions in RECORDED_SESSIONS"]
async fn the_double_answers_as_it_was_recorded() {
    let folder = std::env::var("RECORDED_SESSIONS").unwrap();
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    assert!(!files.is_empty());
    let mut counts = BTreeMap::new();
    for file in &files {
        replay(&session(file), &mut counts).await;
    }
    let (mut answered, mut same) = (0, 0);
    for (family, count) in &counts {
        let missing: u32 = count.missing.values().sum();
        println!(
            "{family:55} {:4} recorded, {:3} not known, {:4} of {:4} with the same status, {missing} of {} members missing",
            count.all,
            count.unknown,
            count.same,
            count.all - count.unknown,
            count.members
        );
        answered += count.all - count.unknown;
        same += count.same;
        for (line, times) in count.differ.iter().chain(&count.missing) {
            println!("      {times} {}", line.chars().take(400).collect::<String>());
        }
    }
    println!("{} sessions: {same} of {answered} answers with the recorded status", files.len());
    assert!(same * 10 >= answered * 8, "{same} of {answered}");
}
