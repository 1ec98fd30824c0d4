//! The content of a report page: only what was read, as text. Nothing here queries Azure or draws.

use arm_core::wire;
use azure_core::time::OffsetDateTime;
use schemars::JsonSchema;
use serde::Serialize;

use crate::screen::Record;

/// Everything on the page. `--file page.json` writes its JSON form.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReportPage {
    /// The version of this form.
    pub version: u32,
    /// The subscription.
    pub subscription: String,
    /// The name; empty if unknown.
    pub subscription_name: String,
    /// The tenant; empty if unknown.
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
    /// Unmet recommendations about key vaults, secrets and credentials.
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

/// A section of the page, or why it could not be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Section<T> {
    /// It was read.
    Read(T),
    /// It could not be read, so nothing is known.
    NotRead(String),
}

impl<T> Section<T> {
    /// Returns the content, if it was read.
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
    /// The name.
    pub plan: String,
    /// Whether it is on.
    pub on: bool,
    /// The sub-plan.
    pub sub_plan: Option<String>,
    /// How much is covered, as given by the service.
    pub coverage: Option<String>,
    /// The remaining days of the trial.
    pub trial_days: Option<u64>,
    /// Extensions that are on.
    pub extensions_on: Vec<String>,
    /// Extensions that are off.
    pub extensions_off: Vec<String>,
    /// Extensions whose last change failed.
    pub extensions_failed: Vec<String>,
    /// What replaces it, if it is deprecated.
    pub deprecated_for: Option<Vec<String>>,
}

/// One vault.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct VaultRow {
    /// The name.
    pub name: String,
    /// The resource group.
    pub group: String,
    /// Whether Defender protects it.
    pub covered: bool,
    /// Whether its audit log goes to the lab's workspace or elsewhere; `None` if unknown.
    pub logged: Option<bool>,
    /// What is missing, and how to fix it.
    pub gaps: Vec<(String, String)>,
    /// Further advice.
    pub advice: Vec<String>,
}

/// The alerts.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Alerts {
    /// The number of alerts.
    pub total: usize,
    /// How many are neither resolved nor dismissed, not counting samples.
    pub open: usize,
    /// How many samples are neither resolved nor dismissed.
    pub open_samples: usize,
    /// The newest ones, samples last.
    pub newest: Vec<AlertRow>,
}

/// One alert.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct AlertRow {
    /// The title.
    pub title: String,
    /// The type, such as `KV_ListGetAnomaly`.
    pub alert_type: String,
    /// What the type means.
    pub meaning: Option<String>,
    /// The severity.
    pub severity: String,
    /// The current status.
    pub status: String,
    /// Whether it still needs attention.
    pub open: bool,
    /// Whether it is a sample.
    pub sample: bool,
    /// The affected resource.
    pub resource: String,
    /// When it started.
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
    /// What the logs show.
    pub log: String,
    /// What to do, in order: the phase and the step.
    pub steps: Vec<(String, String)>,
}

/// An unmet recommendation.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Recommendation {
    /// The title.
    pub title: String,
    /// The severity.
    pub severity: String,
    /// The resource.
    pub resource: String,
}

/// The attack paths.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Paths {
    /// The paths.
    pub paths: Vec<PathRow>,
    /// Why an empty list does not mean that there are none.
    pub blind: Vec<String>,
}

/// One attack path.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PathRow {
    /// The title.
    pub title: String,
    /// What it means.
    pub description: String,
    /// The risk.
    pub risk: Option<String>,
    /// The risk factors.
    pub factors: Vec<String>,
    /// The resources on it.
    pub nodes: Vec<PathNode>,
    /// The connections, by index in `nodes`, and their type.
    pub edges: Vec<(usize, usize, String)>,
    /// The steps of the attack.
    pub steps: Vec<String>,
    /// How to close it.
    pub remediation: Vec<String>,
    /// Whether steps are missing.
    pub partial: bool,
}

/// A resource on an attack path.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct PathNode {
    /// The name.
    pub name: String,
    /// The type.
    pub kind: String,
    /// Whether it is the entry point.
    pub entry: bool,
    /// Whether it is the target.
    pub target: bool,
}

/// Secrets in plain text.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Secrets {
    /// The findings.
    pub findings: Vec<SecretRow>,
    /// The result of each source: its name, whether the result is conclusive, and its description.
    pub sources: Vec<(String, bool, String)>,
    /// Why an empty list does not mean that there are none.
    pub blind: Vec<String>,
    /// Whether it is known that there are none.
    pub clean: bool,
}

/// One secret in plain text.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct SecretRow {
    /// The title.
    pub title: String,
    /// The kind of secret.
    pub kind: Option<String>,
    /// The severity.
    pub severity: Option<String>,
    /// The resource.
    pub resource: String,
    /// The file.
    pub file: Option<String>,
    /// The model it comes from.
    pub source: String,
}

/// The content of the ledger.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Rotations {
    /// The path of the ledger.
    pub place: String,
    /// The rotations, newest first.
    pub rotations: Vec<Rotation>,
    /// The number of lines that could not be read.
    pub unreadable: usize,
}

/// One rotation.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct Rotation {
    /// The secret.
    pub secret: String,
    /// The vault.
    pub vault: String,
    /// Whether it finished successfully.
    pub finished: bool,
    /// The steps: when, what, which version, and why.
    pub entries: Vec<RotationEntry>,
}

/// One entry of the ledger.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct RotationEntry {
    /// The time.
    #[serde(with = "wire::instant")]
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub time: OffsetDateTime,
    /// The action.
    pub action: String,
    /// The version.
    pub version: String,
    /// The reason, or the failure.
    pub detail: String,
}

/// Returns the schema of the page's JSON form.
pub fn schema() -> serde_json::Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<ReportPage>().to_value();
    schema["title"] = "The data of a report's page, version 2: lab report --file x.json".into();
    schema
}
