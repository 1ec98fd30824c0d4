//! Skips waits.

use std::{
    cell::RefCell,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use azure_core::async_runtime::{AbortableTask, AsyncRuntime, SpawnedTask, TaskFuture, set_async_runtime};

use crate::state::clock::{Clock, WeakClock};

/// Makes the SDK skip every wait (between retries, between polls) in this process, and advances the doubles' clocks
/// instead.
///
/// `Retry-After` is still sent unchanged; only the waiting is skipped. A wait advances only the clocks of the doubles
/// that were started on the waiting thread, so that parallel tests do not affect each other. Concurrent waits count
/// once. In a multi-threaded runtime, a spawned task may wait on a thread other than the one that started the double;
/// such a wait advances no clock.
///
/// Tokens do not age when a wait is skipped, because clients check their expiry against the machine's clock.
///
/// Call this function first: once something has waited, the runtime can no longer be replaced. Further calls do
/// nothing. Returns whether waits are skipped from now on.
pub fn fast_forward() -> bool {
    static INSTALLED: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *INSTALLED.get_or_init(|| set_async_runtime(Arc::new(FastForward)).is_ok())
}

thread_local! {
    /// The clocks of the doubles that were started on this thread.
    static CLOCKS: RefCell<Vec<WeakClock>> = const { RefCell::new(Vec::new()) };
}

/// Makes the waits of this thread advance this clock from now on.
pub(crate) fn follow(clock: &Clock) {
    CLOCKS.with_borrow_mut(|clocks| {
        clocks.retain(|clock| clock.upgrade().is_some());
        clocks.push(clock.downgrade());
    });
}

/// Tokio's runtime, except that `sleep` only yields to other tasks.
struct FastForward;

impl AsyncRuntime for FastForward {
    fn spawn(&self, task: TaskFuture) -> SpawnedTask {
        Box::pin(Spawned(tokio::spawn(task)))
    }

    fn sleep(&self, duration: time::Duration) -> TaskFuture {
        let clocks: Vec<Clock> =
            CLOCKS.with_borrow(|clocks| clocks.iter().filter_map(WeakClock::upgrade).collect());
        let until: Vec<_> =
            clocks.into_iter().map(|clock| (clock.now().saturating_add(duration), clock)).collect();
        Box::pin(async move {
            tokio::task::yield_now().await;
            for (until, clock) in until {
                clock.skip_to(until);
            }
        })
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
