//! Stubs for certificates without the feature `certificates`.

use serde_json::Value;
use time::OffsetDateTime;

use crate::{http::Reply, services::secrets::material::Made};

pub(super) struct Facts {
    pub(super) properties: Value,
    pub(super) key: Value,
    pub(super) from: i64,
    pub(super) to: i64,
}

fn off() -> Box<Reply> {
    Box::new(Reply::not_implemented("certificates of a vault: its feature `certificates` is off"))
}

pub(super) fn request(_: &Made, _: &Value) -> Result<Vec<u8>, Box<Reply>> {
    Err(off())
}

pub(super) fn issue(
    _: &Made,
    _: &Value,
    _: &str,
    _: (OffsetDateTime, OffsetDateTime),
) -> Result<Vec<u8>, Box<Reply>> {
    Err(off())
}

pub(super) fn months_later(from: OffsetDateTime, _: u64) -> OffsetDateTime {
    from
}

pub(super) fn thumbprint(_: &[u8]) -> String {
    String::new()
}

pub(super) fn period(_: &[u8]) -> Option<(i64, i64)> {
    None
}

pub(super) fn is_for(_: &[u8], _: &Made) -> bool {
    false
}

pub(super) fn from_pem(_: &str) -> Result<(Vec<u8>, Made), Box<Reply>> {
    Err(off())
}

pub(super) fn facts(_: &[u8]) -> Result<Facts, Box<Reply>> {
    Err(off())
}

pub(super) fn with_private_half(_: &Made, _: &[u8], _: &str) -> Option<String> {
    None
}
