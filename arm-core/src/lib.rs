#![doc = include_str!("../README.md")]

mod action;
mod change;
mod client;
mod cloud;
#[cfg(feature = "identity")]
mod credential;
mod error;
mod fleet;
mod id;
pub mod kql;
mod open_enum;
mod operation;
mod options;
mod pager;
mod path;
mod policies;
pub mod prelude;
mod request;
mod secret;
mod shared_str;
mod system_metadata;
mod task;
mod text;
mod transport;
mod unmet;
#[allow(clippy::missing_errors_doc, reason = "for serde, whose errors they are")]
pub mod wire;

pub use action::covers_action;
/// The official crate whose `Result`, `Error`, credentials, options and URLs appear in the signatures of these
/// crates.
pub use azure_core;
pub use change::Change;
pub use client::ArmClient;
pub use cloud::{Audience, Cloud, CloudEndpoints};
#[cfg(feature = "identity")]
pub use credential::{ChosenCredential, CredentialKind, credential_from_environment};
pub use error::{ArmError, ArmErrorExt, ClaimsChallenge, ErrorDetail, PolicyRefusal};
pub use fleet::{Fleet, Outcome};
pub use id::{
    IdError, ManagementGroupId, ResourceGroupId, ResourceGroupName, ResourceId, ResourceName, ResourceType,
    Scope, SubscriptionId, is_at_or_below,
};
pub use operation::{Operation, OperationHandle, OperationKind, Poller};
pub use options::{ArmOptions, RetryBudget};
pub use pager::{ListPage, Pager, pages};
pub use path::ArmPath;
pub use policies::{MaxResponseBody, NotRepeatable, OriginPin, Repeatable, Retry};
pub use request::{ApiVersion, ArmRequest};
pub use secret::Secret;
pub use shared_str::SharedStr;
pub use system_metadata::SystemMetadata;
pub use task::{Mode, Task, refuse};
pub use text::{printable, printable_lines};
#[cfg(feature = "ring")]
pub use transport::default_transport;
pub use unmet::{NotAsWished, Unmet, Wish, is_same_region, is_same_text, unmet};

#[doc(hidden)]
pub use azure_core::Error as __Error;
#[doc(hidden)]
pub use serde as __serde;
