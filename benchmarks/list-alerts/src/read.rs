//! Reads a long list of alerts in one of several ways, and prints their number, the milliseconds of processor time
//! since the start of the process, and its peak memory in MiB.
//!
//! `read-alerts WAY SUBSCRIPTION ENDPOINT`, where the way is `raw`, `hyper`, `hyper-64k`, `two-fields`, `list`,
//! `everything` or `value`
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)] // a failed measurement panics

use std::sync::Arc;

use azure_core::Bytes;
use defender_alerts::{Alert, AlertsClient, EntityKind};
use futures::TryStreamExt as _;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, client::conn::http1};
use hyper_util::rt::TokioIo;
use list_alerts_bare::{BareAlert, BarePage};
use tokio::{io::BufReader, net::TcpStream};
use tokio_rustls::TlsConnector;

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
            "hyper" => reader.hyper(1 << 13).await,
            "hyper-64k" => reader.hyper(1 << 16).await,
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
            next = link(&self.page(&url).await);
            count += 100;
        }
        count
    }

    /// The transport without reqwest: one connection of hyper's, whose TLS is given so many bytes at a time.
    async fn hyper(&self, buffer: usize) -> usize {
        let host = self.first.split('/').nth(2).unwrap();
        let socket = TcpStream::connect(host).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let name = host.split(':').next().unwrap().to_owned().try_into().unwrap();
        let tls = TlsConnector::from(Arc::new(list_alerts_bare::tls()));
        let secured = tls.connect(name, BufReader::with_capacity(buffer, socket)).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(secured)).await.unwrap();
        tokio::spawn(connection);
        let (mut count, mut next) = (0, Some(self.first.clone()));
        while let Some(url) = next {
            let request = Request::get(url).header("host", host).body(Empty::<Bytes>::new()).unwrap();
            let body = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
            next = link(&body.to_bytes());
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

/// The link to the next page, with which each page begins.
fn link(page: &[u8]) -> Option<String> {
    let begin = std::str::from_utf8(&page[..page.len().min(500)]).unwrap();
    begin.split_once("\"nextLink\":\"").map(|(_, link)| link.split('"').next().unwrap().to_owned())
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
