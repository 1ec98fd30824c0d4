//! What a report page holds: only what was read, in words. Nothing here asks Azure, and nothing draws.

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::screen::Record;

/// Everything on the page. Its JSON form is what `--file page.json` writes.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportPage {
    /// The version of this form.
    pub version: u32,
    /// The subscription.
    pub subscription: String,
    /// Its name; empty if it is not known.
    pub subscription_name: String,
    /// Its tenant; empty if it is not known.
    pub tenant: String,
    /// How the program signed in.
    pub signed_in_with: String,
    /// When it was read.
    #[serde(with = "wire::instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub read_at: OffsetDateTime,
    /// The plans.
    pub plans: Section<Vec<PlanRow>>,
    /// The vaults.
    pub vaults: Section<Vec<VaultRow>>,
    /// Key Vault alerts.
    pub alerts: Section<Alerts>,
    /// Recommendations about key vaults, secrets and credentials that are not followed.
    pub recommendations: Section<Vec<Recommendation>>,
    /// Attack paths.
    pub attack_paths: Section<Paths>,
    /// Secrets in plain text.
    pub secrets: Section<Secrets>,
    /// Rotations.
    pub ledger: Section<Rotations>,
    /// What the lab did; `None` if it only read.
    pub run: Option<Record>,
}

/// A part of the page that was read, or why it could not be.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Section<T> {
    /// It was read.
    Read(T),
    /// It could not be: nothing is known.
    NotRead(String),
}

impl<T> Section<T> {
    /// What was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Self::Read(read) => Some(read),
            Self::NotRead(_) => None,
        }
    }
}

impl<T> From<azure_core::Result<T>> for Section<T> {
    fn from(result: azure_core::Result<T>) -> Self {
        match result {
            Ok(read) => Self::Read(read),
            Err(error) => Self::NotRead(crate::advice::explain(&error)),
        }
    }
}

/// One plan.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PlanRow {
    /// Its name.
    pub plan: String,
    /// On or off.
    pub on: bool,
    /// The variant.
    pub sub_plan: Option<String>,
    /// How much is covered, in the service's word.
    pub coverage: Option<String>,
    /// Days left of the trial.
    pub trial_days: Option<u64>,
    /// Extensions that are on.
    pub extensions_on: Vec<String>,
    /// Extensions that are off.
    pub extensions_off: Vec<String>,
    /// Extensions whose last change failed.
    pub extensions_failed: Vec<String>,
    /// What took its place, when it can no longer be turned on.
    pub deprecated_for: Option<Vec<String>>,
}

/// One vault.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct VaultRow {
    /// Its name.
    pub name: String,
    /// Its resource group.
    pub group: String,
    /// Whether Defender watches it.
    pub covered: bool,
    /// Whether its audit log goes to the lab's workspace or elsewhere; `None` if it could not be told.
    pub logged: Option<bool>,
    /// What is missing, and what mends it.
    pub gaps: Vec<(String, String)>,
    /// What would be better otherwise.
    pub advice: Vec<String>,
}

/// The alerts.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Alerts {
    /// How many there are.
    pub total: usize,
    /// How many of them are neither resolved nor dismissed, samples left out.
    pub open: usize,
    /// How many of them are samples that are neither resolved nor dismissed.
    pub open_samples: usize,
    /// The newest of them, samples last.
    pub newest: Vec<AlertRow>,
}

/// One alert.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct AlertRow {
    /// Its title.
    pub title: String,
    /// Its type, such as `KV_ListGetAnomaly`.
    pub alert_type: String,
    /// What the type means.
    pub meaning: Option<String>,
    /// How bad it is.
    pub severity: String,
    /// Current status.
    pub status: String,
    /// Whether somebody still has to deal with it.
    pub open: bool,
    /// Whether it is a sample.
    pub sample: bool,
    /// The resource that suffers.
    pub resource: String,
    /// When it began.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub first: Option<OffsetDateTime>,
    /// When it ended.
    #[serde(with = "wire::instant::option")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub last: Option<OffsetDateTime>,
    /// What is known, by name.
    pub facts: Vec<(String, String)>,
    /// What is not known, and why.
    pub missing: Vec<String>,
    /// What the logs can tell.
    pub log: String,
    /// What to do, in order: the phase, and the step.
    pub steps: Vec<(String, String)>,
}

/// A recommendation that is not followed.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Recommendation {
    /// What it says.
    pub title: String,
    /// How bad it is not to follow it.
    pub severity: String,
    /// On which resource.
    pub resource: String,
}

/// The attack paths.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Paths {
    /// The paths.
    pub paths: Vec<PathRow>,
    /// Why none would not mean none.
    pub blind: Vec<String>,
}

/// One attack path.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PathRow {
    /// The path, in words.
    pub title: String,
    /// What it means.
    pub description: String,
    /// How bad it would be.
    pub risk: Option<String>,
    /// What makes it so.
    pub factors: Vec<String>,
    /// What is on it.
    pub nodes: Vec<PathNode>,
    /// What leads to what, by place in `nodes`, and how.
    pub edges: Vec<(usize, usize, String)>,
    /// The way, step by step.
    pub steps: Vec<String>,
    /// How to close it.
    pub remediation: Vec<String>,
    /// Whether steps are missing.
    pub partial: bool,
}

/// What is on an attack path.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PathNode {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// Where the attacker gets in.
    pub entry: bool,
    /// What the attacker wants.
    pub target: bool,
}

/// Secrets in plain text.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Secrets {
    /// The findings.
    pub findings: Vec<SecretRow>,
    /// What each source answered: its name, whether that means anything, and in words.
    pub sources: Vec<(String, bool, String)>,
    /// Why none would not mean none.
    pub blind: Vec<String>,
    /// Whether there are none, and that is known.
    pub clean: bool,
}

/// One secret in plain text.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SecretRow {
    /// What was found.
    pub title: String,
    /// The kind of secret.
    pub kind: Option<String>,
    /// How bad it is.
    pub severity: Option<String>,
    /// Where.
    pub resource: String,
    /// In which file.
    pub file: Option<String>,
    /// Which model it is of.
    pub source: String,
}

/// What the ledger holds.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Rotations {
    /// Where it is.
    pub place: String,
    /// The rotations, newest first.
    pub rotations: Vec<Rotation>,
    /// Lines that could not be read.
    pub unreadable: usize,
}

/// One rotation.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Rotation {
    /// The secret.
    pub secret: String,
    /// The vault.
    pub vault: String,
    /// Whether it ended well.
    pub finished: bool,
    /// What was done: when, what, to which version, and why.
    pub entries: Vec<RotationEntry>,
}

/// One line of the ledger.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RotationEntry {
    /// When.
    #[serde(with = "wire::instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: OffsetDateTime,
    /// What was done.
    pub action: String,
    /// To which version.
    pub version: String,
    /// Why, or why not.
    pub detail: String,
}

/// The schema of the page's JSON form.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<ReportPage>().to_value();
    schema["title"] = "The data of a report's page, version 1: lab report --file x.json".into();
    schema
}
