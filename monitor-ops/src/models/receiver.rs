use arm_core::{
    ResourceId, Secret, SubscriptionId,
    wire::{self, UnknownFields},
};
use serde::{Deserialize, Serialize};

use crate::MailAddress;

arm_core::open_enum! {
    /// Whether a receiver is notified.
    pub enum ReceiverStatus {
        /// It is notified.
        Enabled = "Enabled",
        /// It has unsubscribed: only the receiver, or an `EnableReceiver` call, can enable it again.
        Disabled = "Disabled",
        /// The service does not say.
        NotSpecified = "NotSpecified",
    }
}

/// An email address to notify.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EmailReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The address, as stored.
    pub email_address: String,
    /// Whether mails use the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    /// Whether mails are sent. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ReceiverStatus>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl EmailReceiver {
    /// Creates a receiver at an address, using the common alert schema.
    pub fn new(name: impl Into<String>, address: &MailAddress) -> Self {
        Self {
            name: name.into(),
            email_address: address.to_string(),
            use_common_alert_schema: true,
            status: None,
            unknown: UnknownFields::default(),
        }
    }
}

/// A phone number to send a text message to, or to call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PhoneReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The country code, such as `49`.
    pub country_code: String,
    /// The number without the country code.
    pub phone_number: String,
    /// Whether the receiver is notified. The service sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ReceiverStatus>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl PhoneReceiver {
    /// Creates a receiver at a number.
    pub fn new(name: &str, country_code: &str, phone_number: &str) -> Self {
        Self {
            name: name.to_owned(),
            country_code: country_code.to_owned(),
            phone_number: phone_number.to_owned(),
            status: None,
            unknown: UnknownFields::default(),
        }
    }
}

/// A URL to send a POST to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct WebhookReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The URL. It may contain a key, so it is a secret.
    #[serde(with = "wire::secret")]
    pub service_uri: Secret,
    /// Whether the body uses the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    /// Whether the request includes a Microsoft Entra ID token.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_aad_auth: bool,
    /// The object id of the application that the token is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
    /// The audience of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier_uri: Option<String>,
    /// The tenant of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl WebhookReceiver {
    /// Creates a receiver at a URL, using the common alert schema.
    pub fn new(name: impl Into<String>, service_uri: impl Into<Secret>) -> Self {
        Self {
            name: name.into(),
            service_uri: service_uri.into(),
            use_common_alert_schema: true,
            use_aad_auth: false,
            object_id: None,
            identifier_uri: None,
            tenant_id: None,
            unknown: UnknownFields::default(),
        }
    }
}

/// A Logic App to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LogicAppReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The id of the Logic App.
    pub resource_id: String,
    /// The URL of its trigger, which contains a signature.
    #[serde(with = "wire::secret")]
    pub callback_url: Secret,
    /// Whether the body uses the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl LogicAppReceiver {
    /// Creates a receiver for a Logic App, using the common alert schema.
    pub fn new(name: impl Into<String>, resource: &ResourceId, callback_url: impl Into<Secret>) -> Self {
        Self {
            name: name.into(),
            resource_id: resource.to_string(),
            callback_url: callback_url.into(),
            use_common_alert_schema: true,
            unknown: UnknownFields::default(),
        }
    }
}

/// A function to call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FunctionReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The id of the function app.
    pub function_app_resource_id: String,
    /// The name of the function.
    pub function_name: String,
    /// The URL of its trigger, which contains a key.
    #[serde(with = "wire::secret")]
    pub http_trigger_url: Secret,
    /// Whether the body uses the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl FunctionReceiver {
    /// Creates a receiver for a function, using the common alert schema.
    pub fn new(name: &str, app: &ResourceId, function: &str, trigger_url: impl Into<Secret>) -> Self {
        Self {
            name: name.to_owned(),
            function_app_resource_id: app.to_string(),
            function_name: function.to_owned(),
            http_trigger_url: trigger_url.into(),
            use_common_alert_schema: true,
            unknown: UnknownFields::default(),
        }
    }
}

/// An event hub to send the alert to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct EventHubReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The name of the namespace.
    pub event_hub_name_space: String,
    /// The name of the hub.
    pub event_hub_name: String,
    /// The subscription of the namespace.
    pub subscription_id: String,
    /// The tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// Whether the body uses the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl EventHubReceiver {
    /// Creates a receiver for a hub of a namespace in a subscription, using the common alert schema.
    pub fn new(name: &str, subscription: &SubscriptionId, namespace: &str, hub: &str) -> Self {
        Self {
            name: name.to_owned(),
            event_hub_name_space: namespace.to_owned(),
            event_hub_name: hub.to_owned(),
            subscription_id: subscription.to_string(),
            tenant_id: None,
            use_common_alert_schema: true,
            unknown: UnknownFields::default(),
        }
    }
}

/// A role on the subscription, whose members are notified by mail.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RoleReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The GUID of the role.
    pub role_id: String,
    /// Whether mails use the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl RoleReceiver {
    /// Creates a receiver for everyone who has a role, by its GUID, using the common alert schema.
    pub fn new(name: impl Into<String>, role_id: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            role_id: role_id.into(),
            use_common_alert_schema: true,
            unknown: UnknownFields::default(),
        }
    }
}

/// A user of the Azure app to send a push notification to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct AppPushReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The address that the user signs in with.
    pub email_address: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl AppPushReceiver {
    /// Creates a receiver for a user, by the address that the user signs in with.
    pub fn new(name: impl Into<String>, address: &MailAddress) -> Self {
        let (name, email_address) = (name.into(), address.to_string());
        Self { name, email_address, unknown: UnknownFields::default() }
    }
}

/// A ticket system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ItsmReceiver {
    /// The name, unique in the group.
    pub name: String,
    /// The workspace of the connection.
    pub workspace_id: String,
    /// The connection.
    pub connection_id: String,
    /// The configuration of tickets, as JSON.
    pub ticket_configuration: String,
    /// The region of the workspace.
    pub region: String,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl ItsmReceiver {
    /// Creates a receiver for a connection of a workspace (`{subscription}|{customer id}`) in a region. `tickets` is
    /// the configuration of its tickets, as JSON.
    pub fn new(name: &str, workspace: &str, connection: &str, tickets: &str, region: &str) -> Self {
        Self {
            name: name.to_owned(),
            workspace_id: workspace.to_owned(),
            connection_id: connection.to_owned(),
            ticket_configuration: tickets.to_owned(),
            region: region.to_owned(),
            unknown: UnknownFields::default(),
        }
    }
}

/// A runbook to start.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RunbookReceiver {
    /// The name, unique in the group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The id of the automation account.
    pub automation_account_id: String,
    /// The name of the runbook.
    pub runbook_name: String,
    /// The id of the webhook that starts the runbook.
    pub webhook_resource_id: String,
    /// Whether the runbook is one that Azure provides.
    pub is_global_runbook: bool,
    /// The URL of the webhook, which contains a token.
    #[serde(default, with = "wire::secret::option", skip_serializing_if = "Option::is_none")]
    pub service_uri: Option<Secret>,
    /// Whether the body uses the common alert schema. Default: `false`.
    #[serde(default, deserialize_with = "wire::null_as_default")]
    pub use_common_alert_schema: bool,
    #[serde(flatten)]
    unknown: UnknownFields,
}

impl RunbookReceiver {
    /// Creates a receiver for a runbook of an account, started by a webhook at `url`, using the common alert schema.
    pub fn new(
        name: &str,
        account: &ResourceId,
        runbook: &str,
        webhook: &ResourceId,
        url: impl Into<Secret>,
    ) -> Self {
        Self {
            name: Some(name.to_owned()),
            automation_account_id: account.to_string(),
            runbook_name: runbook.to_owned(),
            webhook_resource_id: webhook.to_string(),
            is_global_runbook: false,
            service_uri: Some(url.into()),
            use_common_alert_schema: true,
            unknown: UnknownFields::default(),
        }
    }
}
