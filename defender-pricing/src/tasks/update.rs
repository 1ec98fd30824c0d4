//! Changes a plan: with one update of a subscription at a time, and with the result read back.

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
    /// The plan before and after the change; in a dry run, as it would be.
    pub change: Change<Pricing>,
    /// The extensions that are not as requested, or whose change failed according to the service.
    pub failed_extensions: Vec<FailedExtension>,
}

impl PlanChange {
    /// The result of a dry run, without the values that only the service can set.
    pub(crate) fn planned(before: Pricing, mut after: Pricing) -> Self {
        (after.enabled_at, after.coverage) = (None, None);
        Self { change: Change::Updated { before, after }, failed_extensions: Vec::new() }
    }

    /// Whether no extension failed.
    pub fn is_complete(&self) -> bool {
        self.failed_extensions.is_empty()
    }
}

/// An extension that is not as requested, or whose change failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailedExtension {
    /// The name of the extension.
    pub name: ExtensionName,
    /// The reason given by the service or, if it gave none, what differs. Often, the caller may not assign a role to
    /// the extension's identity.
    pub reason: String,
}

/// The wait between two attempts while another update is in progress.
const PAUSE: Duration = Duration::from_secs(15);

/// Writes a plan; waits, within a budget, while another update of the subscription is in progress. The caller holds the
/// lock of [`PricingClient::updates_of`] from its first read on, so that it does not overwrite a change by another task
/// of this program.
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

/// Checks whether a plan may be written; also in a dry run.
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

/// Reads a plan back, and checks its tier and sub-plan.
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
