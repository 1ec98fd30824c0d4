//! The heavy parts of an alert, once they are asked for.

use std::borrow::Cow;

use arm_core::{ResourceId, wire};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, value::RawValue};

/// What names the resource of an alert.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ResourceIdentifier {
    /// A resource of Azure.
    AzureResource(ResourceId),
    /// A machine by its agent in a workspace.
    LogAnalytics(LogAnalyticsIdentifier),
    /// A kind that this version does not name, or a resource id that is none, as it came.
    Other(Value),
}

/// A machine by its agent in a Log Analytics workspace.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
#[non_exhaustive]
pub struct LogAnalyticsIdentifier {
    /// The workspace.
    #[serde(with = "wire::text")]
    pub workspace_id: String,
    /// The subscription of the workspace.
    #[serde(with = "wire::text")]
    pub workspace_subscription_id: String,
    /// The resource group of the workspace.
    #[serde(with = "wire::text")]
    pub workspace_resource_group: String,
    /// The agent that reported.
    #[serde(with = "wire::text")]
    pub agent_id: String,
}

impl<'de> Deserialize<'de> for ResourceIdentifier {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, Default)]
        struct Kind<'a> {
            #[serde(rename = "type", default, borrow, deserialize_with = "wire::text::scalar")]
            kind: Cow<'a, str>,
        }
        #[derive(Deserialize)]
        struct Azure {
            #[serde(rename = "azureResourceId")]
            id: ResourceId,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = raw.get();
        let Kind { kind } = serde_json::from_str(text).unwrap_or_default();
        let known = if kind.eq_ignore_ascii_case("AzureResource") {
            serde_json::from_str(text).map(|Azure { id }| Self::AzureResource(id)).ok()
        } else if kind.eq_ignore_ascii_case("LogAnalytics") {
            serde_json::from_str(text).map(Self::LogAnalytics).ok()
        } else {
            None
        };
        match known {
            Some(known) => Ok(known),
            None => serde_json::from_str(text).map(Self::Other).map_err(serde::de::Error::custom),
        }
    }
}

/// A link of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct ExtendedLink {
    /// What kind of thing it leads to, such as `threat_reports`.
    #[serde(with = "wire::text", alias = "category")]
    pub category: String,
    /// Its text.
    #[serde(with = "wire::text", alias = "label")]
    pub label: String,
    /// Where it leads.
    #[serde(with = "wire::text", alias = "href")]
    pub href: String,
    /// The kind of link, such as `webLink`.
    #[serde(rename = "Type", with = "wire::text", alias = "type")]
    pub link_type: String,
}

/// What backs an alert up.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SupportingEvidence {
    /// A table.
    Table {
        /// What the table shows.
        title: String,
        /// The names of the columns.
        columns: Vec<String>,
        /// The cells, row by row: any JSON.
        rows: Vec<Vec<Value>>,
    },
    /// A form that this version does not name, as it came.
    Other(Value),
}

impl<'de> Deserialize<'de> for SupportingEvidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Table {
            #[serde(default, with = "wire::text")]
            title: String,
            columns: Vec<String>,
            rows: Vec<Vec<Value>>,
        }
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let read = |error: serde_json::Error| serde::de::Error::custom(error);
        match serde_json::from_str::<Table>(raw.get()) {
            Ok(Table { title, columns, rows }) => Ok(Self::Table { title, columns, rows }),
            Err(_) => serde_json::from_str(raw.get()).map(Self::Other).map_err(read),
        }
    }
}

/// Who or what took part in what an alert is about.
///
/// Known kinds have typed fields; all that the service wrote is in [`fields`](Self::fields).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entity {
    /// The number that other entities of the alert refer to, such as `westeurope_2`.
    pub id: Option<String>,
    /// What it is.
    pub kind: EntityKind,
    raw: Box<RawValue>,
}

/// What an entity is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EntityKind {
    /// A user, or an application's principal: then without a name.
    Account(Account),
    /// An address.
    Ip(Ip),
    /// A resource of Azure, by id.
    AzureResource(Option<ResourceId>),
    /// A machine.
    Host(Host),
    /// A process.
    Process {
        /// What was run, with its arguments.
        command_line: Option<String>,
        /// Its number.
        process_id: Option<String>,
    },
    /// A file.
    File {
        /// Its name.
        name: Option<String>,
        /// The folder that it is in.
        directory: Option<String>,
    },
    /// An address on the web.
    Url(Option<String>),
    /// A kind that this version does not name; its own word for itself.
    Other(String),
}

/// A user, or an application's principal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The name, without the domain. Absent for applications.
    pub name: Option<String>,
    /// What follows the `@`.
    pub upn_suffix: Option<String>,
    /// The tenant that the account is of.
    pub tenant_id: Option<String>,
    /// The object id in the directory. Absent for traffic from outside Azure.
    pub object_id: Option<String>,
    /// The id of the application.
    pub app_id: Option<String>,
}

impl Account {
    /// `name@suffix`, when both are known.
    pub fn user_principal_name(&self) -> Option<String> {
        let (name, suffix) = (self.name.as_ref()?, self.upn_suffix.as_ref()?);
        Some(format!("{name}@{suffix}"))
    }
}

/// An address and where it seems to be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ip {
    /// The address, as the service wrote it.
    pub address: Option<String>,
    /// Where it seems to be.
    pub location: Option<GeoLocation>,
}

/// Where an address seems to be.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct GeoLocation {
    /// The country, in two letters.
    #[serde(with = "wire::text::option")]
    pub country_code: Option<String>,
    /// The country.
    #[serde(with = "wire::text::option")]
    pub country_name: Option<String>,
    /// The part of the country.
    #[serde(with = "wire::text::option")]
    pub state: Option<String>,
    /// The city.
    #[serde(with = "wire::text::option")]
    pub city: Option<String>,
    /// The number of the network.
    #[serde(with = "wire::text::option")]
    pub asn: Option<String>,
    /// Who runs the network.
    #[serde(with = "wire::text::option")]
    pub organization: Option<String>,
    /// The cloud that the address belongs to. An address of Microsoft's may still be a stranger's machine.
    #[serde(with = "wire::text::option")]
    pub cloud_provider: Option<String>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// Its name.
    pub host_name: Option<String>,
    /// The machine as a resource of Azure.
    pub resource_id: Option<ResourceId>,
    /// The agent on it.
    pub agent_id: Option<String>,
}

impl Entity {
    /// All that the service wrote about it.
    pub fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(self.raw.get()).unwrap_or_default()
    }

    /// The account, if it is one.
    pub fn as_account(&self) -> Option<&Account> {
        match &self.kind {
            EntityKind::Account(account) => Some(account),
            _ => None,
        }
    }

    /// The address, if it is one.
    pub fn as_ip(&self) -> Option<&Ip> {
        match &self.kind {
            EntityKind::Ip(ip) => Some(ip),
            _ => None,
        }
    }
}

/// The fields of all known kinds together: one pass, whatever the order of the keys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Fields {
    #[serde(rename = "$id", with = "wire::text::option")]
    id: Option<String>,
    #[serde(rename = "type", with = "wire::text")]
    kind: String,
    #[serde(with = "wire::text::option")]
    name: Option<String>,
    #[serde(with = "wire::text::option")]
    upn_suffix: Option<String>,
    #[serde(with = "wire::text::option")]
    aad_tenant_id: Option<String>,
    #[serde(with = "wire::text::option")]
    aad_user_id: Option<String>,
    #[serde(with = "wire::text::option")]
    app_id: Option<String>,
    #[serde(with = "wire::text::option")]
    address: Option<String>,
    location: Option<GeoLocation>,
    #[serde(with = "wire::text::option")]
    resource_id: Option<String>,
    #[serde(with = "wire::text::option")]
    host_name: Option<String>,
    #[serde(rename = "azureID", alias = "azureId", with = "wire::text::option")]
    azure_id: Option<String>,
    #[serde(rename = "omsAgentID", alias = "omsAgentId", with = "wire::text::option")]
    oms_agent_id: Option<String>,
    #[serde(with = "wire::text::option")]
    command_line: Option<String>,
    #[serde(with = "wire::text::option")]
    process_id: Option<String>,
    #[serde(with = "wire::text::option")]
    directory: Option<String>,
    #[serde(with = "wire::text::option")]
    url: Option<String>,
}

impl Fields {
    fn into_kind(self) -> EntityKind {
        let id = |text: Option<String>| text.and_then(|text| text.parse().ok());
        match self.kind.to_ascii_lowercase().as_str() {
            "account" => EntityKind::Account(Account {
                name: self.name,
                upn_suffix: self.upn_suffix,
                tenant_id: self.aad_tenant_id,
                object_id: self.aad_user_id,
                app_id: self.app_id,
            }),
            "ip" => EntityKind::Ip(Ip { address: self.address, location: self.location }),
            "azure-resource" => EntityKind::AzureResource(id(self.resource_id)),
            "host" => EntityKind::Host(Host {
                host_name: self.host_name,
                resource_id: id(self.azure_id),
                agent_id: self.oms_agent_id,
            }),
            "process" => EntityKind::Process { command_line: self.command_line, process_id: self.process_id },
            "file" => EntityKind::File { name: self.name, directory: self.directory },
            "url" => EntityKind::Url(self.url),
            _ => EntityKind::Other(self.kind),
        }
    }
}

impl<'de> Deserialize<'de> for Entity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let Ok(mut fields) = serde_json::from_str::<Fields>(raw.get()) else {
            // A known field of an unexpected shape makes the entity one of an unknown kind.
            let value: Value = serde_json::from_str(raw.get()).map_err(serde::de::Error::custom)?;
            let kind = value["type"].as_str().unwrap_or_default().to_owned();
            return Ok(Self { id: None, kind: EntityKind::Other(kind), raw });
        };
        Ok(Self { id: fields.id.take(), kind: fields.into_kind(), raw })
    }
}
