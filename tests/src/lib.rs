//! The proof that the crates do what they say: one strict contract for each REST operation, declared as
//! data and run through every case that applies; and `payload-check`, the same checks on your payloads.
#![allow(clippy::missing_errors_doc, reason = "for this repository alone")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod cases;
mod contract;
mod contracts;
pub mod edges;
mod frozen;
mod loopback;
mod operations;
pub mod payload;
pub mod radar;
mod recorded;
pub mod robustness;
mod script;
pub mod shown;
pub mod tasks;

pub use cases::{Case, cases_of};
pub use contract::{
    Call, Contract, Decoded, all, delete, done, get, head, one, one_or_none, patch, post, put,
};
pub use contracts::all_contracts;
pub use frozen::frozen;
pub use loopback::{Loopback, StaticToken, TOKEN, client, client_options};
pub use operations::{Documented, all_sources, documented, table};
pub use recorded::RECORDED;
pub use script::{Reply, Script, Sent, fixture};
