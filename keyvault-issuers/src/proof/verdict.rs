//! The result of testing a key.

use azure_core::{Error, error::ErrorKind};

/// How the resource responded to a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Works,
    /// The reason, without the key.
    Refused(String),
}

pub(crate) fn failure(message: String) -> Error {
    Error::with_message(ErrorKind::Other, message)
}
