use std::fmt;

use arm_core::{
    ResourceId, Secret,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// What an automation does with an event.
///
/// Secrets are write-only: an action that was read has none. If it needs one, set it again before writing the action.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Action {
    /// Runs a Logic App.
    LogicApp(LogicAppAction),
    /// Sends events to an event hub.
    EventHub(EventHubAction),
    /// Sends events to a Log Analytics workspace.
    Workspace(WorkspaceAction),
    /// A type of action that this version does not model. It is written back unchanged.
    Other(OtherAction),
}

/// An action that runs a Logic App.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LogicAppAction {
    /// The resource id of the Logic App.
    pub logic_app_resource_id: String,
    /// The URL of its trigger. The service accepts an automation without it, but then never runs the Logic App.
    #[serde(default, with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub uri: Option<Secret>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// An action that sends events to an event hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventHubAction {
    /// The resource id of the event hub.
    pub event_hub_resource_id: String,
    /// Whether Defender sends as a trusted service, with its own identity and without a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_trusted_service_enabled: Option<bool>,
    /// The connection string, if Defender sends with a key.
    #[serde(default, with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub connection_string: Option<Secret>,
    /// The name of the connection string's shared access policy. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sas_policy_name: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// An action that sends events to a Log Analytics workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WorkspaceAction {
    /// The resource id of the workspace.
    pub workspace_resource_id: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

/// An action of a type that this version does not model. `Debug` does not print its fields: they may be secret.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct OtherAction {
    /// The type of the action.
    pub kind: String,
    /// The whole action, as the service sent it.
    pub fields: Value,
}

impl fmt::Debug for OtherAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherAction").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Action {
    /// Creates an action that sends events to an event hub as a trusted service, without a key: the hub's namespace
    /// must allow trusted services, and Defender's identity needs `Azure Event Hubs Data Sender` on the hub.
    pub fn event_hub(hub: &ResourceId) -> Self {
        Self::EventHub(EventHubAction {
            event_hub_resource_id: hub.to_string(),
            is_trusted_service_enabled: Some(true),
            connection_string: None,
            sas_policy_name: None,
            unknown: UnknownFields::default(),
        })
    }

    /// Creates an action that sends events to an event hub with a connection string that grants sending. Prefer
    /// [`event_hub`](Self::event_hub), which has no key to leak or rotate.
    pub fn event_hub_with_key(hub: &ResourceId, connection_string: impl Into<Secret>) -> Self {
        Self::EventHub(EventHubAction {
            event_hub_resource_id: hub.to_string(),
            is_trusted_service_enabled: Some(false),
            connection_string: Some(connection_string.into()),
            sas_policy_name: None,
            unknown: UnknownFields::default(),
        })
    }

    /// Creates an action that runs a Logic App through the URL of its trigger, which contains a signature.
    pub fn logic_app(app: &ResourceId, trigger_url: impl Into<Secret>) -> Self {
        let (logic_app_resource_id, unknown) = (app.to_string(), UnknownFields::default());
        Self::LogicApp(LogicAppAction { logic_app_resource_id, uri: Some(trigger_url.into()), unknown })
    }

    /// Creates an action that sends events to a Log Analytics workspace.
    pub fn workspace(workspace: &ResourceId) -> Self {
        let unknown = UnknownFields::default();
        Self::Workspace(WorkspaceAction { workspace_resource_id: workspace.to_string(), unknown })
    }

    /// The type of the action, as the service writes it, such as `EventHub`.
    pub fn kind(&self) -> &str {
        match self {
            Self::LogicApp(_) => "LogicApp",
            Self::EventHub(_) => "EventHub",
            Self::Workspace(_) => "Workspace",
            Self::Other(other) => &other.kind,
        }
    }

    /// The resource id of the target, as the service spells it; empty for a type that is not modeled.
    pub fn target(&self) -> &str {
        match self {
            Self::LogicApp(action) => &action.logic_app_resource_id,
            Self::EventHub(action) => &action.event_hub_resource_id,
            Self::Workspace(action) => &action.workspace_resource_id,
            Self::Other(_) => "",
        }
    }

    /// A description of the secret that the action lacks; `None` if it lacks none, or if its type is not modeled.
    pub fn missing_secret(&self) -> Option<&'static str> {
        let absent =
            |secret: &Option<Secret>| secret.as_ref().is_none_or(|secret| secret.expose().trim().is_empty());
        match self {
            Self::LogicApp(action) if absent(&action.uri) => Some("the URL of its trigger (uri)"),
            Self::EventHub(action)
                if action.is_trusted_service_enabled != Some(true) && absent(&action.connection_string) =>
            {
                Some("its connection string (not needed if Defender sends as a trusted service)")
            }
            _ => None,
        }
    }

    /// Whether this is the same type of action with the same target, regardless of its other fields. Actions of a type
    /// that is not modeled must be equal.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Other(a), Self::Other(b)) => a == b,
            _ => self.kind() == other.kind() && self.target().eq_ignore_ascii_case(other.target()),
        }
    }

    /// Fills in the fields that this action leaves out, from the stored one.
    pub(crate) fn completed_by(&mut self, stored: &Self) {
        match (self, stored) {
            (Self::LogicApp(own), Self::LogicApp(stored)) => {
                own.unknown = stored.unknown.clone();
                own.logic_app_resource_id.clone_from(&stored.logic_app_resource_id);
            }
            (Self::EventHub(own), Self::EventHub(stored)) => {
                own.unknown = stored.unknown.clone();
                own.event_hub_resource_id.clone_from(&stored.event_hub_resource_id);
                own.sas_policy_name.clone_from(&stored.sas_policy_name);
                let keyed = |trusted: Option<bool>| trusted != Some(true);
                if keyed(own.is_trusted_service_enabled) && keyed(stored.is_trusted_service_enabled) {
                    own.is_trusted_service_enabled = stored.is_trusted_service_enabled;
                }
            }
            (Self::Workspace(own), Self::Workspace(stored)) => *own = stored.clone(),
            _ => {}
        }
    }

    /// The action as the service would return it.
    pub(crate) fn without_secret(&self) -> Self {
        let mut shown = self.clone();
        match &mut shown {
            Self::LogicApp(action) => action.uri = None,
            Self::EventHub(action) => action.connection_string = None,
            Self::Workspace(_) | Self::Other(_) => {}
        }
        shown
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Tagged<'a, T> {
            action_type: &'static str,
            #[serde(flatten)]
            action: &'a T,
        }
        match self {
            Self::LogicApp(action) => Tagged { action_type: "LogicApp", action }.serialize(serializer),
            Self::EventHub(action) => Tagged { action_type: "EventHub", action }.serialize(serializer),
            Self::Workspace(action) => Tagged { action_type: "Workspace", action }.serialize(serializer),
            Self::Other(other) => other.fields.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Value::deserialize(deserializer)?;
        let kind = fields["actionType"].as_str().unwrap_or_default().to_owned();
        if matches!(kind.as_str(), "LogicApp" | "EventHub" | "Workspace")
            && let Some(fields) = fields.as_object_mut()
        {
            fields.remove("actionType");
        }
        fn read<T: serde::de::DeserializeOwned, E: serde::de::Error>(fields: Value) -> Result<T, E> {
            serde_json::from_value(fields).map_err(|_| E::custom("the action lacks the id of its target"))
        }
        Ok(match kind.as_str() {
            "LogicApp" => Self::LogicApp(read(fields)?),
            "EventHub" => Self::EventHub(read(fields)?),
            "Workspace" => Self::Workspace(read(fields)?),
            _ => Self::Other(OtherAction { kind, fields }),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn actions_of_any_kind_are_written_back_whole_and_secrets_are_not_printed() {
        let wire = json!([
            { "actionType": "LogicApp", "logicAppResourceId": "/l", "uri": "https://x/?sig=REDACTED", "new": 1 },
            { "actionType": "EventHub", "eventHubResourceId": "/h", "sasPolicyName": "send", "isTrustedServiceEnabled": true },
            { "actionType": "Workspace", "workspaceResourceId": "/w", "new": { "a": [] } },
            { "actionType": "Fax", "number": "REDACTED" },
        ]);
        let actions: Vec<Action> = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(serde_json::to_value(&actions).unwrap(), wire);
        assert!(!format!("{actions:?}").contains("REDACTED"));
        assert_eq!(
            actions.iter().map(Action::kind).collect::<Vec<_>>(),
            ["LogicApp", "EventHub", "Workspace", "Fax"]
        );
        assert_eq!(actions.iter().map(Action::target).collect::<Vec<_>>(), ["/l", "/h", "/w", ""]);
        assert!(format!("{:?}", actions[3]).contains("Fax"));
        let shown: Vec<Action> = actions.iter().map(Action::without_secret).collect();
        let mut without = wire;
        without[0].as_object_mut().unwrap().remove("uri");
        assert_eq!(serde_json::to_value(&shown).unwrap(), without);
    }

    fn action(wire: Value) -> Action {
        serde_json::from_value(wire).unwrap()
    }

    fn hub(trusted: Option<bool>, key: Option<&str>) -> Action {
        action(json!({
            "actionType": "EventHub", "eventHubResourceId": "/h", "isTrustedServiceEnabled": trusted,
            "connectionString": key,
        }))
    }

    #[test]
    fn a_secret_is_missing_unless_it_is_there_or_none_is_needed() {
        let app = |uri: Option<&str>| {
            action(json!({ "actionType": "LogicApp", "logicAppResourceId": "/l", "uri": uri }))
        };
        for (action, missing) in [
            (app(None), true),
            (app(Some(" ")), true),
            (app(Some("https://x")), false),
            (hub(None, None), true),
            (hub(Some(false), None), true),
            (hub(Some(false), Some("")), true),
            (hub(Some(false), Some("Endpoint=sb://x")), false),
            (hub(None, Some("Endpoint=sb://x")), false),
            (hub(Some(true), None), false),
            (action(json!({ "actionType": "Workspace", "workspaceResourceId": "/w" })), false),
            (action(json!({ "actionType": "Fax" })), false),
        ] {
            assert_eq!(action.missing_secret().is_some(), missing, "{action:?}");
        }
        assert!(!format!("{:?}", hub(None, Some("hunter2"))).contains("hunter2"));
        let Action::EventHub(shown) = hub(Some(false), Some("hunter2")).without_secret() else { panic!() };
        assert_eq!(shown.connection_string, None);
    }

    #[test]
    fn actions_are_the_same_if_kind_and_target_are_and_unknown_ones_only_as_a_whole() {
        let workspace = |id: &str| action(json!({ "actionType": "Workspace", "workspaceResourceId": id }));
        assert!(workspace("/w").is_same_as(&workspace("/W")));
        assert!(!workspace("/w").is_same_as(&workspace("/v")));
        assert!(hub(Some(true), None).is_same_as(&hub(Some(false), Some("x"))));
        assert!(!workspace("/h").is_same_as(&hub(None, None)));
        let fax = |number: i32| action(json!({ "actionType": "Fax", "number": number }));
        assert!(fax(1).is_same_as(&fax(1)) && !fax(1).is_same_as(&fax(2)));
    }

    #[test]
    fn what_only_the_service_has_is_kept_and_a_hub_is_not_made_to_need_a_key() {
        let completed = |mut own: Action, stored: Value| {
            own.completed_by(&action(stored));
            serde_json::to_value(own).unwrap()
        };
        let trusted = |trusted: Value| {
            json!({
                "actionType": "EventHub", "eventHubResourceId": "/H", "sasPolicyName": "send", "new": 1,
                "isTrustedServiceEnabled": trusted,
            })
        };
        let shown =
            |own: Action, stored: Value| completed(own, trusted(stored))["isTrustedServiceEnabled"].clone();
        assert_eq!(completed(hub(Some(true), None), trusted(json!(true))), trusted(json!(true)));
        assert_eq!(shown(hub(Some(true), None), json!(false)), json!(true), "as was asked for");
        assert_eq!(shown(hub(Some(false), Some("x")), json!(true)), json!(false), "as was asked for");
        assert_eq!(shown(hub(Some(false), Some("x")), json!(null)), json!(null), "it means the same");
        let app = json!({ "actionType": "LogicApp", "logicAppResourceId": "/L", "new": 1 });
        let own = json!({ "actionType": "LogicApp", "logicAppResourceId": "/l", "uri": "https://x" });
        let mut both = app.clone();
        both["uri"] = json!("https://x");
        assert_eq!(completed(action(own), app), both);
        let workspace = json!({ "actionType": "Workspace", "workspaceResourceId": "/W", "new": 1 });
        let own = json!({ "actionType": "Workspace", "workspaceResourceId": "/w" });
        assert_eq!(completed(action(own), workspace.clone()), workspace);
    }
}
