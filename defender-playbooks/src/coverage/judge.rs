//! Determines the coverage of one vault from what was read, without sending a request.

use std::fmt;

use arm_core::ResourceId;
use defender_pricing::{CoverageStatus, Pricing};
use keyvault_ops::{NetworkAction, PublicNetworkAccess, Vault};
use monitor_ops::{DiagnosticSetting, Sink};

/// Something that keeps a vault from being covered or logged, and how to fix it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Gap {
    /// The subscription's plan is Free: no alerts are raised.
    PlanOff,
    /// The plan is on, but the service does not cover everything yet, and reports this status.
    NotFullyCovered(CoverageStatus),
    /// The vault does not send its audit log anywhere.
    NotLogged,
    /// The vault sends its audit log, through these settings, but not to the requested sink.
    LoggedElsewhere(Vec<String>),
    /// The vault sends its audit log to a sink that no longer exists, so nothing arrives there.
    SinkGone {
        /// The diagnostic setting.
        setting: String,
        /// The sink.
        sink: ResourceId,
    },
    /// It is unknown whether the vault is logged, for this reason.
    LoggingUnknown(String),
}

impl Gap {
    /// Returns how to fix it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::PlanOff => {
                "set the plan KeyVaults of the subscription to Standard, sub-plan PerKeyVault; it covers all \
                 vaults, including future ones"
            }
            Self::NotFullyCovered(_) => "wait up to a day after turning the plan on, then check again",
            Self::NotLogged => "add a diagnostic setting that sends the category group 'audit'",
            Self::LoggedElsewhere(_) => {
                "add a diagnostic setting for the requested sink; the others can stay"
            }
            Self::SinkGone { .. } => "send the audit log to a sink that exists, and delete the old setting",
            Self::LoggingUnknown(_) => "request Monitoring Reader on the vault and its sink",
        }
    }

    /// Whether [`CoverageClient::fix`](crate::CoverageClient::fix) can fix it.
    pub fn is_fixable(&self) -> bool {
        matches!(self, Self::PlanOff | Self::NotLogged | Self::LoggedElsewhere(_))
    }

    fn is_about_logging(&self) -> bool {
        !matches!(self, Self::PlanOff | Self::NotFullyCovered(_))
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PlanOff => f.write_str("the subscription's plan KeyVaults is Free"),
            Self::NotFullyCovered(status) => write!(f, "the plan is on, but the service shows {status}"),
            Self::NotLogged => f.write_str("no diagnostic setting sends the audit log"),
            Self::LoggedElsewhere(names) => {
                write!(f, "the audit log goes only elsewhere, through {}", names.join(", "))
            }
            Self::SinkGone { setting, sink } => {
                write!(
                    f,
                    "the diagnostic setting {setting} sends the audit log to {sink}, which does not exist"
                )
            }
            Self::LoggingUnknown(reason) => {
                write!(f, "could not determine whether the audit log is sent: {reason}")
            }
        }
    }
}

/// A setting that would make a vault safer if it were changed, regardless of coverage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Advice {
    /// Any network may connect.
    OpenToAllNetworks,
    /// Access policies, not role assignments, control access.
    AccessPolicies,
    /// Deleted secrets can be purged immediately.
    NoPurgeProtection,
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OpenToAllNetworks => "any network may connect: allow only those that need access",
            Self::AccessPolicies => {
                "access policies control access: role assignments can be reviewed and removed in one place"
            }
            Self::NoPurgeProtection => {
                "deleted secrets can be purged immediately: turn on purge protection, which cannot be turned off again"
            }
        })
    }
}

/// The coverage of one vault. Whether it is covered and whether it is logged are separate questions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct VaultCoverage {
    /// The vault.
    pub vault: Vault,
    /// Its diagnostic settings, or why they, or the workspaces to which they send the audit log, could not be read.
    pub diagnostics: Result<Vec<DiagnosticSetting>, String>,
    /// Advice to make the vault safer.
    pub advice: Vec<Advice>,
    gaps: Vec<Gap>,
}

impl VaultCoverage {
    /// Assesses a vault. `sink` is where its audit log must go, or `None` for any; `gone` are sinks that do not exist.
    pub(crate) fn of(
        plan: &Pricing,
        vault: Vault,
        diagnostics: Result<Vec<DiagnosticSetting>, String>,
        sink: Option<&Sink>,
        gone: &[ResourceId],
    ) -> Self {
        let mut gaps = Vec::new();
        match &plan.coverage {
            _ if !plan.is_standard() => gaps.push(Gap::PlanOff),
            Some(status) if *status != CoverageStatus::FullyCovered => {
                gaps.push(Gap::NotFullyCovered(status.clone()));
            }
            _ => {}
        }
        match &diagnostics {
            Err(reason) => gaps.push(Gap::LoggingUnknown(reason.clone())),
            Ok(settings) => gaps.extend(logging_gaps(settings, sink, gone)),
        }
        let advice = advice(&vault);
        Self { vault, diagnostics, advice, gaps }
    }

    /// Whether Defender protects the vault. This does not require logs.
    pub fn is_covered(&self) -> bool {
        self.gaps.iter().all(Gap::is_about_logging)
    }

    /// Whether the vault's audit log arrives where it should; `None` if that could not be read.
    pub fn is_logged(&self) -> Option<bool> {
        let unknown = |gap: &Gap| matches!(gap, Gap::LoggingUnknown(_));
        match self.gaps.iter().any(unknown) {
            true => None,
            false => Some(!self.gaps.iter().any(Gap::is_about_logging)),
        }
    }

    /// What is missing.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }
}

fn logging_gaps(settings: &[DiagnosticSetting], wanted: Option<&Sink>, gone: &[ResourceId]) -> Vec<Gap> {
    let is_gone = |sink: &Sink| gone.iter().any(|gone| gone == sink.id());
    let logging: Vec<(&DiagnosticSetting, Vec<Sink>)> = settings
        .iter()
        .filter(|setting| setting.properties.sends_audit())
        .map(|setting| (setting, setting.properties.sinks()))
        .filter(|(_, sinks)| !sinks.is_empty())
        .collect();
    let arrives = |sink: &Sink| !is_gone(sink);
    let reaches_wanted = |sinks: &[Sink]| {
        sinks.iter().any(|sink| arrives(sink) && wanted.is_none_or(|wanted| sink.is_same_as(wanted)))
    };
    if logging.iter().any(|(_, sinks)| reaches_wanted(sinks)) {
        return Vec::new();
    }
    let elsewhere: Vec<String> = logging
        .iter()
        .filter(|(_, sinks)| sinks.iter().any(arrives))
        .map(|(setting, _)| setting.name.clone())
        .collect();
    let dead = logging.iter().flat_map(|(setting, sinks)| {
        let dead = sinks.iter().filter(|sink| is_gone(sink));
        dead.map(|sink| Gap::SinkGone { setting: setting.name.clone(), sink: sink.id().clone() })
    });
    let mut gaps: Vec<Gap> = dead.collect();
    if !elsewhere.is_empty() {
        gaps.push(Gap::LoggedElsewhere(elsewhere));
    } else if gaps.is_empty() {
        gaps.push(Gap::NotLogged);
    }
    gaps
}

fn advice(vault: &Vault) -> Vec<Advice> {
    let properties = &vault.properties;
    let denies = properties
        .network_acls
        .as_ref()
        .is_some_and(|rules| rules.default_action == Some(NetworkAction::Deny));
    let closed = properties.public_network_access == Some(PublicNetworkAccess::Disabled);
    let all = [
        (!denies && !closed, Advice::OpenToAllNetworks),
        (!properties.enable_rbac_authorization, Advice::AccessPolicies),
        (properties.enable_purge_protection != Some(true), Advice::NoPurgeProtection),
    ];
    all.into_iter().filter_map(|(holds, advice)| holds.then_some(advice)).collect()
}
