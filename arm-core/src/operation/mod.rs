//! Long-running operations, with one poller for all of them.

mod handle;
mod steps;

use std::{
    any::TypeId,
    fmt,
    future::IntoFuture,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use azure_core::{Error, Result, error::ErrorKind, http::RawResponse};
use futures::{
    Stream, StreamExt as _, TryStreamExt as _,
    future::BoxFuture,
    stream::{BoxStream, try_unfold},
};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

pub use self::handle::{OperationHandle, OperationKind};
use self::{handle::with_body, steps::Step};
use crate::{ArmClient, ArmRequest, error::Tried, wire};

/// A long-running operation that results in a `T`. Await it, or watch it as a stream of [`Operation`]s that ends when
/// the operation has succeeded.
///
/// An operation without a resource results in `()`. Between polls, the poller waits as long as `Retry-After` says, or
/// else [`ArmOptions::poll_interval`](crate::ArmOptions::poll_interval), but at least 1 second and at most 2 minutes. A
/// failed or canceled operation is an error with the service's code and message. If the status link stops working, the
/// poller reads the resource itself or, for an action, the link to its result; if that does not show the outcome
/// either, it returns an error, never a success. Dropping a poller stops the polling, not the operation.
#[must_use = "nothing is sent before it is awaited or watched"]
pub struct Poller<T> {
    polls: BoxStream<'static, Result<Polled<T>>>,
}

/// The state after one poll; with the last poll, also the result.
type Polled<T> = (Operation, Option<T>);

/// The state of a long-running operation after one poll.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Operation {
    /// The state as the service sent it: `InProgress` or a service-specific one such as `RegisteringDns`. `InProgress`
    /// if it sent none; at the end, `Succeeded`.
    pub state: String,
    /// The progress in percent, if the service reports it.
    pub percent_complete: Option<f64>,
    /// The handle with which to resume waiting later, or in another process; `None` at the end.
    pub handle: Option<OperationHandle>,
}

impl<T> fmt::Debug for Poller<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller").finish_non_exhaustive()
    }
}

impl<T> Stream for Poller<T> {
    type Item = Result<Operation>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.polls.poll_next_unpin(cx).map(|polled| polled.map(|polled| Ok(polled?.0)))
    }
}

impl<T: Send + 'static> IntoFuture for Poller<T> {
    type Output = Result<T>;
    type IntoFuture = BoxFuture<'static, Result<T>>;

    fn into_future(mut self) -> Self::IntoFuture {
        Box::pin(async move {
            while let Some((_, result)) = self.polls.try_next().await? {
                if let Some(result) = result {
                    return Ok(result);
                }
            }
            let message = "the operation was watched to its end, and its result is no longer available";
            Err(Error::with_message(ErrorKind::Other, message))
        })
    }
}

impl ArmRequest {
    /// Returns a poller that starts this long-running operation. No request is sent before the poller is polled or
    /// awaited.
    ///
    /// The first response may be 200, 201, 202 or 204.
    pub fn poller<T: DeserializeOwned + Send + 'static>(self) -> Poller<T> {
        let first = self.expect_status(&[200, 201, 202, 204]);
        watch(first.arm().clone(), Next::Begin(Box::new(first)))
    }
}

impl ArmClient {
    /// Resumes waiting for a long-running operation, which another process may have started.
    pub fn resume_operation<T: DeserializeOwned + Send + 'static>(
        &self,
        handle: OperationHandle,
    ) -> Poller<T> {
        watch(self.clone(), Next::Poll(Box::new(handle), Duration::ZERO))
    }
}

fn watch<T: DeserializeOwned + Send + 'static>(arm: ArmClient, next: Next) -> Poller<T> {
    let watch = Watch { arm, next, since: None, waited: Duration::ZERO };
    Poller { polls: try_unfold(watch, Watch::poll).boxed() }
}

/// An operation that is being watched.
struct Watch {
    arm: ArmClient,
    next: Next,
    since: Option<Instant>,
    waited: Duration,
}

/// What to do next.
enum Next {
    Begin(Box<ArmRequest>),
    /// Poll, after this time.
    Poll(Box<OperationHandle>, Duration),
    /// Nothing: the operation has ended.
    End,
}

impl Watch {
    async fn poll<T: DeserializeOwned + 'static>(mut self) -> Result<Option<(Polled<T>, Self)>> {
        self.since.get_or_insert_with(Instant::now);
        let mut step = match mem::replace(&mut self.next, Next::End) {
            Next::Begin(request) => steps::first(*request).await?,
            Next::Poll(handle, wait) => {
                azure_core::sleep(wait.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
                self.ask(handle).await?
            }
            Next::End => return Ok(None),
        };
        if let Step::Fetch(handle) = step {
            step = match TypeId::of::<T>() == TypeId::of::<()>() {
                true => Step::Done(with_body(String::new())),
                false => self.ask(handle).await?,
            };
        }
        let polled = match step {
            Step::Running { state, percent, handle, wait } => {
                (self.go_on(state, percent, *handle, wait)?, None)
            }
            Step::Fetch(_) => {
                let message = "the operation's result links to another operation, which is not followed";
                return Err(Error::with_message(ErrorKind::Other, message));
            }
            Step::Done(response) => {
                let ended = Operation { state: "Succeeded".to_owned(), percent_complete: None, handle: None };
                (ended, Some(result_in(&response).map_err(Tried::begun)?))
            }
        };
        Ok(Some((polled, self)))
    }

    async fn ask(&self, handle: Box<OperationHandle>) -> Result<Step> {
        steps::poll(&self.arm, *handle).await.map_err(Tried::begun)
    }

    /// Returns the state of an unfinished operation and schedules the next poll, unless the budget is spent.
    fn go_on(
        &mut self,
        state: String,
        percent_complete: Option<f64>,
        handle: OperationHandle,
        wait: Option<Duration>,
    ) -> Result<Operation> {
        let (interval, budget) = (self.arm.options().poll_interval, self.arm.options().operation_budget);
        let wait = wait.unwrap_or(interval).clamp(Duration::from_secs(1), Duration::from_secs(120));
        self.waited = self.waited.saturating_add(wait);
        let spent = self.since.map_or(Duration::ZERO, |since| since.elapsed()).max(self.waited);
        if spent > budget {
            let message = format!(
                "gave up waiting after {budget:?}: the operation is still {state}. It keeps running in Azure; resume with \
                 ArmClient::resume_operation at {}",
                handle.poll.path()
            );
            return Err(Tried::begun(Error::with_message(ErrorKind::Other, message)));
        }
        self.next = Next::Poll(Box::new(handle.clone()), wait);
        Ok(Operation { state, percent_complete, handle: Some(handle) })
    }
}

/// Decodes the `T` in the last response.
fn result_in<T: DeserializeOwned + 'static>(response: &RawResponse) -> Result<T> {
    if TypeId::of::<T>() == TypeId::of::<()>() {
        return wire::decode_text("null", response.headers());
    }
    let bytes: &[u8] = response.body();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let message = "the operation succeeded, but the service sent no resource";
        return Err(Error::with_message(ErrorKind::DataConversion, message));
    }
    wire::decode(response)
}
