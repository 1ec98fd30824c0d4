//! The people whom Defender notifies.

use arm_core::wire::{self, AsSent, Deferred, Node, Tape, UnknownFields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use typed_builder::TypedBuilder;

use crate::{RiskLevel, Severity};

/// The people whom Defender notifies about a subscription, and what it notifies them about. A write replaces the whole
/// contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct SecurityContact {
    /// Email addresses, separated by `;`.
    #[builder(default, setter(into))]
    #[serde(default, with = "wire::text")]
    pub emails: String,
    /// A phone number.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Whether notifications are sent.
    #[builder(default = Some(true), setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_enabled: Option<bool>,
    /// The kinds of notifications to send.
    #[builder(default)]
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub notifications_sources: Vec<NotificationsSource>,
    /// The roles to notify, in addition to the addresses.
    #[builder(default, setter(strip_option))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifications_by_role: Option<NotificationsByRole>,
    /// The ETag; `None` if the service sent none, or if you created the contact.
    #[builder(default, setter(skip))]
    #[serde(skip)]
    pub etag: Option<String>,
    /// The location; `None` if the service sent none, or if you created the contact.
    #[builder(default, setter(skip))]
    #[serde(skip)]
    pub location: Option<String>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(SecurityContact);

/// A kind of notification that Defender sends.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum NotificationsSource {
    /// Alerts of at least this severity.
    Alert {
        /// The lowest severity.
        minimal_severity: Severity,
    },
    /// Attack paths of at least this risk.
    AttackPath {
        /// The lowest risk.
        minimal_risk_level: RiskLevel,
    },
    /// A kind that this version does not model, or a known kind with more or fewer members, unchanged.
    Other(Value),
}

impl Serialize for NotificationsSource {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = match self {
            Self::Alert { minimal_severity } => {
                serde_json::json!({ "sourceType": "Alert", "minimalSeverity": minimal_severity })
            }
            Self::AttackPath { minimal_risk_level } => {
                serde_json::json!({ "sourceType": "AttackPath", "minimalRiskLevel": minimal_risk_level })
            }
            Self::Other(value) => value.clone(),
        };
        value.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NotificationsSource {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Deferred::<Value>::deserialize(deserializer)?;
        let text = value.written();
        let tape = Tape::of(&text).unwrap_or_default();
        let source = tape.root();
        let word = |name: &str| source.get(name).and_then(Node::text);
        let known = match word("sourceType").as_deref() {
            Some("Alert") => {
                word("minimalSeverity").map(|severity| Self::Alert { minimal_severity: (&*severity).into() })
            }
            Some("AttackPath") => word("minimalRiskLevel")
                .map(|level| Self::AttackPath { minimal_risk_level: (&*level).into() }),
            _ => None,
        };
        let plain = known.filter(|_| source.members().count() == 2);
        Ok(plain.unwrap_or_else(|| Self::Other(value.get().clone())))
    }
}

arm_core::open_enum! {
    /// Whether the holders of the roles are notified.
    pub enum NotificationState {
        /// They are notified.
        On = "On",
        /// They are not notified.
        Off = "Off",
    }
}

/// The roles to notify.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct NotificationsByRole {
    /// Whether the holders of the roles are notified; the service sometimes omits this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<NotificationState>,
    /// The roles, such as `Owner`.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub roles: Vec<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl NotificationsByRole {
    /// Creates settings that notify the holders of these roles.
    pub fn on<R: Into<String>>(roles: impl IntoIterator<Item = R>) -> Self {
        let roles = roles.into_iter().map(Into::into).collect();
        Self { state: Some(NotificationState::On), roles, unknown: UnknownFields::default() }
    }
}
