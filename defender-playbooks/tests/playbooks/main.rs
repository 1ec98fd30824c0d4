//! The playbooks on the double.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

mod containment;
mod coverage;
mod findings;
mod investigate;
mod lab;
mod leaks;
mod leaks_end;
mod leaks_read;
mod leaks_real;
mod leaks_report;
mod overview;
mod plan;
mod plan_secrets;
mod plan_worlds;
mod preflight;
mod readers;
