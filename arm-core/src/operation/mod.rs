//! Long-running operations: the one poller.

mod handle;
mod steps;

use std::{
    any::TypeId,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        JsonFormat, RawResponse,
        poller::{PollerContinuation, PollerOptions, PollerResult, PollerState, PollerStatus, StatusMonitor},
    },
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tokio::time::Instant;

pub use self::handle::{OperationHandle, OperationKind};
use self::{
    handle::{status_of, with_body},
    steps::Step,
};
use crate::{ArmClient, ArmRequest, error::Tried, wire};

/// A long-running operation that results in a `T`: await it, or watch it as a stream of [`Operation`]s.
///
/// `poller.await?.into_model()?` is the resource; an operation without one results in `()`. The service paces the
/// polls (`Retry-After`, between 1 second and 2 minutes). A failed or cancelled operation is an error with the
/// service's code and message. If the status link vanishes, the resource itself is read; if that does not tell
/// either, it is an error, never a success. Dropping a poller stops the polling, not the operation.
pub type Poller<T> = azure_core::http::Poller<Operation<T>>;

/// The state of a long-running operation, as of one poll.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Operation<T> {
    /// The state as the service says it: `InProgress`, `Succeeded`, or one of its own such as `RegisteringDns`.
    pub state: String,
    /// The progress in percent, if the service reports it.
    pub percent_complete: Option<f64>,
    /// What is needed to resume waiting later, or elsewhere.
    pub handle: Option<OperationHandle>,
    #[serde(skip)]
    ends_in: PhantomData<fn() -> T>,
}

impl<T> StatusMonitor for Operation<T> {
    type Output = T;
    type Format = JsonFormat;

    fn status(&self) -> PollerStatus {
        status_of(&self.state)
    }
}

impl ArmRequest {
    /// Starts a long-running operation. Nothing is sent before it is polled or awaited.
    ///
    /// The first response may be 200, 201, 202 or 204.
    pub fn poller<T: DeserializeOwned + Send + 'static>(self) -> Poller<T> {
        let first = self.expect_status(&[200, 201, 202, 204]);
        run(first.arm().clone(), Begin::Request(Box::new(first)))
    }
}

impl ArmClient {
    /// Resumes waiting for a long-running operation, which another process may have started.
    pub fn resume_operation<T: DeserializeOwned + Send + 'static>(
        &self,
        handle: OperationHandle,
    ) -> Poller<T> {
        run(self.clone(), Begin::Handle(Box::new(handle)))
    }
}

#[derive(Clone)]
enum Begin {
    Request(Box<ArmRequest>),
    Handle(Box<OperationHandle>),
}

struct Watch {
    handle: Option<OperationHandle>,
    since: Option<Instant>,
    waited: Duration,
}

fn run<T: DeserializeOwned + Send + 'static>(arm: ArmClient, begin: Begin) -> Poller<T> {
    let watch = Arc::new(Mutex::new(Watch { handle: None, since: None, waited: Duration::ZERO }));
    Poller::new(
        move |_: PollerState, _: PollerOptions<'static>| {
            let (arm, begin, watch) = (arm.clone(), begin.clone(), watch.clone());
            Box::pin(async move {
                let known = {
                    let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
                    watch.since.get_or_insert_with(Instant::now);
                    watch.handle.clone()
                };
                let mut step = match (known, begin) {
                    (Some(handle), _) => steps::poll(&arm, handle).await.map_err(Tried::begun)?,
                    (None, Begin::Handle(handle)) => {
                        steps::poll(&arm, *handle).await.map_err(Tried::begun)?
                    }
                    (None, Begin::Request(request)) => steps::first(*request).await?,
                };
                if let Step::Fetch(handle) = step {
                    step = match TypeId::of::<T>() == TypeId::of::<()>() {
                        true => Step::Done(with_body(String::new())),
                        false => steps::poll(&arm, *handle).await.map_err(Tried::begun)?,
                    };
                }
                match step {
                    Step::Running { state, percent, handle, wait } => {
                        let wait = wait
                            .unwrap_or(arm.options().poll_interval)
                            .clamp(Duration::from_secs(1), Duration::from_secs(120));
                        in_progress(&arm, &watch, state, percent, *handle, wait)
                    }
                    Step::Fetch(_) => {
                        let message = "the operation's result leads to another, which is not followed";
                        Err(Error::with_message(ErrorKind::Other, message))
                    }
                    Step::Done(response) => succeeded(response),
                }
            })
        },
        None,
    )
}

fn in_progress<T>(
    arm: &ArmClient,
    watch: &Mutex<Watch>,
    state: String,
    percent: Option<f64>,
    handle: OperationHandle,
    wait: Duration,
) -> Result<PollerResult<Operation<T>>> {
    let mut watch = watch.lock().unwrap_or_else(PoisonError::into_inner);
    watch.waited = watch.waited.saturating_add(wait);
    let (spent, budget) = (
        watch.since.map_or(Duration::ZERO, |since| since.elapsed()).max(watch.waited),
        arm.options().operation_budget,
    );
    if spent > budget {
        let message = format!(
            "gave up waiting after {budget:?}: the operation is still {state}. It keeps running in Azure; resume with \
             ArmClient::resume_operation at {}",
            handle.poll.path()
        );
        return Err(Tried::begun(Error::with_message(ErrorKind::Other, message)));
    }
    watch.handle = Some(handle.clone());
    // For azure_core's log only, which writes it whole: the link that is polled is the handle's.
    let mut next_link = handle.poll.clone();
    next_link.set_query(None);
    let continuation = PollerContinuation::Links { next_link, final_link: None };
    let body = json!({ "state": state, "percent_complete": percent, "handle": handle });
    Ok(PollerResult::InProgress {
        response: with_body(body.to_string()).into(),
        retry_after: wait.try_into().unwrap_or(azure_core::time::Duration::MAX),
        continuation,
    })
}

fn succeeded<T: DeserializeOwned + Send + 'static>(
    response: RawResponse,
) -> Result<PollerResult<Operation<T>>> {
    let body = json!({ "state": "Succeeded", "percent_complete": null, "handle": null });
    Ok(PollerResult::Succeeded {
        response: with_body(body.to_string()).into(),
        target: Box::new(move || Box::pin(async move { result_in::<T>(response).map(Into::into) })),
    })
}

/// The response, once it is certain that it holds a `T`.
fn result_in<T: DeserializeOwned + 'static>(response: RawResponse) -> Result<RawResponse> {
    let (status, headers, body) = response.deconstruct();
    if TypeId::of::<T>() == TypeId::of::<()>() {
        return Ok(RawResponse::from_bytes(status, headers, "null"));
    }
    let bytes: &[u8] = &body;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.iter().all(u8::is_ascii_whitespace) {
        let message = "the operation succeeded, but the service sent no resource";
        return Err(Tried::begun(Error::with_message(ErrorKind::DataConversion, message)));
    }
    let response = RawResponse::from_bytes(status, headers, bytes.to_vec());
    // Decode eagerly: our error names the field; `into_model`'s does not.
    wire::decode::<T>(&response).map_err(Tried::begun)?;
    Ok(response)
}
