//! Turns Sentinel on, connects it, and installs rules.

mod connect;
mod install_rules;
mod onboard;

pub use install_rules::InstalledRule;
pub use onboard::{Onboarding, is_not_onboarded};

use arm_core::{IdError, ResourceName};
use uuid::Uuid;

use crate::WorkspaceId;

/// A name that is the same in every run: a GUID derived from the workspace and a purpose.
fn stable_name(workspace: &WorkspaceId, purpose: &str) -> Result<ResourceName, IdError> {
    let text = format!("{}/{purpose}", workspace.to_string().to_ascii_lowercase());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.as_bytes()).hyphenated().to_string().parse()
}
