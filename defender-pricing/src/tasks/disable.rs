//! Turns a plan off.

use std::time::Duration;

use arm_core::{Change, Mode, Scope};
use azure_core::Result;

use crate::{PlanChange, PlanName, PricingClient, PricingSpec, Tier, tasks::update};

/// Turns a plan off: writes the Free tier, and reads the plan back.
///
/// The settings of its extensions are lost. If the plan is already off, nothing is written. The task fails without
/// writing anything in the same cases as [`EnablePlan`](crate::EnablePlan).
///
/// # Errors
///
/// The same as for [`EnablePlan`](crate::EnablePlan), which also lists the permissions.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct DisablePlan {
    client: PricingClient,
    scope: Scope,
    plan: PlanName,
    wait: Duration,
    over_manager: bool,
}

impl PricingClient {
    /// Turns a plan off. See [`DisablePlan`].
    pub fn disable(&self, scope: impl Into<Scope>, plan: &PlanName) -> DisablePlan {
        DisablePlan::new(self.clone(), scope.into(), plan.clone())
    }
}

impl DisablePlan {
    pub(crate) fn new(client: PricingClient, scope: Scope, plan: PlanName) -> Self {
        Self { client, scope, plan, wait: Duration::from_secs(300), over_manager: false }
    }

    /// Sets how long to wait while another update of the subscription is in progress. Default: 5 minutes.
    pub fn wait_at_most(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Turns the plan off even if it is managed elsewhere, for example by a Microsoft 365 license.
    pub fn over_its_manager(mut self) -> Self {
        self.over_manager = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<PlanChange> {
        let updates = self.client.updates_of(&self.scope);
        let _alone = updates.lock().await;
        let before = self.client.get(&self.scope, &self.plan).await?;
        if before.tier == Tier::Free {
            return Ok(PlanChange { change: Change::Unchanged(before), failed_extensions: Vec::new() });
        }
        let mut wanted = before.clone();
        wanted.tier = Tier::Free;
        wanted.sub_plan = None;
        wanted.extensions.clear();
        let spec = PricingSpec::from(&wanted);
        update::check(&before, &spec, self.over_manager)?;
        if mode.is_dry_run() {
            return Ok(PlanChange::planned(before, wanted));
        }
        update::write(&self.client, &self.scope, &self.plan, &spec, self.wait).await?;
        let after = update::verify(&self.client, &self.scope, &self.plan, &Tier::Free, None).await?;
        Ok(PlanChange { change: Change::Updated { before, after }, failed_extensions: Vec::new() })
    }
}

arm_core::task!(DisablePlan => PlanChange);
