//! Waiting without waiting.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use azure_core::async_runtime::{AbortableTask, AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime};

/// Makes every wait of the SDK (between retries, between polls) take no time in this process.
///
/// `Retry-After` stays honest on the wire; only the waiting goes. Call it first thing: once
/// something has waited, the runtime is settled. Calling it again does nothing. Answers whether
/// waits are skipped from now on.
pub fn fast_forward() -> bool {
    static INSTALLED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *INSTALLED.get_or_init(|| set_async_runtime(Arc::new(FastForward)).is_ok())
}

/// Tokio, but `sleep` only lets other tasks run.
struct FastForward;

impl AsyncRuntime for FastForward {
    fn spawn(&self, task: TaskFuture) -> SpawnedTask {
        Box::pin(Spawned(tokio::spawn(task)))
    }

    fn sleep(&self, _duration: time::Duration) -> TaskFuture {
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
        Pin::new(&mut self.0)
            .poll(cx)
            .map(|joined| joined.map_err(|error| Box::new(error) as Box<dyn std::error::Error + Send>))
    }
}

impl AbortableTask for Spawned {
    fn abort(&self) {
        self.0.abort();
    }
}
