//! What each response of a long-running operation means, and where to poll next.

use std::time::Duration;

use azure_core::{
    Error, Result,
    error::ErrorKind,
    http::{
        Method, RawResponse, Url,
        headers::{HeaderName, Headers},
        poller::PollerStatus,
    },
};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::handle::{OperationHandle, OperationKind, status_of, with_body};
use crate::{
    ArmClient, ArmError, ArmErrorExt as _, ArmRequest,
    wire::{self, header, retry_after},
};

/// What one response means.
pub(super) enum Step {
    Running {
        state: String,
        percent: Option<f64>,
        handle: Box<OperationHandle>,
        wait: Option<Duration>,
    },
    /// Done; the resource has yet to be fetched with this handle.
    Fetch(Box<OperationHandle>),
    /// Done; the response contains the resource.
    Done(RawResponse),
}

/// Sends the request that starts the operation.
pub(super) async fn first(request: ArmRequest) -> Result<Step> {
    let (method, url, what) = (request.method(), request.url()?, request.to_string());
    let response = request.send().await?;
    let link = |name| link(&url, response.headers(), name);
    let monitor = match link("azure-asyncoperation")? {
        Some(monitor) => Some(monitor),
        None => link("operation-location")?,
    };
    let (writes, deletes) = (matches!(method, Method::Put | Method::Patch), method == Method::Delete);
    let resource = (writes || deletes).then(|| url.clone());
    let location = link("location")?;
    let result = if writes { Some(url.clone()) } else { location.clone().filter(|_| !deletes) };
    // A link to the resource itself returns the resource, not the end of the operation.
    let elsewhere = |to: &Url| resource.as_ref().is_none_or(|resource| !leads_to(to, resource));
    let location = location.filter(elsewhere);
    let status = u16::from(response.status());
    let state = state_in(&body_of(&response));
    let running = |kind, poll, result| {
        let handle = OperationHandle { kind, poll, result, resource: resource.clone(), deletes };
        let state = state.clone().unwrap_or_else(|| "InProgress".to_owned());
        let wait = retry_after(response.headers());
        Ok(Step::Running { state, percent: None, handle: Box::new(handle), wait })
    };
    if let Some(monitor) = monitor {
        return running(OperationKind::Status, monitor, result);
    }
    let unfinished = match state.as_deref().map(status_of) {
        Some(PollerStatus::Failed | PollerStatus::Canceled) => return Err(failed(&what, response)),
        Some(PollerStatus::Succeeded) if status != 202 => return Ok(Step::Done(response)),
        Some(PollerStatus::Succeeded) | None => false,
        Some(_) => true,
    };
    match (status, location) {
        (201 | 202, Some(location)) => running(OperationKind::Location, location, result.filter(|_| writes)),
        _ if resource.is_some() && (status == 202 || unfinished) => {
            running(OperationKind::Resource, url.clone(), None)
        }
        _ if unfinished => {
            let state = state.unwrap_or_default();
            let message =
                format!("{what}: the operation is {state}, but the service does not say where to poll it");
            Err(Error::with_message(ErrorKind::Other, message))
        }
        // Done; or an action was accepted without a link to poll, so that there is nothing to wait for.
        _ => Ok(Step::Done(response)),
    }
}

/// Polls the operation once.
pub(super) async fn poll(arm: &ArmClient, handle: OperationHandle) -> Result<Step> {
    let request = ArmRequest::follow(arm.clone(), handle.poll.clone()).expect_status(&[200, 201, 202, 204]);
    let what = request.to_string();
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if is_away(&error) => return vanished(arm, handle, error).await,
        Err(error) => return Err(error),
    };
    let status = u16::from(response.status());
    let wait = retry_after(response.headers());
    let body = match handle.kind {
        _ if status == 204 => Value::Null,
        OperationKind::Location => body_of(&response),
        OperationKind::Resource if response.body().iter().all(u8::is_ascii_whitespace) => {
            let message = format!("{what}: the service sent no resource");
            return Err(Error::with_message(ErrorKind::DataConversion, message));
        }
        OperationKind::Status | OperationKind::Resource => wire::decode(&response).map_err(|error| {
            let message = format!("{what}: {error}");
            error.reworded(message)
        })?,
    };
    let state = match handle.kind {
        // As long as the resource can be read it is not deleted, whatever state it reports.
        OperationKind::Resource if handle.deletes => match state_in(&body) {
            Some(state) if status_of(&state) != PollerStatus::Succeeded => state,
            _ => "InProgress".to_owned(),
        },
        OperationKind::Status if status != 204 => match body["status"].as_str() {
            Some(state) => state.to_owned(),
            None => {
                let message = format!("{what}: the response does not contain the operation's status");
                return Err(Error::with_message(ErrorKind::DataConversion, message));
            }
        },
        OperationKind::Location if status == 202 => "InProgress".to_owned(),
        _ => state_in(&body).unwrap_or_else(|| "Succeeded".to_owned()),
    };
    match status_of(&state) {
        PollerStatus::Failed | PollerStatus::Canceled => Err(failed(&what, response)),
        PollerStatus::Succeeded => Ok(match (handle.kind, handle.result.clone()) {
            (OperationKind::Status | OperationKind::Location, Some(result)) => {
                Step::Fetch(Box::new(at_result(handle, result)))
            }
            (OperationKind::Location | OperationKind::Resource, _) => Step::Done(response),
            // The result is in the status itself if no link leads to it.
            (OperationKind::Status, None) => Step::Done(with_body(match &body["properties"] {
                Value::Null => String::new(),
                made => made.to_string(),
            })),
        }),
        _ => {
            // A service may change the link while the operation runs.
            let moved = link(&handle.poll, response.headers(), "location")?;
            let poll = moved.filter(|_| handle.kind == OperationKind::Location).unwrap_or(handle.poll);
            let (percent, handle) = (body["percentComplete"].as_f64(), OperationHandle { poll, ..handle });
            Ok(Step::Running { state, percent, handle: Box::new(handle), wait })
        }
    }
}

/// Returns the handle for the result, which may be unfinished even though the operation has ended.
fn at_result(handle: OperationHandle, result: Url) -> OperationHandle {
    let kind = if handle.resource.is_some() { OperationKind::Resource } else { OperationKind::Location };
    OperationHandle { kind, poll: result, result: None, ..handle }
}

/// Reads the operation's resource instead of a status link that no longer works. If the resource does not show the
/// outcome, returns an error, never a success.
async fn vanished(arm: &ArmClient, handle: OperationHandle, gone: Error) -> Result<Step> {
    if handle.kind == OperationKind::Resource {
        return match handle.deletes && gone.is_resource_not_found() {
            true => Ok(Step::Done(with_body(String::new()))),
            false => Err(gone),
        };
    }
    let go_on = |handle, state: String| {
        Ok(Step::Running { state, percent: None, handle: Box::new(handle), wait: None })
    };
    let undetermined = |what: &str| {
        let message = format!("{gone}; the link to the operation's status no longer works, and {what}");
        Error::with_message(gone.kind().clone(), message)
    };
    let Some(resource) = handle.resource.clone() else {
        return match handle.result.clone() {
            Some(result) => go_on(at_result(handle, result), "InProgress".to_owned()),
            None => Err(undetermined("there is no other way to find out whether it was done")),
        };
    };
    let request = ArmRequest::follow(arm.clone(), resource.clone());
    let what = request.to_string();
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if handle.deletes && error.is_resource_not_found() => {
            return Ok(Step::Done(with_body(String::new())));
        }
        Err(error) => return Err(undetermined(&format!("the resource cannot be read: {error}"))),
    };
    let state = state_in(&body_of(&response));
    match state.as_deref().map(status_of) {
        Some(PollerStatus::Failed | PollerStatus::Canceled) => Err(failed(&what, response)),
        Some(PollerStatus::Succeeded) if !handle.deletes => Ok(Step::Done(response)),
        None | Some(PollerStatus::Succeeded) if handle.deletes => {
            Err(undetermined("the resource is still there"))
        }
        None => Err(undetermined("the resource does not report its state")),
        Some(_) => {
            let kind = OperationKind::Resource;
            let handle = OperationHandle { kind, poll: resource, ..handle };
            go_on(handle, state.unwrap_or_default())
        }
    }
}

/// Whether the link does not work, or no longer works, for any reason.
fn is_away(error: &Error) -> bool {
    matches!(error.status(), Some(404 | 410))
}

fn body_of(response: &RawResponse) -> Value {
    wire::decode(response).unwrap_or(Value::Null)
}

/// The members that appear in an operation's status, as recorded from about thirty services.
const MONITOR: &[&str] = &[
    "id",
    "name",
    "status",
    "startTime",
    "endTime",
    "percentComplete",
    "error",
    "properties",
    "resourceId",
    "createdDateTime",
    "lastActionDateTime",
];

/// Returns the state in a body: an operation's `status`, or a resource's `properties.provisioningState`.
///
/// Results may have a `status` of their own. A `status` therefore counts only if it is a known state of operations, or
/// if the body has only members of an operation's status.
fn state_in(body: &Value) -> Option<String> {
    let of_operation = body["status"].as_str().filter(|word| {
        let known = !matches!(status_of(word), PollerStatus::UnknownValue(_));
        let members = body.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
        known || members.into_iter().all(|name| MONITOR.contains(&name))
    });
    let state = of_operation.or_else(|| body["properties"]["provisioningState"].as_str());
    state.map(str::to_owned)
}

fn link(base: &Url, headers: &Headers, name: &'static str) -> Result<Option<Url>> {
    let text = header(headers, &HeaderName::from_static(name));
    Ok(text.filter(|text| !text.trim().is_empty()).map(|text| base.join(text.trim())).transpose()?)
}

/// Whether a link leads to a resource, regardless of case, encoding and query.
fn leads_to(link: &Url, resource: &Url) -> bool {
    let place = |url: &Url| {
        let path = percent_decode_str(url.path().trim_end_matches('/')).decode_utf8_lossy().to_lowercase();
        (url.origin(), path)
    };
    place(link) == place(resource)
}

fn failed(what: &str, response: RawResponse) -> Error {
    let read = ArmError::of(&response);
    let state = state_in(&body_of(&response)).unwrap_or_else(|| "Failed".to_owned());
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
