//! Every operation and task against the double.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod resource_graph;
mod resource_groups;
mod roles;
mod sign_ins;
mod signed_in;
mod subscriptions;
mod support;
mod virtual_machines;
