//! The plans of many subscriptions at once.

use std::time::{Duration, Instant};

use arm_core::{Cloud, Fleet, SubscriptionId};
use async_trait::async_trait;
use azure_core::{
    Bytes, Result,
    http::{AsyncRawResponse, Context, HttpClient, Method, Request, headers::Headers},
};
use defender_pricing::{Pricing, PricingClient};
use futures::{StreamExt as _, TryStreamExt as _};
use list_alerts::cpu;
use serde::Deserialize;
use serde_json::json;

use crate::{
    runs::rounds,
    table::{Bench, Row, Section},
    transport::{arm, pipeline},
};

pub(crate) const BENCH: Bench = Bench { name: "fleet", measure };
const SUBSCRIPTIONS: u32 = 200;
const AT_ONCE: u32 = 32;
const AWAY: Duration = Duration::from_millis(50);
const ROUNDS: usize = 11;

fn measure() -> Section {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subscriptions: Vec<SubscriptionId> =
        (1..=SUBSCRIPTIONS).map(|n| format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()).collect();
    let body = body();
    let ideal = (AWAY * SUBSCRIPTIONS.div_ceil(AT_ONCE)).as_secs_f64() * 1e3;
    // Elapsed time and processor time, in milliseconds.
    let once = |work: &dyn Fn() -> usize| {
        let (since, used) = (Instant::now(), cpu());
        assert_eq!(work(), SUBSCRIPTIONS as usize * 16);
        [since.elapsed().as_secs_f64() * 1e3, cpu() - used]
    };
    let floor = || once(&|| runtime.block_on(bare(&subscriptions, &body)));
    let ours = || once(&|| runtime.block_on(with_the_crates(&subscriptions, &body)));
    let azure = || once(&|| runtime.block_on(through_azure_core(&subscriptions, &body)));
    let [[_, floor], [_, azure], [time, ours]] = rounds(ROUNDS, [&floor, &azure, &ours]);
    Section {
        title: "A fleet of subscriptions",
        about: "The 16 plans of each of 200 subscriptions, each response after 50 ms, 32 at a time. The ideal is 7 waits; the floor of \
                processor time is a bare loop that waits and decodes the same."
            .to_owned(),
        rows: vec![
            Row::ratio("time, beside the ideal", &ideal.into(), &time, "ms").at_most(1.15, "×"),
            Row::ratio("processor time", &floor, &ours, "ms").at_most(1.15, "×"),
            Row::ratio("of that, the loop with each request through `azure_core`'s own pipeline", &floor, &azure, "ms"),
        ],
    }
}

fn body() -> Bytes {
    let plan = |n: u32| {
        json!({
            "id": format!("/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/P{n}"),
            "name": format!("P{n}"),
            "type": "Microsoft.Security/pricings",
            "properties": {
                "pricingTier": "Standard", "subPlan": "P2", "freeTrialRemainingTime": "PT0S", "enforce": "False",
                "enablementTime": "2026-03-01T12:42:42.1921106Z", "resourcesCoverageStatus": "FullyCovered",
                "extensions": [{ "name": "AgentlessVmScanning", "isEnabled": "True",
                                 "additionalExtensionProperties": { "ExclusionTags": "[]" } }],
            },
        })
    };
    let plans: Vec<_> = (0..16).map(plan).collect();
    Bytes::from(json!({ "value": plans }).to_string())
}

/// Answers after 50 ms, without a socket.
#[derive(Debug)]
struct FarAway(Bytes);

#[async_trait]
impl HttpClient for FarAway {
    async fn execute_request(&self, _: &Request) -> Result<AsyncRawResponse> {
        tokio::time::sleep(AWAY).await;
        Ok(AsyncRawResponse::from_bytes(200.into(), Headers::new(), self.0.clone()))
    }
}

async fn with_the_crates(subscriptions: &[SubscriptionId], body: &Bytes) -> usize {
    let pricing = PricingClient::new(&arm(FarAway(body.clone()), Cloud::Public));
    let outcomes = Fleet::new(subscriptions.to_vec()).concurrency(AT_ONCE as usize).run(|subscription| {
        let pricing = pricing.clone();
        async move { pricing.list(&subscription).try_collect::<Vec<Pricing>>().await }
    });
    outcomes.map(|outcome| outcome.result.unwrap().len()).fold(0, |sum, n| async move { sum + n }).await
}

/// A page of plans.
#[derive(Deserialize)]
struct Plans {
    value: Vec<Pricing>,
}

fn decoded(body: &[u8]) -> usize {
    arm_core::wire::from_str::<Plans>(std::str::from_utf8(body).unwrap()).unwrap().value.len()
}

async fn through_azure_core(subscriptions: &[SubscriptionId], body: &Bytes) -> usize {
    let pipeline = &pipeline(FarAway(body.clone()));
    futures::stream::iter(subscriptions)
        .map(|subscription| async move {
            let path = format!("{}/providers/Microsoft.Security/pricings", subscription.to_path());
            let url = format!("https://management.azure.com{path}?api-version=2024-01-01").parse().unwrap();
            let mut request = Request::new(url, Method::Get);
            let response = pipeline.send(&Context::new(), &mut request, None).await.unwrap();
            decoded(response.body())
        })
        .buffer_unordered(AT_ONCE as usize)
        .fold(0, |sum, n| async move { sum + n })
        .await
}

async fn bare(subscriptions: &[SubscriptionId], body: &Bytes) -> usize {
    futures::stream::iter(subscriptions)
        .map(|_| async {
            tokio::time::sleep(AWAY).await;
            decoded(body)
        })
        .buffer_unordered(AT_ONCE as usize)
        .fold(0, |sum, n| async move { sum + n })
        .await
}
