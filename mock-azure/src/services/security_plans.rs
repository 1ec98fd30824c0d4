//! Which plans are on, for surfaces that depend on one.

use serde_json::Value;

use crate::state::World;

fn plan<'a>(world: &'a World, subscription: &str, name: &str) -> Option<&'a Value> {
    let id = format!("/subscriptions/{subscription}/providers/Microsoft.Security/pricings/{name}");
    world.resources.get(&id)
}

/// Whether a plan's tier is Standard.
pub(crate) fn is_on(world: &World, subscription: &str, name: &str) -> bool {
    plan(world, subscription, name).is_some_and(|plan| plan["properties"]["pricingTier"] == "Standard")
}

/// Whether Defender scans for secrets: on machines, with the agentless scanning extension of Defender CSPM or of plan 2
/// for servers; elsewhere, with Defender CSPM.
pub(crate) fn scans_secrets(world: &World, subscription: &str, machine: bool) -> bool {
    if !machine {
        return is_on(world, subscription, "CloudPosture");
    }
    ["CloudPosture", "VirtualMachines"].into_iter().any(|name| {
        is_on(world, subscription, name) && extension_is_on(world, subscription, name, "AgentlessVmScanning")
    })
}

fn extension_is_on(world: &World, subscription: &str, name: &str, extension: &str) -> bool {
    let extensions =
        plan(world, subscription, name).and_then(|plan| plan["properties"]["extensions"].as_array());
    extensions.is_some_and(|all| {
        all.iter().any(|one| {
            one["name"] == extension
                && one["isEnabled"].as_str().is_some_and(|enabled| enabled.eq_ignore_ascii_case("true"))
        })
    })
}
