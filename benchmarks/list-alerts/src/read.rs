//! Reads a long list of alerts in one of several ways, and prints their number, the milliseconds of processor time
//! since the start of the process, and its peak memory in MiB.
//!
//! `read-alerts WAY SUBSCRIPTION ENDPOINT`, where the way is `raw`, `two-fields`, `list`, `everything` or `value`
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a failed measurement panics

use azure_core::Bytes;
use defender_alerts::{Alert, AlertsClient, EntityKind};
use futures::TryStreamExt as _;
use list_alerts_bare::{BareAlert, BarePage};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, subscription, endpoint] = &arguments[..] else {
        panic!("usage: read-alerts WAY SUBSCRIPTION ENDPOINT");
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let reader = Reader {
            bare: list_alerts_bare::bare(),
            first: list_alerts_bare::first_page(endpoint, subscription),
            alerts: AlertsClient::new(&list_alerts::of_double(endpoint).unwrap()),
            subscription: subscription.parse().unwrap(),
        };
        let count = match way.as_str() {
            "raw" => reader.raw().await,
            "two-fields" => reader.two_fields().await,
            "value" => reader.value().await,
            "list" => reader.count(|alert| !alert.id.as_str().is_empty()).await,
            "everything" => reader.count(read_all).await,
            other => panic!("no way named {other}"),
        };
        println!("{count} {} {}", list_alerts::cpu(), list_alerts::peak());
    });
}

struct Reader {
    bare: reqwest::Client,
    first: String,
    alerts: AlertsClient,
    subscription: arm_core::SubscriptionId,
}

impl Reader {
    async fn page(&self, url: &str) -> Bytes {
        self.bare.get(url).send().await.unwrap().bytes().await.unwrap()
    }

    /// The transport: looks only for the link, with which each page begins.
    async fn raw(&self) -> usize {
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let begin = std::str::from_utf8(&body[..body.len().min(500)]).unwrap();
            next = begin
                .split_once("\"nextLink\":\"")
                .map(|(_, link)| link.split('"').next().unwrap().to_owned());
            count += 100;
        }
        count
    }

    /// The floor: decodes two borrowed fields.
    async fn two_fields(&self) -> usize {
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: BarePage<'_> = serde_json::from_slice(&body).unwrap();
            let whole = |item: &&BareAlert<'_>| !item.id.is_empty() && !item.properties.severity.is_empty();
            count += page.value.iter().filter(whole).count();
            next = page.next_link.map(str::to_owned);
        }
        count
    }

    /// The obvious way: decodes `serde_json::Value`.
    async fn value(&self) -> usize {
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let body = self.page(&url).await;
            let page: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let items = page["value"].as_array().unwrap();
            count += items.iter().filter(|item| item["properties"]["severity"].is_string()).count();
            next = page["nextLink"].as_str().map(str::to_owned);
        }
        count
    }

    async fn count(&self, whole: fn(&Alert) -> bool) -> usize {
        let add = |count, alert: Alert| async move { Ok(count + usize::from(whole(&alert))) };
        self.alerts.list(&self.subscription).try_fold(0, add).await.unwrap()
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
