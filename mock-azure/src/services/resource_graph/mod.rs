//! Resource Graph: queries over everything that the double knows.

mod answer;
mod quota;
mod scope;
mod tables;

use serde_json::{Value, json};

pub(crate) use self::scope::{all_members, members};
use self::{quota::Quota, scope::Scope};
use crate::{
    http::{Call, Method, Reply, timestamp},
    kql::{self, KqlError},
    state::{At, Seed, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(
        "Microsoft.ResourceGraph/resources",
        &["2019-04-01", "2021-03-01", "2022-10-01", "2024-04-01"],
    )],
    answer,
    ..Surface::EMPTY
};

/// The maximum number of rows on a page.
const MOST_ROWS: usize = 1000;

/// Management groups, and the quota of queries.
#[derive(Debug, Default)]
pub(crate) struct ResourceGraph {
    management_groups: Vec<(String, Vec<String>)>,
    quota: Quota,
}

impl Seed {
    /// Adds a management group that contains these subscriptions. The tenant's root group, named by the tenant id,
    /// contains all subscriptions. A subscription that is not seeded in any other way appears only among the group's
    /// descendants; the caller may not read anything in it.
    pub fn management_group<S: ToString>(
        self,
        name: &str,
        subscriptions: impl IntoIterator<Item = S>,
    ) -> Self {
        let group = (name.to_owned(), subscriptions.into_iter().map(|id| id.to_string()).collect());
        self.setting(move |world| world.states.get_mut::<ResourceGraph>().management_groups.push(group))
    }

    /// Limits Resource Graph to this many queries in each period; further ones are refused with 429. The real service
    /// allows 15 in 5 seconds. Default: no limit in-process; the real limit in the server.
    pub fn graph_quota(self, queries: u32, period: std::time::Duration) -> Self {
        self.setting(move |world| {
            world.states.get_mut::<ResourceGraph>().quota = Quota::enforced(queries, period)
        })
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if (call.method, call.path().as_slice())
        != (Method::Post, ["providers", "microsoft.resourcegraph", "resources"].as_slice())
    {
        return None;
    }
    let (now, any_token) = (world.now(), world.any_token);
    let (headers, refused) = world.states.get_mut::<ResourceGraph>().quota.spend(now, any_token);
    let mut reply = match refused {
        Some(seconds) => throttled(world).header("retry-after", seconds.to_string()),
        None => run(world, call).unwrap_or_else(|problem| refuse(world, 400, problem)),
    };
    for (name, value) in headers {
        reply.set_header(name, value);
    }
    Some(reply)
}

/// Why a query has no result.
enum Problem {
    /// The service refuses it, with these details.
    Refused(Vec<Value>),
    /// The double does not know this part of it.
    Unknown(String),
}

impl Problem {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self::Refused(vec![json!({ "code": code, "message": message.into() })])
    }

    fn of_query(detail: Value) -> Self {
        let message = "Query is invalid. Please refer to the documentation for the Azure Resource Graph service and \
                       fix the error before retrying.";
        Self::Refused(vec![json!({ "code": "InvalidQuery", "message": message }), detail])
    }
}

impl From<KqlError> for Problem {
    fn from(error: KqlError) -> Self {
        let line = error.line();
        match error {
            // Reported: users show this response to incomplete queries.
            KqlError::Syntax { token, line, position } => Self::of_query(json!({
                "code": "ParserFailure",
                "message": "ParserFailure",
                "line": line,
                "characterPositionInLine": position,
                "token": if token.is_empty() { "<EOF>".to_owned() } else { token },
            })),
            KqlError::NoTable { .. } | KqlError::Semantic { .. } => {
                Self::of_query(json!({ "code": "Default", "message": line }))
            }
            KqlError::Unsupported(what) => Self::Unknown(format!("this query: {what}")),
        }
    }
}

/// Every refusal has the same code and message; the reason is in the details.
fn refuse(world: &World, status: u16, problem: Problem) -> Reply {
    let details = match problem {
        Problem::Refused(details) => details,
        Problem::Unknown(what) => return Reply::not_implemented(what),
    };
    let message = format!(
        "Please provide below info when asking for support: timestamp = {}, correlationId = \
         00000000-0000-0000-0000-000000000000.",
        timestamp::precise(world.now())
    );
    let code = if status == 429 { "RateLimiting" } else { "BadRequest" };
    Reply::json(status, json!({ "error": { "code": code, "message": message, "details": details } }))
}

fn throttled(world: &World) -> Reply {
    let message = "Client application has been throttled and should not attempt to repeat the request until an amount \
                   of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for help.";
    refuse(world, 429, Problem::new("RateLimiting", message))
}

fn run(world: &mut World, call: &Call) -> Result<Reply, Problem> {
    let body = call.json();
    let Some(query) = body["query"].as_str().filter(|query| !query.trim().is_empty()) else {
        return Err(Problem::new("InvalidQueryRequest", "The 'query' of the request must not be empty."));
    };
    if body["facets"].as_array().is_some_and(|facets| !facets.is_empty()) {
        return Err(Problem::Unknown("facets of a query".to_owned()));
    }
    let page = answer::Page::read(body)?;
    let scope = Scope::read(world, body)?;
    let query = tables::with_source(query);
    let asked = kql::comparisons(&query, "type")?;
    let tables = tables::build(world, call, &scope, &query);
    tables::knows_types(world, &tables, &asked)?;
    let found = kql::run(&query, &tables, world.now())?;
    let reply = page.cut(world, &query, found)?;
    Ok(if scope.cut { reply.header("x-ms-tenant-subscription-limit-hit", "true") } else { reply })
}
