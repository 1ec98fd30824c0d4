//! Waiting for a role assignment to propagate.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arm_core::ArmError;
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Context, RawResponse, Request,
        policies::{Policy, PolicyResult},
    },
};

use tokio::time::Instant;

const FIRST_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A wait for a role assignment to propagate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct RoleWait {
    /// The time until the next attempt.
    pub wait: Duration,
    /// The time spent so far.
    pub waited: Duration,
    /// The total time allowed.
    pub budget: Duration,
}

/// Repeats requests refused with `ForbiddenByRbac`, within a budget that all requests share.
pub(crate) struct RolePropagation {
    budget: Duration,
    since: Instant,
    /// The sum of the waits so far; more than the elapsed time if waits are skipped, as in tests.
    waited: Mutex<Duration>,
    on_wait: Arc<dyn Fn(RoleWait) + Send + Sync>,
}

impl fmt::Debug for RolePropagation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RolePropagation").field("budget", &self.budget).finish_non_exhaustive()
    }
}

impl RolePropagation {
    pub(crate) fn new(budget: Duration, on_wait: Arc<dyn Fn(RoleWait) + Send + Sync>) -> Self {
        Self { budget, since: Instant::now(), waited: Mutex::default(), on_wait }
    }

    /// The next wait; `None` once the budget is spent.
    fn next(&self, tries: u32) -> Option<RoleWait> {
        let mut waited = self.waited.lock().unwrap_or_else(PoisonError::into_inner);
        let spent = self.since.elapsed().max(*waited);
        let left = self.budget.checked_sub(spent).filter(|left| !left.is_zero())?;
        let wait = FIRST_WAIT.saturating_mul(1 << tries.min(8)).min(LONGEST_WAIT).min(left);
        *waited = spent + wait;
        Some(RoleWait { wait, waited: spent, budget: self.budget })
    }
}

#[async_trait]
impl Policy for RolePropagation {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        for tries in 0.. {
            let mut attempt = request.clone();
            attempt.body_mut().reset().await?;
            let response = next[0].send(ctx, &mut attempt, &next[1..]).await?;
            if u16::from(response.status()) != 403 {
                return Ok(response);
            }
            let (status, headers, body) = response.deconstruct();
            let refusal = RawResponse::from_bytes(status, headers, body.collect().await?);
            let read = ArmError::of(&refusal);
            if !read.has_code("ForbiddenByRbac") {
                let (status, headers, body) = refusal.deconstruct();
                return Ok(AsyncRawResponse::from_bytes(status, headers, body));
            }
            let Some(wait) = self.next(tries) else {
                let message = format!(
                    "{read} (waited {:?} for the role assignment to propagate: check that it names the right role, \
                     principal and scope)",
                    self.budget
                );
                let kind = ErrorKind::HttpResponse {
                    status,
                    error_code: Some(read.code),
                    raw_response: Some(Box::new(refusal)),
                };
                return Err(Error::with_message(kind, message));
            };
            tracing::info!(
                wait = ?wait.wait,
                waited = ?wait.waited,
                budget = ?wait.budget,
                "the role assignment has not propagated yet"
            );
            (self.on_wait)(wait);
            azure_core::sleep(wait.wait.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
        }
        Err(Error::with_message(ErrorKind::Other, "the role assignment has not propagated"))
    }
}
