//! Stubs for elliptic-curve keys without the feature `curves`.

use serde_json::Value;

use super::{material::Made, store::Version};
use crate::http::Reply;

const WHAT: &str = "keys on elliptic curves: its feature `curves` is off";

pub(super) fn on_curve(_: &str, _: &str, _: String, _: Value) -> Result<Made, Box<Reply>> {
    Err(Box::new(Reply::not_implemented(WHAT)))
}

pub(super) fn sign(_: &Version, _: &str, _: &[u8]) -> Result<Vec<u8>, Box<Reply>> {
    Err(Box::new(Reply::not_implemented(WHAT)))
}

pub(super) fn verify(_: &Version, _: &str, _: &[u8], _: &[u8]) -> Result<bool, Box<Reply>> {
    Err(Box::new(Reply::not_implemented(WHAT)))
}
