//! Tasks, each of which takes several requests. One file per task, with the method that starts it.

mod decide_diagnostics;
mod ensure_diagnostics;
mod ensure_mail;
mod ensure_rule;
mod ensure_workspace;
mod evidence;
mod sentinel;

pub use ensure_workspace::EnsureWorkspace;
pub use evidence::{Evidence, GatherEvidence, LogSource};
pub use sentinel::{InstalledRule, Onboarding, is_not_onboarded};
