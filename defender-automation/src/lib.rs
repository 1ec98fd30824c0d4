#![doc = include_str!("../README.md")]

mod client;
mod key_vault;
mod models;
mod tasks;
mod warnings;

pub use client::{API_VERSION, AutomationsClient};
pub use key_vault::KEY_VAULT_ALERTS;
pub use models::{
    Action, AlertSeverity, Automation, AutomationPatch, AutomationProperties, AutomationScope,
    AutomationSpec, BooleanRule, EventHubAction, EventSource, LogicAppAction, NumberRule, Operator,
    OtherAction, PropertyType, Rule, RuleSet, Scopes, Source, TextRule, Validation, WorkspaceAction,
};
pub use tasks::{AutomationChange, EnsureAutomation};
pub use warnings::{Problem, Warning};
