//! The double's resources as tables.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::{Problem, ResourceGraph, scope::Scope};
use crate::{
    http::{Call, identity::Caller},
    kql::{Column, Comparison, Kind, Scalar, Table, Tables},
    services::{resource_groups, role_assignments, subscriptions},
    state::{GraphRow, World},
};

/// The columns of every table.
const COLUMNS: &[(&str, Kind)] = &[
    ("id", Kind::String),
    ("name", Kind::String),
    ("type", Kind::String),
    ("tenantId", Kind::String),
    ("kind", Kind::String),
    ("location", Kind::String),
    ("resourceGroup", Kind::String),
    ("subscriptionId", Kind::String),
    ("managedBy", Kind::String),
    ("sku", Kind::Dynamic),
    ("plan", Kind::Dynamic),
    ("properties", Kind::Dynamic),
    ("tags", Kind::Dynamic),
    ("identity", Kind::Dynamic),
    ("zones", Kind::Dynamic),
    ("extendedLocation", Kind::Dynamic),
];

/// The tables that exist even without rows.
const ALWAYS: &[&str] = &["resources", "resourcecontainers", "securityresources", "authorizationresources"];

/// Operators that can begin a query, which then reads `resources`.
const OPERATORS: &[&str] = &[
    "where",
    "filter",
    "project",
    "extend",
    "summarize",
    "order",
    "sort",
    "top",
    "take",
    "limit",
    "count",
    "distinct",
    "mv-expand",
];

/// The query with its source, which is `resources` if it names none.
pub(super) fn with_source(query: &str) -> String {
    let query = query.trim();
    let first = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    let is_operator = OPERATORS.contains(&first) || first.starts_with("project-");
    if is_operator { format!("resources | {query}") } else { query.to_owned() }
}

/// Builds the tables that a query names, ignoring case.
pub(super) fn build(world: &mut World, call: &Call, scope: &Scope, query: &str) -> Tables {
    let words: HashSet<&str> = query.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).collect();
    let named = |table: &str| words.iter().any(|word| word.eq_ignore_ascii_case(table));
    let mut rows: HashMap<&'static str, Vec<Value>> =
        ALWAYS.iter().filter(|table| named(table)).map(|table| (*table, Vec::new())).collect();
    // The rows that surfaces add are in tables other than these two.
    let added = words.iter().any(|word| {
        word.to_ascii_lowercase().ends_with("resources") && !word.eq_ignore_ascii_case("resources")
    });
    for subscription in &scope.subscriptions {
        for (table, row) in
            everything(world, subscription, added).into_iter().filter(|(table, _)| named(table))
        {
            rows.entry(table).or_default().push(complete(world, subscription, row));
        }
    }
    if named("resourcecontainers") {
        let groups = management_groups(world);
        rows.entry("resourcecontainers").or_default().extend(groups);
    }
    let mut readable = Readable { caller: call.caller.clone(), known: HashMap::new() };
    // Nothing is known about a table that is not here: there are many, and more are added.
    let mut tables = Tables::new(|_| false);
    for (name, rows) in rows {
        let rows = rows.into_iter().filter(|row| readable.may_see(world, row)).map(cells).collect();
        let columns = COLUMNS.iter().map(|(name, kind)| Column::new(*name, *kind)).collect();
        let table = Table { columns, rows, open: false };
        for word in words.iter().filter(|word| word.eq_ignore_ascii_case(name)) {
            tables.insert(*word, table.clone());
        }
    }
    tables
}

/// Types of rows that are not among the surfaces' resource types.
const ROW_TYPES: &[&str] = &["microsoft.security/attackpaths", "microsoft.management/managementgroups"];

fn types(table: &Table) -> impl Iterator<Item = String> {
    let place = table.position("type").unwrap_or_default();
    table.rows.iter().filter_map(move |row| row.get(place)).map(Scalar::to_text)
}

/// Refuses a query for a type that the double does not have, since an empty result would mean nothing.
pub(super) fn knows_types(world: &World, tables: &Tables, asked: &[Comparison]) -> Result<(), Problem> {
    let of_surfaces = || world.surfaces.iter().flat_map(|surface| surface.types).map(|(name, _)| *name);
    let of_world = || world.resources.below("/subscriptions").filter_map(|found| found["type"].as_str());
    let of_rows = || tables.names().into_iter().filter_map(|name| tables.get(name)).flat_map(types);
    for comparison in asked {
        let keeps = |name: &str| comparison.keeps(&name.to_ascii_lowercase());
        let held = of_surfaces().any(keeps)
            || ROW_TYPES.iter().any(|name| keeps(name))
            || of_world().any(keeps)
            || of_rows().any(|name| keeps(&name));
        if !held {
            return Err(Problem::Unknown(format!("the resource type '{}' of this query", comparison.text)));
        }
    }
    Ok(())
}

/// All rows of a subscription: its resources, then what each surface adds.
fn everything(world: &World, subscription: &str, added: bool) -> Vec<GraphRow> {
    let id = format!("/subscriptions/{subscription}");
    let mut rows = vec![("resourcecontainers", container(subscriptions::show(world, subscription)))];
    for resource in world.resources.below(&id) {
        if crate::state::is_type(resource, resource_groups::TYPE) {
            let mut group = resource.clone();
            group["type"] = json!("microsoft.resources/subscriptions/resourcegroups");
            rows.push(("resourcecontainers", group));
        } else if is_plain(resource) {
            rows.push(("resources", resource.clone()));
        }
    }
    for graph_rows in world.surfaces.iter().filter(|_| added).filter_map(|surface| surface.graph_rows) {
        rows.extend(graph_rows(world, subscription));
    }
    rows
}

/// Whether a resource is in a group and does not extend another resource.
fn is_plain(resource: &Value) -> bool {
    let id = resource["id"].as_str().unwrap_or_default().to_ascii_lowercase();
    id.contains("/resourcegroups/") && id.matches("/providers/").count() == 1
}

fn container(subscription: Value) -> Value {
    json!({
        "id": subscription["id"],
        "name": subscription["displayName"],
        "type": "microsoft.resources/subscriptions",
        "properties": {
            "state": subscription["state"],
            "subscriptionPolicies": subscription["subscriptionPolicies"],
            "managementGroupAncestorsChain": [],
        },
    })
}

fn management_groups(world: &World) -> Vec<Value> {
    let group = |name: &str, display: &str| {
        json!({
            "id": format!("/providers/Microsoft.Management/managementGroups/{name}"),
            "name": name,
            "type": "microsoft.management/managementgroups",
            "tenantId": world.tenant,
            "properties": { "displayName": display, "tenantId": world.tenant },
        })
    };
    let others =
        world.states.get::<ResourceGraph>().management_groups.iter().map(|(name, _)| group(name, name));
    std::iter::once(group(&world.tenant, "Tenant Root Group")).chain(others).collect()
}

/// Adds the columns that follow from the row's id.
fn complete(world: &World, subscription: &str, mut row: Value) -> Value {
    if row["tenantId"].is_null() {
        row["tenantId"] = json!(world.tenant);
    }
    if row["subscriptionId"].is_null() {
        row["subscriptionId"] = json!(subscription);
    }
    if row["resourceGroup"].is_null() {
        let id = row["id"].as_str().unwrap_or_default().to_ascii_lowercase();
        let group = id.split_once("/resourcegroups/").and_then(|(_, rest)| rest.split('/').next());
        row["resourceGroup"] = json!(group.unwrap_or_default());
    }
    if let Some(kind) = row["type"].as_str() {
        row["type"] = json!(kind.to_ascii_lowercase());
    }
    row
}

fn cells(row: Value) -> Vec<Scalar> {
    let cell = |(name, kind): &(&str, Kind)| match (kind, &row[*name]) {
        (Kind::Dynamic, value) => Scalar::of_json(value),
        (_, Value::String(text)) => Scalar::text(text),
        (_, Value::Null) => Scalar::text(""),
        (_, other) => Scalar::text(other.to_string()),
    };
    COLUMNS.iter().map(cell).collect()
}

/// Selects the rows that the caller may read. Access to a whole subscription is checked once.
struct Readable {
    caller: Caller,
    known: HashMap<(String, String), bool>,
}

impl Readable {
    fn may_see(&mut self, world: &mut World, row: &Value) -> bool {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let (kind, subscription) = (text("type"), text("subscriptionId"));
        if self.caller.unchecked || subscription.is_empty() {
            return true;
        }
        let action = format!("{kind}/read");
        let caller = &self.caller.object_id;
        let everywhere = *self.known.entry((subscription, kind)).or_insert_with_key(|(subscription, _)| {
            role_assignments::may(world, caller, &action, &format!("/subscriptions/{subscription}"))
        });
        everywhere || role_assignments::may(world, caller, &action, &text("id"))
    }
}
