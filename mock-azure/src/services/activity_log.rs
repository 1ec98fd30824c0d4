//! Alerts on the activity log, and the older profiles that export it.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{Pages, Place, Surface, Tracked, World},
};

const ALERTS: &str = "Microsoft.Insights/ActivityLogAlerts";
const PROFILES: &str = "Microsoft.Insights/logprofiles";

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        (
            "Microsoft.Insights/activityLogAlerts",
            &["2017-04-01", "2020-10-01", "2023-01-01-preview", "2026-01-01"],
        ),
        (PROFILES, &["2016-03-01"]),
    ],
    answer: |world, call| RULES.answer(world, call).or_else(|| LOG_PROFILES.answer(world, call)),
    ..Surface::EMPTY
};

/// Recorded: the spelling, the statuses, and the defaults for missing members.
const RULES: Tracked = Tracked {
    kind: ALERTS,
    in_ids: Some("microsoft.insights/activityLogAlerts"),
    place: Place::Group,
    put: |world, call| store(world, call, call.json().clone()),
    patch: Some(|world, call| {
        let whole = Tracked::patched(world, call);
        store(world, call, whole)
    }),
    shown: |_, call, rule| {
        let mut shown = rule.clone();
        if call.method == Method::Put && call.json()["tags"].is_null() {
            shown.as_object_mut().map(|members| members.remove("tags"));
        }
        shown
    },
    ..Tracked::ROW
};

fn store(world: &mut World, call: &Call, whole: Value) -> Reply {
    let properties = &whole["properties"];
    let conditions = properties["condition"]["allOf"].as_array().map(Vec::as_slice).unwrap_or_default();
    let scopes = properties["scopes"].as_array().map(Vec::as_slice).unwrap_or_default();
    // Documented: a scope and a condition on the category are required.
    if scopes.is_empty() || !conditions.iter().any(|one| one["field"].as_str().is_some_and(is_category)) {
        let message = "An activity log alert needs a scope, and a condition on the field 'category'.";
        return Reply::arm_error(400, "BadRequest", message);
    }
    let mut body = json!({ "location": "Global", "properties": properties });
    body["tags"] = if whole["tags"].is_null() { json!({}) } else { whole["tags"].clone() };
    if body["properties"]["enabled"].is_null() {
        body["properties"]["enabled"] = json!(false);
    }
    RULES.store(world, call, body)
}

fn is_category(field: &str) -> bool {
    field.eq_ignore_ascii_case("category")
}

/// Recorded: all members, many of which are `null`.
const LOG_PROFILES: Tracked = Tracked {
    kind: PROFILES,
    in_ids: Some("microsoft.insights/logprofiles"),
    place: Place::Subscription,
    pages: Pages::None,
    put: |world, call| {
        let given = &call.json()["properties"];
        if !["locations", "categories"].iter().all(|list| given[list].is_array()) {
            return Reply::arm_error(400, "BadRequest", "A log profile needs 'locations' and 'categories'.");
        }
        let mut properties = given.clone();
        for left_out in ["storageAccountId", "serviceBusRuleId"] {
            if properties[left_out].is_null() {
                properties[left_out] = Value::Null;
            }
        }
        let body = json!({ "location": call.json()["location"], "properties": properties });
        LOG_PROFILES.store(world, call, body).with_status(200)
    },
    shown: |_, _, profile| {
        let mut shown = profile.clone();
        for member in ["type", "kind", "tags", "identity"] {
            shown[member] = Value::Null;
        }
        shown
    },
    ..Tracked::ROW
};
