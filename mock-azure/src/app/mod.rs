//! From a seed to a world, and from a request to its response.

mod admission;
mod api_versions;
pub(crate) mod bounds;
mod demo;
mod dispatch;
mod options;
mod registry;
mod start;

pub(crate) use self::dispatch::{Disposition, handle};
pub use self::start::AnotherTenant;
#[cfg(feature = "server")]
pub(crate) use self::start::build_program;
