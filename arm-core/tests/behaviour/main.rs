//! What the client promises, against a scripted transport.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod errors;
mod lists;
mod operation_states;
mod operations;
mod requests;
mod scripted;
mod wire;
