//! Plans in the initial state.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FailingExtension, PricingState, plans::Plan, read, resource, scope::Scope, update};
use crate::state::{Seed, World};

impl Seed {
    /// Sets the tier of a plan of a subscription, `Free` or `Standard`. A documented plan at `Standard` has its full
    /// sub-plan and the extensions that the service turns on by itself. `plan` may also be an undocumented name.
    pub fn plan(self, subscription: impl ToString, plan: &str, tier: &str) -> Self {
        let (subscription, plan, tier) = (subscription.to_string(), plan.to_owned(), tier.to_owned());
        self.step(move |world| {
            let scope = Scope::of_subscription(&subscription);
            let mut properties = read(world, &scope, &plan)["properties"].take();
            properties["pricingTier"] = json!(tier);
            if tier.eq_ignore_ascii_case("Standard") {
                properties["enablementTime"] = json!("2026-03-01T12:42:42.1921106Z");
                if let Some(known) = Plan::find(&plan) {
                    let sub_plan = known.sub_plans.first().copied();
                    if let Some(sub_plan) = sub_plan {
                        properties["subPlan"] = json!(sub_plan);
                    }
                    if !known.extensions.is_empty() {
                        properties["extensions"] = update::defaults(known, sub_plan).into();
                    }
                }
            }
            world.resources.put(resource(&scope, &plan, properties));
        })
    }

    /// Sets properties of a plan in the form that a GET returns, such as `subPlan`, `enforce`, `freeTrialRemainingTime`
    /// or undocumented ones. Other properties are kept.
    pub fn plan_properties(self, subscription: impl ToString, plan: &str, properties: Value) -> Self {
        self.amend(subscription, plan, move |there| {
            if let (Some(there), Value::Object(new)) = (there.as_object_mut(), properties) {
                there.extend(new);
            }
        })
    }

    /// Turns one extension of a plan on or off; adds it if the plan does not have it.
    pub fn plan_extension(self, subscription: impl ToString, plan: &str, extension: &str, on: bool) -> Self {
        let extension = extension.to_owned();
        let known = Plan::find(plan).and_then(|plan| plan.extension(&extension));
        let settings = known.and_then(|known| known.properties).filter(|_| on);
        self.amend(subscription, plan, move |properties| {
            let mut shown = json!({ "name": extension, "isEnabled": if on { "True" } else { "False" } });
            if let Some(settings) = settings {
                shown["additionalExtensionProperties"] = serde_json::from_str(settings).unwrap_or_default();
            }
            if properties["extensions"].is_null() {
                properties["extensions"] = json!([]);
            }
            let Some(list) = properties["extensions"].as_array_mut() else { return };
            match list.iter_mut().find(|there| there["name"] == shown["name"]) {
                Some(there) => *there = shown,
                None => list.push(shown),
            }
        })
    }

    /// Makes the next `times` updates that turn on this extension return 200 with the extension marked as failed.
    pub fn failing_extension(
        self,
        subscription: impl ToString,
        plan: &str,
        extension: &str,
        times: u32,
    ) -> Self {
        let failing = FailingExtension {
            subscription: Scope::of_subscription(&subscription.to_string()).key(),
            plan: plan.to_owned(),
            extension: extension.to_owned(),
            times,
        };
        self.setting(move |world| world.states.get_mut::<PricingState>().failing.push(failing))
    }

    /// Makes the next `times` updates of any plan of a subscription fail with 409, as if another update were in
    /// progress.
    pub fn plan_update_in_progress(self, subscription: impl ToString, times: u32) -> Self {
        let key = Scope::of_subscription(&subscription.to_string()).key();
        self.setting(move |world| {
            world.states.get_mut::<PricingState>().refusals.insert(key, times);
        })
    }

    /// Sets how long an update of a plan takes. Meanwhile, other updates in the same subscription are refused with 409.
    pub fn plan_updates_take(self, time: Duration) -> Self {
        self.setting(move |world| world.states.get_mut::<PricingState>().takes = time)
    }

    fn amend(
        self,
        subscription: impl ToString,
        plan: &str,
        change: impl FnOnce(&mut Value) + Send + 'static,
    ) -> Self {
        let (subscription, plan) = (subscription.to_string(), plan.to_owned());
        self.step(move |world: &mut World| {
            let scope = Scope::of_subscription(&subscription);
            let mut shown = read(world, &scope, &plan);
            change(&mut shown["properties"]);
            world.resources.put(shown);
        })
    }
}
