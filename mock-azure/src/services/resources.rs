//! The list of all resources of a subscription or group.

use serde_json::{Value, json};

use crate::{
    call::{Call, Method},
    paging,
    reply::Reply,
    seed::Seed,
    services::{At, Surface},
    world::World,
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(
        "Microsoft.Resources/subscriptions/resources",
        &["2015-11-01", "2019-10-01", "2021-04-01", "2024-03-01", "2025-04-01"],
    )],
    answer,
    ..Surface::EMPTY
};

impl Seed {
    /// Adds any resource, as its GET would answer it; it needs `id`, `name` and `type`.
    pub fn resource(self, resource: Value) -> Self {
        self.step(move |world| world.resources.put(resource))
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let scope = match (call.method, call.path().as_slice()) {
        (Method::Get, ["subscriptions", _, "resources"]) => call.id(2),
        (Method::Get, ["subscriptions", _, "resourcegroups", _, "resources"]) => call.id(4),
        _ => return None,
    };
    let kind = match call.query("$filter").map(resource_type) {
        None => None,
        Some(Some(kind)) => Some(kind),
        Some(None) => {
            let message = "The filter in the request is not supported. Use: resourceType eq '<type>'.";
            return Some(Reply::arm_error(400, "InvalidFilterInQueryString", message));
        }
    };
    let listed: Vec<Value> = world
        .resources
        .below(&scope)
        .filter(|resource| is_top_level(resource))
        .filter(|resource| kind.as_ref().is_none_or(|kind| crate::resources::is_type(resource, kind)))
        .map(brief)
        .collect();
    Some(paging::page(&world.paging, call, 1000, listed.iter()))
}

/// `resourceType eq 'Microsoft.KeyVault/vaults'`
fn resource_type(filter: &str) -> Option<String> {
    let (name, value) = filter.split_once(" eq ")?;
    let value = value.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    name.trim().eq_ignore_ascii_case("resourceType").then(|| value.to_owned())
}

/// Resources of a group, neither the group itself nor what extends or belongs to a resource.
fn is_top_level(resource: &Value) -> bool {
    let segments: Vec<&str> =
        resource["id"].as_str().unwrap_or_default().split('/').filter(|part| !part.is_empty()).collect();
    matches!(segments.as_slice(), [_, _, _, _, "providers", _, _, _])
}

fn brief(resource: &Value) -> Value {
    let mut brief = json!({});
    for key in ["id", "name", "type", "location", "tags"] {
        if !resource[key].is_null() {
            brief[key] = resource[key].clone();
        }
    }
    brief
}
