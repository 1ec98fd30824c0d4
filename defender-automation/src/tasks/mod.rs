//! What takes several requests: a file for each task, with the method that starts it.

mod ensure;

pub use ensure::{AutomationChange, EnsureAutomation};
