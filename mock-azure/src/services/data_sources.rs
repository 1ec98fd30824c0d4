//! Data sources: what the retired agent collects for a workspace.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, filter},
    state::{Accepts, Surface, Tracked, World},
};

const TYPE: &str = "Microsoft.OperationalInsights/workspaces/datasources";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2015-11-01-preview", "2020-03-01-preview", "2020-08-01", "2023-09-01"])],
    options: &[("$filter", Accepts::Read)],
    answer: |world, call| SOURCES.answer(world, call),
    ..Surface::EMPTY
};

const SOURCES: Tracked = Tracked { kind: TYPE, list, put, ..Tracked::ROW };

/// Documented: a list must name one kind.
fn list(row: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let asked = call.query("$filter").unwrap_or_default();
    let kind =
        asked.trim().strip_prefix("kind").map(str::trim_start).and_then(|rest| rest.strip_prefix("eq "));
    let Some(kind) = kind.and_then(filter::quoted) else {
        return Reply::unknown("filter of data sources", asked, &["kind eq '{kind}'"]);
    };
    let workspace = call.id(at);
    let all = world.resources.of_type(&workspace, row.kind);
    let all: Vec<&Value> = all.filter(|source| source["kind"] == kind.as_str()).collect();
    Reply::ok(json!({ "value": all }))
}

/// Recorded: the members. Documented: both are required.
fn put(world: &mut World, call: &Call) -> Reply {
    let body = call.json();
    if !body["kind"].is_string() || !body["properties"].is_object() {
        return Reply::bad_request("A data source needs 'kind' and 'properties'.");
    }
    let etag = world.fresh_etag();
    let source = json!({ "kind": body["kind"], "properties": body["properties"], "etag": etag });
    SOURCES.store(world, call, source).with_status(200)
}
