//! Request bodies that are wiped from memory, and options that say whether a request may be repeated.

use std::io::{self, Write};

use arm_core::{NotRepeatable, Repeatable};
use azure_core::{
    Bytes, Error, Result,
    error::ErrorKind,
    http::{ClientMethodOptions, Context},
};
use serde::Serialize;
use zeroize::Zeroizing;

/// A request body whose memory is wiped when its last clone is dropped.
///
/// Its length is computed first, since a growing buffer would leave copies behind.
pub(crate) fn sealed_body(body: &impl Serialize) -> Result<Bytes> {
    let failed =
        |_| Error::with_message(ErrorKind::DataConversion, "the request body cannot be written as JSON");
    let mut length = Length(0);
    serde_json::to_writer(&mut length, body).map_err(failed)?;
    let mut encoded = Zeroizing::new(Vec::with_capacity(length.0));
    serde_json::to_writer(&mut *encoded, body).map_err(failed)?;
    Ok(Bytes::from_owner(encoded))
}

/// Counts the bytes written.
struct Length(usize);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn repeatable() -> ClientMethodOptions<'static> {
    ClientMethodOptions { context: Context::new().with_value(Repeatable) }
}

pub(crate) fn not_repeatable() -> ClientMethodOptions<'static> {
    ClientMethodOptions { context: Context::new().with_value(NotRepeatable) }
}
