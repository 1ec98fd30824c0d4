//! The content of a report about several subscriptions: only what was read, as text.

use std::collections::BTreeMap;

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::page::{PlanRow, Section, VaultRow};

/// The version of the JSON format.
pub const VERSION: u32 = 1;

/// Everything on the page. `--file page.json` writes its JSON form.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewPage {
    /// The version of this format.
    pub version: u32,
    /// The scope: the management groups, or the given subscriptions.
    pub scope: Vec<String>,
    /// The tenant; empty if unknown.
    pub tenant: String,
    /// How the program signed in.
    pub signed_in_with: String,
    /// When it was read.
    #[serde(with = "wire::instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub read_at: OffsetDateTime,
    /// The subscriptions, by name, including those that could not be read.
    pub subscriptions: Vec<SubscriptionRow>,
    /// All findings: open ones first, then by severity.
    pub findings: Vec<FindingRow>,
    /// What could not be checked: no findings there does not mean that there are none.
    pub not_known: Vec<NotKnownRow>,
}

/// One subscription.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SubscriptionRow {
    /// The id.
    pub id: String,
    /// The name; `null` if it is not visible.
    pub name: Option<String>,
    /// The state, as given by the service; `null` if it is not visible.
    pub state: Option<String>,
    /// Why it was not read; `null` if it is visible.
    pub not_read: Option<String>,
    /// How many findings are open, by severity, not counting samples. `notKnown` if the severity is not given.
    pub open: BTreeMap<String, usize>,
    /// How many alerts were resolved or dismissed.
    pub answered: usize,
    /// The plans.
    pub plans: Section<Vec<PlanRow>>,
    /// The vaults.
    pub vaults: Section<Vec<VaultRow>>,
}

/// One finding.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct FindingRow {
    /// `alert`, `attackPath`, `exposedSecret`, `recommendation` or `coverage`.
    pub kind: String,
    /// The severity; `null` if the service does not return it.
    pub severity: Option<String>,
    /// The current status.
    pub status: String,
    /// Whether it still needs attention.
    pub open: bool,
    /// Whether it is a sample.
    pub sample: bool,
    /// The title.
    pub title: String,
    /// The id of the subscription; `null` if the service does not return it.
    pub subscription: Option<String>,
    /// The affected resources.
    pub resources: Vec<String>,
    /// When it was first seen.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first: Option<OffsetDateTime>,
    /// What to do about it.
    pub remediation: Vec<String>,
    /// The id.
    pub id: String,
}

/// Something that could not be checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotKnownRow {
    /// The id of the subscription; `null` if it concerns all of them.
    pub subscription: Option<String>,
    /// What could not be checked, and why.
    pub what: String,
}

impl OverviewPage {
    /// Finds a subscription by its id.
    pub fn subscription(&self, id: &str) -> Option<&SubscriptionRow> {
        self.subscriptions.iter().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    /// Returns the name of a subscription, or its id if the name is unknown.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.subscription(id).and_then(|row| row.name.as_deref()).unwrap_or(id)
    }

    /// Returns the findings that still need attention, not counting samples.
    pub fn open(&self) -> impl Iterator<Item = &FindingRow> {
        self.findings.iter().filter(|row| row.open && !row.sample)
    }
}

/// Returns the schema of the page's JSON form.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<OverviewPage>().to_value();
    schema["title"] = "The data of a report about several subscriptions, version 1: \
                       lab report --management-group NAME --file x.json"
        .into();
    schema
}
