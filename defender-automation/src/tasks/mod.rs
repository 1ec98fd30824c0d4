//! Tasks, which take several requests: one file each, with the method that starts it.

mod ensure;

pub use ensure::{AutomationChange, EnsureAutomation};
