//! Every model by its name.

use std::fmt::Debug;

use arm_core::ArmError;
use azure_core::http::{RawResponse, headers::Headers};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::compare::{Difference, Report, compare};

/// How a model is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Read, changed and written back: it must lose nothing.
    WriteBack,
    /// Only read, and exported unchanged: it must lose nothing.
    Exported,
    /// Only read: it may drop what it does not name.
    ReadOnly,
}

/// A model of the crates.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// The name in Rust.
    pub name: &'static str,
    /// Its crate.
    pub krate: &'static str,
    /// How it is used.
    pub kind: Kind,
    decode: fn(&Value) -> Result<Seen, String>,
    /// Fields that a write leaves to the service.
    never_sent: &'static [&'static str],
}

/// A decoded answer: as Rust shows it, and as it would be sent back.
struct Seen {
    shown: String,
    encoded: Option<Value>,
}

fn back<T: DeserializeOwned + Debug>(
    answer: &Value,
    encode: impl FnOnce(&T) -> serde_json::Result<Value>,
) -> Result<Seen, String> {
    let decoded: T = decode(answer)?;
    let encoded = encode(&decoded).map_err(|error| format!("cannot be encoded: {error}"))?;
    Ok(Seen { shown: format!("{decoded:?}"), encoded: Some(encoded) })
}

fn read<T: DeserializeOwned + Debug>(answer: &Value) -> Result<Seen, String> {
    Ok(Seen { shown: format!("{:?}", decode::<T>(answer)?), encoded: None })
}

/// From text, as on the wire: some models look at the text of their parts.
fn decode<T: DeserializeOwned>(answer: &Value) -> Result<T, String> {
    serde_json::from_str(&answer.to_string()).map_err(|error| error.to_string())
}

fn properties(of: impl Serialize) -> serde_json::Result<Value> {
    Ok(json!({ "properties": serde_json::to_value(of)? }))
}

/// `write_back!(krate::Model)` is sent as it is; `as |it| ..` names what is sent instead.
macro_rules! write_back {
    ($krate:ident::$name:ident) => {
        write_back!($krate::$name as |it| serde_json::to_value(it))
    };
    ($krate:ident::$name:ident as |$it:ident| $encode:expr $(, never_sent: $never:expr)?) => {
        Model {
            name: stringify!($name),
            krate: stringify!($krate),
            kind: Kind::WriteBack,
            decode: |answer| back(answer, |$it: &$krate::$name| $encode),
            never_sent: [$($never as &[&str],)? &[]][0],
        }
    };
}

macro_rules! read_only {
    ($krate:ident::$name:ident) => {
        Model {
            name: stringify!($name),
            krate: stringify!($krate),
            kind: Kind::ReadOnly,
            decode: read::<$krate::$name>,
            never_sent: &[],
        }
    };
}

/// A read-only model that is exported unchanged.
macro_rules! exported {
    ($krate:ident::$name:ident) => {
        Model { kind: Kind::Exported, ..write_back!($krate::$name) }
    };
}

/// All models, crate by crate.
pub const MODELS: &[Model] = &[
    Model {
        name: "ArmError",
        krate: "arm_core",
        kind: Kind::ReadOnly,
        decode: |answer| {
            let response = RawResponse::from_bytes(400.into(), Headers::new(), answer.to_string());
            match ArmError::of(&response) {
                error if error.code.is_empty() && error.message.is_empty() => {
                    Err("neither a code nor a message is found".to_owned())
                }
                error => Ok(Seen { shown: format!("{error:?}"), encoded: None }),
            }
        },
        never_sent: &[],
    },
    write_back!(
        defender_automation::Automation as |it| {
            serde_json::to_value(defender_automation::AutomationSpec::from(it))
        },
        never_sent: &["/etag"]
    ),
    read_only!(defender_automation::Validation),
    write_back!(defender_pricing::Pricing),
    exported!(defender_alerts::Alert),
    write_back!(
        defender_alerts::Assessment as |it| properties(defender_alerts::AssessmentSpec::from(it)),
        never_sent: &[
            "/properties/displayName",
            "/properties/links",
            "/properties/metadata",
            "/properties/partnersData",
            "/properties/risk",
            "/properties/status/firstEvaluationDate",
            "/properties/status/severity",
            "/properties/status/statusChangeDate",
        ]
    ),
    write_back!(defender_alerts::AssessmentMetadata as |it| properties(&it.properties)),
    exported!(defender_alerts::AttackPath),
    write_back!(defender_alerts::GovernanceAssignment as |it| properties(&it.spec)),
    write_back!(defender_alerts::StandardAssignment as |it| properties(&it.spec)),
    read_only!(defender_alerts::SubAssessment),
    write_back!(
        defender_alerts::SuppressionRule as |it| properties(&it.spec),
        never_sent: &["/properties/lastModifiedUtc"]
    ),
    Model {
        name: "SecurityContact",
        krate: "defender_alerts",
        kind: Kind::WriteBack,
        decode: |answer| {
            back(answer, |it: &InProperties<defender_alerts::SecurityContact>| serde_json::to_value(it))
        },
        never_sent: &[],
    },
    exported!(defender_alerts::SecureScore),
    exported!(defender_alerts::SecureScoreControl),
    exported!(defender_alerts::SecureScoreControlDefinition),
    write_back!(
        keyvault_ops::Vault as |it| serde_json::to_value(keyvault_ops::VaultSpec::from(it)),
        never_sent: &[
            "/properties/enableSoftDelete",
            "/properties/hsmPoolResourceId",
            "/properties/privateEndpointConnections",
            "/properties/provisioningState",
            "/properties/vaultUri",
        ]
    ),
    exported!(keyvault_ops::DeletedVault),
    exported!(keyvault_ops::VaultResource),
    read_only!(keyvault_ops::NameAvailability),
    Model { name: "Secret", ..read_only!(keyvault_ops::SecretBundle) },
    read_only!(keyvault_ops::SecretProperties),
    read_only!(keyvault_ops::DeletedSecret),
    write_back!(monitor_ops::ActionGroup),
    write_back!(monitor_ops::AlertRule),
    write_back!(monitor_ops::DataConnector),
    read_only!(monitor_ops::DiagnosticCategory),
    write_back!(monitor_ops::DiagnosticSetting),
    write_back!(monitor_ops::Incident),
    exported!(monitor_ops::IncidentAlert),
    read_only!(monitor_ops::Metadata),
    write_back!(monitor_ops::OnboardingState),
    read_only!(monitor_ops::QueryResults),
    Model { name: "ScheduledQueryRule", ..write_back!(monitor_ops::QueryRule) },
    read_only!(monitor_ops::TestNotificationResult),
    write_back!(monitor_ops::Workspace),
    write_back!(
        resource_ops::ResourceGroup as |it| serde_json::to_value(resource_ops::ResourceGroupSpec::from(it)),
        never_sent: &["/properties"]
    ),
    Model { name: "GraphQueryResponse", ..read_only!(resource_ops::QueryResponse) },
    exported!(resource_ops::DirectoryPrincipal),
    read_only!(resource_ops::InstanceView),
    read_only!(resource_ops::Descendant),
    read_only!(resource_ops::Location),
    exported!(resource_ops::Lock),
    write_back!(resource_ops::PolicyExemption as |it| properties(&it.spec)),
    exported!(resource_ops::PolicyAssignment),
    read_only!(resource_ops::Permission),
    exported!(resource_ops::Provider),
    exported!(resource_ops::RoleAssignment),
    exported!(resource_ops::RoleDefinition),
    exported!(resource_ops::SignIn),
    exported!(resource_ops::Subscription),
    exported!(resource_ops::VirtualMachine),
    read_only!(resource_ops::VirtualMachineRunCommand),
    read_only!(resource_ops::RunCommandResult),
];

/// A resource whose model is its properties.
#[derive(Debug, Serialize, Deserialize)]
struct InProperties<T> {
    properties: T,
}

/// What no write changes.
const OF_THE_SERVICE: &[&str] = &["/id", "/name", "/systemData", "/type"];

/// A model by its name, without regard to case.
pub fn model(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name.eq_ignore_ascii_case(name))
}

impl Model {
    /// Checks a response, or each item of a page.
    pub fn check(&self, answer: &Value, page: bool) -> Report {
        let mut report = Report { kind: self.kind, decoded: 0, errors: Vec::new(), differences: Vec::new() };
        if !page {
            self.check_one("", answer, &mut report);
            return report;
        }
        match answer["value"].as_array() {
            Some(items) => items.iter().enumerate().for_each(|(index, item)| {
                self.check_one(&format!("/value/{index}"), item, &mut report);
            }),
            None => report.errors.push("the page has no list 'value'".to_owned()),
        }
        report
    }

    /// Only whether an answer is decoded and written back whole, not which of its members the model names.
    pub fn survives(&self, answer: &Value) -> Report {
        let mut report = Report { kind: self.kind, decoded: 0, errors: Vec::new(), differences: Vec::new() };
        self.written_back("", answer, &mut report);
        report
    }

    fn written_back(&self, place: &str, answer: &Value, report: &mut Report) -> Option<Seen> {
        let seen = match (self.decode)(answer) {
            Ok(seen) => seen,
            Err(error) => {
                report.errors.push(format!("{}: {error}", if place.is_empty() { "/" } else { place }));
                return None;
            }
        };
        report.decoded += 1;
        if let Some(encoded) = &seen.encoded {
            let mut found = Vec::new();
            compare(place, answer, encoded, &mut found);
            let only_properties = encoded.as_object().is_some_and(|it| it.keys().eq(["properties"]));
            let not_sent = |pointer: &str| {
                let pointer = &pointer[place.len()..];
                let pointer = pointer.to_ascii_lowercase();
                let within = |of: &&str| {
                    let of = of.to_ascii_lowercase();
                    pointer == of || pointer.starts_with(&format!("{of}/"))
                };
                self.never_sent.iter().chain(OF_THE_SERVICE).any(within)
                    || (only_properties && !pointer.starts_with("/properties"))
            };
            report.differences.extend(found.into_iter().map(|it| match it {
                Difference::Dropped(pointer) if not_sent(&pointer) => Difference::NotSent(pointer),
                other => other,
            }));
        }
        Some(seen)
    }

    fn check_one(&self, place: &str, answer: &Value, report: &mut Report) {
        let Some(seen) = self.written_back(place, answer, report) else { return };
        let mut pointers = Vec::new();
        fields("", answer, &mut pointers);
        let mut probed: Vec<String> = Vec::new();
        for pointer in pointers {
            let inside = |of: &String| pointer.starts_with(&format!("{of}/"));
            if probed.iter().any(inside) {
                continue;
            }
            match self.probe(answer, &pointer, &seen) {
                Some(Probed::Kept) => report.differences.push(Difference::Kept(format!("{place}{pointer}"))),
                Some(Probed::Dropped) if seen.encoded.is_none() => {
                    report.differences.push(Difference::Dropped(format!("{place}{pointer}")));
                }
                _ => continue,
            }
            probed.push(pointer);
        }
    }

    /// Puts something there that no typed field can hold. What comes back unchanged is kept as it is; what
    /// changes nothing is not looked at.
    fn probe(&self, answer: &Value, pointer: &str, seen: &Seen) -> Option<Probed> {
        let strange = json!([[{ "probe": [1, null, "x"] }]]);
        let mut changed = answer.clone();
        *changed.pointer_mut(pointer)? = strange.clone();
        let probed = (self.decode)(&changed).ok()?;
        match probed.encoded {
            // What the model names and cannot read is kept as well, but not shown.
            Some(encoded) => {
                let kept = encoded.pointer(pointer) == Some(&strange);
                let unread = self.kind == Kind::Exported && probed.shown == seen.shown;
                (kept && (unread || probed.shown.contains("\"probe\""))).then_some(Probed::Kept)
            }
            None => (probed.shown == seen.shown).then_some(Probed::Dropped),
        }
    }
}

enum Probed {
    Kept,
    Dropped,
}

/// The JSON pointers of all fields, outer ones first.
fn fields(place: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let pointer = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                found.push(pointer.clone());
                fields(&pointer, value, found);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                fields(&format!("{place}/{index}"), item, found);
            }
        }
        _ => {}
    }
}
