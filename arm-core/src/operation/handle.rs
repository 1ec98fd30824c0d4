//! Where an operation is polled, and how its state is read.

use azure_core::http::{RawResponse, Url, headers::Headers, poller::PollerStatus};
use serde::{Deserialize, Serialize};

/// Where a long-running operation is polled. Store it to resume with [`ArmClient::resume_operation`](crate::ArmClient::resume_operation).
///
/// Links may be signed, so store it like a password; `Debug` shows them without their query parameters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OperationHandle {
    /// How to read the state.
    pub kind: OperationKind,
    /// The link to poll.
    pub poll: Url,
    /// Where to fetch the resource once the operation has succeeded; `None` if there is none.
    pub result: Option<Url>,
    /// The resource that is written or deleted, which is read if the status link disappears; `None` for an action.
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

/// How the state of an operation is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum OperationKind {
    /// `Azure-AsyncOperation`: the body's `status`.
    Status,
    /// `Location`: 202 until it is done, or a body with a state.
    Location,
    /// The resource itself: its `provisioningState`, or whether it still exists if it is being deleted.
    Resource,
}

pub(super) fn with_body(body: String) -> RawResponse {
    RawResponse::from_bytes(200.into(), Headers::new(), body)
}

pub(super) fn status_of(state: &str) -> PollerStatus {
    PollerStatus::from(state)
}
