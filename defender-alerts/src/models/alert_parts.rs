//! The large parts of an alert, which are decoded when requested.

use std::borrow::Cow;

use arm_core::{
    ResourceId, SharedStr,
    wire::{self, Place, SentText},
};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, value::RawValue};

use super::spelling;

/// An identifier of the resource that an alert affects.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ResourceIdentifier {
    /// An Azure resource.
    AzureResource(ResourceId),
    /// A machine, identified by its agent in a workspace.
    LogAnalytics(LogAnalyticsIdentifier),
    /// An identifier of a type that this version does not model, or with a field that cannot be read, unchanged.
    Other(Value),
}

/// A machine, identified by its agent in a Log Analytics workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogAnalyticsIdentifier {
    /// The workspace.
    pub workspace_id: SharedStr,
    /// The subscription of the workspace.
    pub workspace_subscription_id: SharedStr,
    /// The resource group of the workspace.
    pub workspace_resource_group: SharedStr,
    /// The id of the agent.
    pub agent_id: SharedStr,
}

impl ResourceIdentifier {
    /// Reads a list of identifiers, in one pass if all are of known kinds.
    pub(crate) fn read_all(list: &str) -> serde_json::Result<Vec<Self>> {
        let at_once = items::<Identified<'_>>(list).ok();
        match at_once.and_then(|all| all.into_iter().map(Identified::into_known).collect()) {
            Some(known) => Ok(known),
            None => Ok(items::<Value>(list)?.into_iter().map(Self::read).collect()),
        }
    }

    fn read(value: Value) -> Self {
        let spelled = spelling::documented(&value).to_string();
        let known = serde_json::from_str(&spelled).ok().and_then(Identified::into_known);
        known.unwrap_or(Self::Other(value))
    }

    /// Describes the identifier if it has no type, or a known type but cannot be read.
    pub(crate) fn unreadable(&self) -> Option<String> {
        let Self::Other(value) = self else { return None };
        let spelled = spelling::documented(value);
        let kind = spelled["type"].as_str().unwrap_or_default();
        let known = kind.is_empty()
            || ["AzureResource", "LogAnalytics"].iter().any(|it| it.eq_ignore_ascii_case(kind));
        known.then(|| match kind {
            "" => "a resource identifier without a type".to_owned(),
            kind => format!("a resource identifier of the type {kind}"),
        })
    }
}

/// The fields of all known kinds, read in one pass regardless of the order of the keys.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identified<'a> {
    #[serde(rename = "type", default, borrow, deserialize_with = "wire::text::scalar")]
    kind: Cow<'a, str>,
    #[serde(default, borrow, deserialize_with = "wire::text::scalar")]
    azure_resource_id: Cow<'a, str>,
    #[serde(default, with = "wire::text")]
    workspace_id: SharedStr,
    #[serde(default, with = "wire::text")]
    workspace_subscription_id: SharedStr,
    #[serde(default, with = "wire::text")]
    workspace_resource_group: SharedStr,
    #[serde(default, with = "wire::text")]
    agent_id: SharedStr,
}

impl Identified<'_> {
    fn into_known(self) -> Option<ResourceIdentifier> {
        if self.kind.eq_ignore_ascii_case("AzureResource") {
            return self.azure_resource_id.parse().map(ResourceIdentifier::AzureResource).ok();
        }
        let agent = LogAnalyticsIdentifier {
            workspace_id: self.workspace_id,
            workspace_subscription_id: self.workspace_subscription_id,
            workspace_resource_group: self.workspace_resource_group,
            agent_id: self.agent_id,
        };
        self.kind.eq_ignore_ascii_case("LogAnalytics").then_some(ResourceIdentifier::LogAnalytics(agent))
    }
}

/// Reads the items of a list. Null items are omitted, and a single value is a list of one.
pub(super) fn items<'a, T: Deserialize<'a>>(list: &'a str) -> serde_json::Result<Vec<T>> {
    #[derive(Deserialize)]
    #[serde(transparent, bound = "T: Deserialize<'de>")]
    struct Items<T>(#[serde(deserialize_with = "wire::without_nulls")] Vec<T>);

    if list.starts_with('[') {
        return wire::from_str(list).map(|Items(items)| items);
    }
    Ok(wire::from_str::<Option<T>>(list)?.into_iter().collect())
}

/// A link in an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct ExtendedLink {
    /// The category of the target, such as `threat_reports`.
    #[serde(with = "wire::text", alias = "category")]
    pub category: SharedStr,
    /// The text of the link.
    #[serde(with = "wire::text", alias = "label")]
    pub label: SharedStr,
    /// The target of the link.
    #[serde(with = "wire::text", alias = "href")]
    pub href: SharedStr,
    /// The kind of link, such as `webLink`.
    #[serde(rename = "Type", with = "wire::text", alias = "type")]
    pub link_type: SharedStr,
}

/// Evidence for an alert.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SupportingEvidence {
    /// A table.
    Table {
        /// The title of the table.
        title: SharedStr,
        /// The names of the columns.
        columns: Vec<SharedStr>,
        /// The cells, row by row, as any JSON.
        rows: Vec<Vec<Value>>,
    },
    /// Evidence of a type that this version does not model, or in an unexpected format, unchanged.
    Other(Value),
}

impl SupportingEvidence {
    pub(crate) fn read(text: &str) -> serde_json::Result<Option<Self>> {
        #[derive(Deserialize)]
        struct Table {
            #[serde(default, with = "wire::text")]
            title: SharedStr,
            columns: Vec<SharedStr>,
            rows: Vec<Vec<Value>>,
        }
        match wire::from_str(text) {
            Ok(Some(Table { title, columns, rows })) => Ok(Some(Self::Table { title, columns, rows })),
            Ok(None) => Ok(None),
            Err(_) => serde_json::from_str(text).map(Self::Other).map(Some),
        }
    }
}

/// An entity involved in the activity that an alert reports.
///
/// Known kinds have typed fields; [`fields`](Self::fields) returns everything that the service wrote.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entity {
    /// The id by which other entities of the alert refer to this one, such as `westeurope_2`.
    pub id: Option<SharedStr>,
    /// The kind, with its fields.
    pub kind: EntityKind,
    /// The alert's text, the position of the list of entities in it, and the index of this entity among those that are
    /// not null.
    sent: SentText,
    list: Place,
    index: usize,
}

/// The kind of an entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EntityKind {
    /// A user, or a service principal, which has no name.
    Account(Account),
    /// An IP address.
    Ip(Ip),
    /// An Azure resource; `None` if its id is missing or cannot be read.
    AzureResource(Option<ResourceId>),
    /// A machine.
    Host(Host),
    /// A process.
    Process {
        /// The command line.
        command_line: Option<SharedStr>,
        /// The process id.
        process_id: Option<SharedStr>,
    },
    /// A file.
    File {
        /// The name.
        name: Option<SharedStr>,
        /// The folder of the file.
        directory: Option<SharedStr>,
    },
    /// A URL.
    Url(Option<SharedStr>),
    /// An entity of a kind that this version does not model, or with a field that cannot be read: the name of its kind,
    /// which is empty if the entity has none.
    Other(SharedStr),
}

/// A user or a service principal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account {
    /// The name, without the domain; `None` if the alert has none, as for an application.
    pub name: Option<SharedStr>,
    /// The domain, which is the part after the `@`.
    pub upn_suffix: Option<SharedStr>,
    /// The tenant of the account.
    pub tenant_id: Option<SharedStr>,
    /// The object id in the directory; `None` if the alert has none, as for traffic from outside Azure.
    pub object_id: Option<SharedStr>,
    /// The id of the application.
    pub app_id: Option<SharedStr>,
}

impl Account {
    /// Returns `name@suffix`; `None` unless both are known.
    pub fn user_principal_name(&self) -> Option<String> {
        let (name, suffix) = (self.name.as_ref()?, self.upn_suffix.as_ref()?);
        Some(format!("{name}@{suffix}"))
    }
}

/// An IP address, with its presumed location.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ip {
    /// The address, as the service wrote it.
    pub address: Option<SharedStr>,
    /// The presumed location.
    pub location: Option<GeoLocation>,
}

/// The presumed location of an address.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct GeoLocation {
    /// The two-letter code of the country.
    #[serde(with = "wire::text::option")]
    pub country_code: Option<SharedStr>,
    /// The country.
    #[serde(with = "wire::text::option")]
    pub country_name: Option<SharedStr>,
    /// The state or region in the country.
    #[serde(with = "wire::text::option")]
    pub state: Option<SharedStr>,
    /// The city.
    #[serde(with = "wire::text::option")]
    pub city: Option<SharedStr>,
    /// The autonomous system number.
    #[serde(with = "wire::text::option")]
    pub asn: Option<SharedStr>,
    /// The organization that operates the network.
    #[serde(with = "wire::text::option")]
    pub organization: Option<SharedStr>,
    /// The cloud to which the address belongs. A Microsoft address may belong to the machine of any customer.
    #[serde(with = "wire::text::option")]
    pub cloud_provider: Option<SharedStr>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host {
    /// The name.
    pub host_name: Option<SharedStr>,
    /// The machine's Azure resource id.
    pub resource_id: Option<ResourceId>,
    /// The id of the agent on the machine.
    pub agent_id: Option<SharedStr>,
}

impl Entity {
    /// Reads a list of entities, in one pass if all have the documented form.
    pub(crate) fn read_all(sent: &SentText, place: &Place) -> serde_json::Result<Vec<Self>> {
        let list = sent.part(place);
        let read: Vec<Known> = match items(list) {
            Ok(all) if !spelling::is_unusual(list) && !all.iter().any(Known::is_bare) => all,
            _ => items(list)?.into_iter().map(Known::read).collect(),
        };
        let entity =
            |(index, Known { id, kind })| Self { id, kind, sent: sent.clone(), list: place.clone(), index };
        Ok(read.into_iter().enumerate().map(entity).collect())
    }

    /// Returns all fields as the service wrote them.
    pub fn fields(&self) -> Map<String, Value> {
        let items: Vec<&RawValue> = items(self.sent.part(&self.list)).unwrap_or_default();
        let item = items.get(self.index).and_then(|item| serde_json::from_str(item.get()).ok());
        item.unwrap_or_default()
    }

    /// Describes the entity if it is an Azure resource whose id cannot be read, or has no type.
    pub(crate) fn unreadable(&self) -> Option<String> {
        match &self.kind {
            EntityKind::AzureResource(None) => Some("an entity that is an Azure resource".to_owned()),
            EntityKind::Other(kind) if kind.is_empty() => Some("an entity without a type".to_owned()),
            _ => None,
        }
    }

    /// Returns the account; `None` if the entity is of another kind.
    pub fn as_account(&self) -> Option<&Account> {
        match &self.kind {
            EntityKind::Account(account) => Some(account),
            _ => None,
        }
    }

    /// Returns the address; `None` if the entity is of another kind.
    pub fn as_ip(&self) -> Option<&Ip> {
        match &self.kind {
            EntityKind::Ip(ip) => Some(ip),
            _ => None,
        }
    }
}

/// The fields of all known kinds, read in one pass regardless of the order of the keys.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Fields<'a> {
    #[serde(rename = "$id", with = "wire::text::option")]
    id: Option<SharedStr>,
    #[serde(rename = "type", borrow, deserialize_with = "wire::text::scalar")]
    kind: Cow<'a, str>,
    #[serde(with = "wire::text::option")]
    name: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    upn_suffix: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    aad_tenant_id: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    aad_user_id: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    app_id: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    address: Option<SharedStr>,
    location: Option<GeoLocation>,
    #[serde(borrow, deserialize_with = "wire::text::scalar")]
    resource_id: Cow<'a, str>,
    #[serde(with = "wire::text::option")]
    host_name: Option<SharedStr>,
    #[serde(rename = "azureID", alias = "azureId", borrow, deserialize_with = "wire::text::scalar")]
    azure_id: Cow<'a, str>,
    #[serde(rename = "omsAgentID", alias = "omsAgentId", with = "wire::text::option")]
    oms_agent_id: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    command_line: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    process_id: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    directory: Option<SharedStr>,
    #[serde(with = "wire::text::option")]
    url: Option<SharedStr>,
}

/// The id and kind of an entity, which are much smaller than all fields together.
struct Known {
    id: Option<SharedStr>,
    kind: EntityKind,
}

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Fields::deserialize(deserializer)?;
        Ok(Self { id: fields.id.take(), kind: fields.into_kind() })
    }
}

impl Known {
    /// Reads an entity with another spelling or form.
    fn read(value: Value) -> Self {
        let spelled = spelling::documented(&value);
        // If a known field has an unexpected form, the entity is of an unknown kind.
        serde_json::from_str(&spelled.to_string()).unwrap_or_else(|_| Self {
            id: None,
            kind: EntityKind::Other(spelled["type"].as_str().unwrap_or_default().into()),
        })
    }

    /// Whether none of its fields could be read.
    fn is_bare(&self) -> bool {
        match &self.kind {
            EntityKind::Account(it) => [&it.name, &it.upn_suffix, &it.tenant_id, &it.object_id, &it.app_id]
                .iter()
                .all(|it| it.is_none()),
            EntityKind::Ip(it) => it.address.is_none(),
            EntityKind::AzureResource(id) => id.is_none(),
            EntityKind::Host(it) => {
                it.host_name.is_none() && it.resource_id.is_none() && it.agent_id.is_none()
            }
            EntityKind::Process { command_line, process_id } => {
                command_line.is_none() && process_id.is_none()
            }
            EntityKind::File { name, .. } => name.is_none(),
            EntityKind::Url(url) => url.is_none(),
            EntityKind::Other(kind) => kind.is_empty(),
        }
    }
}

impl Fields<'_> {
    fn into_kind(self) -> EntityKind {
        let is = |kind: &str| self.kind.eq_ignore_ascii_case(kind);
        if is("account") {
            EntityKind::Account(Account {
                name: self.name,
                upn_suffix: self.upn_suffix,
                tenant_id: self.aad_tenant_id,
                object_id: self.aad_user_id,
                app_id: self.app_id,
            })
        } else if is("ip") {
            EntityKind::Ip(Ip { address: self.address, location: self.location })
        } else if is("azure-resource") {
            EntityKind::AzureResource(self.resource_id.parse().ok())
        } else if is("host") {
            EntityKind::Host(Host {
                host_name: self.host_name,
                resource_id: self.azure_id.parse().ok(),
                agent_id: self.oms_agent_id,
            })
        } else if is("process") {
            EntityKind::Process { command_line: self.command_line, process_id: self.process_id }
        } else if is("file") {
            EntityKind::File { name: self.name, directory: self.directory }
        } else if is("url") {
            EntityKind::Url(self.url)
        } else {
            EntityKind::Other(self.kind.into())
        }
    }
}
