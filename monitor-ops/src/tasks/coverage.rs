//! Why a vault shows as not covered, and what to do about it.

use std::fmt;

use arm_core::{
    ArmClient, ArmPath, Change, Fleet, Mode, Outcome, Pager, ResourceId, Scope, SubscriptionId, Task, refuse,
};
use azure_core::Result;
use futures::{StreamExt as _, TryStreamExt as _};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    DiagnosticSetting, DiagnosticSpec, DiagnosticsClient, Sink,
    tasks::ensure_diagnostics::sends_audit,
    vault::{self, Vault},
};

const PRICINGS_VERSION: &str = "2024-01-01";
const STATUSES_VERSION: &str = "2015-06-01-preview";

/// The coverage of vaults: the plan, and for each vault its logs, network and access model.
///
/// Defender for Key Vault is switched for a whole subscription. There is no plan for a single vault: a
/// vault shows as not covered because of its subscription's plan, never because of when it was created.
#[derive(Debug, Clone)]
pub struct CoverageClient {
    arm: ArmClient,
}

/// The plan `KeyVaults` of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanFacts {
    /// `Standard` or `Free`.
    pub tier: String,
    /// The variant, such as `PerKeyVault`.
    pub sub_plan: Option<String>,
    /// `FullyCovered`, `PartiallyCovered` or `NotCovered`.
    pub coverage: Option<String>,
}

impl PlanFacts {
    /// Whether the plan is on.
    pub fn is_on(&self) -> bool {
        self.tier.eq_ignore_ascii_case("Standard")
    }
}

/// A vault, as far as its coverage goes.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VaultFacts {
    /// The vault.
    pub id: ResourceId,
    /// Its diagnostic settings, or why they could not be read.
    pub diagnostics: std::result::Result<Vec<DiagnosticSetting>, String>,
    /// Whether role assignments decide about access; if not, access policies do.
    pub uses_rbac: bool,
    /// Whether any network may connect.
    pub is_open_to_all_networks: bool,
    /// Whether a purge can be undone until the retention is over.
    pub has_purge_protection: bool,
}

/// Something that is missing, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// The subscription's plan is Free: no alert is ever raised.
    PlanIsOff,
    /// The plan is on, and the service still does not cover all: its word.
    NotFullyCovered(String),
    /// The vault sends its audit log nowhere.
    NotLogged,
    /// The vault sends its audit log, but not to the sink that was asked for: the settings that do.
    LoggedElsewhere(Vec<String>),
    /// Whether the vault is logged could not be read.
    LoggingUnknown(String),
}

impl Gap {
    /// What mends it.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::PlanIsOff => {
                "set the plan KeyVaults of the subscription to Standard, sub-plan PerKeyVault; it covers all vaults, \
                 also those to come"
            }
            Self::NotFullyCovered(_) => "wait up to a day after the plan was switched on, then ask again",
            Self::NotLogged => "add a diagnostic setting that sends the group 'audit'",
            Self::LoggedElsewhere(_) => "add a diagnostic setting to the wanted sink; the others can stay",
            Self::LoggingUnknown(_) => "ask for Monitoring Reader on the vault",
        }
    }

    /// Whether `CoverageClient::fix` mends it.
    pub fn is_fixable(&self) -> bool {
        matches!(self, Self::PlanIsOff | Self::NotLogged | Self::LoggedElsewhere(_))
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlanIsOff => f.write_str("the subscription's plan KeyVaults is Free"),
            Self::NotFullyCovered(status) => write!(f, "the plan is on, and the service shows {status}"),
            Self::NotLogged => f.write_str("no diagnostic setting sends the audit log"),
            Self::LoggedElsewhere(names) => {
                write!(f, "the audit log goes elsewhere only, by {}", names.join(", "))
            }
            Self::LoggingUnknown(reason) => write!(f, "the diagnostic settings could not be read: {reason}"),
        }
    }
}

/// What is true of one vault.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VaultCoverage {
    /// What was read.
    pub facts: VaultFacts,
    /// What is missing.
    pub gaps: Vec<Gap>,
    /// What would be better otherwise, though it has nothing to do with coverage.
    pub advice: Vec<&'static str>,
}

impl VaultCoverage {
    /// Whether Defender watches the vault. Logs are evidence beside that, not a condition.
    pub fn is_covered(&self) -> bool {
        !self.gaps.iter().any(|gap| matches!(gap, Gap::PlanIsOff | Gap::NotFullyCovered(_)))
    }
}

/// What is true of a subscription's vaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CoverageReport {
    /// The plan of the subscription.
    pub plan: PlanFacts,
    /// The vaults, as they were listed.
    pub vaults: Vec<VaultCoverage>,
}

/// What [`CoverageClient::fix`] did, or would do.
#[derive(Debug)]
#[non_exhaustive]
pub struct CoverageFix {
    /// The plan.
    pub plan: Change<PlanFacts>,
    /// The diagnostic setting of each vault.
    pub vaults: Vec<Outcome<ResourceId, Change<DiagnosticSetting>>>,
}

impl CoverageFix {
    /// Whether anything was, or would be, written.
    pub fn is_change(&self) -> bool {
        self.plan.is_change()
            || self.vaults.iter().any(|vault| vault.result.as_ref().is_ok_and(Change::is_change))
    }

    /// The vaults whose logging could not be mended.
    pub fn failures(&self) -> impl Iterator<Item = (&ResourceId, &azure_core::Error)> {
        self.vaults.iter().filter_map(|vault| Some((&vault.target, vault.result.as_ref().err()?)))
    }
}

/// Judges one vault.
pub fn judge(plan: &PlanFacts, vault: VaultFacts, sink: &Sink) -> VaultCoverage {
    let mut gaps = Vec::new();
    match plan.coverage.as_deref() {
        _ if !plan.is_on() => gaps.push(Gap::PlanIsOff),
        Some(status) if !status.eq_ignore_ascii_case("FullyCovered") => {
            gaps.push(Gap::NotFullyCovered(status.to_owned()));
        }
        _ => {}
    }
    match &vault.diagnostics {
        Err(reason) => gaps.push(Gap::LoggingUnknown(reason.clone())),
        Ok(settings) if settings.iter().any(|setting| sends_audit(setting, sink)) => {}
        Ok(settings) => {
            let elsewhere: Vec<String> = settings
                .iter()
                .filter(|setting| sends_audit_anywhere(setting))
                .map(|setting| setting.name.clone())
                .collect();
            gaps.push(if elsewhere.is_empty() { Gap::NotLogged } else { Gap::LoggedElsewhere(elsewhere) });
        }
    }
    let mut advice = Vec::new();
    if vault.is_open_to_all_networks {
        advice.push("any network may connect: allow only those that need to");
    }
    if !vault.uses_rbac {
        advice.push(
            "access policies decide about access: role assignments can be seen and removed in one place",
        );
    }
    if !vault.has_purge_protection {
        advice.push("deleted secrets can be purged at once: turn purge protection on, which cannot be turned off again");
    }
    VaultCoverage { facts: vault, gaps, advice }
}

fn sends_audit_anywhere(setting: &DiagnosticSetting) -> bool {
    let properties = &setting.properties;
    let parsed = |id: &Option<String>| id.as_deref().and_then(|id| id.parse::<ResourceId>().ok());
    let sinks = [
        parsed(&properties.workspace_id).map(Sink::Workspace),
        parsed(&properties.storage_account_id).map(Sink::Storage),
        parsed(&properties.event_hub_authorization_rule_id)
            .map(|rule| Sink::EventHub { rule, hub: properties.event_hub_name.clone() }),
    ];
    sinks.iter().flatten().any(|sink| sends_audit(setting, sink))
}

impl CoverageClient {
    /// A client over this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Shows for every vault of a subscription whether it is covered and logged, and what to do if not.
    ///
    /// **Permissions**: Security Reader and Monitoring Reader on the subscription. Settings that may not be
    /// read are reported as a gap of that vault.
    pub async fn report(&self, subscription: &SubscriptionId, sink: &Sink) -> Result<CoverageReport> {
        let plan = read_plan(&self.plan(subscription).await?);
        let vaults = self.vaults(subscription).await?;
        let vaults = vaults.into_iter().map(|vault| judge(&plan, vault, sink)).collect();
        Ok(CoverageReport { plan, vaults })
    }

    /// Mends what is missing: switches the plan on (sub-plan `PerKeyVault`), then makes every vault send
    /// its logs.
    ///
    /// The plan costs money for every vault. Its fields that this crate does not name, and other plans, stay.
    ///
    /// **If it stops halfway**, the plan may be on while some vaults are not logged; running it again
    /// finishes it. Run again when all holds, it writes nothing. A vault that fails ends none of the
    /// others: see [`CoverageFix::failures`].
    ///
    /// **Permissions**: Security Admin on the subscription, Monitoring Contributor on the vaults, Log
    /// Analytics Contributor on the workspace. **Errors**: `is_conflict()`: another plan of the
    /// subscription is being updated; run it again in some minutes.
    pub fn fix(&self, subscription: &SubscriptionId, spec: &DiagnosticSpec) -> Task<CoverageFix> {
        let (client, subscription, spec) = (self.clone(), subscription.clone(), spec.clone());
        Task::new(move |mode| async move {
            let plan = client.fix_plan(&subscription, mode).await?;
            let task = DiagnosticsClient::new(&client.arm).ensure_vaults(&subscription, &spec);
            let task = if mode == Mode::DryRun { task.dry_run() } else { task };
            let vaults = task.await.map_err(|error| {
                let message = format!("plan {}, vaults not looked at: {error}", plan.verb());
                error.with_context(message)
            })?;
            Ok(CoverageFix { plan, vaults })
        })
    }

    /// Streams the list that scripts asked before there were plans and assessments. No version of the API
    /// describes it, and it tells nothing that [`report`](Self::report) does not: kept to compare.
    pub fn legacy_security_statuses(&self, subscription: &SubscriptionId) -> Pager<SecurityStatus> {
        let path = ArmPath::from(subscription).provider("Microsoft.Security").literal("securityStatuses");
        self.arm.get(path, STATUSES_VERSION).pager()
    }

    async fn plan(&self, subscription: &SubscriptionId) -> Result<Value> {
        self.arm.get(plan_path(subscription), PRICINGS_VERSION).json().await
    }

    async fn fix_plan(&self, subscription: &SubscriptionId, mode: Mode) -> Result<Change<PlanFacts>> {
        let found = self.plan(subscription).await?;
        let before = read_plan(&found);
        if before.is_on() {
            return Ok(Change::Unchanged(before));
        }
        let mut properties = json!({ "pricingTier": "Standard", "subPlan": "PerKeyVault" });
        for (name, value) in found["properties"].as_object().into_iter().flatten() {
            let written = matches!(name.as_str(), "pricingTier" | "subPlan");
            let read_only = matches!(
                name.as_str(),
                "freeTrialRemainingTime"
                    | "enablementTime"
                    | "resourcesCoverageStatus"
                    | "inherited"
                    | "inheritedFrom"
                    | "deprecated"
                    | "replacedBy"
                    | "extensions"
            );
            if !written && !read_only {
                properties[name] = value.clone();
            }
        }
        let after = match mode {
            Mode::DryRun => read_plan(&json!({ "properties": properties })),
            Mode::Write => {
                let request = self.arm.put(plan_path(subscription), PRICINGS_VERSION);
                request.body(&json!({ "properties": properties })).send_empty().await?;
                read_plan(&self.plan(subscription).await?)
            }
        };
        if !after.is_on() {
            return refuse(
                "the service accepted the change of the plan KeyVaults to Standard, but shows it as Free",
            );
        }
        Ok(Change::Updated { before, after })
    }

    async fn vaults(&self, subscription: &SubscriptionId) -> Result<Vec<VaultFacts>> {
        let scope = Scope::from(subscription);
        let vaults: Vec<Vault> = vault::list(&self.arm, &scope)?.try_collect().await?;
        let diagnostics = DiagnosticsClient::new(&self.arm);
        let ids = vaults.iter().map(|vault| vault.id.clone());
        let mut settings: Vec<Outcome<ResourceId, Vec<DiagnosticSetting>>> = Fleet::new(ids)
            .run(|id| {
                let listed = diagnostics.list(&id);
                async move { listed.try_collect().await }
            })
            .collect()
            .await;
        let mut facts = Vec::with_capacity(vaults.len());
        for vault in vaults {
            let at = settings.iter().position(|outcome| outcome.target == vault.id);
            let found = at.map(|at| settings.swap_remove(at).result);
            let diagnostics = match found {
                Some(found) => found.map_err(|error| error.to_string()),
                None => Err("not read".to_owned()),
            };
            facts.push(VaultFacts::of(vault, diagnostics));
        }
        Ok(facts)
    }
}

impl VaultFacts {
    fn of(vault: Vault, diagnostics: std::result::Result<Vec<DiagnosticSetting>, String>) -> Self {
        let properties = vault.properties;
        let is = |text: &Option<String>, word: &str| {
            text.as_deref().is_some_and(|text| text.eq_ignore_ascii_case(word))
        };
        let denies = properties.network_acls.is_some_and(|rules| is(&rules.default_action, "Deny"));
        Self {
            id: vault.id,
            diagnostics,
            uses_rbac: properties.enable_rbac_authorization == Some(true),
            is_open_to_all_networks: !denies && !is(&properties.public_network_access, "Disabled"),
            has_purge_protection: properties.enable_purge_protection == Some(true),
        }
    }
}

fn plan_path(subscription: &SubscriptionId) -> ArmPath {
    ArmPath::from(subscription).provider("Microsoft.Security").literal("pricings/KeyVaults")
}

fn read_plan(pricing: &Value) -> PlanFacts {
    let text = |name: &str| pricing["properties"][name].as_str().map(str::to_owned);
    PlanFacts {
        tier: text("pricingTier").unwrap_or_default(),
        sub_plan: text("subPlan"),
        coverage: text("resourcesCoverageStatus"),
    }
}

/// An entry of the legacy list.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct SecurityStatus {
    /// The id, as the service spells it.
    #[serde(default)]
    pub id: String,
    /// The name of the resource.
    #[serde(default)]
    pub name: String,
    /// Everything else, as the service gives it.
    #[serde(default)]
    pub properties: Value,
}
