//! Where to poll an operation, and how to read its state.

use azure_core::http::{RawResponse, Url, headers::Headers, poller::PollerStatus};
use serde::{Deserialize, Serialize};

/// The links of a long-running operation. Store the handle to resume with
/// [`ArmClient::resume_operation`](crate::ArmClient::resume_operation).
///
/// Links may be signed, so protect the handle like a password. `Debug` shows the links without their query parameters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationHandle {
    /// How the state is read.
    pub kind: OperationKind,
    /// The link to poll.
    pub poll: Url,
    /// The link to the resource, to fetch once the operation has succeeded; `None` if there is none.
    pub result: Option<Url>,
    /// The URL of the resource being written or deleted, which is read if the status link stops working; `None` for an
    /// action.
    pub resource: Option<Url>,
    /// Whether the operation deletes the resource.
    #[serde(default)]
    pub deletes: bool,
}

impl std::fmt::Debug for OperationHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |link: &Url| format!("{}{}", link.origin().ascii_serialization(), link.path());
        f.debug_struct("OperationHandle")
            .field("kind", &self.kind)
            .field("poll", &shown(&self.poll))
            .field("result", &self.result.as_ref().map(shown))
            .field("resource", &self.resource.as_ref().map(shown))
            .field("deletes", &self.deletes)
            .finish()
    }
}

/// How to read the state of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OperationKind {
    /// From `Azure-AsyncOperation` or `Operation-Location`: the `status` in the body.
    Status,
    /// From `Location`: 202 until the operation is done, or a body with a state.
    Location,
    /// From the resource itself: its `provisioningState` or, for a deletion, whether it still exists.
    Resource,
}

pub(super) fn with_body(body: String) -> RawResponse {
    RawResponse::from_bytes(200.into(), Headers::new(), body)
}

pub(super) fn status_of(state: &str) -> PollerStatus {
    PollerStatus::from(state)
}
