//! Rules that dismiss new alerts automatically.

use std::borrow::Cow;

use arm_core::{
    ResourceName,
    wire::{self, AsSent, Deferred, Node, Tape, UnknownFields},
};
use azure_core::time::OffsetDateTime;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use serde_json::Value;
use typed_builder::TypedBuilder;

use super::blank;

arm_core::open_enum! {
    /// The state of a rule.
    pub enum RuleState {
        /// The rule is enabled.
        Enabled = "Enabled",
        /// The rule is disabled.
        Disabled = "Disabled",
        /// The rule has expired.
        Expired = "Expired",
    }
}

/// A rule that dismisses new alerts of a type automatically. Existing alerts are not affected.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SuppressionRule {
    /// The name of the rule in its subscription.
    pub name: ResourceName,
    /// When the rule was last written.
    pub last_modified: Option<OffsetDateTime>,
    /// The settings. To change the rule, modify a clone and write it: fields that this version does not model are kept.
    pub spec: SuppressionRuleSpec,
}

/// The settings of a suppression rule.
///
/// ```
/// use defender_alerts::{ScopeElement, SuppressionRuleSpec};
///
/// let rule = SuppressionRuleSpec::builder()
///     .alert_type("KV_SuspiciousIPAccess")
///     .reason("FalsePositive")
///     .comment("our own scanner")
///     .only_when([ScopeElement::is_one_of("entities.ip.address", ["203.0.113.7"])])
///     .build();
/// # assert_eq!(serde_json::to_value(&rule).unwrap()["state"], "Enabled");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TypedBuilder)]
#[serde(rename_all = "camelCase", remote = "Self")]
#[non_exhaustive]
pub struct SuppressionRuleSpec {
    /// The type of alerts to which the rule applies: an `alertType`, or `*` for all.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub alert_type: String,
    /// The reason, such as `FalsePositive` or `Noise`.
    #[builder(setter(into))]
    #[serde(default, with = "wire::text")]
    pub reason: String,
    /// The state of the rule. Default: enabled.
    #[builder(default = RuleState::Enabled)]
    #[serde(default = "blank")]
    pub state: RuleState,
    /// When the rule expires. Default: never.
    #[builder(default, setter(strip_option))]
    #[serde(
        rename = "expirationDateUtc",
        alias = "expirationDateUTC",
        default,
        with = "wire::instant::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub expiration_date: Option<OffsetDateTime>,
    /// A comment.
    #[builder(default, setter(into, strip_option))]
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Conditions that an alert of the type must match. `None` suppresses all alerts of the type.
    #[builder(default, setter(
        transform = |elements: impl IntoIterator<Item = ScopeElement>| Some(SuppressionScope::all_of(elements))
    ))]
    #[serde(rename = "suppressionAlertsScope", default, skip_serializing_if = "Option::is_none")]
    pub only_when: Option<SuppressionScope>,
    #[builder(default, setter(skip))]
    #[serde(flatten)]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(SuppressionRuleSpec);

impl SuppressionRuleSpec {
    /// Returns JSON pointers to the parts of the response that could not be read. These parts are written back
    /// unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }
}

/// The conditions under which a rule applies to an alert of its type.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SuppressionScope {
    /// The conditions, all of which must match.
    #[serde(default, deserialize_with = "wire::without_nulls")]
    pub all_of: Vec<ScopeElement>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl SuppressionScope {
    /// Creates a scope in which all of these conditions must match.
    pub fn all_of(elements: impl IntoIterator<Item = ScopeElement>) -> Self {
        Self { all_of: elements.into_iter().collect(), unknown: UnknownFields::default() }
    }
}

/// A condition on one field of an alert, such as `entities.ip.address`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScopeElement {
    /// The field.
    #[serde(default, with = "wire::text")]
    pub field: String,
    /// The values, one of which the field must have.
    #[serde(rename = "in", default, skip_serializing_if = "Option::is_none")]
    pub is_in: Option<Vec<Value>>,
    /// The string that the field must contain.
    #[serde(default, with = "wire::text::option", skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// Conditions that this version does not model.
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl ScopeElement {
    /// Creates a condition that the field has one of these values.
    pub fn is_one_of<V: Into<Value>>(field: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        let (field, unknown) = (field.into(), UnknownFields::default());
        Self { field, is_in: Some(values), contains: None, unknown }
    }

    /// Creates a condition that the field contains this string.
    pub fn contains(field: impl Into<String>, text: impl Into<String>) -> Self {
        let (field, unknown) = (field.into(), UnknownFields::default());
        Self { field, is_in: None, contains: Some(text.into()), unknown }
    }
}

impl<'de> Deserialize<'de> for SuppressionRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Wire {
            name: ResourceName,
            properties: Deferred<Value>,
        }
        let Wire { name, properties } = Wire::deserialize(deserializer)?;
        let properties = properties.written();
        let tape = Tape::of(&properties).unwrap_or_default();
        let members = tape.root();
        // `lastModifiedUtc` in the specification, `lastModifiedUTC` in responses; not part of a write.
        let own = "lastModifiedUtc";
        let last_modified = members.get(own).and_then(Node::text).and_then(|at| wire::instant::parse(&at));
        let written = match members.is_object() {
            true => members.without(own).into(),
            false => Cow::Borrowed(&*properties),
        };
        let spec = wire::from_str(&written).map_err(D::Error::custom)?;
        Ok(Self { name, last_modified, spec })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rule(end: &str) -> SuppressionRule {
        serde_json::from_value(json!({
            "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/alertsSuppressionRules/x",
            "name": "x",
            "properties": {
                "alertType": "KV_TORAccess", "reason": "Noise", "state": "Enabled",
                "lastModifiedUTC": "2026-03-01T12:00:00.1234567Z", "expirationDateUTC": end,
            },
        }))
        .unwrap()
    }

    #[test]
    fn dates_are_read_as_the_service_spells_them_and_go_back_in_that_spelling_alone() {
        let mut read = rule("2026-09-01T12:00:00Z");
        assert_eq!(read.last_modified, wire::instant::parse("2026-03-01T12:00:00.1234567Z"));
        assert_eq!(read.spec.expiration_date, wire::instant::parse("2026-09-01T12:00:00Z"));

        read.spec.expiration_date = wire::instant::parse("2027-01-01T00:00:00Z");
        let body = serde_json::to_value(&read.spec).unwrap();

        let names: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(names, ["alertType", "expirationDateUTC", "reason", "state"]);
        assert_eq!(body["expirationDateUTC"], "2027-01-01T00:00:00Z");
    }

    #[test]
    fn an_end_that_cannot_be_read_stays_and_is_not_written_over() {
        let mut read = rule("end of September");
        assert_eq!(read.spec.expiration_date, None);
        read.spec.comment = Some("still needed".into());
        assert_eq!(serde_json::to_value(&read.spec).unwrap()["expirationDateUTC"], "end of September");

        read.spec.expiration_date = wire::instant::parse("2027-01-01T00:00:00Z");
        let error = serde_json::to_value(&read.spec).unwrap_err().to_string();
        assert!(error.contains("'/expirationDateUTC' could not be read"), "{error}");
    }
}
