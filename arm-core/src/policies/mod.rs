//! The policies that every request passes, in addition to azure_core's.

mod body_limit;
mod origin_pin;
mod retry;

pub use body_limit::MaxResponseBody;
pub(crate) use body_limit::whole;
pub use origin_pin::OriginPin;
pub use retry::{NotRepeatable, Repeatable, Retry};
pub(crate) use retry::{Repetition, is_repeatable};
