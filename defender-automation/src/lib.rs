#![doc = include_str!("../README.md")]

mod client;
mod models;
mod tasks;

pub use client::{API_VERSION, AutomationsClient};
pub use models::{
    Action, AlertSeverity, Automation, AutomationPatch, AutomationProperties, AutomationScope,
    AutomationSpec, BooleanRule, EventHubAction, EventSource, KEY_VAULT_ALERTS, LogicAppAction, NumberRule,
    Operator, OtherAction, Problem, PropertyType, Rule, RuleSet, Scopes, Source, TextRule, Validation,
    Warning, WorkspaceAction,
};
pub use tasks::{AutomationChange, EnsureAutomation};
