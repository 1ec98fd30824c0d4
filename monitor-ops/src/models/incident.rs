use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;

use crate::{Resource, SentinelSeverity};

arm_core::open_enum! {
    /// Where an incident stands.
    pub enum IncidentStatus {
        /// No one has looked yet.
        New = "New",
        /// Someone works on it.
        Active = "Active",
        /// Done.
        Closed = "Closed",
    }
}

arm_core::open_enum! {
    /// What a closed incident turned out to be.
    pub enum IncidentClassification {
        /// Could not be found out.
        Undetermined = "Undetermined",
        /// An attack.
        TruePositive = "TruePositive",
        /// What it looked like, but meant well.
        BenignPositive = "BenignPositive",
        /// Not what it looked like.
        FalsePositive = "FalsePositive",
    }
}

arm_core::open_enum! {
    /// Why an incident was classified so.
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

/// An incident of Sentinel. Its `etag` must go along with an update.
pub type Incident = Resource<IncidentProperties>;

/// The properties of an [`Incident`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct IncidentProperties {
    /// The title.
    pub title: String,
    /// How bad it is.
    pub severity: SentinelSeverity,
    /// Current status.
    pub status: IncidentStatus,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it turned out to be. Needed to close it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<IncidentClassification>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_reason: Option<IncidentReason>,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification_comment: Option<String>,
    /// The number that people see. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident_number: Option<i64>,
    /// When it was made. The service sets it.
    #[serde(default, with = "wire::instant::option", skip_serializing_if = "Option::is_none")]
    pub created_time_utc: Option<OffsetDateTime>,
    /// Figures of the service's: alerts, comments, tactics and the like, as it writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_data: Option<Value>,
    /// The rules that raised its alerts, by id.
    #[serde(default, deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub related_analytic_rule_ids: Vec<String>,
    /// Who works on it, as the service writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Value>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl IncidentProperties {
    /// A new incident.
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
    /// What is known of it.
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
    /// The name that people see.
    #[serde(default)]
    pub alert_display_name: Option<String>,
    /// The sort of alert, such as `KV_ListGetAnomaly`.
    #[serde(default)]
    pub alert_type: Option<String>,
    /// How bad it is.
    #[serde(default)]
    pub severity: Option<SentinelSeverity>,
    /// The product that raised it.
    #[serde(default)]
    pub product_name: Option<String>,
    /// The product's own id of the alert.
    #[serde(default)]
    pub system_alert_id: Option<String>,
    /// When it was raised.
    #[serde(default, with = "wire::instant::option")]
    pub time_generated: Option<OffsetDateTime>,
    /// The first activity that it is about.
    #[serde(default, with = "wire::instant::option")]
    pub start_time_utc: Option<OffsetDateTime>,
    /// The last activity that it is about.
    #[serde(default, with = "wire::instant::option")]
    pub end_time_utc: Option<OffsetDateTime>,
    /// What the attacker is after, in the words of MITRE ATT&CK.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub tactics: Vec<String>,
    /// What names the resources, as the service writes it.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub resource_identifiers: Vec<Value>,
}
