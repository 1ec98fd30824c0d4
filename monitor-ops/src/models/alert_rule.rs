use std::{collections::BTreeMap, time::Duration};

use arm_core::wire::{self, AsSent, Deferred, UnknownFields};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

arm_core::open_enum! {
    /// The severity of an alert or incident.
    pub enum SentinelSeverity {
        /// High.
        High = "High",
        /// Medium.
        Medium = "Medium",
        /// Low.
        Low = "Low",
        /// Informational.
        Informational = "Informational",
    }
}

arm_core::open_enum! {
    /// How the number of rows is compared with the threshold.
    pub enum TriggerOperator {
        /// Greater than.
        GreaterThan = "GreaterThan",
        /// Less than.
        LessThan = "LessThan",
        /// Equal.
        Equal = "Equal",
        /// Not equal.
        NotEqual = "NotEqual",
    }
}

/// An analytics rule of Sentinel.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct AlertRule {
    /// The id, as the service spells it; empty until the rule has been written.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name, usually a GUID.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The version that was read. Required for an update.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The rule itself, by kind.
    #[serde(flatten)]
    pub rule: RuleKind,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(AlertRule);

impl AlertRule {
    /// Creates a rule.
    pub fn new(rule: RuleKind) -> Self {
        Self {
            id: String::new(),
            name: String::new(),
            etag: None,
            rule,
            unknown: UnknownFields::default(),
            as_sent: AsSent::default(),
        }
    }

    fn deserialize<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            #[serde(default)]
            id: String,
            #[serde(default)]
            name: String,
            etag: Option<String>,
            kind: String,
            properties: Deferred<Value>,
            #[serde(flatten)]
            unknown: UnknownFields,
        }

        let Wire { id, name, etag, kind, properties, unknown } = Wire::deserialize(deserializer)?;
        Ok(Self { id, name, etag, rule: RuleKind::of(kind, properties), unknown, as_sent: AsSent::default() })
    }
}

/// What an analytics rule does, by its `kind`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RuleKind {
    /// Runs a query on a schedule.
    Scheduled(Box<ScheduledRule>),
    /// Creates incidents from another product's alerts.
    IncidentCreation(IncidentCreationRule),
    /// The built-in rule that correlates signals.
    Fusion(FusionRule),
    /// A kind that this version does not model, or a rule whose properties cannot be read.
    Other {
        /// The kind.
        kind: String,
        /// The properties, as the service wrote them.
        properties: Value,
    },
}

#[derive(Serialize)]
struct Tagged {
    kind: String,
    properties: Value,
}

impl Serialize for RuleKind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        fn value<S: serde::Serializer>(rule: &impl Serialize) -> Result<Value, S::Error> {
            serde_json::to_value(rule).map_err(serde::ser::Error::custom)
        }
        let (kind, properties) = match self {
            Self::Scheduled(rule) => ("Scheduled", value::<S>(rule)?),
            Self::IncidentCreation(rule) => ("MicrosoftSecurityIncidentCreation", value::<S>(rule)?),
            Self::Fusion(rule) => ("Fusion", value::<S>(rule)?),
            Self::Other { kind, properties } => (kind.as_str(), properties.clone()),
        };
        Tagged { kind: kind.to_owned(), properties }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for RuleKind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Tagged {
            kind: String,
            properties: Deferred<Value>,
        }

        let Tagged { kind, properties } = Tagged::deserialize(deserializer)?;
        Ok(Self::of(kind, properties))
    }
}

impl RuleKind {
    /// A rule whose properties cannot be read becomes [`RuleKind::Other`].
    fn of(kind: String, properties: Deferred<Value>) -> Self {
        fn read<T: DeserializeOwned>(properties: &Deferred<Value>) -> Option<T> {
            let of_text = properties.text().and_then(|text| wire::from_str(text).ok());
            of_text.or_else(|| T::deserialize(properties.get()).ok())
        }
        let known = match kind.as_str() {
            "Scheduled" => read(&properties).map(Box::new).map(Self::Scheduled),
            "MicrosoftSecurityIncidentCreation" => read(&properties).map(Self::IncidentCreation),
            "Fusion" => read(&properties).map(Self::Fusion),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Other { kind, properties: properties.into_inner() })
    }
}

/// A rule that runs a query on a schedule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ScheduledRule {
    /// The display name.
    pub display_name: String,
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The severity of its alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<SentinelSeverity>,
    /// The query.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub query: String,
    /// How often the query runs, from 5 minutes to 14 days.
    #[serde(default, with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub query_frequency: Option<Duration>,
    /// How far back the query looks: at least the frequency, at most 14 days.
    #[serde(default, with = "wire::iso_duration::option", skip_serializing_if = "Option::is_none")]
    pub query_period: Option<Duration>,
    /// How the number of rows is compared with the threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_operator: Option<TriggerOperator>,
    /// The threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger_threshold: Option<i32>,
    /// How long alerts are suppressed after one is raised, if suppression is on.
    #[serde(with = "wire::iso_duration")]
    pub suppression_duration: Duration,
    /// Whether alerts are suppressed for a while after one is raised.
    pub suppression_enabled: bool,
    /// MITRE ATT&CK tactics, without spaces.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub tactics: Vec<String>,
    /// MITRE ATT&CK techniques, by id.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub techniques: Vec<String>,
    /// The columns that identify entities.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub entity_mappings: Vec<EntityMapping>,
    /// Columns to include in the alert, keyed by the name that the alert shows.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub custom_details: BTreeMap<String, String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl ScheduledRule {
    /// Creates an enabled rule that raises an alert if its query returns any rows.
    pub fn new(
        display_name: impl Into<String>,
        severity: SentinelSeverity,
        query: impl Into<String>,
        every: Duration,
        looking_back: Duration,
    ) -> Self {
        Self {
            display_name: display_name.into(),
            description: None,
            enabled: true,
            severity: Some(severity),
            query: query.into(),
            query_frequency: Some(every),
            query_period: Some(looking_back),
            trigger_operator: Some(TriggerOperator::GreaterThan),
            trigger_threshold: Some(0),
            suppression_duration: Duration::from_secs(5 * 3600),
            suppression_enabled: false,
            tactics: Vec::new(),
            techniques: Vec::new(),
            entity_mappings: Vec::new(),
            custom_details: BTreeMap::new(),
            unknown: UnknownFields::default(),
        }
    }
}

/// The columns that identify an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityMapping {
    /// The kind of entity, such as `Account`, `IP` or `AzureResource`.
    pub entity_type: String,
    /// The identifiers.
    pub field_mappings: Vec<FieldMapping>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl EntityMapping {
    /// Maps an entity with one identifier, such as `AadUserId`, to a column.
    pub fn new(entity_type: &str, identifier: &str, column: &str) -> Self {
        let unknown = UnknownFields::default();
        let field = FieldMapping {
            identifier: identifier.to_owned(),
            column_name: column.to_owned(),
            unknown: unknown.clone(),
        };
        Self { entity_type: entity_type.to_owned(), field_mappings: vec![field], unknown }
    }
}

/// The column that holds an identifier of an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FieldMapping {
    /// The identifier, such as `AadUserId`, `Address` or `ResourceId`.
    pub identifier: String,
    /// The column.
    pub column_name: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// A rule that creates incidents from another product's alerts. With Defender XDR, which creates its own incidents, it
/// would create duplicates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncidentCreationRule {
    /// The display name.
    pub display_name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    /// The product; Defender for Cloud is still called `Azure Security Center` here.
    pub product_filter: String,
    /// Only alerts of these severities; all if empty.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "Vec::is_empty")]
    pub severities_filter: Vec<SentinelSeverity>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl IncidentCreationRule {
    /// Creates a rule that opens an incident for every alert of a product.
    pub fn new(display_name: impl Into<String>, product: impl Into<String>) -> Self {
        Self {
            display_name: display_name.into(),
            enabled: true,
            product_filter: product.into(),
            severities_filter: Vec::new(),
            unknown: UnknownFields::default(),
        }
    }
}

/// The built-in rule that correlates signals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FusionRule {
    /// The name of the template that the rule was created from.
    pub alert_rule_template_name: String,
    /// Whether it is enabled.
    pub enabled: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_of_any_kind_are_written_back_whole() {
        for wire in [
            json!({ "id": "/x", "name": "n", "etag": "\"1\"", "kind": "Scheduled", "properties": {
                "displayName": "d", "enabled": true, "query": "T", "queryFrequency": "PT10M", "queryPeriod": "PT30M",
                "suppressionDuration": "PT5H", "suppressionEnabled": false, "triggerOperator": "GreaterThan",
                "triggerThreshold": 0, "severity": "Worse", "incidentConfiguration": { "createIncident": true },
                "eventGroupingSettings": { "aggregationKind": "SingleAlert" } } }),
            json!({ "kind": "Fusion", "properties": { "alertRuleTemplateName": "t", "enabled": true, "severity": "High" } }),
            json!({ "kind": "NRT", "properties": { "anything": [1] } }),
        ] {
            let rule: AlertRule = serde_json::from_value(wire.clone()).unwrap();
            assert_eq!(serde_json::to_value(&rule).unwrap(), wire);
        }
    }
}
