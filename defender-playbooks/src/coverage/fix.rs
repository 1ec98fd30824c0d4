//! Covers and logs every vault of a subscription.

use arm_core::{Change, Outcome, ResourceId, SubscriptionId, Task};
use azure_core::Result;
use defender_pricing::{PlanChange, PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_ops::{Vault, VaultsClient};
use monitor_ops::{DiagnosticSetting, DiagnosticSpec, DiagnosticsClient};

use super::CoverageClient;

/// What [`CoverageClient::fix`] did, or would do.
#[derive(Debug)]
#[non_exhaustive]
pub struct CoverageFix {
    /// The change of the plan.
    pub plan: PlanChange,
    /// The change of each vault's diagnostic setting, or the error if the vaults could not be listed.
    pub vaults: Result<Vec<Outcome<ResourceId, Change<DiagnosticSetting>>>>,
}

impl CoverageFix {
    /// Whether anything was written, or would be.
    pub fn is_change(&self) -> bool {
        self.plan.change.is_change()
            || self.outcomes().any(|vault| vault.result.as_ref().is_ok_and(Change::is_change))
    }

    /// Whether the plan is as requested and every vault sends its log as requested, or would in a dry run.
    pub fn is_complete(&self) -> bool {
        self.plan.is_complete() && self.vaults.is_ok() && self.failures().next().is_none()
    }

    /// The vaults whose logging could not be fixed, each with the error.
    pub fn failures(&self) -> impl Iterator<Item = (&ResourceId, &azure_core::Error)> {
        self.outcomes().filter_map(|vault| Some((&vault.target, vault.result.as_ref().err()?)))
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome<ResourceId, Change<DiagnosticSetting>>> {
        self.vaults.iter().flatten()
    }
}

impl CoverageClient {
    /// Covers and logs every vault: turns on the plan `KeyVaults` (with the sub-plan `PerKeyVault`, unless it is on
    /// with another one), then makes every vault send its audit log as the spec says.
    ///
    /// **The plan is billed for every vault.** Other plans are not changed, nor are parts of this one that these crates
    /// do not model.
    ///
    /// **If it stops halfway**, the plan may be on while some vaults are not logged; running it again finishes it.
    /// After that, another run writes nothing. One failing vault does not stop the others: see
    /// [`CoverageFix::failures`].
    ///
    /// # Permissions
    ///
    /// Security Admin on the subscription, Monitoring Contributor on the vaults, Log Analytics Contributor on the
    /// workspace.
    ///
    /// # Errors
    ///
    /// The plan cannot be turned on. Later failures are part of the result.
    #[inline]
    pub fn fix(&self, subscription: &SubscriptionId, spec: &DiagnosticSpec) -> Task<CoverageFix> {
        let (arm, subscription, spec) = (self.arm.clone(), subscription.clone(), spec.clone());
        Task::new(move |mode| async move {
            let plan = PricingClient::new(&arm).enable(&subscription, &PlanName::KeyVaults);
            let plan = plan.in_mode(mode).await?;
            let listed: Result<Vec<Vault>> = VaultsClient::new(&arm).list(&subscription).try_collect().await;
            let vaults = match listed {
                Ok(vaults) => {
                    let ids = vaults.into_iter().map(|vault| vault.id.into());
                    DiagnosticsClient::new(&arm).ensure_many(ids, &spec).in_mode(mode).await
                }
                Err(error) => Err(error),
            };
            Ok(CoverageFix { plan, vaults })
        })
    }
}
