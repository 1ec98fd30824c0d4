//! Workflow automations of Defender for Cloud. Their secrets are write-only.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, timestamp},
    services::alerts,
    state::{MockAzure, Surface, Tracked, World, tracked},
};

pub(crate) const TYPE: &str = "Microsoft.Security/automations";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &["2019-01-01-preview", "2023-12-01-preview"])], answer, ..Surface::EMPTY };

const AUTOMATIONS: Tracked = Tracked {
    kind: TYPE,
    put,
    patch: Some(patch),
    // Unlike similar services, this one returns 204 even if the automation existed.
    deleted: (204, 204),
    ..Tracked::ROW
};

const SOURCES: &[&str] = &[
    "Alerts",
    "Assessments",
    "AssessmentsSnapshot",
    "AttackPaths",
    "AttackPathsSnapshot",
    "RegulatoryComplianceAssessment",
    "RegulatoryComplianceAssessmentSnapshot",
    "SecureScoreControls",
    "SecureScoreControlsSnapshot",
    "SecureScores",
    "SecureScoresSnapshot",
    "SubAssessments",
    "SubAssessmentsSnapshot",
];

const TEXT_ONLY: &[&str] = &["Contains", "StartsWith", "EndsWith"];
const OPERATORS: &[&str] = &[
    "Equals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LesserThan",
    "LesserThanOrEqualTo",
    "NotEquals",
    "Contains",
    "StartsWith",
    "EndsWith",
];

/// The secrets of each automation's actions, in the order of the actions, by lower-case automation id.
#[derive(Debug, Default)]
pub(crate) struct Automations {
    secrets: HashMap<String, Vec<Option<String>>>,
}

impl MockAzure {
    /// Returns the secrets (trigger URL or connection string) currently stored for an automation's actions, in the
    /// order of the actions. The service itself never returns them.
    pub fn automation_secrets(&self, automation: &str) -> Vec<Option<String>> {
        let state = self.shared.lock();
        state
            .world
            .states
            .get::<Automations>()
            .secrets
            .get(&automation.to_ascii_lowercase())
            .cloned()
            .unwrap_or_default()
    }
}

impl MockAzure {
    /// Returns the ids of the alerts on which an automation acts: those in its first scope that one of its sources of
    /// alerts selects, through all rules of at least one rule set or because it has none. Empty if the automation is
    /// off, or if an action lacks a secret that it needs.
    pub fn automation_acts_on(&self, automation: &str) -> Vec<String> {
        let state = self.shared.lock();
        acts_on(&state.world, automation)
    }
}

fn acts_on(world: &World, id: &str) -> Vec<String> {
    let Some(automation) = world.resources.get(id) else { return Vec::new() };
    let properties = &automation["properties"];
    let list = |name: &str| properties[name].as_array().into_iter().flatten();
    let secrets = world.states.get::<Automations>().secrets.get(&id.to_ascii_lowercase());
    let lacks_secret = |(index, action): (usize, &Value)| {
        let has = secrets.and_then(|secrets| secrets.get(index)).is_some_and(Option::is_some);
        match action["actionType"].as_str() {
            Some("LogicApp") => !has,
            Some("EventHub") => !has && action["isTrustedServiceEnabled"] != true,
            _ => false,
        }
    };
    if properties["isEnabled"] == false || list("actions").enumerate().any(lacks_secret) {
        return Vec::new();
    }
    let scope = properties["scopes"][0]["scopePath"].as_str().unwrap_or_default().to_ascii_lowercase();
    let subscription = scope.split('/').nth(2).unwrap_or_default();
    let of_alerts: Vec<&Value> = list("sources").filter(|source| source["eventSource"] == "Alerts").collect();
    alerts::of_subscription(world, subscription)
        .filter(|alert| {
            let id = alert["id"].as_str().unwrap_or_default().to_ascii_lowercase();
            id.starts_with(&format!("{}/", scope.trim_end_matches('/')))
                && of_alerts.iter().any(|source| source_meets(source, &alert["properties"]))
        })
        .filter_map(|alert| alert["id"].as_str().map(str::to_owned))
        .collect()
}

/// Without rule sets, every event matches; otherwise, all rules of at least one set must match.
fn source_meets(source: &Value, event: &Value) -> bool {
    let sets: Vec<&Value> = source["ruleSets"].as_array().into_iter().flatten().collect();
    let all_hold =
        |set: &&Value| set["rules"].as_array().into_iter().flatten().all(|rule| rule_holds(rule, event));
    sets.is_empty() || sets.iter().any(all_hold)
}

fn rule_holds(rule: &Value, event: &Value) -> bool {
    let path = rule["propertyJPath"].as_str().unwrap_or_default();
    let found = path.split('.').try_fold(event, |value, name| {
        value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    });
    let Some(found) = found else { return false };
    let expected = rule["expectedValue"].as_str().unwrap_or_default();
    let operator = rule["operator"].as_str().unwrap_or_default();
    if matches!(rule["propertyType"].as_str(), Some("Integer" | "Number")) {
        let number = found.as_f64().or_else(|| found.as_str()?.parse().ok());
        let (Some(number), Ok(expected)) = (number, expected.parse::<f64>()) else { return false };
        return match operator {
            "Equals" => number == expected,
            "NotEquals" => number != expected,
            "GreaterThan" => number > expected,
            "GreaterThanOrEqualTo" => number >= expected,
            "LesserThan" => number < expected,
            "LesserThanOrEqualTo" => number <= expected,
            _ => false,
        };
    }
    let text = found.as_str().map_or_else(|| found.to_string(), str::to_owned).to_ascii_lowercase();
    let expected = expected.to_ascii_lowercase();
    match operator {
        "Equals" => text == expected,
        "NotEquals" => text != expected,
        "Contains" => text.contains(&expected),
        "StartsWith" => text.starts_with(&expected),
        "EndsWith" => text.ends_with(&expected),
        _ => false,
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if let (
        Method::Post,
        [
            "subscriptions",
            _,
            "resourcegroups",
            _,
            "providers",
            "microsoft.security",
            "automations",
            _,
            "validate",
        ],
    ) = (call.method, call.path().as_slice())
    {
        return Some(validate(call.json()));
    }
    AUTOMATIONS.answer(world, call)
}

fn put(world: &mut World, call: &Call) -> Reply {
    match tracked::location(world, call).and_then(|()| check(call.json())) {
        Ok(()) => store(world, call, call.json().clone()),
        Err(refusal) => *refusal,
    }
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let body = Tracked::patched(world, call);
    let keeps_actions = call.property("actions").is_null();
    match check(&body) {
        Ok(()) if keeps_actions => stamped(world, call, body),
        Ok(()) => store(world, call, body),
        Err(refusal) => *refusal,
    }
}

/// Removes the secrets from the response. Actions that are sent without their secrets lose them.
fn store(world: &mut World, call: &Call, mut body: Value) -> Reply {
    let mut secrets = Vec::new();
    for action in body["properties"]["actions"].as_array_mut().into_iter().flatten() {
        let mut secret = None;
        if let Some(fields) = action.as_object_mut() {
            for name in ["uri", "connectionString"] {
                secret = secret.or(fields.remove(name).and_then(|value| value.as_str().map(str::to_owned)));
            }
            if fields.get("actionType") == Some(&json!("EventHub")) && secret.is_some() {
                fields.insert("sasPolicyName".to_owned(), json!(policy_name(secret.as_deref())));
            }
        }
        secrets.push(secret.filter(|secret| !secret.is_empty()));
    }
    world.states.get_mut::<Automations>().secrets.insert(call.id(8).to_ascii_lowercase(), secrets);
    if body["properties"]["isEnabled"].is_null() {
        body["properties"]["isEnabled"] = json!(true);
    }
    stamped(world, call, body)
}

/// Stores an automation with a new etag. Recorded: the resource says when and by whom it was created and changed.
fn stamped(world: &mut World, call: &Call, mut body: Value) -> Reply {
    let (now, who) = (json!(timestamp::precise(world.now())), json!(call.caller.object_id));
    let before = world.resources.get(&call.id(8)).map(|found| found["properties"]["metadata"].clone());
    let made =
        |name: &str, fresh: &Value| before.as_ref().map_or(fresh.clone(), |before| before[name].clone());
    let properties = &mut body["properties"];
    properties["metadata"] = json!({
        "createdDateTimeUtc": made("createdDateTimeUtc", &now),
        "createdBy": made("createdBy", &who),
        "lastUpdatedDateTimeUtc": now,
        "lastUpdatedBy": who,
    });
    if properties["description"].is_null() {
        properties["description"] = json!("");
    }
    if body["kind"].is_null() {
        body["kind"] = json!("");
    }
    body["etag"] = json!(world.fresh_etag());
    AUTOMATIONS.store(world, call, body)
}

fn policy_name(connection: Option<&str>) -> Option<&str> {
    connection?.split(';').find_map(|part| part.strip_prefix("SharedAccessKeyName="))
}

fn bad(message: impl Into<String>) -> Box<Reply> {
    Box::new(Reply::arm_error(400, "BadRequest", message))
}

/// Validates the body of a PUT. Reported: only one scope. Documented: the requirements for sources, rules and actions.
fn check(body: &Value) -> Result<(), Box<Reply>> {
    let properties = &body["properties"];
    let list = |name: &str| properties[name].as_array().map(Vec::as_slice).unwrap_or_default();
    if list("scopes").len() != 1 {
        return Err(bad("Automation must contain a single scope."));
    }
    let path = list("scopes")[0]["scopePath"].as_str().unwrap_or_default();
    let segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if !matches!(segments.as_slice(), [kind, _] | [kind, _, _, _] if kind.eq_ignore_ascii_case("subscriptions"))
    {
        return Err(bad(format!("The scope '{path}' is not a subscription or resource group.")));
    }
    if list("sources").is_empty() || list("actions").is_empty() {
        return Err(bad("Automation must contain at least one source and one action."));
    }
    for source in list("sources") {
        source_is_valid(source)?;
    }
    for action in list("actions") {
        let needs: &[&str] = match action["actionType"].as_str() {
            Some("LogicApp") => &["logicAppResourceId"],
            Some("EventHub") => &["eventHubResourceId"],
            Some("Workspace") => &["workspaceResourceId"],
            Some(other) => {
                let known = ["LogicApp", "EventHub", "Workspace"];
                return Err(Box::new(Reply::unknown("action type of an automation", other, &known)));
            }
            None => return Err(bad("The property 'actionType' is required.")),
        };
        if let Some(missing) = needs.iter().find(|name| !action[**name].is_string()) {
            return Err(bad(format!("The property '{missing}' is required in an action.")));
        }
    }
    Ok(())
}

fn source_is_valid(source: &Value) -> Result<(), Box<Reply>> {
    let event = source["eventSource"].as_str().unwrap_or_default();
    if !SOURCES.contains(&event) {
        return Err(Box::new(Reply::unknown("event source of an automation", event, SOURCES)));
    }
    let sets = source["ruleSets"].as_array().into_iter().flatten();
    for rule in sets.flat_map(|set| set["rules"].as_array().into_iter().flatten()) {
        let text = |name: &str| rule[name].as_str().unwrap_or_default();
        if text("propertyJPath").is_empty() || !rule["expectedValue"].is_string() {
            return Err(bad("A rule needs a propertyJPath and an expectedValue, which is a string."));
        }
        if !OPERATORS.contains(&text("operator")) {
            return Err(bad(format!("The operator '{}' is not supported.", text("operator"))));
        }
        if !matches!(text("propertyType"), "String" | "Integer" | "Number" | "Boolean") {
            return Err(bad(format!("The property type '{}' is not supported.", text("propertyType"))));
        }
        if TEXT_ONLY.contains(&text("operator")) && text("propertyType") != "String" {
            return Err(bad(format!("The operator '{}' is for strings only.", text("operator"))));
        }
        let fits = match text("propertyType") {
            "Integer" => text("expectedValue").parse::<i64>().is_ok(),
            "Number" => text("expectedValue").parse::<f64>().is_ok(),
            "Boolean" => text("expectedValue").parse::<bool>().is_ok(),
            _ => true,
        };
        if !fits {
            return Err(bad(format!("'{}' is no {}.", text("expectedValue"), text("propertyType"))));
        }
    }
    Ok(())
}

/// Responds whether an automation would be accepted and could act, without storing it.
fn validate(body: &Value) -> Reply {
    let message = match check(body) {
        Err(unknown) if unknown.status == 501 => return *unknown,
        Err(refusal) => match &refusal.body {
            crate::http::Body::Json(body) => body["error"]["message"].as_str().map(str::to_owned),
            _ => None,
        },
        Ok(()) => cannot_act(body),
    };
    Reply::ok(json!({
        "isValid": message.is_none(),
        "message": message.unwrap_or_else(|| "Validation was successful".to_owned()),
    }))
}

fn cannot_act(body: &Value) -> Option<String> {
    let given = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    let actions = body["properties"]["actions"].as_array().into_iter().flatten();
    actions
        .map(|action| match action["actionType"].as_str() {
            Some("LogicApp") if !given(&action["uri"]) => {
                Some("The trigger uri of the Logic App is missing.")
            }
            Some("EventHub")
                if !given(&action["connectionString"]) && action["isTrustedServiceEnabled"] != true =>
            {
                Some("The connection string of the event hub is missing.")
            }
            _ => None,
        })
        .find_map(|problem| problem.map(str::to_owned))
}
