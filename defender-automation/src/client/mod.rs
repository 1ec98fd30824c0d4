//! One method per REST operation.

mod automations;

pub use automations::{API_VERSION, AutomationsClient};
