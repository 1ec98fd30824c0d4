//! What automations are made of.

mod action;
mod automation;
mod rule;
mod source;

pub(crate) use automation::refuse;

pub use action::{Action, EventHubAction, LogicAppAction, OtherAction, WorkspaceAction};
pub use automation::{
    Automation, AutomationPatch, AutomationProperties, AutomationScope, AutomationSpec, Scopes, Validation,
};
pub use rule::{AlertSeverity, BooleanRule, NumberRule, Operator, PropertyType, Rule, TextRule};
pub use source::{EventSource, RuleSet, Source};
