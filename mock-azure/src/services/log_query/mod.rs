//! Queries over the logs of workspaces.

mod answer;
mod machine_tables;
mod metadata;
pub(crate) mod security_alerts;
mod tables;

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::{role_assignments, workspaces},
    state::{At, Seed, Surface, World},
};

pub(crate) use answer::{Refusal, measure, validate};

pub(crate) const SURFACE: Surface = Surface { at: At::LogAnalytics, answer: reply, ..Surface::EMPTY };

/// Settings for queries.
#[derive(Debug, Default)]
pub(crate) struct Queries {
    delay: Duration,
    row_limit: Option<usize>,
}

impl Seed {
    /// Sets how long after an event its log record arrives in the workspace. Default: immediately.
    pub fn log_delay(self, delay: Duration) -> Self {
        self.setting(move |world| world.states.get_mut::<Queries>().delay = delay)
    }

    /// Sets the number of rows after which a query's result is truncated, with a partial error.
    pub fn log_row_limit(self, rows: usize) -> Self {
        self.setting(move |world| world.states.get_mut::<Queries>().row_limit = Some(rows))
    }
}

/// The logs that a query reads.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// Those in these workspaces, by resource id.
    Workspaces(Vec<String>),
    /// Those of a resource and everything below it, in whichever workspaces they are.
    Resource(String),
}

fn reply(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["v1", rest @ ..] = path.as_slice() else { return None };
    match (call.method, rest) {
        (Method::Post, ["$batch"]) => Some(batch(world, call)),
        (method @ (Method::Get | Method::Post), ["workspaces", id, verb @ ("query" | "metadata")]) => {
            let scope = match workspace(world, call, id) {
                Ok(scope) => scope,
                Err(refusal) => return Some(*refusal),
            };
            if *verb == "metadata" {
                return Some(metadata::describe(world, &scope));
            }
            Some(query(world, call, method, scope))
        }
        (method @ (Method::Get | Method::Post), ["subscriptions", _, .., "query"]) => {
            let id = call.id(call.len() - 1).split_off("/v1".len());
            Some(match may_read(world, call, &id) {
                Ok(()) => query(world, call, method, Scope::Resource(id)),
                Err(refusal) => *refusal,
            })
        }
        _ => None,
    }
}

fn query(world: &mut World, call: &Call, method: Method, mut scope: Scope) -> Reply {
    let body = call.json();
    let (text, timespan) = if method == Method::Get {
        (call.query("query"), call.query("timespan"))
    } else {
        (body["query"].as_str(), body["timespan"].as_str())
    };
    if let Scope::Workspaces(ids) = &mut scope {
        for other in body["workspaces"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            match workspace(world, call, other) {
                Ok(Scope::Workspaces(more)) => ids.extend(more),
                Ok(Scope::Resource(_)) => {}
                Err(refusal) => return *refusal,
            }
        }
    }
    let Some(text) = text else {
        return invalid("body must contain 'query' property");
    };
    let statistics = call.header("prefer").is_some_and(|prefer| prefer.contains("include-statistics=true"));
    match answer::run(world, &scope, text, timespan) {
        Ok(mut body) => {
            if statistics {
                body["statistics"] = json!({ "query": { "executionTime": 0.0156, "datasetStatistics": [] } });
            }
            Reply::ok(body)
        }
        Err(refusal) => refusal.reply(),
    }
}

fn batch(world: &mut World, call: &Call) -> Reply {
    let Some(requests) = call.json()["requests"].as_array().cloned() else {
        return invalid("body must contain 'requests' property");
    };
    let mut responses = Vec::new();
    for request in requests {
        let body = &request["body"];
        let id = request["workspace"].as_str().unwrap_or_default();
        let done = match (workspace(world, call, id), body["query"].as_str()) {
            (Err(refusal), _) => Err(*refusal),
            (_, None) => Err(invalid("body must contain 'query' property")),
            (Ok(scope), Some(query)) => answer::run(world, &scope, query, body["timespan"].as_str())
                .map_err(|refusal| refusal.reply()),
        };
        let (status, body) = match done {
            Ok(body) => (200, body),
            // If one request of a batch is unknown, the whole batch is.
            Err(refusal) if refusal.status == 501 => return refusal,
            Err(refusal) => {
                let body = match &refusal.body {
                    crate::http::Body::Json(body) => body.clone(),
                    _ => Value::Null,
                };
                (refusal.status, body)
            }
        };
        responses.push(json!({ "id": request["id"], "status": status, "headers": {}, "body": body }));
    }
    Reply::ok(json!({ "responses": responses }))
}

/// Finds a workspace that the caller may query, by customer id, resource id or name.
fn workspace(world: &mut World, call: &Call, id: &str) -> Result<Scope, Box<Reply>> {
    let by_path = id.starts_with('/').then(|| world.resources.get(id)).flatten();
    // Documented: the response for a workspace that does not exist.
    let Some(found) = by_path.or_else(|| workspaces::by_customer_id(world, id)) else {
        return Err(Box::new(refuse(
            404,
            "WorkspaceNotFoundError",
            "The workspace could not be found. Check that the workspace id is correct.",
        )));
    };
    let id = found["id"].as_str().unwrap_or_default().to_owned();
    may_read(world, call, &id)?;
    Ok(Scope::Workspaces(vec![id.to_ascii_lowercase()]))
}

/// Documented: the response to a caller without permission to read.
fn may_read(world: &mut World, call: &Call, scope: &str) -> Result<(), Box<Reply>> {
    let (principal, action) =
        (call.caller.object_id.clone(), "Microsoft.OperationalInsights/workspaces/query/read");
    if call.caller.unchecked || role_assignments::may(world, &principal, action, scope) {
        return Ok(());
    }
    Err(Box::new(refuse(
        403,
        "InsufficientAccessError",
        "The provided credentials have insufficient access to perform the requested operation",
    )))
}

/// Recorded: the response to a batch without requests.
fn invalid(message: &str) -> Reply {
    let inner = json!({ "code": "QueryValidationError", "message": message });
    let message = "The request had some invalid properties";
    Reply::json(
        400,
        json!({ "error": { "message": message, "code": "BadArgumentError", "innererror": inner } }),
    )
}

fn refuse(status: u16, code: &str, message: &str) -> Reply {
    Reply::arm_error(status, code, message)
}
