//! Requests and responses. Nothing in this module depends on the double.

pub(crate) mod duration;
pub(crate) mod filter;
pub(crate) mod host;
pub(crate) mod identity;
pub(crate) mod paging;
mod request;
mod response;
pub(crate) mod timestamp;

pub(crate) use self::{
    request::{Call, Method, Request},
    response::{Body, Reply},
};

#[cfg(feature = "server")]
pub(crate) use self::response::Wire;
