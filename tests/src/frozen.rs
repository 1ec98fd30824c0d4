//! A clock that stands still.

use std::{future::Future, sync::mpsc, time::Duration};

/// After this, in real time, the clock runs: what hangs ends with its own limit.
const PATIENCE: Duration = Duration::from_secs(600);

/// Runs a future on a runtime of its own whose clock stands still, so that nothing times out on a slow machine.
/// `tokio::time::advance` moves it.
pub fn frozen<T>(future: impl Future<Output = T>) -> T {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        // A paused clock leaps to the next timer when there is nothing to do, but not while something blocks.
        let (done, wait) = mpsc::channel::<()>();
        let still = tokio::task::spawn_blocking(move || wait.recv_timeout(PATIENCE));
        let outcome = future.await;
        drop(done);
        drop(still);
        outcome
    })
}
