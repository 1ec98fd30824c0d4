//! The metadata of a workspace: its tables and their columns.

use serde_json::{Value, json};

use crate::{http::Reply, state::World};

use super::{Scope, tables};

pub(super) fn describe(world: &World, scope: &Scope) -> Reply {
    let tables = tables::of(world, scope, world.now(), None);
    let names = tables.names();
    let listed: Vec<Value> = names
        .iter()
        .filter_map(|name| tables.get(name).map(|table| (name, table)))
        .map(|(name, table)| {
            let columns: Vec<Value> = table
                .columns
                .iter()
                .map(|column| json!({ "name": column.name, "type": column.kind.name() }))
                .collect();
            json!({
                "id": format!("t/{name}"),
                "name": name,
                "timespanColumn": "TimeGenerated",
                "columns": columns,
                "related": { "workspaces": workspaces(scope).iter().map(|id| format!("w/{id}")).collect::<Vec<_>>() },
            })
        })
        .collect();
    let related: Vec<String> = names.iter().map(|name| format!("t/{name}")).collect();
    let described: Vec<Value> = workspaces(scope)
        .iter()
        .filter_map(|id| world.resources.get(id))
        .map(|workspace| {
            json!({
                "id": workspace["properties"]["customerId"],
                "resourceId": workspace["id"],
                "name": workspace["name"],
                "region": workspace["location"],
                "related": { "tables": related },
            })
        })
        .collect();
    let permissions: Vec<Value> = workspaces(scope).iter().map(|id| json!({ "resourceId": id })).collect();
    Reply::ok(json!({
        "tables": listed,
        "workspaces": described,
        "permissions": { "workspaces": permissions },
    }))
}

fn workspaces(scope: &Scope) -> &[String] {
    match scope {
        Scope::Workspaces(ids) => ids,
        Scope::Resource(_) => &[],
    }
}
