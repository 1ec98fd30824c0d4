//! Prints every query that the lab and the crates' tasks send, one JSON object per line.
//!
//! `cargo run -p lab-examples --example queries` (offline). `tests/kusto-truth` checks them with Microsoft's parser.

use std::{collections::BTreeMap, error::Error};

use arm_core::ArmClient;
use defender_alerts::{AlertsClient, AttackPathsClient, SecretFindingsClient};
use futures::TryStreamExt as _;
use lab_examples::{
    Lab,
    cli::Options,
    screen::Screen,
    tasks::{self, PARTS},
};
use mock_azure::MockAzure;
use monitor_ops::{LogsClient, QueryRule, SentinelClient, Timespan, VaultOperationName, WorkspaceId};
use resource_ops::query::{GraphQuery, Order, Table, all_of, any_of, coalesce, column, not};
use serde_json::{Value, json};
use time::macros::datetime;

const WORKSPACE: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers\
                         /Microsoft.OperationalInsights/workspaces/law-sec";

#[tokio::main]
#[expect(clippy::print_stdout, reason = "this is what it is for")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut queries = BTreeMap::new();
    let arm = sent(&mut queries).await?;
    for (place, query) in built(&arm)? {
        let on = if place.starts_with("graph") { "graph" } else { "logs" };
        queries.entry((on, query)).or_insert(place);
    }
    for ((on, query), place) in queries {
        println!("{}", json!({ "where": place, "on": on, "query": query }));
    }
    Ok(())
}

/// The queries by table language and text, with the place where each was first seen.
type Queries = BTreeMap<(&'static str, String), String>;

/// Collects the queries that the lab sends, and those of tasks that it does not use.
async fn sent(queries: &mut Queries) -> Result<ArmClient, Box<dyn Error>> {
    let lab = Lab::with_screen(Options::default(), Screen::silent())
        .await
        .map_err(|problems| format!("{problems:?}"))?;
    let parts: Vec<&'static tasks::Part> = PARTS.iter().collect();
    if !lab.run(&parts).await {
        return Err("the lab did not succeed".into());
    }
    let (arm, subscription) = (&lab.azure.arm, &lab.azure.subscription);
    let alerts = AlertsClient::new(arm);
    let _: Vec<_> = alerts.list_across(subscription).try_collect().await?;
    let _: Vec<_> = alerts.list_key_vault_across(subscription).try_collect().await?;
    let _: Vec<_> = AttackPathsClient::new(arm).list(subscription).try_collect().await?;
    SecretFindingsClient::new(arm).find(subscription).await?;

    // The lab has no Sentinel, and its workspace has been deleted by now.
    let beside = MockAzure::seed().workspace(subscription, "rg", "law-sec").sentinel(WORKSPACE).start().await;
    let there = ArmClient::new(beside.credential(), Some(beside.client_options().into()))?;
    SentinelClient::new(&there).install_vault_rules(&WORKSPACE.parse()?).await?;

    let double = lab.azure.double.as_ref().ok_or("the lab did not run on the double")?;
    for request in double.requests().into_iter().chain(beside.requests()) {
        let on = if request.path.contains("Microsoft.ResourceGraph") { "graph" } else { "logs" };
        let mut texts = Vec::new();
        collect(&request.body, &mut texts);
        texts.extend(request.query.iter().filter(|(name, _)| name == "query").map(|(_, text)| text.clone()));
        for text in texts {
            queries.entry((on, text)).or_insert_with(|| format!("{} {}", request.method, request.path));
        }
    }
    Ok(arm.clone())
}

/// Collects every query in a body, at any depth: of logs, of rules, of batches.
fn collect(body: &Value, found: &mut Vec<String>) {
    match body {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str().filter(|_| name == "query") {
                    Some(text) => found.push(text.to_owned()),
                    None => collect(value, found),
                }
            }
        }
        Value::Array(all) => all.iter().for_each(|one| collect(one, found)),
        _ => {}
    }
}

/// Builds queries in every way that the crates offer, with values that would break out of the query if they could.
fn built(arm: &ArmClient) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let workspace: WorkspaceId = WORKSPACE.parse()?;
    let mut all = Vec::new();
    for rule in [
        QueryRule::refused_requests(&workspace, "westeurope", 5),
        QueryRule::mass_secret_reading(&workspace, "westeurope", 10),
    ] {
        let texts = rule.properties.criteria.all_of.iter().map(|condition| condition.query.clone());
        all.extend(texts.map(|text| ("logs: rules".to_owned(), text)));
    }
    let evidence = LogsClient::new(arm).evidence(&workspace);
    all.push(("logs: evidence".to_owned(), evidence.query()));
    let narrow = evidence
        .vault(&WORKSPACE.replace("OperationalInsights/workspaces", "KeyVault/vaults").parse()?)
        .caller("00000000-0000-0000-0000-0000000000b1")
        .caller(HOSTILE)
        .caller_ip("203.0.113.7")
        .operations([VaultOperationName::SecretGet, VaultOperationName::SecretList])
        .timespan(Timespan::Between(
            datetime!(2026-03-01 12:00 UTC),
            datetime!(2026-03-01 13:00:00.123456789 UTC),
        ))
        .limit(5);
    all.push(("logs: evidence, narrowed".to_owned(), narrow.query()));
    all.extend(graph().into_iter().map(|query| ("graph: built".to_owned(), query.to_string())));
    Ok(all)
}

const HOSTILE: &str = "o'brien \"\\ \n\r\t | project secret // \u{2028}";

fn graph() -> Vec<GraphQuery> {
    let tables = [
        Table::Resources,
        Table::ResourceContainers,
        Table::SecurityResources,
        Table::AuthorizationResources,
        Table::AdvisorResources,
        Table::AlertsManagementResources,
        Table::PolicyResources,
        Table::HealthResources,
        Table::ResourceChanges,
    ];
    let mut all: Vec<GraphQuery> = tables.into_iter().map(GraphQuery::table).collect();
    let (name, text) = (|| column("name"), || column("properties.a.b").to_text());
    for condition in [
        name().equals(HOSTILE),
        name().differs_from(HOSTILE),
        name().equals_ignore_case(HOSTILE),
        name().contains(HOSTILE),
        name().has("x"),
        name().starts_with(HOSTILE),
        name().ends_with(HOSTILE),
        name().is_any_of(["a", HOSTILE]),
        name().has_any(["a", "b"]),
        name().is_empty(),
        name().is_not_empty(),
        column("tags").key(HOSTILE).equals("42"),
        column("tags").key("cost center").to_text().to_lower().equals("x"),
        column("properties.days").at_least(7),
        column("properties.days").less_than(90),
        column("properties.on").equals(true),
        text().parse_json().key("k").to_text().equals("v"),
        coalesce([text(), name()]).equals("x"),
        all_of([name().has("a"), any_of([text().is_empty(), not(name().equals("b"))])]),
    ] {
        all.push(GraphQuery::table(Table::Resources).filter(condition));
    }
    all.push(
        GraphQuery::table(Table::Resources)
            .of_type("microsoft.keyvault/vaults")
            .extend("retention", column("properties.softDeleteRetentionInDays"))
            .order_by(name(), Order::Descending)
            .take(10)
            .project(["name", "retention"]),
    );
    all.push(GraphQuery::table(Table::Resources).count_by(["type", "location"]));
    all.push(GraphQuery::table(Table::Resources).count_by([]));
    all.push(GraphQuery::table(Table::Resources).extend("order", name()).project(["name", "order"]));
    all
}
