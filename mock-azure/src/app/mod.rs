//! From a request to its answer.

mod admission;
mod api_versions;
mod demo;
pub(crate) mod dispatch;
pub(crate) mod options;
pub(crate) mod registry;
