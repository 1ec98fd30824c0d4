//! What a report about several subscriptions holds: only what was read, in words.

use std::collections::BTreeMap;

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::report::page::{PlanRow, Section, VaultRow};

/// The version of the form.
pub const VERSION: u32 = 1;

/// Everything on the page. Its JSON form is what `--file page.json` writes of several subscriptions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct OverviewPage {
    /// The version of this form.
    pub version: u32,
    /// What it is about: the management groups, or the subscriptions that were named.
    pub scope: Vec<String>,
    /// The tenant; empty if it is not known.
    pub tenant: String,
    /// How the program signed in.
    pub signed_in_with: String,
    /// When it was read.
    #[serde(with = "wire::instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub read_at: OffsetDateTime,
    /// The subscriptions, by name; those that could not be read too.
    pub subscriptions: Vec<SubscriptionRow>,
    /// All findings, open ones first, the worst first.
    pub findings: Vec<FindingRow>,
    /// What could not be looked at: nothing found there does not mean that there is nothing.
    pub not_known: Vec<NotKnownRow>,
}

/// One subscription.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SubscriptionRow {
    /// Its id.
    pub id: String,
    /// Its name; `null` if it is not visible.
    pub name: Option<String>,
    /// Whether it can be used, in the service's word; `null` if it is not visible.
    pub state: Option<String>,
    /// Why nothing was read of it; `null` if it is visible.
    pub not_read: Option<String>,
    /// How many findings are open, by severity; samples are left out. `notKnown` for a severity that is not told.
    pub open: BTreeMap<String, usize>,
    /// How many alerts were resolved or dismissed.
    pub answered: usize,
    /// Its plans.
    pub plans: Section<Vec<PlanRow>>,
    /// Its vaults.
    pub vaults: Section<Vec<VaultRow>>,
}

/// One finding.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct FindingRow {
    /// `alert`, `attackPath`, `exposedSecret`, `recommendation` or `coverage`.
    pub kind: String,
    /// How bad it is; `null` if the service does not tell.
    pub severity: Option<String>,
    /// Where it stands.
    pub status: String,
    /// Whether somebody still has to deal with it.
    pub open: bool,
    /// Whether it is a sample.
    pub sample: bool,
    /// Its title.
    pub title: String,
    /// The id of its subscription; `null` if the service does not tell.
    pub subscription: Option<String>,
    /// The resources that it is about.
    pub resources: Vec<String>,
    /// When it was first seen.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first: Option<OffsetDateTime>,
    /// What to do about it.
    pub remediation: Vec<String>,
    /// Its id.
    pub id: String,
}

/// Something that could not be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NotKnownRow {
    /// The id of the subscription; `null` if it is about all of them.
    pub subscription: Option<String>,
    /// What, and why.
    pub what: String,
}

impl OverviewPage {
    /// A subscription by its id.
    pub fn subscription(&self, id: &str) -> Option<&SubscriptionRow> {
        self.subscriptions.iter().find(|row| row.id.eq_ignore_ascii_case(id))
    }

    /// The name of a subscription, or its id.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.subscription(id).and_then(|row| row.name.as_deref()).unwrap_or(id)
    }

    /// What somebody still has to deal with, samples left out.
    pub fn open(&self) -> impl Iterator<Item = &FindingRow> {
        self.findings.iter().filter(|row| row.open && !row.sample)
    }
}

/// The schema of the page's JSON form.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<OverviewPage>().to_value();
    schema["title"] = "The data of a report about several subscriptions, version 1: \
                       lab report --management-group NAME --file x.json"
        .into();
    schema
}
