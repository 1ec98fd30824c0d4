//! Reads and writes values in the forms that Azure uses: leniently and, in models that keep the JSON received, without
//! losing anything.
//!
//! Most modules and some functions are for serde's `with` or `deserialize_with` on a field.

pub mod as_sent;
pub mod bool_text;
mod deferred;
mod from_text;
pub mod instant;
pub mod iso_duration;
pub mod kept;
mod merge;
mod nullable;
mod retry_after;
mod scan;
pub mod secret;
mod span;
mod tape;
pub mod text;
mod unknown;

use std::{borrow::Cow, str::Utf8Error};

use azure_core::{
    Bytes, Error,
    error::ErrorKind,
    http::{
        RawResponse,
        headers::{CONTENT_TYPE, HeaderName, Headers},
    },
};
use bytestring::ByteString;
use serde::de::DeserializeOwned;

pub use as_sent::{AsSent, WriteBack, check_writable};
pub use deferred::Deferred;
pub(crate) use from_text::first_value;
pub use from_text::from_str;
pub use kept::{Kept, Part, Place, SentText};
pub use nullable::{null_as_default, without_nulls};
pub use tape::{Node, Tape};
pub use unknown::UnknownFields;

pub(crate) use retry_after::retry_after;

use crate::text::excerpt;

/// Returns a header's value. The getters of [`Headers`] write the message of an error first, whether there is one or not.
pub(crate) fn header<'a>(headers: &'a Headers, name: &HeaderName) -> Option<&'a str> {
    headers.iter().find(|(present, _)| *present == name).map(|(_, value)| value.as_str())
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Returns a body as text: without a byte order mark, and with replacement characters where it is not UTF-8.
pub(crate) fn lossy_text(body: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body))
}

/// Returns a body as text without a byte order mark, and without copying it; an error if it is not UTF-8.
pub(crate) fn into_text(mut body: Bytes) -> azure_core::Result<ByteString> {
    if body.starts_with(BYTE_ORDER_MARK) {
        body = body.slice(BYTE_ORDER_MARK.len()..);
    }
    ByteString::try_from(body).map_err(not_utf8)
}

fn not_utf8(error: Utf8Error) -> Error {
    refuse(format!("the response is not UTF-8: byte {} is invalid", error.valid_up_to()))
}

fn refuse(message: String) -> Error {
    Error::with_message(ErrorKind::DataConversion, message)
}

/// Decodes a JSON response. The error for a body that is not JSON shows its content type and beginning; the error for a
/// body of the wrong shape gives the location, but no value other than an invalid id.
pub fn decode<T: DeserializeOwned>(response: &RawResponse) -> azure_core::Result<T> {
    let body: &[u8] = response.body();
    let text = std::str::from_utf8(body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body)).map_err(not_utf8)?;
    decode_text(text, response.headers())
}

/// Decodes the text of a response that has these headers.
pub(crate) fn decode_text<T: DeserializeOwned>(text: &str, headers: &Headers) -> azure_core::Result<T> {
    from_str(text).map_err(|error| {
        if error.is_data() || text.trim_start().starts_with(['{', '[', '"']) {
            return refuse(format!("the response cannot be decoded: {}", without_values(&error)));
        }
        let kind = header(headers, &CONTENT_TYPE).unwrap_or("no content type");
        match text.trim() {
            "" => refuse(format!("the response is empty where JSON was expected ({kind})")),
            _ => refuse(format!("the response is not JSON but {kind}: {}", excerpt(text))),
        }
    })
}

/// Returns the text of a decoding error without the offending value, which may be a secret, unless that is an invalid
/// id. For models that decode a part later than the rest of the response.
pub fn without_values(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let Some(end) = message.rfind(", expected") else { return message };
    match message[..end].find(['`', '"']) {
        Some(begin) => format!("{}{}", message[..begin].trim_end(), &message[end..]),
        None => message,
    }
}
