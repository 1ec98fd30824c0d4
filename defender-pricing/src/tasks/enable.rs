//! Turns a plan on.

use std::time::Duration;

use arm_core::{Change, Mode, Scope};
use azure_core::Result;
use serde_json::{Map, Value};

use crate::{
    Extension, ExtensionName, FailedExtension, PlanChange, PlanName, Pricing, PricingClient, PricingSpec,
    SubPlan, Tier, tasks::update,
};

/// Turns a plan on with a sub-plan and extensions, and keeps everything else unchanged.
///
/// Reads the plan, merges the request into it, writes the plan, checks the status of every extension, and reads the
/// plan back. Other extensions that are on stay on with their settings, and members that this crate does not model are
/// kept. A Free plan is first written without extensions, so that the service turns on its default ones; if the request
/// differs from the result, it is merged into the result in a second write. `KeyVaults` gets the sub-plan `PerKeyVault`
/// unless the plan is on with another one, or another one is requested.
///
/// If there is something to write, the task first checks whether it may. It fails without writing anything if it would
/// overwrite members that could not be read, or if the plan is managed elsewhere ([`Pricing::managed_elsewhere`]) and
/// [`over_its_manager`](Self::over_its_manager) was not called.
///
/// **If it stops halfway**, the plan may be on without the requested extensions; running the task again finishes it. If
/// everything is already as requested, nothing is written.
///
/// ```
/// # use arm_core::{ArmClient, SubscriptionId};
/// # use defender_pricing::{ExtensionName, PlanName, PricingClient};
/// # async fn f(arm: &ArmClient, subscription: &SubscriptionId) -> azure_core::Result<()> {
/// let done = PricingClient::new(arm)
///     .enable(subscription, &PlanName::CloudPosture)
///     .extension(ExtensionName::AgentlessVmScanning)
///     .await?;
/// for failed in &done.failed_extensions {
///     eprintln!("{}: {}", failed.name, failed.reason);
/// }
/// # Ok(()) }
/// ```
///
/// # Permissions
///
/// Security Admin or Contributor; to turn on some of the extensions, Owner.
///
/// # Errors
///
/// `is_in_progress()`: another update of the subscription did not finish within [`wait_at_most`](Self::wait_at_most).
/// The task also fails if the service then shows another tier, or another sub-plan than was requested.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct EnablePlan {
    client: PricingClient,
    scope: Scope,
    plan: PlanName,
    wish: Wish,
    wait: Duration,
    over_manager: bool,
}

/// The requested settings besides the Standard tier.
#[derive(Debug, Clone, Default)]
struct Wish {
    sub_plan: Option<SubPlan>,
    extensions: Vec<Extension>,
}

impl PricingClient {
    /// Turns a plan on and keeps existing settings. See [`EnablePlan`].
    pub fn enable(&self, scope: impl Into<Scope>, plan: &PlanName) -> EnablePlan {
        EnablePlan::new(self.clone(), scope.into(), plan.clone())
    }
}

impl EnablePlan {
    pub(crate) fn new(client: PricingClient, scope: Scope, plan: PlanName) -> Self {
        let (wish, wait) = (Wish::default(), Duration::from_secs(300));
        Self { client, scope, plan, wish, wait, over_manager: false }
    }

    /// Sets the sub-plan.
    pub fn sub_plan(mut self, sub_plan: impl Into<SubPlan>) -> Self {
        self.wish.sub_plan = Some(sub_plan.into());
        self
    }

    /// Turns this extension on.
    pub fn extension(self, name: ExtensionName) -> Self {
        self.with(Extension::on(name))
    }

    /// Adds a request for an extension. If an extension is named twice, the last request counts.
    fn with(mut self, wish: Extension) -> Self {
        self.wish.extensions.retain(|extension| extension.name != wish.name);
        self.wish.extensions.push(wish);
        self
    }

    /// Turns these extensions on.
    pub fn extensions(self, names: impl IntoIterator<Item = ExtensionName>) -> Self {
        names.into_iter().fold(self, EnablePlan::extension)
    }

    /// Turns this extension on, and replaces its settings with these.
    pub fn extension_with(self, name: ExtensionName, properties: Map<String, Value>) -> Self {
        let mut extension = Extension::on(name);
        extension.additional_extension_properties = Some(properties);
        self.with(extension)
    }

    /// Turns this extension off.
    pub fn without_extension(self, name: ExtensionName) -> Self {
        self.with(Extension::off(name))
    }

    /// Sets how long to wait while another update of the subscription is in progress. Default: 5 minutes.
    pub fn wait_at_most(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Changes the plan even if it is managed elsewhere, for example by a Microsoft 365 license.
    pub fn over_its_manager(mut self) -> Self {
        self.over_manager = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<PlanChange> {
        let updates = self.client.updates_of(&self.scope);
        let _alone = updates.lock().await;
        let before = self.client.get(&self.scope, &self.plan).await?;
        let wanted = self.wish.onto(&before);
        if wanted == before && self.wish.failures_in(&before).is_empty() {
            return Ok(PlanChange { change: Change::Unchanged(before), failed_extensions: Vec::new() });
        }
        update::check(&before, &PricingSpec::from(&wanted), self.over_manager)?;
        if mode.is_dry_run() {
            return Ok(PlanChange::planned(before, wanted));
        }
        let mut answer = before.clone();
        if before.tier == Tier::Free {
            // The service turns on some extensions by default: let it, then merge the request into the result.
            let first = PricingSpec::from(&wanted).without_extensions();
            answer = update::write(&self.client, &self.scope, &self.plan, &first, self.wait).await?;
        }
        let wanted = self.wish.onto(&answer);
        if wanted != answer || before.tier != Tier::Free {
            let spec = PricingSpec::from(&wanted);
            answer = update::write(&self.client, &self.scope, &self.plan, &spec, self.wait).await?;
        }
        let sub_plan = self.wish.sub_plan.as_ref();
        let after = update::verify(&self.client, &self.scope, &self.plan, &Tier::Standard, sub_plan).await?;
        let mut failed_extensions = failures(&answer);
        for missing in self.wish.failures_in(&after) {
            if !failed_extensions.iter().any(|failed| failed.name == missing.name) {
                failed_extensions.push(missing);
            }
        }
        Ok(PlanChange { change: Change::Updated { before, after }, failed_extensions })
    }
}

impl Wish {
    /// Merges the request into a plan.
    fn onto(&self, now: &Pricing) -> Pricing {
        let mut wanted = now.clone();
        wanted.tier = Tier::Standard;
        let default = (now.name == PlanName::KeyVaults).then_some(SubPlan::PerKeyVault);
        let kept = now.sub_plan.clone().filter(|_| now.tier != Tier::Free);
        wanted.sub_plan = self.sub_plan.clone().or(kept).or(default).or(now.sub_plan.clone());
        for wish in &self.extensions {
            match wanted.extensions.iter_mut().find(|extension| extension.name == wish.name) {
                Some(extension) => {
                    extension.is_enabled = wish.is_enabled;
                    if let Some(properties) = &wish.additional_extension_properties {
                        extension.additional_extension_properties = Some(properties.clone());
                    }
                }
                None => wanted.extensions.push(wish.clone()),
            }
        }
        wanted
    }

    /// Returns the requested extensions that are not as requested.
    fn failures_in(&self, now: &Pricing) -> Vec<FailedExtension> {
        let unmet = |wish: &&Extension| match now.extension(&wish.name) {
            Some(found) => {
                found.is_enabled != wish.is_enabled
                    || (wish.is_enabled && (found.has_failed() || lost_setting(wish, found).is_some()))
            }
            None => wish.is_enabled,
        };
        let failed = |wish: &Extension| {
            let reported =
                now.extension(&wish.name).and_then(|found| found.operation_status.as_ref()?.message.clone());
            let found = now.extension(&wish.name).filter(|found| found.is_enabled == wish.is_enabled);
            let setting = found.and_then(|found| lost_setting(wish, found));
            let reason = reported.or(setting).unwrap_or_else(|| {
                format!(
                    "the service accepted the change but shows the extension as {}",
                    if wish.is_enabled { "off" } else { "on" }
                )
            });
            FailedExtension { name: wish.name.clone(), reason }
        };
        self.extensions.iter().filter(unmet).map(failed).collect()
    }
}

/// Returns the first requested setting that an extension does not have, as a reason.
fn lost_setting(wish: &Extension, found: &Extension) -> Option<String> {
    let wished = Value::Object(wish.additional_extension_properties.clone()?);
    let found = Value::Object(found.additional_extension_properties.clone().unwrap_or_default());
    let unmet = arm_core::Wish::new().unmet(&wished, &found);
    Some(format!("the service accepted the change, but {}", unmet.first()?))
}

/// Returns the extensions that a response reports as failed, although its status was 200.
fn failures(answer: &Pricing) -> Vec<FailedExtension> {
    let failed = answer.extensions.iter().filter(|extension| extension.has_failed());
    failed
        .map(|extension| FailedExtension {
            name: extension.name.clone(),
            reason: extension
                .operation_status
                .as_ref()
                .and_then(|status| status.message.clone())
                .unwrap_or_else(|| "the service gave no reason".to_owned()),
        })
        .collect()
}

arm_core::task!(EnablePlan => PlanChange);
