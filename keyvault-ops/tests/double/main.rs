//! Our clients and tasks on the double.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test that cannot go on fails

mod due;
mod end_old_versions;
mod lab;
mod retire;
mod rotate;
mod rotate_beside_others;
mod rotate_calls;
mod rotate_groups;
mod rotate_interrupted;
mod rotate_issuers;
mod rotate_late_answers;
mod rotate_lost_answers;
mod rotate_outages;
mod rotate_reports;
mod rotate_versions;
mod rotations;
mod secrets;
#[path = "../support/mod.rs"]
mod support;
