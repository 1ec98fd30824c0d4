//! The models of automations.

mod action;
mod automation;
mod key_vault;
mod rule;
mod source;
mod warnings;

pub use action::{Action, EventHubAction, LogicAppAction, OtherAction, WorkspaceAction};
pub use automation::{
    Automation, AutomationPatch, AutomationProperties, AutomationScope, AutomationSpec, Scopes, Validation,
};
pub use key_vault::KEY_VAULT_ALERTS;
pub use rule::{AlertSeverity, BooleanRule, NumberRule, Operator, PropertyType, Rule, TextRule};
pub use source::{EventSource, RuleSet, Source};
pub use warnings::{Problem, Warning};
