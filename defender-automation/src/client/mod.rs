//! One method for each REST operation.

mod automations;

pub use automations::{API_VERSION, AutomationsClient};
