//! Determines which kinds of secret scanning the plans turn on.

use arm_core::SubscriptionId;
use azure_core::Result;
use futures::TryStreamExt as _;

use crate::{ExtensionName, PlanName, Pricing, PricingClient, SubPlan};

/// Which kinds of secret scanning the plans and extensions turn on.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SecretScanning {
    /// Whether machine disks are scanned. Requires `AgentlessVmScanning` of CloudPosture or Servers P2, not
    /// `SensitiveDataDiscovery`.
    pub machines: ScanReadiness,
    /// Whether Resource Manager and CloudFormation deployments are scanned. Included in CloudPosture.
    pub deployments: ScanReadiness,
    /// Whether code in connected repositories is scanned. Included in CloudPosture, but also requires a connector.
    pub code: ScanReadiness,
    /// Whether data stores are scanned. Requires `SensitiveDataDiscovery` of CloudPosture, which finds sensitive data,
    /// not secrets on machines.
    pub data_stores: ScanReadiness,
}

/// Whether the plans and extensions turn a scan on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScanReadiness {
    /// These plans turn the scan on.
    On(Vec<PlanName>),
    /// The scan cannot run until this plan, with the extension if one is named, is turned on.
    Off {
        /// The plan.
        plan: PlanName,
        /// The extension; `None` if none is needed.
        extension: Option<ExtensionName>,
    },
}

impl ScanReadiness {
    /// Whether the scan is turned on. If it is not, the absence of findings proves nothing.
    pub fn is_on(&self) -> bool {
        matches!(self, Self::On(_))
    }
}

impl SecretScanning {
    /// Determines the kinds of secret scanning from the plans of a subscription.
    pub fn of(plans: &[Pricing]) -> Self {
        let on = |name: &PlanName| plans.iter().find(|plan| plan.name == *name && plan.is_standard());
        let posture = on(&PlanName::CloudPosture);
        let servers = on(&PlanName::VirtualMachines).filter(|plan| plan.sub_plan != Some(SubPlan::P1));
        let with = |extension: ExtensionName, plans: &[Option<&Pricing>]| {
            let found: Vec<PlanName> = plans
                .iter()
                .flatten()
                .filter(|plan| plan.has(&extension))
                .map(|plan| plan.name.clone())
                .collect();
            match found.is_empty() {
                false => ScanReadiness::On(found),
                true => ScanReadiness::Off { plan: PlanName::CloudPosture, extension: Some(extension) },
            }
        };
        let by_plan = match posture {
            Some(plan) => ScanReadiness::On(vec![plan.name.clone()]),
            None => ScanReadiness::Off { plan: PlanName::CloudPosture, extension: None },
        };
        Self {
            machines: with(ExtensionName::AgentlessVmScanning, &[posture, servers]),
            deployments: by_plan.clone(),
            code: by_plan,
            data_stores: with(ExtensionName::SensitiveDataDiscovery, &[posture]),
        }
    }
}

impl PricingClient {
    /// Returns which kinds of secret scanning the plans of a subscription turn on, and what to turn on for the others.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn secret_scanning(&self, subscription: &SubscriptionId) -> Result<SecretScanning> {
        let plans: Vec<Pricing> = self.list(subscription).try_collect().await?;
        Ok(SecretScanning::of(&plans))
    }
}
