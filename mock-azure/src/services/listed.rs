//! Resource types that only the seed can add: they can be listed and read, and a new subscription has none.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    state::{GraphRow, Surface, TypeVersions, World},
};

/// Recorded: an empty list for each `Microsoft.Security` type whose plan or machines are missing. The others are empty
/// because nothing of the kind was created, assigned or connected in a new subscription.
const TYPES: &[TypeVersions] = &[
    ("Microsoft.Security/jitNetworkAccessPolicies", &["2015-06-01-preview", "2020-01-01"]),
    ("Microsoft.Security/locations/jitNetworkAccessPolicies", &["2015-06-01-preview", "2020-01-01"]),
    ("Microsoft.Security/discoveredSecuritySolutions", &["2015-06-01-preview", "2020-01-01"]),
    ("Microsoft.Security/securitySolutions", &["2015-06-01-preview", "2020-01-01"]),
    ("Microsoft.Security/iotSecuritySolutions", &["2017-08-01-preview", "2019-08-01"]),
    // Documented: one for each assigned initiative.
    ("Microsoft.Security/regulatoryComplianceStandards", &["2019-01-01-preview", "2019-01-01"]),
    (
        "Microsoft.Security/securityConnectors",
        &[
            "2021-12-01-preview",
            "2022-08-01-preview",
            "2023-03-01-preview",
            "2023-10-01-preview",
            "2024-07-01-preview",
        ],
    ),
    // Retired in 2024: Azure no longer has classic administrators.
    ("Microsoft.Authorization/classicAdministrators", &["2015-06-01", "2015-07-01"]),
    ("Microsoft.Authorization/denyAssignments", &["2018-07-01-preview", "2022-04-01"]),
    ("Microsoft.Authorization/roleEligibilityScheduleInstances", &["2020-10-01-preview", "2020-10-01"]),
    ("Microsoft.Insights/metricAlerts", &["2018-03-01", "2024-03-01-preview"]),
];

/// Types that can be listed at any scope, with the items at and below it.
const EXTENSIONS: &[&str] = &["denyassignments", "roleeligibilityscheduleinstances"];

pub(crate) const SURFACE: Surface =
    Surface { types: TYPES, graph_rows: Some(graph_rows), answer, ..Surface::EMPTY };

/// Documented: in Resource Graph, Defender's types have a table of their own.
fn graph_rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let scope = format!("/subscriptions/{subscription}");
    let of_defender = TYPES.iter().filter(|(kind, _)| kind.starts_with("Microsoft.Security/"));
    let all = of_defender.flat_map(|(kind, _)| world.resources.of_type(&scope, kind));
    all.map(|found| ("securityresources", found.clone())).collect()
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let at = path.iter().rposition(|segment| *segment == "providers")?;
    let [namespace, rest @ ..] = &path[at + 1..] else { return None };
    let words: Vec<&str> = rest.iter().step_by(2).copied().collect();
    let kind = format!("{namespace}/{}", words.join("/"));
    let (kind, _) = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(&kind))?;
    let plain = matches!(path[..at], ["subscriptions", _] | ["subscriptions", _, "resourcegroups", _]);
    if call.method != Method::Get || !(plain || words.iter().any(|word| EXTENSIONS.contains(word))) {
        return None;
    }
    if rest.len() % 2 == 0 {
        return world.resources.get(&call.id(call.len())).cloned().map(Reply::ok);
    }
    let scope = call.id(at);
    let all: Vec<Value> = world.resources.of_type(&scope, kind).cloned().collect();
    if all.is_empty() {
        return Some(Reply::ok(json!({ "value": [] })));
    }
    Some(paging::page(&world.paging, call, 100, all.iter()))
}
