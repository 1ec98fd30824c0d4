//! Scheduled query rules: alert rules on logs.

mod legacy;

use serde_json::{Value, json};
use time::Duration;

use crate::{
    http::{Call, Reply, duration},
    kql::{self, KqlError},
    services::{log_query, workspaces},
    state::{MockAzure, Surface, Tracked, World, is_type, system_data, tracked},
};

pub(crate) const TYPE: &str = "Microsoft.Insights/scheduledQueryRules";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(
        TYPE,
        &[
            legacy::VERSION,
            "2021-08-01",
            "2022-06-15",
            "2023-03-15-preview",
            "2023-12-01",
            "2025-01-01-preview",
            "2026-03-01",
        ],
    )],
    answer,
    ..Surface::EMPTY
};

const RULES: Tracked = Tracked {
    kind: TYPE,
    // Recorded: in ids, the type is in lower case.
    in_ids: Some("microsoft.insights/scheduledqueryrules"),
    put,
    patch: Some(patch),
    found: |_, _, rule| !legacy::is_one(rule),
    ..Tracked::ROW
};

/// Reported: the lengths in minutes that the service accepts for a window or a mute; for a frequency, all but the last.
const GRANULARITIES: &[i64] = &[1, 5, 10, 15, 30, 45, 60, 120, 180, 240, 300, 360, 1440, 2880];

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let old = call.api_version() == legacy::VERSION;
    match world.resources.get(&call.id(call.len())) {
        Some(there) if is_type(there, TYPE) && legacy::is_one(there) != old => {
            Some(Reply::not_implemented("how a rule of another age is shown in this api-version"))
        }
        _ if old => legacy::RULES.answer(world, call),
        _ => RULES.answer(world, call),
    }
}

impl MockAzure {
    /// Returns whether the condition of a scheduled query rule would be met if it ran now. `false` if there is no such
    /// rule, it is disabled, or its query cannot be run.
    pub fn rule_fires(&self, rule: &str) -> bool {
        let state = self.shared.lock();
        fires(&state.world, rule).unwrap_or(false)
    }
}

fn put(world: &mut World, call: &Call) -> Reply {
    match tracked::location(world, call).and_then(|()| validate(world, call.json())) {
        Ok(()) => {
            let body = completed(world, call, call.json().clone());
            RULES.store(world, call, body)
        }
        Err(refusal) => *refusal,
    }
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let body = Tracked::patched(world, call);
    match validate(world, &body) {
        Ok(()) => RULES.store(world, call, body),
        Err(refusal) => *refusal,
    }
}

fn completed(world: &World, call: &Call, mut body: Value) -> Value {
    if body["kind"].is_null() && call.api_version() > "2021-08-01" {
        body["kind"] = json!("LogAlert");
    }
    let properties = &mut body["properties"];
    for (name, value) in [("enabled", true), ("autoMitigate", true), ("skipQueryValidation", false)] {
        if properties[name].is_null() {
            properties[name] = json!(value);
        }
    }
    // Recorded: in the response, a rule without actions has no `actions`.
    let empty = |member: &Value| member.as_array().is_none_or(Vec::is_empty);
    let none = |member: &Value| member.as_object().is_none_or(serde_json::Map::is_empty);
    let actions = &properties["actions"];
    if empty(&actions["actionGroups"])
        && none(&actions["customProperties"])
        && none(&actions["actionProperties"])
        && let Some(properties) = properties.as_object_mut()
    {
        properties.remove("actions");
    }
    properties["createdWithApiVersion"] = json!(call.api_version());
    // Recorded: these were added after 2021-08-01.
    if call.api_version() > "2021-08-01" {
        properties["isLegacyLogAnalyticsRule"] = json!(false);
        properties["isWorkspaceAlertsStorageConfigured"] = json!(false);
    }
    body["systemData"] = system_data(world, call, world.resources.get(&call.id(8)));
    body
}

fn bad(message: impl Into<String>) -> Box<Reply> {
    Box::new(Reply::bad_request(message))
}

/// Documented: the required members of a rule, and the values of each. Recorded: 'Equal' is also an operator.
fn validate(world: &World, body: &Value) -> Result<(), Box<Reply>> {
    let properties = &body["properties"];
    let log_alert = body["kind"].is_null() || body["kind"] == "LogAlert";
    if !log_alert && body["kind"] != "LogToMetric" {
        let kind = body["kind"].as_str().unwrap_or_default();
        return Err(Box::new(Reply::unknown("kind of a rule", kind, &["LogAlert", "LogToMetric"])));
    }
    let scopes: Vec<String> = properties["scopes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if scopes.is_empty() {
        return Err(bad("The property 'scopes' is required."));
    }
    for scope in scopes.iter().filter(|scope| scope.to_ascii_lowercase().contains("/workspaces/")) {
        workspaces::reachable(world, Some(scope))
            .map_err(|(status, code, message)| Box::new(Reply::arm_error(status, code, message)))?;
    }
    if log_alert {
        schedule(properties)?;
        if !properties["severity"].as_i64().is_some_and(|severity| (0..=4).contains(&severity)) {
            return Err(bad(format!(
                "The severity '{}' is not valid: it must be from 0 to 4.",
                properties["severity"]
            )));
        }
    }
    let conditions = properties["criteria"]["allOf"].as_array().filter(|conditions| !conditions.is_empty());
    let Some(conditions) = conditions else { return Err(bad("The property 'criteria.allOf' is required.")) };
    let skip = properties["skipQueryValidation"] == true;
    for condition in conditions {
        condition_is_valid(world, condition, &scopes, log_alert, skip)?;
    }
    Ok(())
}

/// Reported: only these frequencies, windows and mutes are accepted; a mute requires automatic resolution to be off,
/// and must be at least as long as the frequency.
fn schedule(properties: &Value) -> Result<(), Box<Reply>> {
    let read = |name: &str| {
        let text = properties[name].as_str().unwrap_or_default();
        duration::parse(text)
            .ok_or_else(|| bad(format!("The value '{text}' of '{name}' is not a valid ISO 8601 duration.")))
    };
    let (frequency, window) = (read("evaluationFrequency")?, read("windowSize")?);
    let (_, up_to_a_day) = GRANULARITIES.split_last().unwrap_or((&0, &[]));
    supported("evaluationFrequency", frequency, up_to_a_day)?;
    supported("windowSize", window, GRANULARITIES)?;
    if window < frequency {
        return Err(bad("The windowSize must not be shorter than the evaluationFrequency."));
    }
    if !properties["overrideQueryTimeRange"].is_null() && read("overrideQueryTimeRange")? < window {
        return Err(bad("The overrideQueryTimeRange must not be shorter than the windowSize."));
    }
    if !properties["muteActionsDuration"].is_null() {
        let mute = read("muteActionsDuration")?;
        if properties["autoMitigate"] != false {
            return Err(bad("Auto mitigation must be disabled when action suppression is set"));
        }
        if mute < frequency {
            return Err(bad("EvaluationFrequency cannot be greater than MuteActionsDuration"));
        }
        supported("muteActionsDuration", mute, GRANULARITIES)?;
    }
    Ok(())
}

fn supported(name: &str, value: Duration, minutes: &[i64]) -> Result<(), Box<Reply>> {
    if minutes.iter().any(|minutes| value == Duration::minutes(*minutes)) {
        return Ok(());
    }
    let known: Vec<String> = minutes.iter().map(i64::to_string).collect();
    Err(bad(format!(
        "The value '{value}' of '{name}' is not supported. Supported granularities are: {}",
        known.join(", ")
    )))
}

/// Documented: from 1 to 6 periods, of which at most all must fail.
fn failing_periods(condition: &Value) -> Result<(), Box<Reply>> {
    let periods = &condition["failingPeriods"];
    let read = |name: &str| if periods[name].is_null() { Some(1) } else { periods[name].as_i64() };
    match (read("numberOfEvaluationPeriods"), read("minFailingPeriodsToAlert")) {
        (Some(all), Some(failing)) if (1..=6).contains(&all) && (1..=all).contains(&failing) => Ok(()),
        _ => Err(bad(
            "The failingPeriods of a condition are not valid: numberOfEvaluationPeriods must be from 1 to 6, and \
             minFailingPeriodsToAlert from 1 to numberOfEvaluationPeriods.",
        )),
    }
}

fn condition_is_valid(
    world: &World,
    condition: &Value,
    scopes: &[String],
    log_alert: bool,
    skip: bool,
) -> Result<(), Box<Reply>> {
    let query = condition["query"].as_str().unwrap_or_default();
    if query.trim().is_empty() {
        return Err(bad("The property 'query' is required in a condition."));
    }
    let criterion = condition["criterionType"].as_str().unwrap_or("StaticThresholdCriterion");
    if criterion != "StaticThresholdCriterion" {
        return Err(Box::new(Reply::unknown("criterionType", criterion, &["StaticThresholdCriterion"])));
    }
    if log_alert {
        let known = |name: &str, values: &[&str]| {
            condition[name].as_str().is_some_and(|value| values.contains(&value))
        };
        if !known("operator", &["Equal", "GreaterThan", "GreaterThanOrEqual", "LessThan", "LessThanOrEqual"])
        {
            return Err(bad(format!("The operator {} is not valid.", condition["operator"])));
        }
        if !known("timeAggregation", &["Count", "Average", "Minimum", "Maximum", "Total"]) {
            return Err(bad(format!("The timeAggregation {} is not valid.", condition["timeAggregation"])));
        }
        if condition["timeAggregation"] != "Count" && condition["metricMeasureColumn"].is_null() {
            return Err(bad("metricMeasureColumn is required unless timeAggregation is Count."));
        }
        if !condition["threshold"].is_number() {
            return Err(bad("The threshold of a condition must be a number."));
        }
        failing_periods(condition)?;
    }
    let refusal = if skip {
        kql::parse(query).err()
    } else {
        match log_query::validate(world, scopes, query) {
            Ok(()) => None,
            Err(log_query::Refusal::Query(error)) => Some(error),
            Err(log_query::Refusal::Timespan(text)) => return Err(bad(text)),
        }
    };
    match refusal {
        None => Ok(()),
        Some(KqlError::Unsupported(what)) => {
            Err(Box::new(Reply::not_implemented(format!("the query of this rule: {what}"))))
        }
        Some(error) => Err(bad(format!(
            "The query in the alert rule failed validation. Error: {}. Fix the query, or set skipQueryValidation.",
            error.line()
        ))),
    }
}

fn fires(world: &World, rule: &str) -> Option<bool> {
    let rule = world.resources.get(rule)?;
    let properties = &rule["properties"];
    if properties["enabled"] != true {
        return Some(false);
    }
    let window = duration::parse(properties["windowSize"].as_str()?)?;
    let lookback = properties["overrideQueryTimeRange"].as_str().and_then(duration::parse).unwrap_or(window);
    let scopes =
        properties["scopes"].as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
    let condition = properties["criteria"]["allOf"].get(0)?;
    let found = log_query::measure(world, scopes, condition["query"].as_str()?, lookback)?;
    let values = found.values(condition);
    let threshold = condition["threshold"].as_f64()?;
    Some(values.into_iter().any(|value| match condition["operator"].as_str() {
        Some("GreaterThan") => value > threshold,
        Some("GreaterThanOrEqual") => value >= threshold,
        Some("LessThan") => value < threshold,
        Some("LessThanOrEqual") => value <= threshold,
        _ => (value - threshold).abs() < f64::EPSILON,
    }))
}
