//! The crate against the double: what is kept, what is reported, what a second run does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod action_groups;
mod diagnostics;
mod evidence;
mod lab;
mod read_back;
mod rules;
mod sentinel;
mod workspaces;
