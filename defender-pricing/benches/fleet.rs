//! The plans of 200 subscriptions, each answer 50 ms away, 32 at a time: how close to the ideal, and what it costs in CPU over
//! a bare loop that fetches and decodes the same.
//!
//! `cargo bench -p defender-pricing --bench fleet`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // prints its figures

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arm_core::{ArmClient, ArmOptions, Fleet, SubscriptionId};
use async_trait::async_trait;
use azure_core::{
    Bytes,
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{AsyncRawResponse, ClientOptions, HttpClient, Request, Transport, headers::Headers},
    time::OffsetDateTime,
};
use defender_pricing::{Pricing, PricingClient};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde_json::json;

const SUBSCRIPTIONS: u32 = 200;
const AT_ONCE: u32 = 32;
const AWAY: Duration = Duration::from_millis(50);

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
    async fn execute_request(&self, _: &Request) -> azure_core::Result<AsyncRawResponse> {
        tokio::time::sleep(AWAY).await;
        Ok(AsyncRawResponse::from_bytes(200.into(), Headers::new(), self.0.clone()))
    }
}

#[derive(Debug)]
struct Fixed;

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("token", OffsetDateTime::now_utc() + azure_core::time::Duration::hours(1)))
    }
}

/// Nanoseconds of CPU that this thread has used.
fn cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or_default()
}

async fn with_the_crates(subscriptions: &[SubscriptionId], body: &Bytes) -> usize {
    let transport = Transport::new(Arc::new(FarAway(body.clone())));
    let client = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
    let arm = ArmClient::new(Arc::new(Fixed), ArmOptions::from(client)).unwrap();
    let pricing = PricingClient::new(&arm);
    let outcomes = Fleet::new(subscriptions.to_vec()).concurrency(AT_ONCE as usize).run(|subscription| {
        let pricing = pricing.clone();
        async move { pricing.list(&subscription).try_collect::<Vec<Pricing>>().await }
    });
    outcomes.map(|outcome| outcome.result.unwrap().len()).fold(0, |sum, n| async move { sum + n }).await
}

/// The floor: the same waits, and the same bodies decoded to the same type, with nothing around.
async fn bare(subscriptions: &[SubscriptionId], body: &Bytes) -> usize {
    #[derive(Deserialize)]
    struct List {
        value: Vec<Pricing>,
    }
    futures::stream::iter(subscriptions)
        .map(|_| async {
            tokio::time::sleep(AWAY).await;
            serde_json::from_slice::<List>(body).unwrap().value.len()
        })
        .buffer_unordered(AT_ONCE as usize)
        .fold(0, |sum, n| async move { sum + n })
        .await
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let subscriptions: Vec<SubscriptionId> =
        (1..=SUBSCRIPTIONS).map(|n| format!("00000000-0000-0000-0000-{n:012}").parse().unwrap()).collect();
    let body = body();
    let ideal = AWAY * SUBSCRIPTIONS.div_ceil(AT_ONCE);
    let measured = |work: &dyn Fn() -> usize| {
        let mut runs: Vec<(Duration, u64)> = (0..7)
            .map(|_| {
                let (since, used) = (Instant::now(), cpu());
                assert_eq!(work(), SUBSCRIPTIONS as usize * 16);
                (since.elapsed(), cpu() - used)
            })
            .collect();
        runs.sort_unstable();
        runs[runs.len() / 2]
    };
    let floor = measured(&|| runtime.block_on(bare(&subscriptions, &body)));
    let ours = measured(&|| runtime.block_on(with_the_crates(&subscriptions, &body)));
    let ratio = |a: f64, b: f64| a / b;
    println!("ideal wall   {ideal:?}");
    println!("wall         {:?}  = {:.2} x ideal", ours.0, ratio(ours.0.as_secs_f64(), ideal.as_secs_f64()));
    println!("CPU, floor   {:.1} ms", floor.1 as f64 / 1e6);
    println!(
        "CPU          {:.1} ms  = {:.2} x floor",
        ours.1 as f64 / 1e6,
        ratio(ours.1 as f64, floor.1 as f64)
    );
}
