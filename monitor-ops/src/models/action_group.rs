use arm_core::wire::{self, UnknownFields};
use serde::{Deserialize, Serialize};

use crate::{
    AppPushReceiver, EmailReceiver, EventHubReceiver, FunctionReceiver, ItsmReceiver, LogicAppReceiver,
    PhoneReceiver, ReceiverStatus, Resource, RoleReceiver, RunbookReceiver, WebhookReceiver,
};

/// Receivers notified when an alert fires.
pub type ActionGroup = Resource<ActionGroupProperties>;

/// The properties of an [`ActionGroup`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", from = "Wire")]
#[non_exhaustive]
pub struct ActionGroupProperties {
    /// The name in text messages: 1 to 12 characters.
    pub group_short_name: String,
    /// Whether the group is enabled; if not, nobody is notified.
    pub enabled: bool,
    /// The receivers.
    #[serde(flatten)]
    pub receivers: Receivers,
}

/// The wire format. Each list is a separate member, so that an unreadable one does not affect the others.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    group_short_name: String,
    enabled: bool,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    email_receivers: Vec<EmailReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    sms_receivers: Vec<PhoneReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    voice_receivers: Vec<PhoneReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    webhook_receivers: Vec<WebhookReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    logic_app_receivers: Vec<LogicAppReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    azure_function_receivers: Vec<FunctionReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    event_hub_receivers: Vec<EventHubReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    arm_role_receivers: Vec<RoleReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    azure_app_push_receivers: Vec<AppPushReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    itsm_receivers: Vec<ItsmReceiver>,
    #[serde(default, deserialize_with = "wire::without_nulls")]
    automation_runbook_receivers: Vec<RunbookReceiver>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl From<Wire> for ActionGroupProperties {
    fn from(wire: Wire) -> Self {
        let receivers = Receivers {
            email_receivers: wire.email_receivers,
            sms_receivers: wire.sms_receivers,
            voice_receivers: wire.voice_receivers,
            webhook_receivers: wire.webhook_receivers,
            logic_app_receivers: wire.logic_app_receivers,
            azure_function_receivers: wire.azure_function_receivers,
            event_hub_receivers: wire.event_hub_receivers,
            arm_role_receivers: wire.arm_role_receivers,
            azure_app_push_receivers: wire.azure_app_push_receivers,
            itsm_receivers: wire.itsm_receivers,
            automation_runbook_receivers: wire.automation_runbook_receivers,
            unknown: wire.unknown,
        };
        Self { group_short_name: wire.group_short_name, enabled: wire.enabled, receivers }
    }
}

impl ActionGroupProperties {
    /// Creates an enabled group without receivers.
    pub fn new(short_name: impl Into<String>) -> Self {
        Self { group_short_name: short_name.into(), enabled: true, receivers: Receivers::default() }
    }
}

/// Receivers, by type. Types that are not modeled are kept and written back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct Receivers {
    /// Email addresses.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub email_receivers: Vec<EmailReceiver>,
    /// Text messages.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub sms_receivers: Vec<PhoneReceiver>,
    /// Phone calls.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub voice_receivers: Vec<PhoneReceiver>,
    /// Webhooks.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub webhook_receivers: Vec<WebhookReceiver>,
    /// Logic Apps.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub logic_app_receivers: Vec<LogicAppReceiver>,
    /// Functions.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub azure_function_receivers: Vec<FunctionReceiver>,
    /// Event hubs.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub event_hub_receivers: Vec<EventHubReceiver>,
    /// Users with an Azure role.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub arm_role_receivers: Vec<RoleReceiver>,
    /// Users of the Azure app.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub azure_app_push_receivers: Vec<AppPushReceiver>,
    /// Ticket systems.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub itsm_receivers: Vec<ItsmReceiver>,
    /// Runbooks.
    #[serde(deserialize_with = "wire::without_nulls", skip_serializing_if = "Vec::is_empty")]
    pub automation_runbook_receivers: Vec<RunbookReceiver>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl Receivers {
    /// The names of all receivers of the modeled types.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        names.extend(self.email_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.sms_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.voice_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.webhook_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.logic_app_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.azure_function_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.event_hub_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.arm_role_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.azure_app_push_receivers.iter().map(|receiver| receiver.name.as_str()));
        names.extend(self.itsm_receivers.iter().map(|receiver| receiver.name.as_str()));
        names
            .extend(self.automation_runbook_receivers.iter().filter_map(|receiver| receiver.name.as_deref()));
        names
    }

    /// The mail receivers that have unsubscribed and are not notified.
    pub fn unsubscribed(&self) -> impl Iterator<Item = &EmailReceiver> {
        self.email_receivers.iter().filter(|receiver| receiver.status == Some(ReceiverStatus::Disabled))
    }
}

/// The parts of an action group to change. Absent fields are kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ActionGroupPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    tags: Option<std::collections::BTreeMap<String, String>>,
    properties: PatchProperties,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct PatchProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
}

impl ActionGroupPatch {
    /// Creates an empty patch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Turns the whole group on or off.
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.properties.enabled = Some(enabled);
        self
    }

    /// Replaces all tags.
    pub fn tags(mut self, tags: impl Into<std::collections::BTreeMap<String, String>>) -> Self {
        self.tags = Some(tags.into());
        self
    }
}

/// A test notification: the alert type to imitate, and the receivers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestNotification {
    alert_type: String,
    #[serde(flatten)]
    receivers: Receivers,
}

impl TestNotification {
    /// Creates a test that imitates an alert of a type, such as `logalertv2`, for these receivers.
    pub fn new(alert_type: impl Into<String>, receivers: Receivers) -> Self {
        Self { alert_type: alert_type.into(), receivers }
    }

    /// Creates a test that imitates a log alert for all receivers of a group.
    pub fn log_alert(group: &ActionGroup) -> Self {
        Self::new("logalertv2", group.properties.receivers.clone())
    }
}

/// The result of a test notification.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TestNotificationResult {
    /// The state, such as `Complete`.
    pub state: String,
    /// When it started, as the service writes it.
    pub created_time: Option<String>,
    /// When it ended, as the service writes it.
    pub completed_time: Option<String>,
    /// One entry for each receiver.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub action_details: Vec<TestNotificationDetail>,
}

/// The result of a test notification for one receiver.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[non_exhaustive]
pub struct TestNotificationDetail {
    /// The kind of receiver, such as `Email`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub mechanism_type: String,
    /// The name of the receiver.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub name: String,
    /// The status.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub status: String,
    /// The sub-status.
    pub sub_state: Option<String>,
    /// When it was sent, as the service writes it.
    pub send_time: Option<String>,
    /// Why it failed, if the service does not say so in [`message`](Self::message).
    pub detail: Option<String>,
    /// Why it failed.
    pub message: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_has_only_what_was_named() {
        let patch = ActionGroupPatch::new().enabled(false).tags([("a".to_owned(), "b".to_owned())]);
        assert_eq!(
            serde_json::to_value(patch).unwrap(),
            serde_json::json!({ "tags": { "a": "b" }, "properties": { "enabled": false } })
        );
    }

    #[test]
    fn unknown_kinds_of_receivers_and_unknown_fields_are_written_back_and_urls_are_not_printed() {
        let wire = json!({
            "id": "/x", "name": "soc", "type": "Microsoft.Insights/ActionGroups", "location": "Global",
            "properties": {
                "groupShortName": "soc",
                "enabled": true,
                "emailReceivers": [{ "name": "a", "emailAddress": "a@b.example", "useCommonAlertSchema": false, "status": "Dozing", "new": 1 }],
                "logicAppReceivers": [{ "name": "l", "resourceId": "/l", "callbackUrl": "https://x/?sig=REDACTED", "useCommonAlertSchema": true }],
                "incidentReceivers": [{ "name": "i", "connection": { "name": "x" } }],
            },
        });
        let group: ActionGroup = serde_json::from_value(wire.clone()).unwrap();
        assert!(!format!("{group:?}").contains("REDACTED"));
        assert_eq!(group.properties.receivers.names(), ["a", "l"]);
        assert_eq!(serde_json::to_value(&group).unwrap(), wire);
    }
}
