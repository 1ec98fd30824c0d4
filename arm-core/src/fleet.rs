//! The same work on many targets.

use std::future::Future;

use futures::{
    StreamExt as _,
    stream::{self, BoxStream},
};

/// Runs the same work on many targets (subscriptions, vaults, alerts), several at a time.
///
/// Every target has exactly one [`Outcome`], in no particular order; a failure never stops the others. Dropping the
/// stream cancels the work in progress, and no more is started.
///
/// ```
/// use arm_core::Fleet;
/// use futures::StreamExt as _;
///
/// # futures::executor::block_on(async {
/// let mut outcomes = Fleet::new([1, 2, 3]).concurrency(2).run(|n| async move {
///     if n == 2 { Err("two") } else { Ok(n * 10) }
/// });
/// let mut failed = Vec::new();
/// while let Some(outcome) = outcomes.next().await {
///     if outcome.result.is_err() { failed.push(outcome.target) }
/// }
/// assert_eq!(failed, [2]);
/// # });
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fleet does nothing until it is run"]
pub struct Fleet<K> {
    targets: Vec<K>,
    concurrency: usize,
}

/// The result for one target.
#[derive(Debug, Clone)]
pub struct Outcome<K, T, E = azure_core::Error> {
    /// The target.
    pub target: K,
    /// The result of the work.
    pub result: Result<T, E>,
}

impl<K: Clone + Send + 'static> Fleet<K> {
    /// Creates a fleet that works on these targets, eight at a time.
    pub fn new(targets: impl IntoIterator<Item = K>) -> Self {
        Self { targets: targets.into_iter().collect(), concurrency: 8 }
    }

    /// Sets how many targets to work on concurrently; at least 1. Default: 8.
    pub fn concurrency(mut self, targets: usize) -> Self {
        self.concurrency = targets.max(1);
        self
    }

    /// Returns a stream of outcomes; the work runs as the stream is polled.
    pub fn run<'a, F, Fut, T, E>(self, mut work: F) -> BoxStream<'a, Outcome<K, T, E>>
    where
        F: FnMut(K) -> Fut + Send + 'a,
        Fut: Future<Output = Result<T, E>> + Send + 'a,
        T: Send + 'a,
        E: Send + 'a,
    {
        stream::iter(self.targets)
            .map(move |target| {
                let running = work(target.clone());
                async move { Outcome { target, result: running.await } }
            })
            .buffer_unordered(self.concurrency)
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn every_target_has_one_outcome_and_no_more_than_the_bound_run_at_once() {
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = |n: usize| {
            let (now, most) = (&now, &most);
            async move {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                now.fetch_sub(1, Ordering::SeqCst);
                if n.is_multiple_of(3) { Err(n) } else { Ok(n) }
            }
        };
        let outcomes: Vec<_> = Fleet::new(0..20).concurrency(4).run(work).collect().await;
        assert_eq!(outcomes.len(), 20);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.result.is_err()).count(), 7);
        assert_eq!(most.load(Ordering::SeqCst), 4);
    }
}
