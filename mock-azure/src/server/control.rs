//! The control API: the operations of the Rust handle, for programs in any language. It is available only at a local
//! address, never at an Azure host.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{faults::Scripted, program::Program};
use crate::{
    http::{Reply, Request, host::is_local},
    state::{Seed, recorder::Recorded},
    world_file::step::Event,
};

const OPENAPI: &str = include_str!("../../control.openapi.json");

type Answer = Result<Value, Refusal>;

/// Why nothing was done: a status and a message.
#[derive(Debug)]
struct Refusal(u16, String);

/// A method, a path and its handler.
type Route = (&'static str, &'static str, fn(&Program, &Request) -> Answer);

const ROUTES: &[Route] = &[
    ("GET", "/health", |_, _| Ok(json!({ "status": "ok" }))),
    ("GET", "/_mock/openapi.json", |_, _| parsed(OPENAPI.as_bytes())),
    ("GET", "/_mock/world/schema", |_, _| Ok(crate::world_file::world_schema())),
    ("PUT", "/_mock/world", |program, request| {
        let text = String::from_utf8_lossy(&request.body).into_owned();
        begin(program, &text)?;
        program.remember(text);
        Ok(Value::Null)
    }),
    ("POST", "/_mock/reset", |program, _| {
        let none = || Refusal(409, "there is no world to reset to: PUT one to /_mock/world".to_owned());
        begin(program, &program.world().ok_or_else(none)?).map(|()| Value::Null)
    }),
    ("GET", "/_mock/clock", |program, _| Ok(clock(program))),
    ("PUT", "/_mock/clock", set_clock),
    ("GET", "/_mock/requests", |program, _| Ok(shown(&program.azure.requests()))),
    ("DELETE", "/_mock/requests", |program, _| {
        program.azure.clear_requests();
        Ok(Value::Null)
    }),
    ("GET", "/_mock/unknown-requests", |program, _| Ok(shown(&program.azure.unknown_requests()))),
    ("GET", "/_mock/foreign-requests", |program, _| Ok(shown(&program.azure.foreign_requests()))),
    ("POST", "/_mock/faults", |program, request| {
        let scripted: Scripted = parsed(&request.body)?;
        program.azure.inject(scripted.fault().map_err(|reason| Refusal(400, reason))?);
        Ok(Value::Null)
    }),
    ("DELETE", "/_mock/faults", |program, _| {
        program.azure.clear_faults();
        Ok(Value::Null)
    }),
    ("POST", "/_mock/interrupt", |program, request| {
        let Interrupt { at } = parsed(&request.body)?;
        program.azure.interrupt_at(at);
        Ok(Value::Null)
    }),
    ("POST", "/_mock/revoke-tokens", |program, _| {
        program.azure.revoke_tokens();
        Ok(Value::Null)
    }),
    ("PUT", "/_mock/caller-ip", |program, request| {
        let CallerIp { address } = parsed(&request.body)?;
        program.azure.set_caller_ip(&address);
        Ok(Value::Null)
    }),
    ("POST", "/_mock/audit-events", |program, request| {
        let event: Event = parsed(&request.body)?;
        program.azure.audit_event(event.event().map_err(|reason| Refusal(400, reason))?);
        Ok(Value::Null)
    }),
    ("GET", "/_mock/audit-events", |program, _| {
        let events = program.azure.audit_events();
        let all = events.iter().map(|event| {
            json!({
                "operation": event.operation,
                "vault_id": event.vault_id,
                "time": rfc3339(event.time),
                "object_id": event.object_id,
                "user_principal_name": event.upn,
                "app_id": event.app_id,
                "caller_ip": event.caller_ip,
                "status": event.status,
                "secret_id": event.secret_id,
            })
        });
        Ok(all.collect())
    }),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Interrupt {
    at: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerIp {
    address: String,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Clock {
    now: Option<String>,
    advance_seconds: Option<u64>,
    running: Option<bool>,
}

/// Answers a request to the control API. `None` for all other requests, which are Azure's.
pub(super) fn answer(program: &Program, request: &Request) -> Option<Reply> {
    let asked = request.path == "/health" || request.path.starts_with("/_mock/");
    if !asked || !is_local(&request.authority) {
        return None;
    }
    let mut here = ROUTES.iter().filter(|(_, path, _)| *path == request.path).peekable();
    let Some((.., act)) = here.clone().find(|(verb, ..)| *verb == request.method) else {
        let (status, reason) = if here.peek().is_none() {
            (404, format!("there is no {}; GET /_mock/openapi.json lists the endpoints", request.path))
        } else {
            (405, format!("{} does not accept {}", request.path, request.method))
        };
        return Some(Reply::arm_error(status, "MockControl", reason));
    };
    Some(match act(program, request) {
        Ok(Value::Null) => Reply::empty(204),
        Ok(value) => Reply::ok(value),
        Err(Refusal(status, reason)) => Reply::arm_error(status, "MockControl", reason),
    })
}

fn begin(program: &Program, world: &str) -> Result<(), Refusal> {
    let seed = Seed::from_text(world).map_err(|error| Refusal(400, error.to_string()))?;
    program.azure.reset(seed).map_err(|error| Refusal(409, error.to_string()))
}

fn set_clock(program: &Program, request: &Request) -> Answer {
    let Clock { now, advance_seconds, running } = parsed(&request.body)?;
    let now = match now {
        Some(text) => Some(OffsetDateTime::parse(&text, &Rfc3339).map_err(|error| {
            Refusal(400, format!("now: '{text}' is not a time such as 2027-02-01T08:00:00Z: {error}"))
        })?),
        None => None,
    };
    if let Some(now) = now {
        program.azure.set_time(now);
    }
    if let Some(seconds) = advance_seconds {
        program.azure.advance(Duration::from_secs(seconds));
    }
    match running {
        Some(true) => program.azure.run_freely(),
        Some(false) => program.azure.freeze(),
        None => {}
    }
    Ok(clock(program))
}

fn clock(program: &Program) -> Value {
    json!({ "now": rfc3339(program.azure.now()), "running": program.azure.is_running_freely() })
}

fn rfc3339(time: OffsetDateTime) -> Value {
    time.format(&Rfc3339).map_or(Value::Null, Value::String)
}

fn shown(requests: &[Recorded]) -> Value {
    let all = requests.iter().map(|request| {
        json!({
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": request.query,
            "headers": request.headers,
            "body": request.body,
            "status": request.status,
        })
    });
    all.collect()
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    let mut from = serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(&mut from).map_err(|error| {
        let place = error.path().to_string();
        Refusal(400, format!("{place}: {}", error.into_inner()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_openapi_file_lists_what_there_is_and_nothing_else() {
        let openapi: Value = serde_json::from_str(OPENAPI).unwrap();
        let mut listed = Vec::new();
        for (path, item) in openapi["paths"].as_object().unwrap() {
            for verb in item.as_object().unwrap().keys() {
                listed.push((verb.to_uppercase(), path.clone()));
            }
        }
        let mut there: Vec<(String, String)> =
            ROUTES.iter().map(|(verb, path, _)| ((*verb).to_owned(), (*path).to_owned())).collect();
        listed.sort();
        there.sort();
        assert_eq!(listed, there);
    }
}
