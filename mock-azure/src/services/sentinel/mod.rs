//! Sentinel on a workspace: onboarding, connectors, rules, incidents, and other records.

mod connectors;
mod incidents;
mod onboarding;
mod records;
mod rules;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::workspaces,
    state::{Accepts, Pages, Place, Surface, Tracked, World},
};

const VERSIONS: &[&str] = &[
    "2021-10-01",
    "2022-06-01-preview",
    "2022-11-01",
    "2023-02-01",
    "2023-11-01",
    "2024-03-01",
    "2024-09-01",
    "2025-06-01",
    "2025-09-01",
];

const NAMESPACE: &str = "Microsoft.SecurityInsights";

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        ("Microsoft.SecurityInsights/onboardingStates", VERSIONS),
        ("Microsoft.SecurityInsights/dataConnectors", VERSIONS),
        ("Microsoft.SecurityInsights/alertRules", VERSIONS),
        ("Microsoft.SecurityInsights/incidents", VERSIONS),
        records::TYPES[0],
        records::TYPES[1],
        records::TYPES[2],
        records::TYPES[3],
        records::TYPES[4],
        records::TYPES[5],
    ],
    options: &[("$filter", Accepts::Read), ("$orderby", Accepts::Read), ("$top", Accepts::Count)],
    answer,
    ..Surface::EMPTY
};

/// What the resources of Sentinel have in common.
const ROW: Tracked = Tracked {
    place: Place::Resource,
    pages: Pages::Of(100),
    missing: |_, call| {
        Reply::arm_error(404, "NotFound", format!("Resource '{}' was not found.", call.spelled(11)))
    },
    ..Tracked::ROW
};

const CONNECTORS: Tracked =
    Tracked { kind: "Microsoft.SecurityInsights/dataConnectors", put: connectors::put, ..ROW };

const RULES: Tracked = Tracked { kind: "Microsoft.SecurityInsights/alertRules", put: rules::put, ..ROW };

/// Recorded: capitalized.
const INCIDENTS: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/Incidents",
    list: incidents::list,
    put: incidents::put,
    ..ROW
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let [
        "subscriptions",
        _,
        "resourcegroups",
        _,
        "providers",
        "microsoft.operationalinsights",
        "workspaces",
        _,
        "providers",
        "microsoft.securityinsights",
        kind,
        rest @ ..,
    ] = path.as_slice()
    else {
        return None;
    };
    let workspace = call.id(8);
    if !world.resources.contains(&workspace) {
        let name = format!("{}/{}", workspaces::TYPE, call.spelled(7));
        return Some(Reply::resource_not_found(&name, call.spelled(3)));
    }
    if *kind == "onboardingstates" {
        return onboarding::answer(world, call, rest);
    }
    if !onboarding::is_onboarded(world, &workspace) {
        return Some(not_onboarded(call.spelled(7)));
    }
    // The options are those of the list of incidents.
    let option = call
        .query_pairs()
        .iter()
        .find(|(name, _)| ["$filter", "$orderby", "$top"].contains(&name.to_ascii_lowercase().as_str()));
    if let Some((name, _)) = option.filter(|_| (*kind, rest) != ("incidents", &[])) {
        return Some(Reply::unknown("query option", name, &[] as &[&str]));
    }
    match (*kind, call.method, rest) {
        ("incidents", Method::Post, [_, "alerts"]) => Some(incidents::alerts(world, call)),
        _ => {
            let found = [CONNECTORS, RULES, INCIDENTS].iter().find_map(|kind| kind.answer(world, call));
            found.or_else(|| records::answer(world, call))
        }
    }
}

/// Reported: before it is turned on, Sentinel refuses with an error whose message contains another error as text.
fn not_onboarded(workspace: &str) -> Reply {
    let inner = json!({ "error": {
        "code": "BadRequest",
        "message": format!(
            "Workspace '{workspace}' is not onboarded to Microsoft Sentinel. Please onboard through the portal or \
             use the OnboardingStates ARM api to onboard to Sentinel."
        ),
    } });
    Reply::bad_request(inner.to_string())
}

/// Stores a resource with a new etag. An update must have the current one.
fn store(world: &mut World, call: &Call, kind: &Tracked, mut body: Value) -> Reply {
    let id = call.id(call.len());
    let name = call.spelled(11).to_owned();
    let sent = body["etag"]
        .as_str()
        .or_else(|| call.header("if-match"))
        .map(|etag| etag.trim_matches('"').to_owned());
    let existing =
        world.resources.get(&id).map(|found| found["etag"].as_str().unwrap_or_default().to_owned());
    // Reported: an update requires the current etag.
    match (&existing, sent) {
        (Some(_), None) => return Reply::bad_request("Update request should provide ETag"),
        (Some(current), Some(sent)) if sent != "*" && sent != current.trim_matches('"') => {
            let message = format!(
                "Newer instance of '{name}' exists for workspace '{}' (Etag does not match). Data was not saved.",
                call.spelled(7)
            );
            return Reply::arm_error(409, "Conflict", message);
        }
        _ => {}
    }
    body["etag"] = json!(world.fresh_etag());
    kind.store(world, call, body)
}
