use arm_core::{
    ResourceId,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Serialize};

use crate::Resource;

arm_core::open_enum! {
    /// Whether a category contains logs or metrics.
    pub enum CategoryType {
        /// Logs.
        Logs = "Logs",
        /// Metrics.
        Metrics = "Metrics",
    }
}

arm_core::open_enum! {
    /// The tables in which a workspace stores logs.
    pub enum DestinationType {
        /// A table for each category of a resource type, such as `AZKVAuditLogs`.
        Dedicated = "Dedicated",
        /// `AzureDiagnostics`, which resource types share. The service's default.
        AzureDiagnostics = "AzureDiagnostics",
    }
}

/// A category of logs or metrics that a resource can send.
pub type DiagnosticCategory = Resource<CategoryProperties>;

/// The properties of a [`DiagnosticCategory`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CategoryProperties {
    /// Logs or metrics.
    pub category_type: CategoryType,
    /// The groups that contain the category, such as `audit` or `allLogs`. Metrics are in no group.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub category_groups: Vec<String>,
}

/// A diagnostic setting: which logs and metrics of a resource are sent where.
pub type DiagnosticSetting = Resource<DiagnosticProperties>;

/// The properties of a [`DiagnosticSetting`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct DiagnosticProperties {
    /// The id of the storage account to send to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_account_id: Option<String>,
    /// The id of an authorization rule of the Service Bus namespace to send to; obsolete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_bus_rule_id: Option<String>,
    /// The id of an authorization rule of the Event Hubs namespace to send to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_hub_authorization_rule_id: Option<String>,
    /// The event hub to send to; `None` for one hub per category.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_hub_name: Option<String>,
    /// The id of the workspace to send to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub workspace_id: Option<String>,
    /// The id of the partner resource to send to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marketplace_partner_id: Option<String>,
    /// The workspace tables to use. For vaults, the service always returns null, so this cannot be read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_analytics_destination_type: Option<DestinationType>,
    /// The logs.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub logs: Vec<SettingEntry>,
    /// The metrics.
    #[serde(deserialize_with = "wire::without_nulls")]
    pub metrics: Vec<SettingEntry>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl DiagnosticProperties {
    /// Whether the audit log of a key vault is sent: `AuditEvent`, or a group that contains it.
    pub fn sends_audit(&self) -> bool {
        let is = |field: &Option<String>, names: &[&str]| {
            field.as_deref().is_some_and(|text| names.iter().any(|name| text.eq_ignore_ascii_case(name)))
        };
        self.logs.iter().any(|entry| {
            entry.enabled
                && (is(&entry.category, &["AuditEvent"]) || is(&entry.category_group, &["audit", "allLogs"]))
        })
    }

    /// The sinks of the setting, except Service Bus, partner resources, and ids that cannot be parsed.
    pub fn sinks(&self) -> Vec<Sink> {
        let parsed = |id: &Option<String>| id.as_deref().and_then(|id| id.parse::<ResourceId>().ok());
        let hub = self.event_hub_name.clone().filter(|name| !name.is_empty());
        let all = [
            parsed(&self.workspace_id).map(Sink::Workspace),
            parsed(&self.storage_account_id).map(Sink::Storage),
            parsed(&self.event_hub_authorization_rule_id).map(|rule| Sink::EventHub { rule, hub }),
        ];
        all.into_iter().flatten().collect()
    }
}

/// One category, or one group of categories, in a setting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SettingEntry {
    /// The category; `None` if the entry is for a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The group, `audit` or `allLogs`; `None` if the entry is for a category. Azure may add categories to a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category_group: Option<String>,
    /// Whether the category or group is sent.
    pub enabled: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl SettingEntry {
    /// Creates an entry that sends one category.
    pub fn category(name: impl Into<String>) -> Self {
        Self {
            category: Some(name.into()),
            category_group: None,
            enabled: true,
            unknown: UnknownFields::default(),
        }
    }

    /// Creates an entry that sends a group of categories.
    pub fn group(name: impl Into<String>) -> Self {
        Self { category_group: Some(name.into()), category: None, ..Self::category("") }
    }
}

/// A destination of logs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sink {
    /// A Log Analytics workspace.
    Workspace(ResourceId),
    /// A storage account.
    Storage(ResourceId),
    /// An event hub, by an authorization rule of its namespace.
    EventHub {
        /// The rule.
        rule: ResourceId,
        /// The hub; `None` for one hub per category.
        hub: Option<String>,
    },
}

impl Sink {
    /// The id that a setting contains for this sink.
    pub fn id(&self) -> &ResourceId {
        match self {
            Self::Workspace(id) | Self::Storage(id) | Self::EventHub { rule: id, .. } => id,
        }
    }

    /// Whether a setting sends to this sink.
    pub fn is_of(&self, setting: &DiagnosticProperties) -> bool {
        let named = |field: &Option<String>| {
            field.as_deref().is_some_and(|id| id.eq_ignore_ascii_case(self.id().as_str()))
        };
        match self {
            Self::Workspace(_) => named(&setting.workspace_id),
            Self::Storage(_) => named(&setting.storage_account_id),
            Self::EventHub { hub, .. } => {
                let empty = |name: &Option<String>| name.clone().filter(|name| !name.is_empty());
                named(&setting.event_hub_authorization_rule_id)
                    && empty(hub) == empty(&setting.event_hub_name)
            }
        }
    }

    /// Whether both are the same destination. Ids are compared ignoring case.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let mut setting = DiagnosticProperties::default();
        other.add_to(&mut setting);
        self.is_of(&setting)
    }

    /// Makes a setting send to this sink, in place of any sink of the same type.
    pub(crate) fn add_to(&self, setting: &mut DiagnosticProperties) {
        let id = Some(self.id().to_string());
        match self {
            Self::Workspace(_) => setting.workspace_id = id,
            Self::Storage(_) => setting.storage_account_id = id,
            Self::EventHub { hub, .. } => {
                setting.event_hub_authorization_rule_id = id;
                setting.event_hub_name = hub.clone();
            }
        }
    }
}

impl std::fmt::Display for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::EventHub { rule, hub: Some(hub) } => write!(f, "{rule} (event hub {hub})"),
            sink => sink.id().fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn sinks() -> [Sink; 5] {
        let id = |text: &str| -> ResourceId {
            format!("/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/{text}")
                .parse()
                .unwrap()
        };
        let rule = || id("Microsoft.EventHub/namespaces/n/authorizationRules/r");
        [
            Sink::Workspace(id("Microsoft.OperationalInsights/workspaces/law")),
            Sink::Workspace(id("Microsoft.OperationalInsights/workspaces/other")),
            Sink::Storage(id("Microsoft.Storage/storageAccounts/st")),
            Sink::EventHub { rule: rule(), hub: None },
            Sink::EventHub { rule: rule(), hub: Some("hub".to_owned()) },
        ]
    }

    #[test]
    fn a_sink_is_the_same_only_as_itself_whatever_the_case_of_its_id() {
        for (at, one) in sinks().iter().enumerate() {
            for (other_at, other) in sinks().iter().enumerate() {
                assert_eq!(one.is_same_as(other), at == other_at, "{one:?} {other:?}");
            }
            let mut setting = DiagnosticProperties::default();
            assert!(!one.is_of(&setting) && setting.sinks().is_empty());
            one.add_to(&mut setting);
            assert_eq!(setting.sinks(), std::slice::from_ref(one));
            for id in [
                &mut setting.workspace_id,
                &mut setting.storage_account_id,
                &mut setting.event_hub_authorization_rule_id,
            ] {
                *id = id.as_ref().map(|id| id.to_uppercase());
            }
            assert!(one.is_of(&setting));
        }
        let mut nameless = DiagnosticProperties::default();
        sinks()[3].add_to(&mut nameless);
        nameless.event_hub_name = Some(String::new());
        assert!(sinks()[3].is_of(&nameless) && !sinks()[4].is_of(&nameless));
    }

    #[test]
    fn a_sink_is_shown_by_its_id_and_an_event_hub_by_its_name_too() {
        let [workspace, .., namespace, hub] = sinks().map(|sink| sink.to_string());
        let group = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers";
        assert_eq!(workspace, format!("{group}/Microsoft.OperationalInsights/workspaces/law"));
        assert_eq!(namespace, format!("{group}/Microsoft.EventHub/namespaces/n/authorizationRules/r"));
        assert_eq!(hub, format!("{namespace} (event hub hub)"));
    }

    #[test]
    fn a_setting_is_written_back_with_what_this_crate_does_not_name() {
        let wire = json!({
            "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/microsoft.insights/diagnosticSettings/x",
            "name": "x",
            "type": "Microsoft.Insights/diagnosticSettings",
            "identity": { "type": "None" },
            "properties": {
                "workspaceId": "/w",
                "logs": [{ "category": "AuditEvent", "enabled": true, "retentionPolicy": { "enabled": false, "days": 0 }, "new": 1 }],
                "metrics": [{ "category": "AllMetrics", "enabled": false, "timeGrain": "PT1M" }],
                "invented": [1],
            },
        });
        let setting: DiagnosticSetting = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(setting.properties.logs[0].category.as_deref(), Some("AuditEvent"));
        assert_eq!(serde_json::to_value(&setting).unwrap(), wire);
    }

    #[test]
    fn nulls_and_lists_that_are_missing_are_read() {
        let wire = json!({ "id": null, "type": null, "name": "ds", "properties": {
            "workspaceId": null, "logAnalyticsDestinationType": null, "logs": null } });
        let setting: DiagnosticSetting = serde_json::from_value(wire).unwrap();
        assert_eq!((setting.properties.logs.len(), setting.properties.workspace_id.clone()), (0, None));
        assert_eq!(serde_json::to_value(&setting.properties).unwrap()["workspaceId"], Value::Null);
    }
}
