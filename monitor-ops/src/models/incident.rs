use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Resource, SentinelSeverity};

arm_core::open_enum! {
    /// The status of an incident.
    pub enum IncidentStatus {
        /// Nobody is working on it yet.
        New = "New",
        /// Somebody is working on it.
        Active = "Active",
        /// Closed.
        Closed = "Closed",
    }
}

arm_core::open_enum! {
    /// The classification of a closed incident.
    pub enum IncidentClassification {
        /// It could not be determined.
        Undetermined = "Undetermined",
        /// A true positive: an attack.
        TruePositive = "TruePositive",
        /// A benign positive: suspicious, but expected.
        BenignPositive = "BenignPositive",
        /// A false positive.
        FalsePositive = "FalsePositive",
    }
}

arm_core::open_enum! {
    /// The reason for a classification.
    pub enum IncidentReason {
        /// Suspicious activity.
        SuspiciousActivity = "SuspiciousActivity",
        /// Suspicious, but expected.
        SuspiciousButExpected = "SuspiciousButExpected",
        /// The rule is wrong.
        IncorrectAlertLogic = "IncorrectAlertLogic",
        /// The data is wrong.
        InaccurateData = "InaccurateData",
    }
}

/// A Sentinel incident. An update must include its `etag`.
pub type Incident = Resource<IncidentProperties>;

/// The properties of an [`Incident`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncidentProperties {
    /// The title.
    pub title: String,
    /// The severity.
    pub severity: SentinelSeverity,
    /// The current status.
    pub status: IncidentStatus,
    /// The description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The classification. Required to close the incident.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<IncidentClassification>,
    /// The reason for the classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_reason: Option<IncidentReason>,
    /// A comment on the classification.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_comment: Option<String>,
    /// The number shown to people. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_number: Option<i64>,
    /// When it was created. The service sets it.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub created_time_utc: Option<OffsetDateTime>,
    /// Additional data, as the service writes it: the number of alerts and comments, tactics and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_data: Option<Value>,
    /// The rules that raised its alerts, by id.
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub related_analytic_rule_ids: Vec<String>,
    /// The owner, as the service writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Value>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl IncidentProperties {
    /// Creates a new incident.
    pub fn new(title: impl Into<String>, severity: SentinelSeverity) -> Self {
        Self {
            title: title.into(),
            severity,
            status: IncidentStatus::New,
            description: None,
            classification: None,
            classification_reason: None,
            classification_comment: None,
            incident_number: None,
            created_time_utc: None,
            additional_data: None,
            related_analytic_rule_ids: Vec::new(),
            owner: None,
            unknown: UnknownFields::default(),
        }
    }
}

/// An alert of an incident.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct IncidentAlert {
    /// The id, as the service spells it.
    pub id: String,
    /// The name.
    pub name: String,
    /// The properties.
    pub properties: IncidentAlertProperties,
    #[serde(skip)]
    sent: wire::SentText,
}

arm_core::kept!(derived IncidentAlert);

/// The properties of an [`IncidentAlert`].
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncidentAlertProperties {
    /// The display name.
    pub alert_display_name: Option<String>,
    /// The type of alert, such as `KV_ListGetAnomaly`.
    pub alert_type: Option<String>,
    /// The severity.
    pub severity: Option<SentinelSeverity>,
    /// The product that raised it.
    pub product_name: Option<String>,
    /// The id of the alert in the product.
    pub system_alert_id: Option<String>,
    /// When it was raised.
    #[serde(default, with = "wire::instant::option")]
    pub time_generated: Option<OffsetDateTime>,
    /// The time of the first activity.
    #[serde(default, with = "wire::instant::option")]
    pub start_time_utc: Option<OffsetDateTime>,
    /// The time of the last activity.
    #[serde(default, with = "wire::instant::option")]
    pub end_time_utc: Option<OffsetDateTime>,
    /// MITRE ATT&CK tactics.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub tactics: Vec<String>,
    /// The identifiers of the resources, as the service writes them.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub resource_identifiers: Vec<Value>,
}
