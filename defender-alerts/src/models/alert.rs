//! A single alert.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use arm_core::{
    ResourceId, ResourceType, SharedStr,
    wire::{self, Kept, Node, Part, Place, SentText, Tape},
};
use azure_core::{Error, Result, error::ErrorKind, time::OffsetDateTime};
use serde::Deserialize;

use crate::{
    AlertId, AlertStatus, Entity, ExtendedLink, Intent, KeyVaultAlertType, ResourceIdentifier, Severity,
    SupportingEvidence,
    models::alert_parts::{expected, items, string, string_or_json},
};

/// A Defender for Cloud alert.
///
/// The most commonly used data is in fields. The large parts, such as entities, properties and evidence, stay encoded
/// until they are requested, so that a list of ten thousand alerts costs little. Each of their methods decodes the part
/// on every call, and returns strings that borrow from the alert.
///
/// `Serialize` writes the whole alert as the service sent it, including members that this version does not model; it
/// fails if a field has been changed since. In tests, create alerts from JSON:
///
/// ```
/// use defender_alerts::{Alert, Severity};
/// use serde_json::json;
///
/// let sent = json!({
///     "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/locations/westeurope/alerts/1",
///     "properties": { "alertType": "KV_ListGetAnomaly", "severity": "High", "invented": [1.50] },
/// });
/// let alert: Alert = serde_json::from_value(sent.clone())?;
/// assert_eq!(alert.severity, Severity::High);
/// assert_eq!(serde_json::to_value(&alert)?, sent);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Alert {
    /// The id, which requests for this alert use. It contains the location.
    pub id: AlertId,
    /// The name, which is not always the last segment of the id.
    pub name: SharedStr,
    /// The alert type, such as `KV_ListGetAnomaly`; see [`key_vault_type`](Self::key_vault_type).
    pub alert_type: SharedStr,
    /// The title.
    pub display_name: SharedStr,
    /// A sentence that says what happened.
    pub description: SharedStr,
    /// The severity.
    pub severity: Severity,
    /// The attacker's tactic.
    pub intent: Intent,
    /// The current status.
    pub status: AlertStatus,
    /// The time of the first activity.
    pub start_time: Option<OffsetDateTime>,
    /// The time of the last activity.
    pub end_time: Option<OffsetDateTime>,
    /// When the alert was generated.
    pub time_generated: Option<OffsetDateTime>,
    /// When processing ended and the alert became available.
    pub processing_end_time: Option<OffsetDateTime>,
    /// The name of the affected resource.
    pub compromised_entity: SharedStr,
    /// Whether the alert is an incident, which combines several alerts.
    pub is_incident: bool,
    /// A key shared by related alerts.
    pub correlation_key: SharedStr,
    /// The internal id of the alert in Defender.
    pub system_alert_id: SharedStr,
    /// The URL of the alert in the portal.
    pub alert_uri: SharedStr,
    /// The plan that raised the alert, such as `KeyVault`.
    pub product_component_name: SharedStr,
    /// The product that raised the alert.
    pub product_name: SharedStr,
    /// The vendor of the product.
    pub vendor_name: SharedStr,
    /// The version of the alert's schema.
    pub version: SharedStr,
    /// The tenant of the affected resource.
    pub azure_resource_tenant_id: Option<SharedStr>,
    parts: Parts,
    sent: SentText,
}

/// The positions of the large parts in the text.
#[derive(Clone, PartialEq)]
struct Parts {
    resource_identifiers: Option<Place>,
    remediation_steps: Option<Place>,
    extended_links: Option<Place>,
    entities: Option<Place>,
    extended_properties: Option<Place>,
    techniques: Option<Place>,
    sub_techniques: Option<Place>,
    supporting_evidence: Option<Place>,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("..")
    }
}

impl Alert {
    /// Returns the type of Key Vault alert; `None` for an alert of another plan. A sample alert (`SIMULATED_KV_..`) has
    /// the type that it simulates.
    pub fn key_vault_type(&self) -> Option<KeyVaultAlertType> {
        KeyVaultAlertType::of(&self.alert_type)
    }

    /// Whether the alert is a sample, created by a simulation.
    pub fn is_sample(&self) -> bool {
        super::key_vault::strip_prefix(&self.alert_type, super::key_vault::SAMPLE).is_some()
    }

    /// Whether the alert is about a key vault: its type says so, or one of its resources is a vault.
    pub fn is_key_vault(&self) -> bool {
        self.key_vault_type().is_some() || self.affects(&ResourceType::VAULT)
    }

    /// Whether one of the affected resources has this type.
    pub fn affects(&self, kind: &ResourceType) -> bool {
        self.resources().iter().any(|resource| resource.is(kind))
    }

    /// Returns the affected Azure resources. Those that cannot be read are omitted; [`unreadable`](Self::unreadable)
    /// lists them.
    pub fn resources(&self) -> Vec<ResourceId> {
        let identifiers = self.resource_identifiers().unwrap_or_default();
        let azure = identifiers.into_iter().filter_map(|identifier| match identifier {
            ResourceIdentifier::AzureResource(id) => Some(id),
            _ => None,
        });
        azure.collect()
    }

    /// Returns the identifiers of the affected resource: in Azure, in a workspace, or elsewhere. Those that cannot be
    /// read are [`ResourceIdentifier::Other`].
    ///
    /// # Errors
    ///
    /// The part contains a value that cannot be decoded, such as a number that is too large.
    pub fn resource_identifiers(&self) -> Result<Vec<ResourceIdentifier<'_>>> {
        self.list("resourceIdentifiers", &self.parts.resource_identifiers, ResourceIdentifier::read)
    }

    /// Returns short descriptions of the identifiers and entities that cannot be read. If there are any,
    /// [`resources`](Self::resources) and [`entities`](Self::entities) may be incomplete.
    pub fn unreadable(&self) -> Vec<String> {
        let mut found = Vec::new();
        match self.resource_identifiers() {
            Ok(all) => found.extend(all.iter().filter_map(ResourceIdentifier::unreadable)),
            Err(error) => found.push(error.to_string()),
        }
        match self.entities() {
            Ok(all) => found.extend(all.iter().filter_map(Entity::unreadable)),
            Err(error) => found.push(error.to_string()),
        }
        found
    }

    /// Returns the steps to remediate the alert.
    ///
    /// # Errors
    ///
    /// The part has an unexpected format; the error says which item.
    pub fn remediation_steps(&self) -> Result<Vec<Cow<'_, str>>> {
        self.list("remediationSteps", &self.parts.remediation_steps, string)
    }

    /// Returns links to reports and similar pages.
    ///
    /// # Errors
    ///
    /// The part has an unexpected format; the error says which item.
    pub fn extended_links(&self) -> Result<Vec<ExtendedLink<'_>>> {
        self.list("extendedLinks", &self.parts.extended_links, ExtendedLink::read)
    }

    /// Returns the entities involved: accounts, addresses, resources and others. Those with an unexpected format are
    /// [`EntityKind::Other`](crate::EntityKind::Other).
    ///
    /// # Errors
    ///
    /// The part is not JSON. What an entity contains is decoded by [`Entity::fields`](crate::Entity::fields).
    pub fn entities(&self) -> Result<Vec<Entity<'_>>> {
        self.list("entities", &self.parts.entities, Entity::read)
    }

    /// Returns the properties specific to the alert type, by name. Values that are not strings are returned as JSON.
    ///
    /// # Errors
    ///
    /// The part has an unexpected format.
    pub fn extended_properties(&self) -> Result<BTreeMap<Cow<'_, str>, Cow<'_, str>>> {
        let Some(place) = &self.parts.extended_properties else { return Ok(BTreeMap::new()) };
        texts(self.sent.part(place)).map_err(self.refusal("extendedProperties"))
    }

    /// Returns MITRE ATT&CK techniques, such as `T1555`.
    ///
    /// # Errors
    ///
    /// The part has an unexpected format; the error says which item.
    pub fn techniques(&self) -> Result<Vec<Cow<'_, str>>> {
        self.list("techniques", &self.parts.techniques, string)
    }

    /// Returns MITRE ATT&CK sub-techniques, such as `T1555.006`.
    ///
    /// # Errors
    ///
    /// The part has an unexpected format; the error says which item.
    pub fn sub_techniques(&self) -> Result<Vec<Cow<'_, str>>> {
        self.list("subTechniques", &self.parts.sub_techniques, string)
    }

    /// Returns the evidence for the alert; `None` if there is none. Evidence with an unexpected format is
    /// [`SupportingEvidence::Other`].
    ///
    /// # Errors
    ///
    /// The part contains a value that cannot be decoded, such as a number that is too large.
    pub fn supporting_evidence(&self) -> Result<Option<SupportingEvidence<'_>>> {
        let Some(place) = &self.parts.supporting_evidence else { return Ok(None) };
        SupportingEvidence::read(self.sent.part(place)).map_err(self.refusal("supportingEvidence"))
    }

    fn refusal(&self, name: &str) -> impl Fn(serde_json::Error) -> Error {
        move |error| {
            let reason = wire::without_values(&error);
            let message = format!("'{name}' of the alert {} cannot be decoded: {reason}", self.id);
            Error::with_message(ErrorKind::DataConversion, message)
        }
    }

    fn list<'a, T>(
        &'a self,
        name: &str,
        place: &Option<Place>,
        read: impl Fn(Node<'_, 'a>) -> serde_json::Result<T>,
    ) -> Result<Vec<T>> {
        let Some(place) = place else { return Ok(Vec::new()) };
        items(self.sent.part(place), read).map_err(self.refusal(name))
    }
}

/// Returns the names and values of an object as strings.
fn texts(object: &str) -> serde_json::Result<BTreeMap<Cow<'_, str>, Cow<'_, str>>> {
    let tape = Tape::of(object)?;
    let root = tape.root();
    if !root.is_object() && !root.is_null() {
        return Err(expected("an object"));
    }
    let mut texts = BTreeMap::new();
    for (name, value) in root.members() {
        let name = name.ok_or_else(|| expected("a name that can be decoded"))?;
        texts.insert(name, string_or_json(value)?);
    }
    Ok(texts)
}

/// The form in which the service sends an alert.
#[derive(Debug, Deserialize)]
pub struct Wire<'a> {
    id: AlertId,
    #[serde(default, borrow, with = "wire::text")]
    name: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "wire::null_as_default")]
    properties: Properties<'a>,
}

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Properties<'a> {
    #[serde(borrow, with = "wire::text")]
    alert_type: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    alert_display_name: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    description: Cow<'a, str>,
    severity: Open<Severity>,
    intent: Open<Intent>,
    status: Open<AlertStatus>,
    #[serde(with = "wire::instant::option")]
    start_time_utc: Option<OffsetDateTime>,
    #[serde(with = "wire::instant::option")]
    end_time_utc: Option<OffsetDateTime>,
    #[serde(with = "wire::instant::option")]
    time_generated_utc: Option<OffsetDateTime>,
    #[serde(with = "wire::instant::option")]
    processing_end_time_utc: Option<OffsetDateTime>,
    #[serde(borrow, with = "wire::text")]
    compromised_entity: Cow<'a, str>,
    #[serde(with = "wire::bool_text::option")]
    is_incident: Option<bool>,
    #[serde(borrow, with = "wire::text")]
    correlation_key: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    system_alert_id: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    alert_uri: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    product_component_name: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    product_name: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    vendor_name: Cow<'a, str>,
    #[serde(borrow, with = "wire::text")]
    version: Cow<'a, str>,
    #[serde(borrow, with = "wire::text::option")]
    azure_resource_tenant_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    resource_identifiers: Option<Part<'a>>,
    #[serde(borrow)]
    remediation_steps: Option<Part<'a>>,
    #[serde(borrow)]
    extended_links: Option<Part<'a>>,
    #[serde(borrow)]
    entities: Option<Part<'a>>,
    #[serde(borrow)]
    extended_properties: Option<Part<'a>>,
    #[serde(borrow)]
    techniques: Option<Part<'a>>,
    #[serde(borrow)]
    sub_techniques: Option<Part<'a>>,
    #[serde(borrow)]
    supporting_evidence: Option<Part<'a>>,
}

/// An open enum whose field may be absent, which is `Unknown("")`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
struct Open<T>(T);

impl<T: for<'a> From<&'a str>> Default for Open<T> {
    fn default() -> Self {
        Self(T::from(""))
    }
}

impl Kept for Alert {
    type Wire<'a> = Wire<'a>;

    fn read(Wire { id, name, properties: it }: Wire<'_>, text: &str) -> Self {
        let sent = SentText::of(text);
        let place = |part: Option<Part<'_>>| part.map(|part| part.place_in(text));
        let share = |part| sent.share(part, text);
        Self {
            id,
            name: share(name),
            alert_type: share(it.alert_type),
            display_name: share(it.alert_display_name),
            description: share(it.description),
            severity: it.severity.0,
            intent: it.intent.0,
            status: it.status.0,
            start_time: it.start_time_utc,
            end_time: it.end_time_utc,
            time_generated: it.time_generated_utc,
            processing_end_time: it.processing_end_time_utc,
            compromised_entity: share(it.compromised_entity),
            is_incident: it.is_incident.unwrap_or_default(),
            correlation_key: share(it.correlation_key),
            system_alert_id: share(it.system_alert_id),
            alert_uri: share(it.alert_uri),
            product_component_name: share(it.product_component_name),
            product_name: share(it.product_name),
            vendor_name: share(it.vendor_name),
            version: share(it.version),
            azure_resource_tenant_id: it.azure_resource_tenant_id.map(share),
            parts: Parts {
                resource_identifiers: place(it.resource_identifiers),
                remediation_steps: place(it.remediation_steps),
                extended_links: place(it.extended_links),
                entities: place(it.entities),
                extended_properties: place(it.extended_properties),
                techniques: place(it.techniques),
                sub_techniques: place(it.sub_techniques),
                supporting_evidence: place(it.supporting_evidence),
            },
            sent,
        }
    }

    fn sent(&self) -> &SentText {
        &self.sent
    }
}

arm_core::kept!(Alert);
