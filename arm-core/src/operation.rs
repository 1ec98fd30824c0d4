//! Long-running operations: the one poller.

use std::{
    any::TypeId,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        JsonFormat, Method, RawResponse, Url,
        headers::{HeaderName, Headers},
        poller::{PollerContinuation, PollerOptions, PollerResult, PollerState, PollerStatus, StatusMonitor},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{ArmClient, ArmError, ArmRequest, policies::retry_after, wire};

/// A long-running operation that ends in a `T`: await it, or watch it as a stream of [`Operation`]s.
///
/// `poller.await?.into_model()?` is the resource; an operation without one ends in `()`. The service
/// paces the polls (`Retry-After`, between 1 second and 2 minutes). A failed or cancelled operation is an
/// error with the service's code and message. Dropping a poller stops the polling, never the operation.
pub type Poller<T> = azure_core::http::Poller<Operation<T>>;

/// The state of a long-running operation, as one poll found it.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "")]
#[non_exhaustive]
pub struct Operation<T> {
    /// The service's word: `InProgress`, `Succeeded`, or one of its own such as `RegisteringDns`.
    pub state: String,
    /// How much is done, in percent, where the service says so.
    pub percent_complete: Option<f64>,
    /// What is needed to go on waiting later, or elsewhere.
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

/// Where a long-running operation is polled. Keep it to go on with
/// [`ArmClient::resume_operation`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationHandle {
    /// How the state is told.
    pub kind: OperationKind,
    /// The link to poll.
    pub poll: Url,
    /// Where the resource is once the operation has succeeded; nothing when there is none to fetch.
    pub result: Option<Url>,
}

/// How the state of an operation is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OperationKind {
    /// `Azure-AsyncOperation`: the body's `status`.
    Status,
    /// `Location`: 202 until it is done.
    Location,
    /// The resource's own `provisioningState`.
    Resource,
}

/// Links, for resuming; the origin pin checks them when they are followed.
pub(crate) fn resume<T: DeserializeOwned + Send + 'static>(
    arm: ArmClient,
    handle: OperationHandle,
) -> Poller<T> {
    run(arm, Begin::Handle(handle))
}

pub(crate) fn start<T: DeserializeOwned + Send + 'static>(first: ArmRequest) -> Poller<T> {
    run(first.arm().clone(), Begin::Request(Box::new(first)))
}

#[derive(Clone)]
enum Begin {
    Request(Box<ArmRequest>),
    Handle(OperationHandle),
}

/// What one answer says.
enum Step {
    Running { state: String, percent: Option<f64>, handle: OperationHandle, wait: Option<Duration> },
    Done(Outcome),
}

/// Where the resource is.
enum Outcome {
    Body(RawResponse),
    Fetch(Url),
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
                let step = match (known, begin) {
                    (Some(handle), _) | (None, Begin::Handle(handle)) => poll(&arm, handle).await?,
                    (None, Begin::Request(request)) => first(*request).await?,
                };
                match step {
                    Step::Running { state, percent, handle, wait } => {
                        let wait = wait
                            .unwrap_or(arm.options().poll_interval)
                            .clamp(Duration::from_secs(1), Duration::from_secs(120));
                        in_progress(&arm, &watch, state, percent, handle, wait)
                    }
                    Step::Done(outcome) => succeeded(arm, outcome),
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
    watch.waited += wait;
    let (spent, budget) = (
        watch.since.map_or(Duration::ZERO, |since| since.elapsed()).max(watch.waited),
        arm.options().operation_budget,
    );
    if spent > budget {
        let message = format!(
            "the operation is still {state} after {budget:?}; it goes on, and ArmClient::resume_operation can wait \
             for it at {}",
            handle.poll.path()
        );
        return Err(Error::with_message(ErrorKind::Other, message));
    }
    watch.handle = Some(handle.clone());
    let continuation =
        PollerContinuation::Links { next_link: handle.poll.clone(), final_link: handle.result.clone() };
    let body = json!({ "state": state, "percent_complete": percent, "handle": handle });
    Ok(PollerResult::InProgress {
        response: with_body(body.to_string()).into(),
        retry_after: wait.try_into().unwrap_or(azure_core::time::Duration::MAX),
        continuation,
    })
}

fn succeeded<T: DeserializeOwned + Send + 'static>(
    arm: ArmClient,
    outcome: Outcome,
) -> Result<PollerResult<Operation<T>>> {
    let body = json!({ "state": "Succeeded", "percent_complete": null, "handle": null });
    Ok(PollerResult::Succeeded {
        response: with_body(body.to_string()).into(),
        target: Box::new(move || {
            Box::pin(async move {
                let unit = TypeId::of::<T>() == TypeId::of::<()>();
                let response = match outcome {
                    Outcome::Body(response) => response,
                    Outcome::Fetch(_) if unit => with_body(String::new()),
                    Outcome::Fetch(url) => fetch(arm, url).await?,
                };
                let (status, headers, body) = response.deconstruct();
                let bytes: &[u8] = &body;
                let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
                if unit {
                    return Ok(RawResponse::from_bytes(status, headers, "null").into());
                }
                if bytes.iter().all(u8::is_ascii_whitespace) {
                    let message = "the operation succeeded, but the service sent no resource";
                    return Err(Error::with_message(ErrorKind::DataConversion, message));
                }
                let response = RawResponse::from_bytes(status, headers, bytes.to_vec());
                // Say now, and in full, what `into_model` would say later in less words.
                wire::decode::<T>(&response)?;
                Ok(response.into())
            })
        }),
    })
}

/// Sends the request that starts the operation.
async fn first(request: ArmRequest) -> Result<Step> {
    let (method, url, what) = (request.method(), request.url()?, request.to_string());
    let response = request.send().await?;
    let link = |name| link(&url, response.headers(), name);
    let monitor = match link("azure-asyncoperation")? {
        Some(monitor) => Some(monitor),
        None => link("operation-location")?,
    };
    let location = link("location")?;
    let status = u16::from(response.status());
    let state = provisioning_state(&response);
    let writes = matches!(method, Method::Put | Method::Patch);
    let result = match method {
        Method::Put | Method::Patch => Some(url.clone()),
        Method::Post => location.clone(),
        _ => None,
    };
    let running = |kind, poll, result| {
        let handle = OperationHandle { kind, poll, result };
        let state = state.clone().unwrap_or_else(|| "InProgress".to_owned());
        Ok(Step::Running { state, percent: None, handle, wait: retry_after(response.headers()) })
    };
    if let Some(monitor) = monitor {
        return running(OperationKind::Status, monitor, result);
    }
    match state.as_deref().map(status_of) {
        Some(PollerStatus::Failed | PollerStatus::Canceled) => return Err(failed(&what, response)),
        Some(PollerStatus::Succeeded) if status != 202 => return Ok(Step::Done(Outcome::Body(response))),
        _ => {}
    }
    match (status, location) {
        (201 | 202, Some(location)) => running(OperationKind::Location, location, result.filter(|_| writes)),
        (202, None) if writes => running(OperationKind::Resource, url.clone(), None),
        (200 | 201, _) if writes && state.is_some() => running(OperationKind::Resource, url.clone(), None),
        // Done; or accepted without a word on where to ask, so that nothing can be waited for.
        _ => Ok(Step::Done(Outcome::Body(response))),
    }
}

/// Reads the resource that the operation was about.
async fn fetch(arm: ArmClient, url: Url) -> Result<RawResponse> {
    let request = ArmRequest::follow(arm, url);
    let what = request.to_string();
    let response = request.send().await?;
    match provisioning_state(&response).as_deref().map(status_of) {
        Some(PollerStatus::Failed | PollerStatus::Canceled) => Err(failed(&what, response)),
        _ => Ok(response),
    }
}

/// Asks how far the operation has come.
async fn poll(arm: &ArmClient, handle: OperationHandle) -> Result<Step> {
    let request = ArmRequest::follow(arm.clone(), handle.poll.clone()).expect_status(&[200, 201, 202, 204]);
    let what = request.to_string();
    let response = request.send().await?;
    let status = u16::from(response.status());
    let wait = retry_after(response.headers());
    let body: Value = match handle.kind {
        _ if status == 204 => Value::Null,
        OperationKind::Location => Value::Null,
        OperationKind::Status | OperationKind::Resource => wire::decode(&response).map_err(|error| {
            let message = format!("{what}: {error}");
            error.with_context(message)
        })?,
    };
    let percent = body["percentComplete"].as_f64();
    let state = match handle.kind {
        OperationKind::Status if status == 204 => "Succeeded".to_owned(),
        OperationKind::Status => match body["status"].as_str() {
            Some(state) => state.to_owned(),
            None => {
                let message = format!("{what}: the answer does not tell the operation's status");
                return Err(Error::with_message(ErrorKind::DataConversion, message));
            }
        },
        OperationKind::Location if status == 202 => "InProgress".to_owned(),
        OperationKind::Location => "Succeeded".to_owned(),
        OperationKind::Resource => provisioning_state(&response).unwrap_or_else(|| "Succeeded".to_owned()),
    };
    match status_of(&state) {
        PollerStatus::Failed | PollerStatus::Canceled => Err(failed(&what, response)),
        PollerStatus::Succeeded => Ok(Step::Done(match (&handle.kind, handle.result) {
            (OperationKind::Resource, _) => Outcome::Body(response),
            (_, Some(result)) => Outcome::Fetch(result),
            (OperationKind::Location, None) => Outcome::Body(response),
            // What the operation has made, when no link leads to it.
            (OperationKind::Status, None) => Outcome::Body(with_body(match &body["properties"] {
                Value::Null => String::new(),
                made => made.to_string(),
            })),
        })),
        _ => {
            // A service may move the link while it works.
            let moved = link(&handle.poll, response.headers(), "location")?;
            let poll = moved.filter(|_| handle.kind == OperationKind::Location).unwrap_or(handle.poll);
            Ok(Step::Running { state, percent, handle: OperationHandle { poll, ..handle }, wait })
        }
    }
}

fn with_body(body: String) -> RawResponse {
    RawResponse::from_bytes(200.into(), Headers::new(), body)
}

fn status_of(state: &str) -> PollerStatus {
    PollerStatus::from(state)
}

fn provisioning_state(response: &RawResponse) -> Option<String> {
    #[derive(Deserialize)]
    struct Resource {
        properties: Option<Properties>,
    }
    #[derive(Deserialize)]
    struct Properties {
        #[serde(rename = "provisioningState")]
        provisioning_state: Option<String>,
    }
    let resource: Resource = wire::decode(response).ok()?;
    resource.properties?.provisioning_state
}

fn link(base: &Url, headers: &Headers, name: &'static str) -> Result<Option<Url>> {
    let text = headers.get_optional_string(&HeaderName::from_static(name));
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| base.join(text.trim())).transpose()?)
}

fn failed(what: &str, response: RawResponse) -> Error {
    let read = ArmError::of(&response);
    let state = wire::decode::<Value>(&response).unwrap_or(Value::Null);
    let state = state["status"].as_str().or_else(|| state["properties"]["provisioningState"].as_str());
    let state = state.unwrap_or("Failed").to_owned();
    let error_code = Some(read.code.clone()).filter(|code| !code.is_empty()).unwrap_or_else(|| state.clone());
    let reason = match (read.code.as_str(), read.message.as_str()) {
        ("", "") => "the service gave no reason".to_owned(),
        _ => read.to_string(),
    };
    let message = format!("{what}: the operation ended as {state}: {reason}");
    let status = response.status();
    let kind = ErrorKind::HttpResponse {
        status,
        error_code: Some(error_code),
        raw_response: Some(Box::new(response)),
    };
    Error::with_message(kind, message)
}
