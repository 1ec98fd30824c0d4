use std::{collections::BTreeMap, time::Duration};

use arm_core::{
    ResourceId,
    wire::{self, UnknownFields, bool_text::option as bool_text},
};
use serde::{Deserialize, Serialize};

use crate::Resource;

arm_core::open_enum! {
    /// How a rule aggregates the rows of its query.
    pub enum TimeAggregation {
        /// The number of rows.
        Count = "Count",
        /// The average of a column.
        Average = "Average",
        /// The minimum of a column.
        Minimum = "Minimum",
        /// The maximum of a column.
        Maximum = "Maximum",
        /// The sum of a column.
        Total = "Total",
    }
}

arm_core::open_enum! {
    /// How the aggregate is compared with the threshold.
    pub enum ConditionOperator {
        /// Equal.
        Equal = "Equal",
        /// Greater than.
        GreaterThan = "GreaterThan",
        /// Greater than or equal to.
        GreaterThanOrEqual = "GreaterThanOrEqual",
        /// Less than.
        LessThan = "LessThan",
        /// Less than or equal to.
        LessThanOrEqual = "LessThanOrEqual",
        /// Greater or less than: outside a dynamic range.
        GreaterOrLessThan = "GreaterOrLessThan",
    }
}

arm_core::open_enum! {
    /// What a rule creates from the result of its query.
    pub enum QueryRuleKind {
        /// An alert.
        LogAlert = "LogAlert",
        /// An alert for each row.
        SimpleLogAlert = "SimpleLogAlert",
        /// A metric.
        LogToMetric = "LogToMetric",
    }
}

/// A rule that runs a query over logs and raises an alert.
pub type QueryRule = Resource<QueryRuleProperties>;

/// The properties of a [`QueryRule`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct QueryRuleProperties {
    /// The display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The severity, from 0 (critical) to 4 (verbose). Required for log alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<u8>,
    /// Whether it is enabled. Default: `true`.
    #[serde(deserialize_with = "bool_text::deserialize", skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The workspaces or resources whose logs are read.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub scopes: Vec<String>,
    /// How often the rule runs.
    #[serde(with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub evaluation_frequency: Option<Duration>,
    /// How far back each run looks.
    #[serde(with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub window_size: Option<Duration>,
    /// How far back the query looks, if further than the window.
    #[serde(with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub override_query_time_range: Option<Duration>,
    /// How long the rule is muted after an alert: at least its frequency. Cannot be combined with
    /// [`auto_mitigate`](Self::auto_mitigate).
    #[serde(with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub mute_actions_duration: Option<Duration>,
    /// When the rule raises an alert.
    pub criteria: Criteria,
    /// The actions of an alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actions: Option<RuleActions>,
    /// Whether the alert is resolved once the condition no longer holds. Default: `true`.
    #[serde(deserialize_with = "bool_text::deserialize", skip_serializing_if = "Option::is_none")]
    pub auto_mitigate: Option<bool>,
    /// Whether to skip validation of the query, which is necessary until its table exists.
    #[serde(deserialize_with = "bool_text::deserialize", skip_serializing_if = "Option::is_none")]
    pub skip_query_validation: Option<bool>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// The conditions of a rule.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Criteria {
    /// The conditions, all of which must hold.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub all_of: Vec<Condition>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Criteria {
    /// Creates criteria with one condition.
    pub fn of(condition: Condition) -> Self {
        Self { all_of: vec![condition], unknown: UnknownFields::default() }
    }
}

/// One condition of a rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Condition {
    /// The query.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub query: String,
    /// How rows are aggregated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_aggregation: Option<TimeAggregation>,
    /// The column to aggregate; `None` for a count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_measure_column: Option<String>,
    /// The column that contains the id of the resource that the alert is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id_column: Option<String>,
    /// The columns by which the aggregate is split. Each combination of values has its own alert.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub dimensions: Vec<Dimension>,
    /// How the aggregate is compared with the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<ConditionOperator>,
    /// The threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    /// How many evaluation periods must meet the condition to raise an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_periods: Option<FailingPeriods>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Condition {
    /// Creates a condition that is met by more than `threshold` rows.
    pub fn row_count_above(threshold: u32, query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            time_aggregation: Some(TimeAggregation::Count),
            metric_measure_column: None,
            resource_id_column: None,
            dimensions: Vec::new(),
            operator: Some(ConditionOperator::GreaterThan),
            threshold: Some(f64::from(threshold)),
            failing_periods: Some(FailingPeriods {
                number_of_evaluation_periods: 1,
                min_failing_periods_to_alert: 1,
                unknown: UnknownFields::default(),
            }),
            unknown: UnknownFields::default(),
        }
    }
}

/// A column by which the aggregate is split.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dimension {
    /// The column.
    pub name: String,
    /// `Include` or `Exclude`.
    pub operator: String,
    /// The values; `*` means all.
    pub values: Vec<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// How many evaluation periods must meet the condition to raise an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailingPeriods {
    /// The number of most recent periods to consider.
    pub number_of_evaluation_periods: u32,
    /// The number of these periods that must meet the condition.
    pub min_failing_periods_to_alert: u32,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// What a rule does when it raises an alert.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct RuleActions {
    /// The action groups to notify.
    #[serde(deserialize_with = "wire::null_as_default")]
    pub action_groups: Vec<String>,
    /// Properties to include in alerts.
    #[serde(deserialize_with = "wire::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_properties: BTreeMap<String, String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl RuleActions {
    /// Creates actions that notify these groups.
    pub fn notify<'a>(groups: impl IntoIterator<Item = &'a ResourceId>) -> Self {
        Self { action_groups: groups.into_iter().map(ToString::to_string).collect(), ..Self::default() }
    }
}

/// The parts of a rule to change. Absent fields are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct QueryRulePatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, String>>,
    properties: PatchProperties,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct PatchProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    criteria: Option<Criteria>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<RuleActions>,
}

impl QueryRulePatch {
    /// Creates an empty patch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns the rule on or off.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.properties.enabled = Some(enabled);
        self
    }

    /// Sets the severity, from 0 to 4.
    pub fn severity(mut self, severity: u8) -> Self {
        self.properties.severity = Some(severity);
        self
    }

    /// Replaces all conditions.
    pub fn criteria(mut self, criteria: Criteria) -> Self {
        self.properties.criteria = Some(criteria);
        self
    }

    /// Replaces all actions.
    pub fn actions(mut self, actions: RuleActions) -> Self {
        self.properties.actions = Some(actions);
        self
    }

    /// Replaces all tags.
    pub fn tags(mut self, tags: impl Into<BTreeMap<String, String>>) -> Self {
        self.tags = Some(tags.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_has_only_what_was_named() {
        let patch = QueryRulePatch::new().enabled(false).severity(3).tags([("a".to_owned(), "b".to_owned())]);
        assert_eq!(
            serde_json::to_value(patch).unwrap(),
            serde_json::json!({ "tags": { "a": "b" }, "properties": { "enabled": false, "severity": 3 } })
        );
    }

    #[test]
    fn booleans_that_come_as_texts_are_read_and_go_back_as_texts() {
        let sent = serde_json::json!({
            "name": "x", "location": "eastus",
            "properties": { "enabled": "false", "autoMitigate": "True", "scopes": [], "criteria": { "allOf": [] } },
        });
        let mut rule: QueryRule = serde_json::from_value(sent.clone()).unwrap();
        assert_eq!((rule.properties.enabled, rule.properties.auto_mitigate), (Some(false), Some(true)));
        assert_eq!(serde_json::to_value(&rule).unwrap(), sent);
        rule.properties.enabled = Some(true);
        assert_eq!(serde_json::to_value(&rule).unwrap()["properties"]["enabled"], true);
    }

    #[test]
    fn a_rule_is_written_back_with_what_this_crate_does_not_name() {
        let wire = json!({
            "id": "/x", "name": "r", "location": "westeurope", "kind": "LogAlert", "etag": "\"1\"",
            "identity": { "type": "SystemAssigned" },
            "properties": {
                "severity": 2, "enabled": true, "scopes": ["/w"], "evaluationFrequency": "PT5M", "windowSize": "PT15M",
                "targetResourceTypes": ["Microsoft.KeyVault/vaults"],
                "criteria": { "allOf": [{
                    "query": "T", "timeAggregation": "Median", "operator": "GreaterThan", "threshold": 1.5,
                    "criterionType": "DynamicThresholdCriterion", "minRecurrenceCount": 2,
                }] },
                "actions": { "actionGroups": ["/ag"], "actionProperties": { "Icm.Title": "x" } },
                "ruleResolveConfiguration": { "autoResolved": true, "timeToResolve": "PT10M" },
            },
        });
        let rule: QueryRule = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(rule.properties.window_size, Some(Duration::from_secs(900)));
        assert_eq!(serde_json::to_value(&rule).unwrap(), wire);
    }
}
