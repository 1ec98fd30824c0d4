//! Management groups and their descendants. They are seeded with `Seed::management_group`.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    services::{resource_graph, subscriptions},
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    types: &[(
        "Microsoft.Management/managementGroups/descendants",
        &["2020-05-01", "2021-04-01", "2023-04-01"],
    )],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["providers", "microsoft.management", "managementgroups", group, "descendants"] = path.as_slice()
    else {
        return None;
    };
    if call.method != Method::Get {
        return None;
    }
    let Some(subscriptions) = resource_graph::all_members(world, group) else {
        // Documented: the response for a group that does not exist.
        let message = format!("The management group '{}' cannot be found.", call.spelled(3));
        return Some(Reply::arm_error(404, "NotFound", message));
    };
    let parent = format!("/providers/Microsoft.Management/managementGroups/{}", call.spelled(3));
    let below: Vec<Value> = subscriptions.iter().map(|id| descendant(world, id, &parent)).collect();
    Some(paging::page(&world.paging, call, 1000, below.iter()))
}

/// Documented: here, the type of a subscription is `/subscriptions`.
fn descendant(world: &World, id: &str, parent: &str) -> Value {
    json!({
        "id": format!("/subscriptions/{id}"),
        "type": "/subscriptions",
        "name": id,
        "properties": {
            "displayName": subscriptions::show(world, id)["displayName"],
            "parent": { "id": parent },
        },
    })
}
