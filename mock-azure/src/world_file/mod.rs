//! Worlds described in files, for programs in any language.

pub(crate) mod step;
mod yaml;

use std::{fmt, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use self::step::Step;
use crate::state::{DEFAULT_SUBSCRIPTION, MockAzure, Seed};

/// The initial state of the double.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct World {
    /// The tenant of all subscriptions.
    tenant: Option<String>,
    /// The subscriptions. Steps that name none apply to the first one. Default: 00000000-0000-0000-0000-000000000001.
    subscriptions: Vec<String>,
    /// The default principal that signs in: a user, or an application with any secret.
    signed_in: SignedIn,
    /// The seed of ids, secret versions and everything random. Default: 0.
    seed: Option<u64>,
    /// Stops the double's clock at this time (RFC 3339) until it is advanced. Default: it runs, and shows the real time.
    starts_at: Option<String>,
    /// The number of items on each page of a list.
    page_size: Option<usize>,
    /// Puts an empty page after the first page of each list.
    empty_pages: bool,
    /// How many polls report a long-running operation as still running.
    operation_polls: Option<u32>,
    /// How many requests are refused before a new role assignment takes effect.
    role_propagation: Option<u32>,
    /// How many seconds a new role assignment takes to take effect.
    role_propagation_seconds: Option<u64>,
    /// How many seconds a record of the vaults' log takes to arrive in a workspace.
    log_delay_seconds: Option<u64>,
    /// The contents, in this order: a secret must come after its vault.
    steps: Vec<Step>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SignedIn {
    #[default]
    User,
    ServicePrincipal,
}

/// The reason why a world cannot be read, and its location in the file.
#[derive(Debug)]
pub struct WorldError(String);

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WorldError {}

impl Seed {
    /// Reads a world from JSON or YAML. The crate's `world.schema.json` describes the format, which supports all
    /// methods of this builder except those that take closures.
    ///
    /// ```
    /// # fn main() -> Result<(), mock_azure::WorldError> {
    /// let seed = mock_azure::Seed::from_text(
    ///     "
    ///     starts_at: 2027-02-01T08:00:00Z
    ///     steps:
    ///       - vault: { group: rg-app, name: kv-prod }
    ///       - secret: { vault: kv-prod, name: db-password, value: leaked }
    ///       - plan: { plan: KeyVaults, tier: Standard }
    ///     ",
    /// )?;
    /// # let _ = seed; Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The text is neither JSON nor YAML, or a member is unknown, missing, of the wrong type or invalid. The message
    /// gives the location.
    pub fn from_text(text: &str) -> Result<Self, WorldError> {
        let value = world_from_text(text)?;
        let world: World = serde_path_to_error::deserialize(value).map_err(|error| {
            let place = error.path().to_string();
            WorldError(format!("{place}: {}", error.into_inner()))
        })?;
        world.seed()
    }
}

impl World {
    fn seed(self) -> Result<Seed, WorldError> {
        let mut seed = MockAzure::seed().seed(self.seed.unwrap_or_default());
        let main = self.subscriptions.first().cloned().unwrap_or_else(|| DEFAULT_SUBSCRIPTION.to_owned());
        if !self.subscriptions.is_empty() {
            seed = seed.subscriptions(self.subscriptions);
        }
        if let Some(tenant) = self.tenant {
            seed = seed.tenant(tenant);
        }
        if matches!(self.signed_in, SignedIn::ServicePrincipal) {
            seed = seed.signed_in_service_principal();
        }
        if let Some(text) = self.starts_at {
            seed = seed.starts_at(time_of("starts_at", &text)?);
        }
        if let Some(items) = self.page_size {
            seed = seed.page_size(items);
        }
        if self.empty_pages {
            seed = seed.empty_pages();
        }
        if let Some(polls) = self.operation_polls {
            seed = seed.operation_polls(polls);
        }
        if let Some(checks) = self.role_propagation {
            seed = seed.role_propagation(checks);
        }
        if let Some(seconds) = self.role_propagation_seconds {
            seed = seed.role_propagation_time(Duration::from_secs(seconds));
        }
        if let Some(seconds) = self.log_delay_seconds {
            seed = seed.log_delay(Duration::from_secs(seconds));
        }
        for (at, step) in self.steps.into_iter().enumerate() {
            seed = step.take(seed, &main).map_err(|reason| WorldError(format!("steps[{at}]: {reason}")))?;
        }
        Ok(seed)
    }
}

fn time_of(place: &str, text: &str) -> Result<OffsetDateTime, WorldError> {
    OffsetDateTime::parse(text, &Rfc3339).map_err(|error| {
        WorldError(format!("{place}: '{text}' is not a time such as 2027-02-01T08:00:00Z: {error}"))
    })
}

/// Parses JSON or YAML into a JSON value, without validating it.
///
/// # Errors
///
/// The text is neither JSON nor YAML.
pub fn world_from_text(text: &str) -> Result<serde_json::Value, WorldError> {
    match serde_json::from_str(text) {
        Ok(value) => Ok(value),
        // A text that begins with a brace is meant to be JSON.
        Err(error) if text.trim_start().starts_with('{') => Err(WorldError(format!("not JSON: {error}"))),
        Err(_) => yaml::value(text).map_err(WorldError),
    }
}

/// Returns the JSON schema of world files.
pub fn world_schema() -> serde_json::Value {
    schemars::schema_for!(World).to_value()
}
