//! Shows how much each plan covers.

use std::time::Duration;

use arm_core::SubscriptionId;
use azure_core::Result;
use futures::TryStreamExt as _;

use crate::{CoverageStatus, ExtensionName, PlanName, Pricing, PricingClient, SubPlan, Tier};

/// The coverage of one plan of a subscription.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PlanCoverage {
    /// The name of the plan.
    pub plan: PlanName,
    /// The tier, which tells whether the plan is on.
    pub tier: Tier,
    /// The sub-plan.
    pub sub_plan: Option<SubPlan>,
    /// The remaining time of the free trial; `None` if there is none left.
    pub trial_left: Option<Duration>,
    /// How much the plan covers, as reported by the service.
    pub status: Option<CoverageStatus>,
    /// The extensions that are on.
    pub extensions_on: Vec<ExtensionName>,
    /// The extensions whose last change failed.
    pub extensions_failed: Vec<ExtensionName>,
    /// The extensions that are off.
    pub extensions_off: Vec<ExtensionName>,
    /// Whether the plan is deprecated: it can be kept, but no longer turned on.
    pub deprecated: bool,
    /// The plans that replace this one.
    pub replaced_by: Vec<PlanName>,
}

impl From<&Pricing> for PlanCoverage {
    fn from(pricing: &Pricing) -> Self {
        let names = |keep: &dyn Fn(&crate::Extension) -> bool| {
            pricing.extensions.iter().filter(|it| keep(it)).map(|it| it.name.clone()).collect()
        };
        Self {
            plan: pricing.name.clone(),
            tier: pricing.tier.clone(),
            sub_plan: pricing.sub_plan.clone(),
            trial_left: pricing.free_trial_remaining.filter(|left| !left.is_zero()),
            status: pricing.coverage.clone(),
            extensions_on: names(&|it| it.is_enabled && !it.has_failed()),
            extensions_failed: names(&|it| it.has_failed()),
            extensions_off: names(&|it| !it.is_enabled && !it.has_failed()),
            deprecated: pricing.deprecated,
            replaced_by: pricing.replaced_by.clone(),
        }
    }
}

impl PricingClient {
    /// Returns the coverage of each plan of a subscription.
    ///
    /// # Errors
    ///
    /// Any refusal by the service: see [`ArmErrorExt`](arm_core::ArmErrorExt).
    pub async fn coverage(&self, subscription: &SubscriptionId) -> Result<Vec<PlanCoverage>> {
        self.list(subscription).map_ok(|pricing| PlanCoverage::from(&pricing)).try_collect().await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_extension_is_on_or_off_or_failed_and_a_trial_that_is_used_up_is_none() {
        let row = |trial: &str| {
            let extension = |name: &str, on: &str, code: &str| json!({ "name": name, "isEnabled": on, "operationStatus": { "code": code } });
            let plan = json!({
                "id": "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/Api",
                "name": "Api",
                "properties": {
                    "pricingTier": "Standard", "subPlan": "P1", "freeTrialRemainingTime": trial,
                    "extensions": [
                        extension("On", "True", "Succeeded"),
                        extension("NotOn", "True", "Failed"),
                        extension("Off", "False", "Succeeded"),
                        extension("NotOff", "False", "Failed"),
                    ],
                },
            });
            PlanCoverage::from(&serde_json::from_value::<Pricing>(plan).unwrap())
        };
        let names = |names: &[&str]| names.iter().map(|name| ExtensionName::from(*name)).collect::<Vec<_>>();

        let used_up = row("PT0S");
        assert_eq!((&used_up.tier, &used_up.sub_plan), (&Tier::Standard, &Some("P1".into())));
        assert_eq!(used_up.extensions_on, names(&["On"]));
        assert_eq!(used_up.extensions_off, names(&["Off"]));
        assert_eq!(used_up.extensions_failed, names(&["NotOn", "NotOff"]));
        assert_eq!(used_up.trial_left, None);
        assert_eq!(row("P1DT1S").trial_left, Some(Duration::from_secs(86_401)));
    }
}
