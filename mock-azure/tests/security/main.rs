//! Defender's alerts, recommendations and scores, as any HTTP client sees them.

mod alerts;
mod assessments;
mod caller;
mod graph;
mod others;
mod suppression;
