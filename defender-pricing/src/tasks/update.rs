//! How a plan is changed: one update a subscription at a time, and never believed before it is read back.

use std::time::Duration;

use arm_core::{ArmErrorExt as _, Change, Scope, Wish, refuse, wire};
use azure_core::Result;
use serde_json::json;

use crate::{ExtensionName, PlanName, Pricing, PricingClient, PricingSpec, SubPlan, Tier};

/// What a task did to a plan.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
#[must_use = "extensions can fail although the plan was changed"]
pub struct PlanChange {
    /// The plan before and after, as returned by the service; in a dry run, as it would be.
    pub change: Change<Pricing>,
    /// Extensions that were requested, or that the service tried to turn on, but that are not on.
    pub failed_extensions: Vec<FailedExtension>,
}

impl PlanChange {
    /// What would be: since when, and how much is covered, the service will say.
    pub(crate) fn planned(before: Pricing, mut after: Pricing) -> Self {
        (after.enabled_at, after.coverage) = (None, None);
        Self { change: Change::Updated { before, after }, failed_extensions: Vec::new() }
    }

    /// Whether everything is as requested.
    pub fn is_complete(&self) -> bool {
        self.failed_extensions.is_empty()
    }
}

/// An extension that could not be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedExtension {
    /// The name of the extension.
    pub name: ExtensionName,
    /// The service's reason. Most often the caller may not assign a role to the extension's identity.
    pub reason: String,
}

/// The pause between two tries while someone else's update is in progress.
const PAUSE: Duration = Duration::from_secs(15);

/// Writes a plan; waits, within a budget, while another update of the subscription is in progress. The
/// caller holds [`PricingClient::updates_of`] from its first read on, so that no task of this program comes
/// in between and is overwritten.
pub(crate) async fn write(
    client: &PricingClient,
    scope: &Scope,
    plan: &PlanName,
    spec: &PricingSpec,
    budget: Duration,
) -> Result<Pricing> {
    let mut waited = Duration::ZERO;
    loop {
        match client.put(scope, plan, spec).json().await {
            Err(error) if error.is_in_progress() && waited < budget => {
                tracing::info!(%plan, ?waited, "another update of the subscription is in progress; waiting");
                let pause = PAUSE.min(budget - waited);
                azure_core::sleep(pause.try_into().unwrap_or_default()).await;
                waited += pause;
            }
            Err(error) if error.is_in_progress() => {
                let message = format!(
                    "{error}; another update of this subscription was still in progress after {waited:?}"
                );
                return Err(error.reworded(message));
            }
            outcome => return outcome,
        }
    }
}

/// What speaks against writing a plan, in a dry run as well.
pub(crate) fn check(before: &Pricing, spec: &PricingSpec, over_manager: bool) -> Result<()> {
    wire::check_writable(spec)?;
    match before.managed_elsewhere() {
        Some(manager) if !over_manager => refuse(format!(
            "the plan {} is managed by {manager}, which may undo a change made here: change it there, or call \
             over_its_manager()",
            before.name
        )),
        _ => Ok(()),
    }
}

/// Reads a plan back and makes sure of its tier.
pub(crate) async fn verify(
    client: &PricingClient,
    scope: &Scope,
    plan: &PlanName,
    tier: &Tier,
    sub_plan: Option<&SubPlan>,
) -> Result<Pricing> {
    let now = client.get(scope, plan).await?;
    if now.tier != *tier {
        let is = &now.tier;
        return refuse(format!(
            "the service accepted the change of plan {plan} to {tier}, but shows it as {is}"
        ));
    }
    if let Some(wished) = sub_plan {
        let member = |sub_plan: Option<&SubPlan>| json!({ "subPlan": sub_plan });
        let (wished, found) = (member(Some(wished)), member(now.sub_plan.as_ref()));
        Wish::new().verify(format_args!("the plan {plan}"), &wished, &found)?;
    }
    Ok(now)
}
