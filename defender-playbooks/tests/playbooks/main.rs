//! The playbooks on the double.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

mod containment;
mod coverage;
mod findings;
mod investigate;
#[allow(dead_code, reason = "each uses its own part")]
#[path = "../../../monitor-ops/tests/monitor/lab.rs"]
mod lab;
mod leaks;
mod leaks_read;
mod leaks_real;
mod leaks_report;
mod overheard;
mod plan;
mod plan_worlds;
mod preflight;
mod readers;
