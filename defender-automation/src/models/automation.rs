use std::collections::BTreeMap;

use arm_core::{
    ResourceGroupId, Scope, SubscriptionId,
    wire::{self, AsSent, UnknownFields},
};
use serde::{Deserialize, Serialize, ser::Error as _};
use serde_json::Value;
use typed_builder::TypedBuilder;

use crate::{Action, Source};

/// An automation, as returned by the service: without secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
#[non_exhaustive]
pub struct Automation {
    /// The resource id, as the service spells it.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The region. It cannot be changed.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub location: String,
    /// The tags.
    #[serde(default, deserialize_with = "wire::null_as_default", skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// The ETag of the version that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The settings of the automation.
    pub properties: AutomationProperties,
    #[serde(flatten)]
    unknown: UnknownFields,
    #[serde(skip)]
    as_sent: AsSent,
}

arm_core::write_back!(Automation);

impl Automation {
    /// JSON pointers to the parts of the response that could not be read. They are written back unchanged.
    pub fn unread(&self) -> impl Iterator<Item = &str> {
        self.as_sent.unread()
    }
}

/// The settings of an automation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct AutomationProperties {
    /// A description for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether it is enabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_enabled: Option<bool>,
    /// Where events come from: a subscription or a group. The service allows exactly one.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub scopes: Vec<AutomationScope>,
    /// Which events it acts on.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub sources: Vec<Source>,
    /// The actions to run for each event.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub actions: Vec<Action>,
    /// When and by whom it was created and changed, as the service writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// Where events come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AutomationScope {
    /// A description for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The id of a subscription or a resource group.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub scope_path: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl AutomationScope {
    /// Scopes the automation to a subscription or a resource group.
    pub fn new(scope: impl Into<Scope>) -> Self {
        Self { description: None, scope_path: scope.into().to_string(), unknown: UnknownFields::default() }
    }
}

/// The scopes of a new automation, created from one subscription or group. Several can be collected, but are refused
/// before they are sent, since the service allows only one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Scopes(Vec<AutomationScope>);

impl From<&SubscriptionId> for Scopes {
    fn from(subscription: &SubscriptionId) -> Self {
        Self(vec![AutomationScope::new(subscription)])
    }
}

impl From<&ResourceGroupId> for Scopes {
    fn from(group: &ResourceGroupId) -> Self {
        Self(vec![AutomationScope::new(group)])
    }
}

impl<S: Into<Scope>> FromIterator<S> for Scopes {
    fn from_iter<I: IntoIterator<Item = S>>(scopes: I) -> Self {
        Self(scopes.into_iter().map(AutomationScope::new).collect())
    }
}

/// The settings of an automation to create or replace.
///
/// ```
/// use arm_core::{ResourceId, SubscriptionId};
/// use defender_automation::{Action, AlertSeverity, AutomationSpec, Rule, Source};
///
/// let subscription: SubscriptionId = "00000000-0000-0000-0000-000000000001".parse()?;
/// let hub: ResourceId = format!("/subscriptions/{subscription}/resourceGroups/rg-sec/providers\
///                                /Microsoft.EventHub/namespaces/ns/eventhubs/alerts").parse()?;
/// let spec = AutomationSpec::builder()
///     .location("westeurope")
///     .scopes(&subscription)
///     .sources([Source::alerts().when_all([
///         Rule::alert_type().starts_with("KV_"),
///         Rule::severity_is(AlertSeverity::High),
///     ])])
///     .actions([Action::event_hub(&hub)])
///     .build();
/// let warning = &spec.warnings()[0]; // no Key Vault alert is High
/// assert!(warning.to_string().contains("can never match"));
/// # Ok::<(), arm_core::IdError>(())
/// ```
#[derive(Debug, Clone, PartialEq, TypedBuilder)]
pub struct AutomationSpec {
    /// The region. It cannot be changed later.
    #[builder(setter(into))]
    pub location: String,
    /// Where events come from: exactly one subscription or group.
    #[builder(setter(transform = |scopes: impl Into<Scopes>| scopes.into().0))]
    pub scopes: Vec<AutomationScope>,
    /// Which events it acts on.
    #[builder(setter(transform = |sources: impl IntoIterator<Item = Source>| sources.into_iter().collect()))]
    pub sources: Vec<Source>,
    /// The actions to run for each event.
    #[builder(setter(transform = |actions: impl IntoIterator<Item = Action>| actions.into_iter().collect()))]
    pub actions: Vec<Action>,
    /// A description for people.
    #[builder(default, setter(into, strip_option))]
    pub description: Option<String>,
    /// Whether it is enabled. Default: `true`.
    #[builder(default = true)]
    pub is_enabled: bool,
    /// The tags.
    #[builder(default, setter(into))]
    pub tags: BTreeMap<String, String>,
    #[builder(default, setter(skip))]
    unknown: UnknownFields,
    #[builder(default, setter(skip))]
    unknown_properties: UnknownFields,
    #[builder(default, setter(skip))]
    metadata: Option<Value>,
    #[builder(default, setter(skip))]
    as_sent: AsSent,
}

impl AutomationSpec {
    /// The spec as the service would show it.
    pub(crate) fn shown(&self, before: Option<&Automation>) -> Automation {
        let properties = AutomationProperties {
            description: self.description.clone(),
            is_enabled: Some(self.is_enabled),
            scopes: self.scopes.clone(),
            sources: self.sources.clone(),
            actions: self.actions.iter().map(Action::without_secret).collect(),
            metadata: self.metadata.clone(),
            unknown: self.unknown_properties.clone(),
        };
        Automation {
            id: before.map(|before| before.id.clone()).unwrap_or_default(),
            name: before.map(|before| before.name.clone()).unwrap_or_default(),
            location: self.location.clone(),
            tags: self.tags.clone(),
            etag: before.and_then(|before| before.etag.clone()),
            properties,
            unknown: self.unknown.clone(),
            as_sent: self.as_sent.clone(),
        }
    }
}

impl From<&Automation> for AutomationSpec {
    /// Copies everything except the secrets, which the service never returns: set them on the actions again.
    fn from(automation: &Automation) -> Self {
        let properties = automation.properties.clone();
        Self {
            location: automation.location.clone(),
            scopes: properties.scopes,
            sources: properties.sources,
            actions: properties.actions,
            description: properties.description,
            is_enabled: properties.is_enabled != Some(false),
            tags: automation.tags.clone(),
            unknown: automation.unknown.clone(),
            unknown_properties: properties.unknown,
            metadata: properties.metadata,
            as_sent: automation.as_sent.clone(),
        }
    }
}

impl Serialize for AutomationSpec {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let before = |automation: Automation| Self::from(&automation).body();
        let over = |now| {
            self.as_sent.over(now, before, |came| {
                if let Some(came) = came.as_object_mut() {
                    came.retain(|name, _| !["etag", "id", "name"].contains(&name.as_str()));
                }
            })
        };
        self.body().and_then(over).map_err(S::Error::custom)?.serialize(serializer)
    }
}

impl AutomationSpec {
    /// The request body, with only what the spec contains.
    fn body(&self) -> serde_json::Result<Value> {
        #[derive(Serialize)]
        struct Body<'a> {
            location: &'a str,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            tags: &'a BTreeMap<String, String>,
            properties: Properties<'a>,
            #[serde(flatten)]
            unknown: &'a UnknownFields,
        }
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Properties<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            description: &'a Option<String>,
            is_enabled: bool,
            scopes: &'a [AutomationScope],
            sources: &'a [Source],
            actions: &'a [Action],
            #[serde(skip_serializing_if = "Option::is_none")]
            metadata: &'a Option<Value>,
            #[serde(flatten)]
            unknown: &'a UnknownFields,
        }
        let properties = Properties {
            description: &self.description,
            is_enabled: self.is_enabled,
            scopes: &self.scopes,
            sources: &self.sources,
            actions: &self.actions,
            metadata: &self.metadata,
            unknown: &self.unknown_properties,
        };
        let body = Body { location: &self.location, tags: &self.tags, properties, unknown: &self.unknown };
        serde_json::to_value(body)
    }
}

/// A partial update of an automation. Parts that are not set stay unchanged, including actions with their secrets.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AutomationPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<BTreeMap<String, String>>,
    pub(super) properties: PatchProperties,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PatchProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_enabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<Vec<Source>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<Vec<Action>>,
}

impl AutomationPatch {
    /// Creates an empty patch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns the automation on or off.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.properties.is_enabled = Some(enabled);
        self
    }

    /// Replaces the description.
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.properties.description = Some(text.into());
        self
    }

    /// Replaces all tags.
    pub fn tags(mut self, tags: impl Into<BTreeMap<String, String>>) -> Self {
        self.tags = Some(tags.into());
        self
    }

    /// Replaces all sources.
    pub fn sources(mut self, sources: impl IntoIterator<Item = Source>) -> Self {
        self.properties.sources = Some(sources.into_iter().collect());
        self
    }

    /// Replaces all actions. Each must contain its secret, if it needs one.
    pub fn actions(mut self, actions: impl IntoIterator<Item = Action>) -> Self {
        self.properties.actions = Some(actions.into_iter().collect());
        self
    }
}

/// Whether the service would accept an automation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Validation {
    /// Whether the service would accept it.
    #[serde(default)]
    pub is_valid: bool,
    /// Why the service would refuse it.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub message: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_automation_is_written_back_with_what_this_crate_does_not_name() {
        let wire = json!({
            "id": "/x", "name": "a", "type": "Microsoft.Security/automations", "location": "westeurope", "kind": "k",
            "properties": {
                "description": "d",
                "isEnabled": false,
                "scopes": [{ "scopePath": "/subscriptions/00000000-0000-0000-0000-000000000001", "new": 1 }],
                "sources": [{ "eventSource": "Rumours", "new": 1, "ruleSets": [{ "new": 1, "rules": [{
                    "propertyJPath": "P", "propertyType": "Date", "expectedValue": "1", "operator": "Resembles", "new": 1,
                }] }] }],
                "actions": [{ "actionType": "Fax", "number": 1 }],
                "invented": { "kept": [true] },
            },
        });
        let read: Automation = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), wire);
        let spec = serde_json::to_value(AutomationSpec::from(&read)).unwrap();
        assert_eq!(spec["properties"], wire["properties"]);
        assert_eq!((&spec["kind"], &spec["location"]), (&json!("k"), &json!("westeurope")));
        assert!(["id", "name", "etag"].iter().all(|of_the_service| spec.get(of_the_service).is_none()));
    }

    #[test]
    fn an_automation_is_on_unless_it_says_that_it_is_off() {
        for (said, on) in [(json!(null), true), (json!(true), true), (json!(false), false)] {
            let wire = json!({ "id": "/x", "etag": "1", "properties": { "isEnabled": said } });
            let read: Automation = serde_json::from_value(wire).unwrap();
            assert_eq!(AutomationSpec::from(&read).is_enabled, on, "{said}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let read = |location: Value| -> Automation {
            serde_json::from_value(json!({ "id": "/x", "location": location, "properties": {} })).unwrap()
        };
        assert_eq!(read(json!("westeurope")).unread().count(), 0);
        assert_eq!(read(json!({ "odd": 1 })).unread().collect::<Vec<_>>(), ["/location"]);
    }

    #[test]
    fn a_patch_has_only_what_was_named() {
        assert_eq!(serde_json::to_value(AutomationPatch::new()).unwrap(), json!({ "properties": {} }));
        let patch = AutomationPatch::new()
            .enabled(true)
            .description("d")
            .tags([("a".to_owned(), "b".to_owned())])
            .sources([Source::alerts()])
            .actions([]);
        assert_eq!(
            serde_json::to_value(patch).unwrap(),
            json!({ "tags": { "a": "b" }, "properties": {
                "description": "d", "isEnabled": true, "sources": [{ "eventSource": "Alerts", "ruleSets": [] }],
                "actions": [],
            } })
        );
    }

    #[test]
    fn a_scope_is_a_subscription_or_a_group() {
        let subscription: SubscriptionId = "00000000-0000-0000-0000-000000000001".parse().unwrap();
        let group = subscription.resource_group("rg").unwrap();
        let path = |scopes: Scopes| scopes.0.into_iter().map(|scope| scope.scope_path).collect::<Vec<_>>();
        assert_eq!(path(Scopes::from(&subscription)), [format!("/subscriptions/{subscription}")]);
        assert_eq!(path(Scopes::from(&group)), [group.to_string()]);
        assert_eq!(path([&group, &group].into_iter().collect()).len(), 2);
    }
}
