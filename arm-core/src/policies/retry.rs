//! The only retry loop.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        AsyncRawResponse, Context, Method, RawResponse, Request,
        policies::{Policy, PolicyResult},
    },
};
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::{
    ArmErrorExt as _, RetryBudget,
    error::{self, Tried, changes, is_refusal, leaves_doubt},
    wire::retry_after,
};

/// A marker in a request's context: this POST or PATCH is harmless to repeat.
///
/// For official clients, set it in `ClientMethodOptions::context`; for an [`ArmRequest`](crate::ArmRequest), call
/// [`repeatable`](crate::ArmRequest::repeatable).
#[derive(Debug, Clone, Copy)]
pub struct Repeatable;

/// A value in the context of an [`ArmRequest`](crate::ArmRequest): what the loop must know of it, and where the loop
/// records its attempts, for a response that it returns as it is.
#[derive(Debug)]
pub(crate) struct Repetition {
    /// The request's method. A request for a token has the same context, but another method.
    pub(crate) method: Method,
    pub(crate) repeatable: bool,
    pub(crate) writes: bool,
    pub(crate) tried: Mutex<Tried>,
}

impl Repetition {
    pub(crate) fn tried(&self) -> MutexGuard<'_, Tried> {
        self.tried.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A marker in a request's context: the request is not safe to repeat, whatever its method.
///
/// Use it for a PUT that creates something new each time, such as a version of a Key Vault secret.
#[derive(Debug, Clone, Copy)]
pub struct NotRepeatable;

/// A policy that retries requests that are safe to repeat, within a budget.
///
/// | outcome | GET, HEAD, PUT, DELETE | POST, PATCH |
/// |---|---|---|
/// | connection not established | retry | retry |
/// | connection lost, truncated, timed out | retry | error: may have been carried out |
/// | 429, or 503 with `Retry-After` | retry | retry |
/// | 408, 500, 502, 503, 504 | retry | error: may have been carried out |
/// | 401 | once, with a fresh token | once, with a fresh token |
///
/// With [`Repeatable`] in its context, a POST or PATCH is retried like a PUT; with [`NotRepeatable`], any request is
/// retried like a POST. A 401 is retried only if [`with_fresh_token`](Self::with_fresh_token) was called.
///
/// `Retry-After` is honored up to [`RetryBudget::longest_wait`]. If the policy gives up, the error says how many attempts
/// were made, how long they took, and whether a change may have been carried out. A refusal that needs no such warning
/// is returned as the service's answer. For requests of an [`ArmClient`](crate::ArmClient),
/// [`ArmErrorExt`](crate::ArmErrorExt) provides the same information in both cases.
///
/// All attempts share one `tracing` span, `request`, with method, path and resource provider, but never a query, header
/// or body.
///
/// In an official client, make it the last of `ClientOptions::per_call_policies`, with `RetryOptions::none()`. Every
/// attempt sends a fresh copy of the request, including the body.
#[derive(Debug, Clone)]
pub struct Retry {
    budget: RetryBudget,
    fresh_token: bool,
}

impl Retry {
    /// Creates a retry loop with this budget.
    pub fn new(budget: RetryBudget) -> Self {
        Self { budget, fresh_token: false }
    }

    /// Also retries a request once after a 401. The token policy then fetches a fresh token.
    pub fn with_fresh_token(mut self) -> Self {
        self.fresh_token = true;
        self
    }

    async fn attempt(
        &self,
        ctx: &Context<'_>,
        request: &Request,
        next: &[Arc<dyn Policy>],
        limit: Duration,
    ) -> PolicyResult {
        let mut attempt = request.clone();
        attempt.body_mut().reset().await?;
        match tokio::time::timeout(limit, next[0].send(ctx, &mut attempt, &next[1..])).await {
            Ok(outcome) => outcome,
            Err(_) => {
                Err(Error::with_message(ErrorKind::Io, format!("no complete response within {limit:?}")))
            }
        }
    }

    async fn attempts(&self, ctx: &Context<'_>, request: &Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let method = request.method();
        let told = ctx.value::<Repetition>().filter(|told| told.method == method);
        let idempotent = told.map_or(is_repeatable(method), |told| told.repeatable);
        let idempotent = idempotent || ctx.value::<Repeatable>().is_some();
        let repeatable = idempotent && ctx.value::<NotRepeatable>().is_none();
        let writes = told.map_or(changes(method), |told| told.writes);
        let started = Instant::now();
        let (mut tried, mut waited) = (Tried::default(), Duration::ZERO);
        let mut fresh_token = self.fresh_token;
        loop {
            let left = self.budget.total.saturating_sub(in_millis(started.elapsed().max(waited)));
            let outcome = self.attempt(ctx, request, next, left.min(self.budget.attempt)).await;
            tried.attempts += u32::from(was_sent(&outcome));
            let verdict = judge(&outcome, repeatable);
            // Once an attempt may have been applied, a later rejection does not prove otherwise.
            tried.may_be_applied |= writes && may_have_acted(&outcome);
            tried.elapsed = in_millis(started.elapsed().max(waited));
            if let Some(told) = told {
                *told.tried() = tried;
            }
            let asked = match verdict {
                Verdict::FreshToken if fresh_token => {
                    fresh_token = false;
                    continue;
                }
                Verdict::Again(asked) => asked,
                Verdict::Final | Verdict::FreshToken => {
                    return match outcome {
                        Err(error) if tried.attempts > 1 || *error.kind() == ErrorKind::Io => {
                            Err(gave_up(error, tried, writes))
                        }
                        Err(error) => Err(tried.attach(error)),
                        Ok(response) if tried.may_be_applied && u16::from(response.status()) >= 400 => {
                            Err(gave_up(error::of_response(buffer(response).await?), tried, writes))
                        }
                        outcome => outcome,
                    };
                }
            };
            let spent = started.elapsed().max(waited);
            let wait = asked.map_or_else(
                || self.backoff(tried.attempts + 1),
                |asked| asked.min(self.budget.longest_wait),
            );
            let exhausted = tried.attempts >= self.budget.attempts;
            // A wait that uses up the budget leaves no time for an attempt.
            if exhausted || spent.saturating_add(wait) >= self.budget.total {
                let error = match outcome {
                    Err(error) => error,
                    Ok(response) if tried.attempts == 1 && exhausted && !tried.may_be_applied => {
                        return Ok(response);
                    }
                    Ok(response) => error::of_response(buffer(response).await?),
                };
                let error = match asked {
                    Some(asked) if !exhausted => {
                        let left = self.budget.total.saturating_sub(spent);
                        let message = format!(
                            "{}; the service asks to wait {asked:?}, but only {left:?} remain",
                            error::with_causes(&error)
                        );
                        error.reworded(message)
                    }
                    _ => error,
                };
                return Err(gave_up(error, tried, writes));
            }
            tracing::debug!(attempts = tried.attempts, ?wait, %method, "repeating the request");
            azure_core::sleep(wait.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
            waited = waited.saturating_add(wait);
        }
    }

    /// Returns the wait before attempt `next`: doubled each time, minus a random part of up to a quarter.
    fn backoff(&self, next: u32) -> Duration {
        let doubled = self.budget.first_wait.saturating_mul(1 << next.saturating_sub(2).min(16));
        let parts = 768 + uuid::Uuid::new_v4().as_u128() as u32 % 257;
        doubled.min(self.budget.longest_wait) / 1024 * parts
    }
}

/// Whether a request with this method is safe to repeat, unless its context says otherwise.
pub(crate) fn is_repeatable(method: Method) -> bool {
    !matches!(method, Method::Post | Method::Patch)
}

/// What to do after an attempt.
enum Verdict {
    /// Return the outcome: it is a success, or must not be repeated.
    Final,
    Again(Option<Duration>),
    FreshToken,
}

fn judge(outcome: &PolicyResult, repeatable: bool) -> Verdict {
    match outcome {
        Err(error) => match error.kind() {
            ErrorKind::Connection => Verdict::Again(None),
            ErrorKind::Io if repeatable => Verdict::Again(None),
            _ => Verdict::Final,
        },
        Ok(response) => {
            // Read only if needed: looking up a missing header is not cheap.
            let wait = || retry_after(response.headers());
            match u16::from(response.status()) {
                401 => Verdict::FreshToken,
                429 => Verdict::Again(wait()),
                503 if repeatable => Verdict::Again(wait()),
                503 => wait().map_or(Verdict::Final, |wait| Verdict::Again(Some(wait))),
                408 | 500 | 502 | 504 if repeatable => Verdict::Again(None),
                _ => Verdict::Final,
            }
        }
    }
}

/// Whether an attempt got as far as the transport: no token, or a foreign origin, ends it before.
fn was_sent(outcome: &PolicyResult) -> bool {
    !matches!(outcome.as_ref().map_err(Error::kind), Err(ErrorKind::Credential | ErrorKind::Other))
}

/// Whether an unsuccessful attempt may have changed something.
fn may_have_acted(outcome: &PolicyResult) -> bool {
    match outcome {
        Err(error) => leaves_doubt(error.kind()),
        Ok(response) => {
            let status = response.status();
            u16::from(status) >= 300 && !is_refusal(status)
        }
    }
}

#[async_trait]
impl Policy for Retry {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let (method, path) = (request.method(), request.url().path());
        let span = tracing::info_span!("request", what = %format_args!("{method} {path}"), az.namespace = provider(path));
        self.attempts(ctx, request, next).instrument(span).await
    }
}

/// Returns the last resource provider in a path, such as `Microsoft.Security`.
fn provider(path: &str) -> Option<&str> {
    const BEFORE: &str = "/providers/";
    let at = path.to_ascii_lowercase().rfind(BEFORE)? + BEFORE.len();
    path.get(at..)?.split('/').next()
}

fn gave_up(error: Error, tried: Tried, writes: bool) -> Error {
    let Tried { attempts, elapsed, may_be_applied } = tried;
    let plural = if attempts == 1 { "" } else { "s" };
    let consequence = match (writes, may_be_applied) {
        (false, _) => "",
        (true, true) => "; the change may have been carried out: read before you repeat it",
        (true, false) => "; nothing was changed",
    };
    let said = error::with_causes(&error);
    let message = format!("{said} (gave up after {attempts} attempt{plural} over {elapsed:?}{consequence})");
    tried.attach(error.reworded(message))
}

/// Drops fractions of a millisecond, for messages.
fn in_millis(duration: Duration) -> Duration {
    Duration::from_millis(duration.as_millis().try_into().unwrap_or(u64::MAX))
}

async fn buffer(response: AsyncRawResponse) -> azure_core::Result<RawResponse> {
    let (status, headers, body) = response.deconstruct();
    Ok(RawResponse::from_bytes(status, headers, body.collect().await?))
}

#[cfg(test)]
mod tests {
    use std::{
        collections::HashSet,
        sync::atomic::{AtomicU32, Ordering},
    };

    use azure_core::{Bytes, http::headers::Headers};

    use super::*;

    #[test]
    fn backoff_doubles_up_to_the_longest_wait_and_differs_from_time_to_time() {
        let seconds = Duration::from_secs;
        let budget =
            RetryBudget { first_wait: seconds(1), longest_wait: seconds(8), ..RetryBudget::default() };
        let retry = Retry::new(budget);
        for (next, most) in [(2, 1), (3, 2), (4, 4), (5, 8), (6, 8), (u32::MAX, 8)] {
            let waits: HashSet<Duration> = (0..50).map(|_| retry.backoff(next)).collect();
            let (least, most) = (Duration::from_millis(most * 750 - 1), seconds(most));
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)), "{waits:?}");
            assert!(waits.len() > 1, "all clients would come back at once");
        }
    }

    /// Always answers 500, and counts.
    #[derive(Debug, Default)]
    struct Broken(AtomicU32);

    #[async_trait]
    impl Policy for Broken {
        async fn send(&self, _: &Context, _: &mut Request, _: &[Arc<dyn Policy>]) -> PolicyResult {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(AsyncRawResponse::from_bytes(500.into(), Headers::new(), Bytes::new()))
        }
    }

    #[tokio::test]
    async fn a_request_for_a_token_is_repeated_by_its_own_method_and_not_by_that_of_the_request_it_is_for() {
        let get =
            Repetition { method: Method::Get, repeatable: true, writes: false, tried: Mutex::default() };
        let broken = Arc::new(Broken::default());
        let mut request = Request::new("https://login.example/token".parse().unwrap(), Method::Post);
        let ctx = Context::new().with_value(get);
        let next: [Arc<dyn Policy>; 1] = [broken.clone()];
        let error = Retry::new(RetryBudget::default()).send(&ctx, &mut request, &next).await.unwrap_err();
        assert_eq!((error.attempts(), broken.0.load(Ordering::Relaxed)), (Some(1), 1));
    }

    #[test]
    fn a_span_names_the_provider_that_answers() {
        for (path, expected) in [
            ("/subscriptions/s/providers/Microsoft.Security/pricings/KeyVaults", Some("Microsoft.Security")),
            (
                "/x/PROVIDERS/Microsoft.KeyVault/vaults/v/providers/Microsoft.Insights/y",
                Some("Microsoft.Insights"),
            ),
            ("/subscriptions/s/resourcegroups", None),
            ("/secrets/db", None),
            ("/providers/", Some("")),
        ] {
            assert_eq!(provider(path), expected, "{path}");
        }
    }
}
