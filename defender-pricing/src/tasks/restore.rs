//! Restores a plan to an earlier state.

use std::time::Duration;

use arm_core::{Change, Mode, Scope, refuse};
use azure_core::Result;

use crate::{
    Extension, FailedExtension, PlanChange, PlanName, Pricing, PricingClient, PricingSpec, Tier,
    tasks::update,
};

/// Restores a plan to the state in which it was read: tier, sub-plan, enforcement, and every extension with its
/// settings. Extensions that have been turned on since then, by the service or by somebody else, are turned off.
///
/// Call [`if_still`](Self::if_still) to leave the plan unchanged if somebody else has changed it in the meantime. If
/// there is something to write, the task fails without writing anything if the plan is now
/// [managed elsewhere](Pricing::managed_elsewhere), unless [`over_its_manager`](Self::over_its_manager) is called.
///
/// **If it stops halfway**, the plan is either restored or unchanged; running the task again finishes it. After that,
/// another run writes nothing.
///
/// # Errors
///
/// The same as for [`EnablePlan`](crate::EnablePlan), which also lists the permissions.
///
/// ```
/// # use arm_core::{ArmClient, SubscriptionId};
/// # use defender_pricing::{PlanName, PricingClient};
/// # async fn f(arm: &ArmClient, subscription: &SubscriptionId) -> azure_core::Result<()> {
/// let pricing = PricingClient::new(arm);
/// let before = pricing.get(subscription, &PlanName::KeyVaults).await?;
/// let mine = pricing.enable(subscription, &PlanName::KeyVaults).await?.change.into_current();
/// // .. a test run with the plan on ..
/// pricing.restore(subscription, &before).if_still(&mine).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct RestorePlan {
    client: PricingClient,
    scope: Scope,
    wanted: Pricing,
    expected: Option<Pricing>,
    wait: Duration,
    over_manager: bool,
}

impl PricingClient {
    /// Restores a plan to the state in which it was read. See [`RestorePlan`].
    pub fn restore(&self, scope: impl Into<Scope>, before: &Pricing) -> RestorePlan {
        RestorePlan::new(self.clone(), scope.into(), before.clone())
    }
}

impl RestorePlan {
    pub(crate) fn new(client: PricingClient, scope: Scope, wanted: Pricing) -> Self {
        Self { client, scope, wanted, expected: None, wait: Duration::from_secs(300), over_manager: false }
    }

    /// Restores the plan only if it still has these settings; otherwise, the task writes nothing, and fails unless the
    /// plan already has the earlier settings.
    pub fn if_still(mut self, expected: &Pricing) -> Self {
        self.expected = Some(expected.clone());
        self
    }

    /// Sets how long to wait while another update of the subscription is in progress. Default: 5 minutes.
    pub fn wait_at_most(mut self, wait: Duration) -> Self {
        self.wait = wait;
        self
    }

    /// Restores the plan even if it is managed elsewhere, for example by a Microsoft 365 license.
    pub fn over_its_manager(mut self) -> Self {
        self.over_manager = true;
        self
    }

    async fn run(self, mode: Mode) -> Result<PlanChange> {
        let plan: &PlanName = &self.wanted.name;
        let updates = self.client.updates_of(&self.scope);
        let _alone = updates.lock().await;
        let before = self.client.get(&self.scope, plan).await?;
        if before.has_settings_of(&self.wanted) {
            return Ok(PlanChange { change: Change::Unchanged(before), failed_extensions: Vec::new() });
        }
        if let Some(expected) = &self.expected
            && !before.has_settings_of(expected)
        {
            return refuse(format!(
                "somebody else has changed the plan {plan} in the meantime; it was left unchanged"
            ));
        }
        let wanted = back_to(&self.wanted, &before);
        let spec = PricingSpec::from(&wanted);
        update::check(&before, &spec, self.over_manager)?;
        if mode.is_dry_run() {
            return Ok(PlanChange::planned(before, wanted));
        }
        update::write(&self.client, &self.scope, plan, &spec, self.wait).await?;
        let sub_plan = wanted.sub_plan.as_ref();
        let after = update::verify(&self.client, &self.scope, plan, &wanted.tier, sub_plan).await?;
        let failed_extensions = differing(&wanted, &after);
        Ok(PlanChange { change: Change::Updated { before, after }, failed_extensions })
    }
}

/// Returns the plan to write: the current one, with its unknown fields, and with the earlier settings.
fn back_to(was: &Pricing, now: &Pricing) -> Pricing {
    let mut wanted = now.clone();
    wanted.tier = was.tier.clone();
    wanted.enforce = was.enforce;
    if was.tier == Tier::Free {
        wanted.sub_plan = None;
        wanted.extensions.clear();
        return wanted;
    }
    wanted.sub_plan.clone_from(&was.sub_plan);
    wanted.extensions.clone_from(&was.extensions);
    // An extension that the list omits may stay on, so turn off by name those that were not there before.
    let added = now.extensions.iter().filter(|extension| was.extension(&extension.name).is_none());
    wanted.extensions.extend(added.map(|extension| Extension::off(extension.name.clone())));
    wanted
}

/// Returns the extensions that were not restored.
fn differing(wanted: &Pricing, after: &Pricing) -> Vec<FailedExtension> {
    let differs = |wish: &&Extension| match after.extension(&wish.name) {
        Some(found) => found.is_enabled != wish.is_enabled || (wish.is_enabled && found.has_failed()),
        None => wish.is_enabled,
    };
    let failed = |wish: &Extension| {
        let told =
            after.extension(&wish.name).and_then(|found| found.operation_status.as_ref()?.message.clone());
        let state = if wish.is_enabled { "off" } else { "on" };
        let reason = told
            .unwrap_or_else(|| format!("the service accepted the change but shows the extension as {state}"));
        FailedExtension { name: wish.name.clone(), reason }
    };
    wanted.extensions.iter().filter(differs).map(failed).collect()
}

impl Pricing {
    /// Whether both plans have the same tier, sub-plan, enforcement and enabled extensions with their settings. Dates,
    /// the trial, the reported coverage and extensions that are off are ignored, as are the sub-plan and all extensions
    /// of plans that are off.
    pub fn has_settings_of(&self, other: &Pricing) -> bool {
        let on = |pricing: &Pricing| {
            let mut on: Vec<Extension> = pricing.extensions.iter().map(Extension::for_writing).collect();
            on.retain(|extension| extension.is_enabled);
            on.sort_by(|a, b| a.name.as_str().cmp(b.name.as_str()));
            on
        };
        let sub_plan = |pricing: &Pricing| pricing.sub_plan.clone().filter(|_| pricing.is_standard());
        self.tier == other.tier
            && sub_plan(self) == sub_plan(other)
            && self.enforce.unwrap_or(false) == other.enforce.unwrap_or(false)
            && (!self.is_standard() || on(self) == on(other))
    }
}

arm_core::task!(RestorePlan => PlanChange);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn plan(properties: Value) -> Pricing {
        let id =
            "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/Api";
        serde_json::from_value(json!({ "id": id, "name": "Api", "properties": properties })).unwrap()
    }

    #[test]
    fn plans_have_the_same_settings_if_tier_sub_plan_enforcement_and_extensions_are_the_same() {
        let on = |name: &str, x: i32| json!({ "name": name, "isEnabled": "True", "additionalExtensionProperties": { "x": x } });
        let off = |name: &str, x: i32| json!({ "name": name, "isEnabled": "False", "additionalExtensionProperties": { "x": x } });
        let standard = |sub_plan: &str, enforce: &str, extensions: Value| json!({ "pricingTier": "Standard", "subPlan": sub_plan, "enforce": enforce, "extensions": extensions });
        let this = plan(standard("P1", "False", json!([on("A", 1), on("B", 1), off("C", 1)])));

        let mut later = standard("P1", "False", json!([off("C", 2), on("B", 1), on("A", 1)]));
        later["enablementTime"] = json!("2026-03-01T12:42:42Z");
        let mut unsaid = standard("P1", "False", json!([on("A", 1), on("B", 1)]));
        unsaid["enforce"] = Value::Null;
        for same in [later, unsaid] {
            assert!(this.has_settings_of(&plan(same.clone())) && plan(same).has_settings_of(&this));
        }
        for other in [
            json!({ "pricingTier": "Free" }),
            standard("P2", "False", json!([on("A", 1), on("B", 1)])),
            standard("P1", "True", json!([on("A", 1), on("B", 1)])),
            standard("P1", "False", json!([on("A", 1)])),
            standard("P1", "False", json!([on("A", 1), on("B", 2)])),
            standard("P1", "False", json!([on("A", 1), on("B", 1), on("C", 1)])),
        ] {
            assert!(!this.has_settings_of(&plan(other.clone())), "{other}");
            assert!(!plan(other).has_settings_of(&this));
        }
        let free = |more: Value| {
            let mut free = more;
            free["pricingTier"] = json!("Free");
            plan(free)
        };
        let bare = free(json!({}));
        assert!(bare.has_settings_of(&free(json!({ "subPlan": "P1", "extensions": [on("A", 1)] }))));
        assert!(!bare.has_settings_of(&free(json!({ "enforce": "True" }))));
    }
}
