//! Runs a query and writes its response.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    http::{Reply, duration},
    kql::{self, KqlError, Table},
    state::World,
};

use super::{Queries, Scope, tables};

/// Why a query has no result.
#[derive(Debug)]
pub(crate) enum Refusal {
    Timespan(String),
    Query(KqlError),
}

impl Refusal {
    /// The refusal in the format of the query API.
    pub(crate) fn reply(&self) -> Reply {
        let invalid = |inner: Value| {
            let message = "The request had some invalid properties";
            Reply::json(
                400,
                json!({ "error": { "message": message, "code": "BadArgumentError", "innererror": inner } }),
            )
        };
        match self {
            // Documented: a timespan is an ISO 8601 duration or interval.
            Self::Timespan(text) => invalid(json!({
                "code": "InvalidTimespan",
                "message": format!("The timespan '{text}' is not an ISO 8601 duration or interval."),
            })),
            // Recorded: the response to 'not a valid query'.
            Self::Query(error @ KqlError::Syntax { token, line, position }) => invalid(json!({
                "code": "SyntaxError",
                "message": "A recognition error occurred in the query.",
                "innererror": {
                    "code": error.code(),
                    "message": error.line(),
                    "line": line,
                    "pos": position,
                    "token": token,
                },
            })),
            // Reported: a table without data and a column without values are semantic errors.
            Self::Query(error @ (KqlError::NoTable { .. } | KqlError::Semantic { .. })) => invalid(json!({
                "code": "SemanticError",
                "message": "A semantic error occurred.",
                "innererror": { "code": error.code(), "message": error.line() },
            })),
            Self::Query(KqlError::Unsupported(what)) => Reply::not_implemented(format!("this query: {what}")),
        }
    }
}

/// Runs a query over the logs in a scope.
pub(super) fn run(
    world: &World,
    scope: &Scope,
    query: &str,
    timespan: Option<&str>,
) -> Result<Value, Refusal> {
    let now = world.now();
    let span =
        timespan.map(|text| read_timespan(text, now).ok_or_else(|| Refusal::Timespan(text.to_owned())));
    let tables = tables::of(world, scope, now, span.transpose()?);
    let mut table = kql::run(query, &tables, now).map_err(Refusal::Query)?;
    let limit = world.states.get::<Queries>().row_limit.filter(|limit| table.rows.len() > *limit);
    if let Some(limit) = limit {
        table.rows.truncate(limit);
    }
    let mut body = json!({ "tables": [table.to_json()] });
    if let Some(limit) = limit {
        body["error"] = json!({
            "code": "PartialError",
            "message": "There were some errors when processing your query.",
            "details": [{
                "code": "EngineError",
                "message": "Something went wrong processing your query on the server.",
                "innererror": {
                    "code": "-2133196797",
                    "message": format!("The results of this query exceed the set limit of {limit} records."),
                    "severity": 2,
                    "severityName": "Error",
                },
            }],
        });
    }
    Ok(body)
}

/// Checks a rule's query against the tables that a workspace currently has.
pub(crate) fn validate(world: &World, scopes: &[String], query: &str) -> Result<(), Refusal> {
    let now = world.now();
    let tables = tables::of(world, &Scope::Workspaces(scopes.to_vec()), now, None);
    kql::run(query, &tables, now).map(drop).map_err(Refusal::Query)
}

/// `PT1H`, `start/end`, `start/duration` or `duration/end`.
fn read_timespan(text: &str, now: OffsetDateTime) -> Option<(OffsetDateTime, OffsetDateTime)> {
    let instant =
        |text: &str| OffsetDateTime::parse(text, &Rfc3339).ok().filter(|_| !kql::has_too_many_digits(text));
    let span = |text: &str| duration::parse(text).filter(|span| *span > Duration::ZERO);
    match text.split_once('/') {
        None => Some((now - span(text)?, now)),
        Some((start, end)) => match (instant(start), instant(end)) {
            (Some(start), Some(end)) => (start <= end).then_some((start, end)),
            (Some(start), None) => Some((start, start + span(end)?)),
            (None, Some(end)) => Some((end - span(start)?, end)),
            (None, None) => None,
        },
    }
}

/// The result of a rule's query.
pub(crate) struct Measured {
    table: Table,
}

/// Runs a rule's query over the rule's look-back time.
pub(crate) fn measure(
    world: &World,
    scopes: Vec<String>,
    query: &str,
    lookback: Duration,
) -> Option<Measured> {
    let now = world.now();
    let tables = tables::of(world, &Scope::Workspaces(scopes), now, Some((now - lookback, now)));
    Some(Measured { table: kql::run(query, &tables, now).ok()? })
}

impl Measured {
    /// The measure of each combination of dimensions.
    pub(crate) fn values(&self, condition: &Value) -> Vec<f64> {
        let name = |value: &Value| value.as_str().and_then(|name| self.table.position(name));
        let measure = name(&condition["metricMeasureColumn"]);
        let dimensions: Vec<usize> = condition["dimensions"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|dimension| name(&dimension["name"]))
            .collect();
        let mut groups: BTreeMap<Vec<String>, Vec<f64>> = BTreeMap::new();
        for row in &self.table.rows {
            let key = dimensions.iter().map(|at| row[*at].to_text()).collect();
            let value = measure.and_then(|at| row[at].number()).unwrap_or(1.0);
            groups.entry(key).or_default().push(value);
        }
        if groups.is_empty() {
            groups.insert(Vec::new(), Vec::new());
        }
        groups
            .into_values()
            .filter_map(|values| aggregate(condition["timeAggregation"].as_str(), &values))
            .collect()
    }
}

fn aggregate(how: Option<&str>, values: &[f64]) -> Option<f64> {
    let total: f64 = values.iter().sum();
    match how {
        Some("Total") => Some(total),
        Some("Average") if !values.is_empty() => Some(total / values.len() as f64),
        Some("Minimum") => values.iter().copied().reduce(f64::min),
        Some("Maximum") => values.iter().copied().reduce(f64::max),
        Some("Count") => Some(values.len() as f64),
        _ => None,
    }
}
