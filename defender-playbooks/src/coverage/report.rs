//! Reads the coverage of a subscription's vaults.

use std::collections::HashMap;

use arm_core::{Fleet, ResourceId, SubscriptionId};
use azure_core::Result;
use defender_pricing::{PlanName, Pricing, PricingClient};
use futures::{StreamExt as _, TryStreamExt as _};
use keyvault_ops::{Vault, VaultsClient};
use monitor_ops::{DiagnosticSetting, DiagnosticsClient, Sink, WorkspaceId, WorkspacesClient};

use super::{CoverageClient, VaultCoverage};

/// The coverage of a subscription's vaults.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CoverageReport {
    /// The plan `KeyVaults` of the subscription.
    pub plan: Pricing,
    /// The vaults, in the service's order.
    pub vaults: Vec<VaultCoverage>,
}

impl CoverageReport {
    /// The vaults with at least one gap.
    pub fn with_gaps(&self) -> impl Iterator<Item = &VaultCoverage> {
        self.vaults.iter().filter(|vault| !vault.gaps().is_empty())
    }
}

/// The settings of one vault, or why they could not be read.
type Settings = std::result::Result<Vec<DiagnosticSetting>, String>;

impl CoverageClient {
    /// Reports for every vault of a subscription whether it is covered and logged, and what is missing.
    ///
    /// `sink` is where the audit logs must go; with `None`, any existing sink will do. Whether a workspace exists is
    /// checked; storage accounts and event hubs are assumed to exist.
    ///
    /// # Permissions
    ///
    /// Security Reader and Monitoring Reader on the subscription. Settings that cannot be read are a gap of that vault,
    /// [`Gap::LoggingUnknown`](crate::Gap::LoggingUnknown), and affect nothing else.
    ///
    /// # Errors
    ///
    /// The plan or the list of vaults cannot be read.
    pub async fn report<'a>(
        &self,
        subscription: &SubscriptionId,
        sink: impl Into<Option<&'a Sink>>,
    ) -> Result<CoverageReport> {
        let sink = sink.into();
        let plan = PricingClient::new(&self.arm).get(subscription, &PlanName::KeyVaults).await?;
        let vaults: Vec<Vault> = VaultsClient::new(&self.arm).list(subscription).try_collect().await?;
        let mut settings = self.settings(&vaults).await;
        let sinks = Sinks::look_at(&WorkspacesClient::new(&self.arm), settings.values()).await;
        let judge = |vault: Vault| {
            let found = settings.remove(vault.id.resource_id()).unwrap_or_else(|| Err("not read".to_owned()));
            let found = found.and_then(|found| sinks.check(found));
            VaultCoverage::of(&plan, vault, found, sink, &sinks.gone)
        };
        let vaults = vaults.into_iter().map(judge).collect();
        Ok(CoverageReport { plan, vaults })
    }

    async fn settings(&self, vaults: &[Vault]) -> HashMap<ResourceId, Settings> {
        let diagnostics = DiagnosticsClient::new(&self.arm);
        let ids = vaults.iter().map(|vault| vault.id.resource_id().clone());
        Fleet::new(ids)
            .run(|id| {
                let listed = diagnostics.list(&id);
                async move { listed.try_collect().await }
            })
            .map(|outcome| (outcome.target, outcome.result.map_err(|error| error.to_string())))
            .collect()
            .await
    }
}

/// What is known about the workspaces that settings send to.
#[derive(Debug, Default)]
struct Sinks {
    gone: Vec<ResourceId>,
    unreadable: HashMap<ResourceId, String>,
}

impl Sinks {
    /// Reads every workspace that a setting sends to, once.
    async fn look_at<'a>(client: &WorkspacesClient, settings: impl Iterator<Item = &'a Settings>) -> Self {
        let mut named: Vec<WorkspaceId> = Vec::new();
        for setting in settings.flatten().flatten().filter(|setting| setting.properties.sends_audit()) {
            for sink in setting.properties.sinks() {
                if let Sink::Workspace(id) = &sink
                    && let Ok(id) = WorkspaceId::try_from(id.clone())
                    && !named.contains(&id)
                {
                    named.push(id);
                }
            }
        }
        let mut asked = Fleet::new(named).run(|id| {
            let client = client.clone();
            async move { client.get_opt(&id).await }
        });
        let mut sinks = Self::default();
        while let Some(outcome) = asked.next().await {
            let id = outcome.target.as_resource().clone();
            match outcome.result {
                Ok(Some(_)) => {}
                Ok(None) => sinks.gone.push(id),
                Err(error) => drop(sinks.unreadable.insert(id, error.to_string())),
            }
        }
        sinks
    }

    /// Returns the settings, or an error if none of the sinks that receive the audit log could be checked.
    fn check(&self, settings: Vec<DiagnosticSetting>) -> Settings {
        let logging = settings.iter().filter(|setting| setting.properties.sends_audit());
        let sinks: Vec<Sink> = logging.flat_map(|setting| setting.properties.sinks()).collect();
        let unreadable = |sink: &Sink| self.unreadable.get(sink.id());
        match sinks.iter().find_map(unreadable) {
            Some(reason) if sinks.iter().all(|sink| unreadable(sink).is_some()) => Err(reason.clone()),
            _ => Ok(settings),
        }
    }
}
