//! Listing 10,000 alerts over TLS.

use std::process::Command;

use azure_core::Bytes;
use defender_alerts::{Alert, AlertsClient, EntityKind};
use futures::TryStreamExt as _;
use serde::Deserialize;

use crate::{
    process::{Serving, again, cpu, peak},
    server::{PAGES, SUBSCRIPTION, Server},
    table::{Bench, Row, Section},
    transport::{Local, arm, bare},
};

pub(crate) const BENCH: Bench = Bench { name: "list-alerts", measure };
const ROUNDS: usize = 11;
const WAYS: [&str; 4] = ["two fields", "list", "everything", "value"];

fn measure() -> Section {
    let serving = Serving::start();
    let mut seen = WAYS.map(|_| (f64::INFINITY, 0.0_f64));
    for _ in 0..ROUNDS {
        for (way, seen) in WAYS.iter().zip(&mut seen) {
            let (cpu, memory) = figures(&mut again(&["read", way, &serving.address]));
            *seen = (seen.0.min(cpu), seen.1.max(memory));
        }
    }
    let [floor, list, everything, value] = seen;
    Section {
        bench: BENCH.name,
        title: "Listing 10,000 alerts over TLS",
        about: "100 pages of 100 alerts, 3.35 KB each, from another process; each way of reading runs in a process of its own. \
                The floor is bare reqwest that borrows two fields of each alert."
            .to_owned(),
        rows: vec![
            Row::ratio("processor time: `AlertsClient::list`", floor.0, list.0, "ms").at_most(1.5, "×"),
            Row::ratio("the same, and every part of every alert read", floor.0, everything.0, "ms")
                .at_most(2.5, "×"),
            Row::ratio("bare reqwest and `serde_json::Value`", floor.0, value.0, "ms"),
            Row::alone("most memory: `AlertsClient::list`", list.1, "MiB").at_most(15.0, "MiB"),
            Row::alone("most memory: the floor", floor.1, "MiB"),
        ],
    }
}

/// What [`read`] printed: milliseconds and MiB.
fn figures(command: &mut Command) -> (f64, f64) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (cpu, memory) = text.trim().split_once(' ').unwrap();
    (cpu.parse().unwrap(), memory.parse().unwrap())
}

/// Reads all alerts in one way, and prints milliseconds of processor time and the peak of memory in MiB.
pub(crate) fn read(way: &str, address: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let before = runtime.block_on(async {
        let reader = Reader::new(&Server::parse(address));
        // The first page costs what only happens once in a process.
        match way {
            "two fields" | "value" => drop(reader.page(&reader.first).await),
            _ => drop(reader.alerts.list(&SUBSCRIPTION.parse().unwrap()).try_next().await.unwrap()),
        }
        let before = cpu();
        let count = match way {
            "two fields" => reader.two_fields().await,
            "value" => reader.value().await,
            "list" => reader.count(|alert| !alert.id.as_str().is_empty()).await,
            "everything" => reader.count(read_all).await,
            other => panic!("no way named {other}"),
        };
        assert_eq!(count, PAGES * 100);
        before
    });
    println!("{} {}", cpu() - before, peak());
}

struct Reader {
    bare: reqwest::Client,
    endpoint: String,
    first: String,
    alerts: AlertsClient,
}

impl Reader {
    fn new(server: &Server) -> Self {
        let endpoint = server.endpoint.clone();
        let client = || bare([server.certificate.clone()]);
        let local = Local { client: client(), server: endpoint.parse().unwrap() };
        let first = format!(
            "{endpoint}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Security/alerts?api-version=2022-01-01"
        );
        Self { bare: client(), endpoint, first, alerts: AlertsClient::new(&arm(local)) }
    }

    async fn page(&self, url: &str) -> Bytes {
        self.bare.get(url).send().await.unwrap().bytes().await.unwrap()
    }

    fn next(&self, link: Option<&str>) -> Option<String> {
        Some(link?.replace("https://management.azure.com", &self.endpoint))
    }

    /// The floor.
    async fn two_fields(&self) -> usize {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow)]
            value: Vec<Item<'a>>,
            next_link: Option<&'a str>,
        }
        #[derive(Deserialize)]
        struct Item<'a> {
            id: &'a str,
            #[serde(borrow)]
            properties: Properties<'a>,
        }
        #[derive(Deserialize)]
        struct Properties<'a> {
            severity: &'a str,
        }
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: Page<'_> = serde_json::from_slice(&body).unwrap();
            let whole = |item: &&Item<'_>| !item.id.is_empty() && !item.properties.severity.is_empty();
            count += page.value.iter().filter(whole).count();
            next = self.next(page.next_link);
        }
        count
    }

    /// What comes to mind first.
    async fn value(&self) -> usize {
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let items = page["value"].as_array().unwrap();
            count += items.iter().filter(|item| item["properties"]["severity"].is_string()).count();
            next = self.next(page["nextLink"].as_str());
        }
        count
    }

    async fn count(&self, whole: fn(&Alert) -> bool) -> usize {
        let alerts = self.alerts.list(&SUBSCRIPTION.parse().unwrap());
        let add = |count, alert: Alert| async move { Ok(count + usize::from(whole(&alert))) };
        alerts.try_fold(0, add).await.unwrap()
    }
}

fn read_all(alert: &Alert) -> bool {
    let entities = alert.entities().unwrap();
    let known = entities.iter().all(|entity| !matches!(entity.kind, EntityKind::Other(_)));
    known
        && !alert.resource_identifiers().unwrap().is_empty()
        && !alert.remediation_steps().unwrap().is_empty()
        && !alert.extended_links().unwrap().is_empty()
        && !alert.extended_properties().unwrap().is_empty()
        && !alert.techniques().unwrap().is_empty()
        && !alert.sub_techniques().unwrap().is_empty()
        && alert.supporting_evidence().unwrap().is_some()
}
