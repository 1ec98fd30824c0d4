//! Defender's alerts, recommendations and scores, as any HTTP client sees them.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod alerts;
mod assessments;
mod caller;
mod exemptions;
mod graph;
mod others;
mod suppression;
