//! From HTTP to the world and back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wiremock::{Request, ResponseTemplate};

use crate::{
    app::{admission, registry},
    http::{
        Call, Reply,
        host::{Host, Service},
    },
    services::vaults::audit,
    state::{
        World,
        faults::{Faults, Loss},
        operations,
        recorder::Journal,
    },
    transport::{CONNECTION, LOOPBACK},
};

/// What the server, the transport and the handle share.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    /// Called with one line for each request, by the program.
    pub(crate) log: Option<fn(&str)>,
    answered: u64,
}

/// The state behind its lock.
#[derive(Debug, Clone)]
pub(crate) struct Shared(Arc<Mutex<State>>);

impl Shared {
    pub(crate) fn new(world: World) -> Self {
        let (faults, journal) = (Faults::default(), Journal::default());
        Self(Arc::new(Mutex::new(State { world, faults, journal, log: None, answered: 0 })))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a request ends.
enum Ending {
    Answered(Reply),
    Lost,
    HalfAnswered(Reply),
    /// The host has no address: its vault does not exist.
    Unresolved,
}

impl State {
    /// Carries out one request; nothing means that the connection is dropped.
    pub(crate) fn handle(&mut self, request: &Request) -> Option<ResponseTemplate> {
        let authority = request
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok())
            .map(str::to_owned)
            .unwrap_or_else(|| request.url.authority().to_owned());
        let host = Host::resolve_or_local(&authority);
        let known = host.is_some();
        let mut call = Call::read(request, &authority, host.unwrap_or_else(Host::management));
        let ending = if known {
            self.act(&mut call)
        } else {
            Ending::Answered(not_implemented(&call, "the host is none of Azure's"))
        };
        self.note(&call, &ending);
        let by_loopback = call.header(LOOPBACK).is_some();
        let marked = |reply: Reply, mark: &str| Some(reply.header(CONNECTION, mark).into_template());
        match ending {
            Ending::Answered(reply) => Some(reply.into_template()),
            Ending::Lost if by_loopback => marked(Reply::empty(200), "lost"),
            Ending::HalfAnswered(reply) if by_loopback => marked(reply, "half"),
            Ending::Unresolved if by_loopback => marked(Reply::empty(200), "unresolved"),
            Ending::Lost | Ending::HalfAnswered(_) | Ending::Unresolved => None,
        }
    }

    fn act(&mut self, call: &mut Call) -> Ending {
        let strike = self.faults.strike(call);
        if strike.loss == Some(Loss::BeforeActing) {
            return Ending::Lost;
        }
        self.world.catch_up();
        if let Service::Vault(name) = &call.host.service
            && self.world.states.vaults.open(name).is_none()
        {
            return Ending::Unresolved;
        }
        let reply = match &strike.instead {
            Some(reply) => reply.clone(),
            None => dispatch(&mut self.world, call),
        };
        let reply = strike.alter(self.with_common_headers(call, reply));
        match strike.loss {
            Some(Loss::AfterActing) => Ending::Lost,
            Some(Loss::HalfWay) => Ending::HalfAnswered(reply),
            _ => Ending::Answered(reply),
        }
    }

    fn with_common_headers(&mut self, call: &Call, mut reply: Reply) -> Reply {
        self.answered += 1;
        let id = self.world.seeded_id(&format!("request/{}", self.answered));
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
                reply
                    .set_header("x-ms-failure-cause", if reply.status < 500 { "gateway" } else { "service" });
                reply.set_header("x-ms-error-code", code);
            }
        }
        reply
    }

    fn note(&mut self, call: &Call, ending: &Ending) {
        let status = match ending {
            Ending::Answered(reply) => Some(reply.status),
            _ => None,
        };
        if let Some(log) = self.log {
            let status = status.map_or("connection lost".to_owned(), |status| status.to_string());
            log(&format!("{} https://{}{} -> {status}", call.verb, call.authority, call.raw_path()));
        }
        self.journal.record(call, status);
    }
}

fn dispatch(world: &mut World, call: &mut Call) -> Reply {
    let reply = match admission::admit(world, call) {
        Ok(()) => {
            operations::observe(world, call);
            registry::answer(world, call).unwrap_or_else(|| not_implemented(call, "no surface answers it"))
        }
        Err(refusal) => *refusal,
    };
    audit::record(world, call, &reply);
    reply
}

fn not_implemented(call: &Call, reason: &str) -> Reply {
    Reply::not_implemented(format!("{} https://{}{}: {reason}", call.verb, call.authority, call.raw_path()))
}
