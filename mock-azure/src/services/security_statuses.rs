//! Security statuses: the predecessor of assessments, kept for old scripts.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    services::assessments,
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    types: &[("Microsoft.Security/securityStatuses", &["2015-06-01-preview"])],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["subscriptions", _, "providers", "microsoft.security", "securitystatuses"] = path.as_slice() else {
        return None;
    };
    if call.method != Method::Get {
        return None;
    }
    let scope = call.id(2);
    let mut all: Vec<(String, bool)> = Vec::new();
    for assessment in world.resources.of_type(&scope, assessments::TYPE) {
        let id = assessment["id"].as_str().unwrap_or_default();
        let Some((resource, _)) = id.split_once("/providers/Microsoft.Security/") else { continue };
        let healthy = assessment["properties"]["status"]["code"] != "Unhealthy";
        match all.last_mut() {
            Some((last, so_far)) if last == resource => *so_far &= healthy,
            _ => all.push((resource.to_owned(), healthy)),
        }
    }
    let statuses: Vec<Value> =
        all.iter().map(|(resource, healthy)| status(&scope, resource, *healthy)).collect();
    Some(paging::page(&world.paging, call, 100, statuses.iter()))
}

fn status(scope: &str, resource: &str, healthy: bool) -> Value {
    let segments: Vec<&str> = resource.split('/').collect();
    let name = segments.last().copied().unwrap_or_default();
    let kind = segments.iter().rev().nth(1).copied().unwrap_or_default();
    json!({
        "id": format!("{scope}/providers/Microsoft.Security/securityStatuses/{name}"),
        "name": name,
        "type": "Microsoft.Security/securityStatuses",
        "properties": {
            "name": name,
            "type": kind,
            "resourceId": resource,
            "securityState": if healthy { "Healthy" } else { "High" },
        },
    })
}
