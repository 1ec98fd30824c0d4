//! What a try of a key says.

use azure_core::{Error, error::ErrorKind};

/// What the resource said to a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Works,
    /// In words without the key.
    Refused(String),
}

pub(crate) fn failure(message: String) -> Error {
    Error::with_message(ErrorKind::Other, message)
}
