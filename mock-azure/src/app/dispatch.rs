//! From a request to its response.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
};

use crate::{
    app::{admission, bounds},
    http::{
        Call, Reply, Request,
        host::{Host, Service},
    },
    services::{keys, vaults::VaultState},
    state::{At, State, World, faults::Loss, operations},
};

/// How a request ends.
#[derive(Debug)]
pub(crate) enum Disposition {
    Answered(Reply),
    /// The connection is lost before or after the service acted; the client cannot tell which.
    Lost,
    /// The connection is lost after the headers and half of the body.
    HalfAnswered(Reply),
    /// The host name does not resolve, because its vault or other resource does not exist.
    Unresolved,
}

/// Handles one request, and records it.
pub(crate) fn handle(state: &mut State, request: Request) -> Disposition {
    let host = Host::resolve_or_local(&request.authority, &request.path);
    let known = host.is_some();
    let refusal = bounds::exceeded(&request);
    let mut call = Call::read(request, host.unwrap_or_else(Host::management));
    let disposition = match refusal {
        Some(refusal) => Disposition::Answered(refusal),
        None if known => unbroken(state, &mut call),
        None => Disposition::Answered(not_implemented(&call, "the host does not belong to Azure")),
    };
    note(state, &call, &disposition);
    disposition
}

/// Turns a panic into a response, so that it ends neither the program nor the world.
fn unbroken(state: &mut State, call: &mut Call) -> Disposition {
    catch_unwind(AssertUnwindSafe(|| act(state, call))).unwrap_or_else(|panic| {
        let message = format!("mock-azure panicked at {} {}: {}", call.verb, call.url(), said(&*panic));
        Disposition::Answered(Reply::arm_error(500, "MockPanicked", message))
    })
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("for an unknown reason")
}

fn act(state: &mut State, call: &mut Call) -> Disposition {
    let strike = state.faults.strike(call);
    if strike.loss == Some(Loss::BeforeActing) {
        return Disposition::Lost;
    }
    operations::pass_time(&mut state.world);
    state.world.expire();
    let has_address = match &call.host.service {
        Service::Vault(name) => state.world.states.get::<VaultState>().open(name).is_some(),
        Service::Keyed(host) => keys::is_at(&state.world, host),
        _ => true,
    };
    if !has_address {
        return Disposition::Unresolved;
    }
    let reply = match &strike.instead {
        Some(reply) => reply.clone(),
        None => dispatch(&mut state.world, call),
    };
    let reply = strike.alter(with_common_headers(state, call, reply));
    match strike.loss {
        Some(Loss::AfterActing) => Disposition::Lost,
        Some(Loss::HalfWay) => Disposition::HalfAnswered(reply),
        _ => Disposition::Answered(reply),
    }
}

fn with_common_headers(state: &mut State, call: &Call, mut reply: Reply) -> Reply {
    state.answered += 1;
    let id = state.world.seeded_id(&format!("request/{}", state.answered));
    reply.set_header("x-ms-request-id", id.clone());
    if let Some(client_id) = call.header("x-ms-client-request-id") {
        reply.set_header("x-ms-client-request-id", client_id);
    }
    if call.host.service == Service::Management {
        let correlation = call.header("x-ms-correlation-request-id").unwrap_or(&id);
        reply.set_header("x-ms-correlation-request-id", correlation);
        let (kind, left) = match call.verb.as_str() {
            "GET" | "HEAD" => ("reads", "249"),
            "DELETE" => ("deletes", "199"),
            _ => ("writes", "199"),
        };
        let owner = if call.subscription().is_some() { "subscription" } else { "tenant" };
        reply.set_header(&format!("x-ms-ratelimit-remaining-{owner}-{kind}"), left);
        if let Some(code) = reply.error_code().map(str::to_owned) {
            reply.set_header("x-ms-failure-cause", if reply.status < 500 { "gateway" } else { "service" });
            reply.set_header("x-ms-error-code", code);
        }
    }
    reply
}

fn note(state: &mut State, call: &Call, disposition: &Disposition) {
    let status = match disposition {
        Disposition::Answered(reply) => Some(reply.status),
        _ => None,
    };
    if let Some(log) = state.log {
        let status = status.map_or("connection lost".to_owned(), |status| status.to_string());
        log(&format!("{} https://{}{} -> {status}", call.verb, call.authority, call.raw_path()));
    }
    state.recorder.record(call, status);
}

fn dispatch(world: &mut World, call: &mut Call) -> Reply {
    let reply = match admission::admit(world, call) {
        Ok(()) => {
            operations::observe(world, call);
            answer(world, call).unwrap_or_else(|| not_implemented(call, "no surface answers it"))
        }
        Err(refusal) => *refusal,
    };
    for heard in world.surfaces.iter().filter_map(|surface| surface.heard) {
        heard(world, call, &reply);
    }
    reply
}

/// The response of the first surface that knows the request.
fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let at = At::of(&call.host.service);
    world.surfaces.iter().filter(|surface| surface.at == at).find_map(|surface| (surface.answer)(world, call))
}

fn not_implemented(call: &Call, reason: &str) -> Reply {
    Reply::not_implemented(format!("{} https://{}{}: {reason}", call.verb, call.authority, call.raw_path()))
}

#[cfg(test)]
mod tests {
    use azure_core::Bytes;

    use super::*;
    use crate::state::{Shared, Surface, clock::Clock};

    const BREAKS: &[Surface] = &[Surface {
        at: At::Login,
        answer: |world, call| {
            world.oldest_token += 1;
            assert_ne!(call.raw_path(), "/break", "a mistake in a service");
            Some(Reply::empty(200))
        },
        ..Surface::EMPTY
    }];

    fn get(shared: &Shared, path: &str) -> Reply {
        let request = Request {
            method: "GET".to_owned(),
            authority: "login.microsoftonline.com".to_owned(),
            path: path.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            body: Bytes::new(),
        };
        match handle(&mut shared.lock(), request) {
            Disposition::Answered(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_service_that_panics_answers_500_and_the_world_goes_on() {
        let shared = Shared::new(World::new("tenant", Clock::default(), 0, BREAKS));
        let broken = get(&shared, "/break");
        assert_eq!((broken.status, broken.error_code()), (500, Some("MockPanicked")));
        assert_eq!(get(&shared, "/well").status, 200);
        let state = shared.lock();
        assert_eq!(state.world.oldest_token, 2);
        let seen: Vec<_> =
            state.recorder.requests.iter().map(|seen| (seen.path.as_str(), seen.status)).collect();
        assert_eq!(seen, [("/break", Some(500)), ("/well", Some(200))]);
    }
}
