use std::{future::Future, sync::Arc};

use arm_core::ArmClient;
use mock_azure::{Fault, MockAzure, Seed};
use serde_json::Value;

use crate::arm;

/// Cuts the line at the first request of a task, then at the second, and so on; runs it again each time,
/// and expects the state of a run that was never cut. Then runs it once more, and expects no write. Also
/// loses the answer to each request in turn, which a single run must survive.
pub async fn interrupted_anywhere_it_ends_the_same<Run, RunFuture, State, StateFuture>(
    seed: fn() -> Seed,
    run: Run,
    state: State,
) where
    Run: Fn(ArmClient) -> RunFuture,
    RunFuture: Future<Output = azure_core::Result<()>>,
    State: Fn(Arc<MockAzure>) -> StateFuture,
    StateFuture: Future<Output = Value>,
{
    let whole = Arc::new(seed().start().await);
    run(arm(&whole)).await.unwrap();
    let expected = state(whole.clone()).await;
    let mut cuts = 0;
    loop {
        let azure = Arc::new(seed().start().await);
        azure.interrupt_at(cuts + 1);
        let first = run(arm(&azure)).await;
        azure.clear_faults();
        if first.is_ok() {
            break;
        }
        cuts += 1;
        run(arm(&azure)).await.unwrap();
        assert_eq!(state(azure.clone()).await, expected, "cut at request {cuts}");
        azure.clear_requests();
        run(arm(&azure)).await.unwrap();
        assert!(azure.writes().is_empty(), "after a cut at request {cuts}: {:?}", azure.writes());
    }
    assert!(cuts > 1, "the task sent no more than one request");
    for lost in 0..cuts {
        // The service acts, the answer is lost, and the client cannot know.
        let azure = Arc::new(seed().start().await);
        azure.inject(Fault::reset_after_acting().skip(lost));
        run(arm(&azure)).await.unwrap();
        assert_eq!(state(azure.clone()).await, expected, "without the answer to request {}", lost + 1);
    }
}
