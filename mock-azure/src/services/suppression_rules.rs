//! Rules that dismiss new alerts by themselves.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging, timestamp},
    state::{Surface, World},
};

const TYPE: &str = "Microsoft.Security/alertsSuppressionRules";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &["2019-01-01-preview"])], answer, ..Surface::EMPTY };

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["subscriptions", _, "providers", "microsoft.security", "alertssuppressionrules", rest @ ..] =
        path.as_slice()
    else {
        return None;
    };
    let id = call.id(call.len());
    match (call.method, rest) {
        (Method::Get, []) => {
            let (scope, wanted) = (call.id(2), call.query("AlertType"));
            let rules = world.resources.of_type(&scope, TYPE).filter(|rule| {
                let of = rule["properties"]["alertType"].as_str().unwrap_or_default();
                wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(of))
            });
            Some(paging::page(&world.paging, call, 100, rules))
        }
        (Method::Get, [name]) => Some(match world.resources.get(&id) {
            Some(rule) => Reply::ok(rule.clone()),
            None => {
                // Reported: a rule that is not there is 404.
                let message = format!("The suppression rule '{name}' was not found.");
                Reply::arm_error(404, "ResourceNotFound", message)
            }
        }),
        (Method::Put, [_]) => Some(put(world, call, &id)),
        (Method::Delete, [_]) => {
            world.resources.remove_tree(&id);
            Some(Reply::empty(204))
        }
        _ => None,
    }
}

fn put(world: &mut World, call: &Call, id: &str) -> Reply {
    if let Some(problem) = problem(&call.json()["properties"]) {
        return Reply::bad_request(problem);
    }
    let mut rule = json!({
        "id": id,
        "name": call.spelled(call.len() - 1),
        "type": TYPE,
        "properties": call.json()["properties"],
    });
    rule["properties"]["lastModifiedUtc"] = json!(timestamp::precise(world.now()));
    world.resources.put(rule.clone());
    Reply::ok(rule)
}

/// Documented: these members are required, with these states.
fn problem(properties: &Value) -> Option<String> {
    for field in ["alertType", "reason", "state"] {
        if properties[field].as_str().is_none_or(str::is_empty) {
            return Some(format!("The property '{field}' of a suppression rule is required."));
        }
    }
    let state = properties["state"].as_str().unwrap_or_default();
    if !["Enabled", "Disabled", "Expired"].contains(&state) {
        return Some(format!("The state '{state}' is not one of: Enabled, Disabled, Expired."));
    }
    let scope = &properties["suppressionAlertsScope"];
    if !scope.is_null() && scope["allOf"].as_array().is_none_or(Vec::is_empty) {
        return Some("The property 'suppressionAlertsScope.allOf' needs at least one element.".to_owned());
    }
    None
}

/// Whether a rule of the subscription that is on, and has not expired, is about a new alert.
pub(crate) fn suppresses(world: &World, subscription: &str, alert: &Value) -> bool {
    let now = timestamp::precise(world.now());
    let scope = format!("/subscriptions/{subscription}");
    world.resources.of_type(&scope, TYPE).any(|rule| {
        let rule = &rule["properties"];
        let (wanted, of) = (rule["alertType"].as_str(), alert["properties"]["alertType"].as_str());
        let same =
            wanted.zip(of).is_some_and(|(wanted, of)| wanted == "*" || wanted.eq_ignore_ascii_case(of));
        let expired = rule["expirationDateUtc"].as_str().is_some_and(|end| end < now.as_str());
        let elements = rule["suppressionAlertsScope"]["allOf"].as_array();
        let fits = elements.is_none_or(|all| all.iter().all(|element| holds(element, alert)));
        rule["state"] == "Enabled" && same && !expired && fits
    })
}

/// Whether an element such as `{"field": "entities.ip.address", "in": [..]}` is true of an alert.
fn holds(element: &Value, alert: &Value) -> bool {
    let field = element["field"].as_str().unwrap_or_default().to_ascii_lowercase();
    let Some((kind, key)) = field.strip_prefix("entities.").and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let entities = alert["properties"]["entities"].as_array().map(Vec::as_slice).unwrap_or_default();
    let found = entities
        .iter()
        .filter(|entity| {
            entity["type"].as_str().is_some_and(|of| of.replace('-', "").eq_ignore_ascii_case(kind))
        })
        .filter_map(Value::as_object)
        .flat_map(|entity| entity.iter().filter(|(name, _)| name.eq_ignore_ascii_case(key)))
        .filter_map(|(_, value)| value.as_str());
    let is = |value: &str, wanted: &Value| {
        wanted.as_str().is_some_and(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    found.into_iter().any(|value| {
        let listed = element["in"].as_array().is_some_and(|all| all.iter().any(|wanted| is(value, wanted)));
        let part = element["contains"].as_str();
        let contains =
            part.is_some_and(|part| value.to_ascii_lowercase().contains(&part.to_ascii_lowercase()));
        listed || contains || is(value, &element["equals"])
    })
}
