//! The models, with one file per resource.

mod action_group;
mod alert_rule;
mod cells;
mod diagnostic_setting;
mod diagnostic_spec;
mod incident;
mod query;
mod query_rule;
mod receiver;
mod resource;
mod sentinel;
mod vault_operation;
mod workspace;

pub use action_group::{
    ActionGroup, ActionGroupPatch, ActionGroupProperties, Receivers, TestNotification,
    TestNotificationDetail, TestNotificationResult,
};
pub use alert_rule::{
    AlertRule, EntityMapping, FieldMapping, FusionRule, IncidentCreationRule, RuleKind, ScheduledRule,
    SentinelSeverity, TriggerOperator,
};
pub use cells::{ColumnType, LogColumn};
pub use diagnostic_setting::{
    CategoryProperties, CategoryType, DestinationType, DiagnosticCategory, DiagnosticProperties,
    DiagnosticSetting, SettingEntry, Sink,
};
pub use diagnostic_spec::{Category, DiagnosticSpec};
pub use incident::{
    Incident, IncidentAlert, IncidentAlertProperties, IncidentClassification, IncidentProperties,
    IncidentReason, IncidentStatus,
};
pub use query::{
    BatchAnswer, BatchBody, BatchQuery, LogQuery, LogTable, Metadata, MetadataTable, QueryError,
    QueryResults, Timespan,
};
pub use query_rule::{
    Condition, ConditionOperator, Criteria, Dimension, FailingPeriods, QueryRule, QueryRuleKind,
    QueryRulePatch, QueryRuleProperties, RuleActions, TimeAggregation,
};
pub use receiver::{
    AppPushReceiver, EmailReceiver, EventHubReceiver, FunctionReceiver, ItsmReceiver, LogicAppReceiver,
    PhoneReceiver, ReceiverStatus, RoleReceiver, RunbookReceiver, WebhookReceiver,
};
pub use resource::Resource;
pub use sentinel::{
    ConnectorKind, ConnectorProperties, DataConnector, OnboardingProperties, OnboardingState,
};
pub(crate) use vault_operation::RESTORE;
pub use vault_operation::{VaultOperation, VaultOperationName};
pub use workspace::{
    ProvisioningState, PublicNetworkAccess, SkuName, Workspace, WorkspaceCapping, WorkspacePatch,
    WorkspaceProperties, WorkspaceSku, WorkspaceSpec,
};
