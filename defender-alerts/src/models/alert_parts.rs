//! The large parts of an alert, which are decoded when requested.
//!
//! The service sends alerts in one of two spellings, at random: with nested names in camel case, as documented, or in
//! Pascal case (azure-rest-api-specs#38880). All names are matched ignoring case.

use std::borrow::Cow;

use arm_core::{
    ResourceId,
    wire::{self, Node, Tape},
};
use azure_core::{Error, Result, error::ErrorKind};
use serde_json::{Map, Value};

use super::additional_data::value_of;

/// An identifier of the resource that an alert affects.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ResourceIdentifier<'a> {
    /// An Azure resource.
    AzureResource(ResourceId),
    /// A machine, identified by its agent in a workspace.
    LogAnalytics(LogAnalyticsIdentifier<'a>),
    /// An identifier of a type that this version does not model, or with a field that cannot be read, unchanged.
    Other(Value),
}

/// A machine, identified by its agent in a Log Analytics workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogAnalyticsIdentifier<'a> {
    /// The workspace.
    pub workspace_id: Cow<'a, str>,
    /// The subscription of the workspace.
    pub workspace_subscription_id: Cow<'a, str>,
    /// The resource group of the workspace.
    pub workspace_resource_group: Cow<'a, str>,
    /// The id of the agent.
    pub agent_id: Cow<'a, str>,
}

impl<'a> ResourceIdentifier<'a> {
    pub(crate) fn read(identifier: Node<'_, 'a>) -> serde_json::Result<Self> {
        match Self::known(identifier) {
            Some(known) => Ok(known),
            None => identifier.value().map(Self::Other),
        }
    }

    fn known(identifier: Node<'_, 'a>) -> Option<Self> {
        let names = [
            "type",
            "azureResourceId",
            "workspaceId",
            "workspaceSubscriptionId",
            "workspaceResourceGroup",
            "agentId",
        ];
        let [kind, resource, workspace, subscription, group, agent] = identifier.fields(names);
        let text = |value| text(value).map(Option::unwrap_or_default);
        let kind = text(kind)?;
        if kind.eq_ignore_ascii_case("AzureResource") {
            return text(resource)?.parse().map(Self::AzureResource).ok();
        }
        if !kind.eq_ignore_ascii_case("LogAnalytics") {
            return None;
        }
        Some(Self::LogAnalytics(LogAnalyticsIdentifier {
            workspace_id: text(workspace)?,
            workspace_subscription_id: text(subscription)?,
            workspace_resource_group: text(group)?,
            agent_id: text(agent)?,
        }))
    }

    /// Describes the identifier if it has no type, or a known type but cannot be read.
    pub(crate) fn unreadable(&self) -> Option<String> {
        let Self::Other(value) = self else { return None };
        let kind = value.as_object().and_then(|fields| value_of(fields, "type"));
        let kind = kind.and_then(Value::as_str).unwrap_or_default();
        let known = kind.is_empty()
            || ["AzureResource", "LogAnalytics"].iter().any(|it| it.eq_ignore_ascii_case(kind));
        known.then(|| match kind {
            "" => "a resource identifier without a type".to_owned(),
            kind => format!("a resource identifier of the type {kind}"),
        })
    }
}

/// Returns members like [`text`]; `None` if one of them cannot be read.
fn texts<'a, const N: usize>(object: Node<'_, 'a>, names: [&str; N]) -> Option<[Option<Cow<'a, str>>; N]> {
    let mut texts = [const { None }; N];
    for (found, value) in texts.iter_mut().zip(object.fields(names)) {
        *found = text(value)?;
    }
    Some(texts)
}

/// Returns a string, number or boolean as a string; `Some(None)` if it is absent or null, and `None` if it is a list, an
/// object, or a string that cannot be decoded.
fn text<'a>(value: Option<Node<'_, 'a>>) -> Option<Option<Cow<'a, str>>> {
    match value.filter(|value| !value.is_null()) {
        Some(value) => value.scalar().map(Some),
        None => Some(None),
    }
}

/// Reads the items of a list. Null items are omitted, and a single value is a list of one.
pub(super) fn items<'a, T>(
    list: &'a str,
    read: impl Fn(Node<'_, 'a>) -> serde_json::Result<T>,
) -> serde_json::Result<Vec<T>> {
    let tape = Tape::of(list)?;
    let root = tape.root();
    let mut items = Vec::with_capacity(4);
    let alone = Some(root).filter(|root| !root.is_list());
    for (index, item) in root.items().chain(alone).enumerate().filter(|(_, item)| !item.is_null()) {
        let placed = |error| serde::de::Error::custom(format!("item {index}: {error}"));
        items.push(read(item).map_err(placed)?);
    }
    Ok(items)
}

/// Reads an item that is a string.
pub(super) fn string<'a>(item: Node<'_, 'a>) -> serde_json::Result<Cow<'a, str>> {
    item.text().ok_or_else(|| expected("a string"))
}

/// Returns a string, or any other value as JSON; null is an empty string.
pub(super) fn string_or_json<'a>(value: Node<'_, 'a>) -> serde_json::Result<Cow<'a, str>> {
    match value.scalar() {
        Some(text) => Ok(text),
        None if value.is_null() => Ok(Cow::default()),
        None => value.value().map(|value| Cow::Owned(value.to_string())),
    }
}

pub(super) fn expected(what: &str) -> serde_json::Error {
    serde::de::Error::custom(format!("expected {what}"))
}

/// A link in an alert.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ExtendedLink<'a> {
    /// The category of the target, such as `threat_reports`.
    pub category: Cow<'a, str>,
    /// The text of the link.
    pub label: Cow<'a, str>,
    /// The target of the link.
    pub href: Cow<'a, str>,
    /// The kind of link, such as `webLink`.
    pub link_type: Cow<'a, str>,
}

impl<'a> ExtendedLink<'a> {
    pub(crate) fn read(link: Node<'_, 'a>) -> serde_json::Result<Self> {
        if !link.is_object() {
            return Err(expected("an object"));
        }
        let texts = texts(link, ["category", "label", "href", "type"]);
        let [category, label, href, link_type] =
            texts.ok_or_else(|| expected("a string, a number or a boolean"))?.map(Option::unwrap_or_default);
        Ok(Self { category, label, href, link_type })
    }
}

/// Evidence for an alert.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SupportingEvidence<'a> {
    /// A table.
    Table {
        /// The title of the table.
        title: Cow<'a, str>,
        /// The names of the columns.
        columns: Vec<Cow<'a, str>>,
        /// The cells, row by row. Cells that are not strings are JSON, and null is an empty string.
        rows: Vec<Vec<Cow<'a, str>>>,
    },
    /// Evidence of a type that this version does not model, or in an unexpected format, unchanged.
    Other(Value),
}

impl<'a> SupportingEvidence<'a> {
    pub(crate) fn read(text: &'a str) -> serde_json::Result<Option<Self>> {
        let tape = Tape::of(text)?;
        match tape.root() {
            none if none.is_null() => Ok(None),
            evidence => match Self::table(evidence) {
                Some(table) => Ok(Some(table)),
                None => evidence.value().map(Self::Other).map(Some),
            },
        }
    }

    fn table(evidence: Node<'_, 'a>) -> Option<Self> {
        let [title] = texts(evidence, ["title"])?;
        let [columns, rows] = evidence.fields(["columns", "rows"]);
        Some(Self::Table {
            title: title.unwrap_or_default(),
            columns: all(columns?, Node::text)?,
            rows: all(rows?, |row| all(row, |cell| string_or_json(cell).ok()))?,
        })
    }
}

/// Reads the items of a list; `None` if it is not a list, or if one of them cannot be read.
fn all<'t, 'a, T>(list: Node<'t, 'a>, read: impl Fn(Node<'t, 'a>) -> Option<T>) -> Option<Vec<T>> {
    let mut all = Vec::with_capacity(8);
    for item in list.is_list().then(|| list.items())? {
        all.push(read(item)?);
    }
    Some(all)
}

/// An entity involved in the activity that an alert reports.
///
/// Known kinds have typed fields; [`fields`](Self::fields) returns everything that the service wrote.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Entity<'a> {
    /// The id by which other entities of the alert refer to this one, such as `westeurope_2`.
    pub id: Option<Cow<'a, str>>,
    /// The kind, with its fields.
    pub kind: EntityKind<'a>,
    sent: &'a str,
}

/// The kind of an entity.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum EntityKind<'a> {
    /// A user, or a service principal, which has no name.
    Account(Account<'a>),
    /// An IP address.
    Ip(Ip<'a>),
    /// An Azure resource; `None` if its id is missing or cannot be read.
    AzureResource(Option<ResourceId>),
    /// A machine.
    Host(Host<'a>),
    /// A process.
    Process {
        /// The command line.
        command_line: Option<Cow<'a, str>>,
        /// The process id.
        process_id: Option<Cow<'a, str>>,
    },
    /// A file.
    File {
        /// The name.
        name: Option<Cow<'a, str>>,
        /// The folder of the file.
        directory: Option<Cow<'a, str>>,
    },
    /// A URL.
    Url(Option<Cow<'a, str>>),
    /// An entity of a kind that this version does not model, or with a field that cannot be read: the name of its kind,
    /// which is empty if the entity has none.
    Other(Cow<'a, str>),
}

/// A user or a service principal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Account<'a> {
    /// The name, without the domain; `None` if the alert has none, as for an application.
    pub name: Option<Cow<'a, str>>,
    /// The domain, which is the part after the `@`.
    pub upn_suffix: Option<Cow<'a, str>>,
    /// The tenant of the account.
    pub tenant_id: Option<Cow<'a, str>>,
    /// The object id in the directory; `None` if the alert has none, as for traffic from outside Azure.
    pub object_id: Option<Cow<'a, str>>,
    /// The id of the application.
    pub app_id: Option<Cow<'a, str>>,
}

impl Account<'_> {
    /// Returns `name@suffix`; `None` unless both are known.
    pub fn user_principal_name(&self) -> Option<String> {
        let (name, suffix) = (self.name.as_ref()?, self.upn_suffix.as_ref()?);
        Some(format!("{name}@{suffix}"))
    }
}

/// An IP address, with its presumed location.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Ip<'a> {
    /// The address, as the service wrote it.
    pub address: Option<Cow<'a, str>>,
    /// The presumed location.
    pub location: Option<GeoLocation<'a>>,
}

/// The presumed location of an address.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct GeoLocation<'a> {
    /// The two-letter code of the country.
    pub country_code: Option<Cow<'a, str>>,
    /// The country.
    pub country_name: Option<Cow<'a, str>>,
    /// The state or region in the country.
    pub state: Option<Cow<'a, str>>,
    /// The city.
    pub city: Option<Cow<'a, str>>,
    /// The autonomous system number.
    pub asn: Option<Cow<'a, str>>,
    /// The organization that operates the network.
    pub organization: Option<Cow<'a, str>>,
    /// The cloud to which the address belongs. A Microsoft address may belong to the machine of any customer.
    pub cloud_provider: Option<Cow<'a, str>>,
}

/// A machine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Host<'a> {
    /// The name.
    pub host_name: Option<Cow<'a, str>>,
    /// The machine's Azure resource id.
    pub resource_id: Option<ResourceId>,
    /// The id of the agent on the machine.
    pub agent_id: Option<Cow<'a, str>>,
}

impl<'a> Entity<'a> {
    pub(crate) fn read(entity: Node<'_, 'a>) -> serde_json::Result<Self> {
        let [kind, id] = entity.fields(["type", "$id"]).map(|it| it.and_then(Node::scalar));
        let kind = kind.unwrap_or_default();
        // If a known field has an unexpected form, the entity is of an unknown kind.
        let known = EntityKind::read(&kind, entity);
        Ok(Self { id, kind: known.unwrap_or(EntityKind::Other(kind)), sent: entity.as_str() })
    }

    /// Returns all fields as the service wrote them.
    ///
    /// # Errors
    ///
    /// The entity is not an object, or contains a value that cannot be decoded, such as a number that is too large.
    pub fn fields(&self) -> Result<Map<String, Value>> {
        serde_json::from_str(self.sent).map_err(|error| {
            let reason = wire::without_values(&error);
            let message = format!("an entity of an alert cannot be decoded: {reason}");
            Error::with_message(ErrorKind::DataConversion, message)
        })
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
    pub fn as_account(&self) -> Option<&Account<'a>> {
        match &self.kind {
            EntityKind::Account(account) => Some(account),
            _ => None,
        }
    }

    /// Returns the address; `None` if the entity is of another kind.
    pub fn as_ip(&self) -> Option<&Ip<'a>> {
        match &self.kind {
            EntityKind::Ip(ip) => Some(ip),
            _ => None,
        }
    }
}

impl<'a> EntityKind<'a> {
    /// Reads an entity of a known kind; `None` if it is of another kind, or one of its fields has another form.
    fn read(kind: &str, entity: Node<'_, 'a>) -> Option<Self> {
        let is = |name: &str| kind.eq_ignore_ascii_case(name);
        let resource = |id: Option<Cow<'_, str>>| id.and_then(|id| id.parse().ok());
        let known = if is("account") {
            let names = ["name", "upnSuffix", "aadTenantId", "aadUserId", "appId"];
            let [name, upn_suffix, tenant_id, object_id, app_id] = texts(entity, names)?;
            Self::Account(Account { name, upn_suffix, tenant_id, object_id, app_id })
        } else if is("ip") {
            let [address, location] = entity.fields(["address", "location"]);
            let location = match location.filter(|location| !location.is_null()) {
                Some(location) => Some(GeoLocation::read(location)?),
                None => None,
            };
            Self::Ip(Ip { address: text(address)?, location })
        } else if is("azure-resource") {
            let [id] = texts(entity, ["resourceId"])?;
            Self::AzureResource(resource(id))
        } else if is("host") {
            let [host_name, id, agent_id] = texts(entity, ["hostName", "azureID", "omsAgentID"])?;
            Self::Host(Host { host_name, resource_id: resource(id), agent_id })
        } else if is("process") {
            let [command_line, process_id] = texts(entity, ["commandLine", "processId"])?;
            Self::Process { command_line, process_id }
        } else if is("file") {
            let [name, directory] = texts(entity, ["name", "directory"])?;
            Self::File { name, directory }
        } else if is("url") {
            let [url] = texts(entity, ["url"])?;
            Self::Url(url)
        } else {
            return None;
        };
        Some(known)
    }
}

impl<'a> GeoLocation<'a> {
    fn read(location: Node<'_, 'a>) -> Option<Self> {
        location.is_object().then_some(())?;
        let names = ["countryCode", "countryName", "state", "city", "asn", "organization", "cloudProvider"];
        let [country_code, country_name, state, city, asn, organization, cloud_provider] =
            texts(location, names)?;
        Some(Self { country_code, country_name, state, city, asn, organization, cloud_provider })
    }

    /// Returns a copy that does not borrow from the alert.
    pub fn into_owned(self) -> GeoLocation<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        GeoLocation {
            country_code: owned(self.country_code),
            country_name: owned(self.country_name),
            state: owned(self.state),
            city: owned(self.city),
            asn: owned(self.asn),
            organization: owned(self.organization),
            cloud_provider: owned(self.cloud_provider),
        }
    }
}
