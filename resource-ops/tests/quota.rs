//! The quota of Resource Graph, with the waits written down instead of waited: a binary of its own, since a process has one
//! runtime of azure_core.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

#[path = "double/support/mod.rs"]
mod support;

use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll},
};

use azure_core::async_runtime::{AbortableTask, AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure};
use resource_ops::{
    GraphScope, ResourceGraphClient,
    query::{GraphQuery, Table},
};
use serde_json::Value;

/// Keeps how long each wait would have been.
struct Waits(Arc<Mutex<Vec<f64>>>);

impl AsyncRuntime for Waits {
    fn spawn(&self, task: TaskFuture) -> SpawnedTask {
        Box::pin(Spawned(tokio::spawn(task)))
    }

    fn sleep(&self, duration: azure_core::time::Duration) -> TaskFuture {
        self.0.lock().unwrap().push(duration.as_seconds_f64());
        Box::pin(tokio::task::yield_now())
    }

    fn yield_now(&self) -> TaskFuture {
        Box::pin(tokio::task::yield_now())
    }
}

struct Spawned(tokio::task::JoinHandle<()>);

impl Future for Spawned {
    type Output = Result<(), Box<dyn std::error::Error + Send>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|done| done.map_err(|error| Box::new(error) as _))
    }
}

impl AbortableTask for Spawned {
    fn abort(&self) {
        self.0.abort();
    }
}

#[tokio::test]
async fn a_query_waits_for_a_new_quota_when_the_last_answer_left_none() {
    let waits: Arc<Mutex<Vec<f64>>> = Arc::default();
    set_async_runtime(Arc::new(Waits(waits.clone()))).unwrap();
    let azure = MockAzure::seed().start().await;
    let graph = ResourceGraphClient::new(&support::arm(&azure));
    let query = GraphQuery::table(Table::ResourceContainers);
    let ask = async || {
        graph.clone().rows::<Value>(&query, GraphScope::Tenant).try_collect::<Vec<_>>().await.unwrap()
    };

    ask().await;
    assert!(waits.lock().unwrap().is_empty());
    let used_up = Fault::header("x-ms-user-quota-remaining", "0")
        .with_header("x-ms-user-quota-resets-after", "00:00:04");
    azure.inject(used_up);
    ask().await;
    assert!(waits.lock().unwrap().is_empty(), "the answer itself is not held back");
    ask().await;
    let waited = waits.lock().unwrap().clone();
    assert_eq!(waited.len(), 1);
    assert!((3.0..=4.0).contains(&waited[0]), "{waited:?}");

    let absurd = Fault::header("x-ms-user-quota-remaining", "0")
        .with_header("x-ms-user-quota-resets-after", "99:00:00");
    azure.inject(absurd);
    ask().await;
    ask().await;
    assert!(waits.lock().unwrap().last().unwrap() <= &60.0, "a wait is capped");
}
