//! Whether Sentinel is on for a workspace.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, timestamp},
    state::{Seed, World, system_data},
};

use super::{NAMESPACE, rules};

impl Seed {
    /// Turns Sentinel on for a workspace, given by its resource id.
    pub fn sentinel(self, workspace: &str) -> Self {
        let workspace = workspace.to_owned();
        self.step(move |world| {
            switch_on(world, &workspace);
        })
    }
}

pub(super) fn is_onboarded(world: &World, workspace: &str) -> bool {
    world.resources.contains(&id(workspace))
}

fn id(workspace: &str) -> String {
    format!("{workspace}/providers/{NAMESPACE}/onboardingStates/default")
}

fn switch_on(world: &mut World, workspace: &str) -> Value {
    // Recorded: empty. `customerManagedKey` and `etag` are documented, but never returned.
    let state = json!({
        "id": id(workspace),
        "name": "default",
        "type": format!("{NAMESPACE}/onboardingStates"),
        "properties": {},
        "systemData": {},
    });
    world.resources.put(state.clone());
    let now = timestamp::precise(world.now());
    let fusion = rules::fusion(workspace, &world.fresh_id(), &now);
    world.resources.put(fusion);
    state
}

pub(super) fn answer(world: &mut World, call: &Call, rest: &[&str]) -> Option<Reply> {
    let workspace = call.id(8);
    match (call.method, rest) {
        (Method::Get, []) => {
            let all: Vec<&Value> = world.resources.get(&id(&workspace)).into_iter().collect();
            Some(Reply::ok(json!({ "value": all })))
        }
        (Method::Get, [name]) => Some(match world.resources.get(&id(&workspace)) {
            Some(state) if *name == "default" => Reply::ok(state.clone()),
            // Documented: there is one onboarding state, named 'default'.
            _ => Reply::arm_error(
                404,
                "NotFound",
                format!("Sentinel onboarding state '{name}' was not found."),
            ),
        }),
        (Method::Put, [name]) if *name != "default" => {
            Some(Reply::bad_request("The Sentinel onboarding state must be named 'default'."))
        }
        (Method::Put, [_]) => Some(match world.resources.get(&id(&workspace)) {
            Some(state) => Reply::ok(state.clone()),
            None => {
                let mut state = switch_on(world, &workspace);
                // Recorded: only the response that turns it on says who did.
                state["systemData"] = system_data(world, call, None);
                Reply::json(201, state)
            }
        }),
        (Method::Delete, [_]) => {
            let on = is_onboarded(world, &workspace);
            for kind in ["onboardingStates", "dataConnectors", "alertRules", "incidents"] {
                let kind = format!("{NAMESPACE}/{kind}");
                let ids: Vec<String> = world
                    .resources
                    .of_type(&workspace, &kind)
                    .filter_map(|found| found["id"].as_str().map(str::to_owned))
                    .collect();
                for id in ids {
                    world.resources.remove_tree(&id);
                }
            }
            Some(Reply::empty(if on { 200 } else { 204 }))
        }
        _ => None,
    }
}
