//! Suppression rules, which dismiss new alerts automatically.

use serde_json::{Value, json};
use time::Duration;

use crate::{
    http::{Call, Reply, timestamp},
    state::{Pages, Place, Surface, Tracked, World},
};

const TYPE: &str = "Microsoft.Security/alertsSuppressionRules";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2019-01-01-preview"])],
    answer: |world, call| RULES.answer(world, call),
    ..Surface::EMPTY
};

const RULES: Tracked = Tracked {
    kind: TYPE,
    place: Place::Subscription,
    pages: Pages::Of(100),
    put,
    deleted: (204, 204),
    found: |_, call, rule| {
        // Documented: only the list has this option.
        let is_list = call.of_type(TYPE).is_some_and(|(_, one)| !one);
        let of = rule["properties"]["alertType"].as_str().unwrap_or_default();
        !is_list || call.query("AlertType").is_none_or(|wanted| wanted.eq_ignore_ascii_case(of))
    },
    missing: |_, call| not_found(call),
    ..Tracked::ROW
};

/// The spellings of a rule's end in requests.
const END: &[&str] = &["expirationDateUTC", "expirationDateUtc"];

/// How long a rule without an end is valid: six months.
const LIFE: Duration = Duration::days(182);

fn put(world: &mut World, call: &Call) -> Reply {
    if let Some(problem) = problem(&call.json()["properties"]) {
        return Reply::bad_request(problem);
    }
    // Recorded: the names of the dates are returned with `UTC` in upper case, and a rule without an end gets one.
    let mut properties = call.json()["properties"].clone();
    let asked = END.iter().find_map(|name| properties.as_object_mut()?.remove(*name)).unwrap_or_default();
    let now = world.now();
    properties["expirationDateUTC"] = match asked {
        Value::Null => json!(timestamp::precise(now.saturating_add(LIFE))),
        end => end,
    };
    properties["lastModifiedUTC"] = json!(timestamp::precise(now));
    RULES.store(world, call, json!({ "properties": properties })).with_status(200)
}

/// Recorded: this error has a format of its own.
fn not_found(call: &Call) -> Reply {
    let (subscription, name) = (call.subscription().unwrap_or_default(), call.name());
    Reply::json(
        404,
        json!({
            "HttpStatusCode": 404,
            "ErrorCode": "Not Found",
            "Message": format!("The following auto dismiss rule: '{name}' for subscription {subscription} was not found"),
            "Data": {},
            "InnerException": null,
            "StackTrace": null,
            "HelpLink": null,
            "Source": null,
            "HResult": -2146233088,
        }),
    )
}

/// Documented: the required members and the states.
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

/// Whether an enabled, unexpired rule of the subscription matches a new alert.
pub(crate) fn suppresses(world: &World, subscription: &str, alert: &Value) -> bool {
    let now = timestamp::precise(world.now());
    let scope = format!("/subscriptions/{subscription}");
    world.resources.of_type(&scope, TYPE).any(|rule| {
        let rule = &rule["properties"];
        let (wanted, of) = (rule["alertType"].as_str(), alert["properties"]["alertType"].as_str());
        let same =
            wanted.zip(of).is_some_and(|(wanted, of)| wanted == "*" || wanted.eq_ignore_ascii_case(of));
        let expired = rule["expirationDateUTC"].as_str().is_some_and(|end| end < now.as_str());
        let elements = rule["suppressionAlertsScope"]["allOf"].as_array();
        let fits = elements.is_none_or(|all| all.iter().all(|element| holds(element, alert)));
        rule["state"] == "Enabled" && same && !expired && fits
    })
}

/// Whether an alert matches an element such as `{"field": "entities.ip.address", "in": [..]}`.
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
