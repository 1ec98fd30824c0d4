//! Resources with access keys: listing and regenerating keys, and using them at the resource's own host.

pub(crate) mod data_plane;
mod rows;
mod seed;
mod show;

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    http::{Call, Method, Reply},
    state::{Surface, World, operations, stable_id},
};
use rows::{Answer, By, Form, ROWS, Row};

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        ("Microsoft.Storage/storageAccounts", &["2021-09-01", "2023-05-01", "2024-01-01", "2025-01-01"]),
        ("Microsoft.DocumentDB/databaseAccounts", &["2023-11-15", "2024-05-15", "2025-10-15"]),
        ("Microsoft.ServiceBus/namespaces", NAMESPACES),
        ("Microsoft.ServiceBus/namespaces/authorizationRules", NAMESPACES),
        ("Microsoft.EventHub/namespaces", NAMESPACES),
        ("Microsoft.EventHub/namespaces/authorizationRules", NAMESPACES),
        ("Microsoft.Cache/redis", &["2023-08-01", "2024-03-01", "2024-11-01"]),
        ("Microsoft.CognitiveServices/accounts", &["2023-05-01", "2024-10-01"]),
        ("Microsoft.Search/searchServices", &["2020-08-01", "2022-09-01", "2023-11-01"]),
        ("Microsoft.SignalRService/signalR", &["2023-02-01", "2024-03-01"]),
        ("Microsoft.SignalRService/webPubSub", &["2023-02-01", "2024-03-01"]),
        ("Microsoft.Maps/accounts", &["2021-02-01", "2023-06-01"]),
        ("Microsoft.Batch/batchAccounts", &["2023-11-01", "2024-02-01"]),
        ("Microsoft.EventGrid/topics", &["2022-06-15", "2025-02-15"]),
        ("Microsoft.EventGrid/domains", &["2022-06-15", "2025-02-15"]),
    ],
    answer,
    leaving: Some(|world, id| {
        let (id, below) = (id.to_ascii_lowercase(), format!("{}/", id.to_ascii_lowercase()));
        let keys = &mut world.states.get_mut::<Keys>().of;
        keys.retain(|resource, _| *resource != id && !resource.starts_with(&below));
    }),
    ..Surface::EMPTY
};

const NAMESPACES: &[&str] = &["2021-11-01", "2024-01-01"];

/// The keys of each resource, by its lower-case id.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    of: HashMap<String, Vec<Key>>,
    /// How long a resource still accepts the old key, and not yet the new one.
    propagation: Duration,
    made: u64,
}

/// A key, by its name in the list.
struct Key {
    name: &'static str,
    value: String,
    /// The previous value.
    before: Option<String>,
    since: OffsetDateTime,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Keys {
    fn all(&self, id: &str) -> &[Key] {
        self.of.get(&id.to_ascii_lowercase()).map_or(&[], Vec::as_slice)
    }

    /// The keys that a resource accepts at a time.
    fn taken(&self, id: &str, now: OffsetDateTime) -> impl Iterator<Item = &str> {
        self.all(id).iter().map(move |key| match &key.before {
            Some(before) if now < key.since + self.propagation => before.as_str(),
            _ => key.value.as_str(),
        })
    }
}

/// Whether there is a resource at this host.
pub(crate) fn is_at(world: &World, host: &str) -> bool {
    data_plane::resource_at(world, host).is_some()
}

fn fresh(world: &mut World, form: Form) -> String {
    world.states.get_mut::<Keys>().made += 1;
    let made = world.states.get::<Keys>().made;
    let seed = world.seed;
    let parts = (0_u8..4).map(|part| stable_id(&format!("{seed}/key/{made}/{part}")).replace('-', ""));
    let digits: String = parts.collect();
    match form {
        Form::Hex(length) => digits[..length.min(digits.len())].to_owned(),
        Form::Base64(length) => {
            let byte = |at: usize| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).unwrap_or_default();
            let bytes: Vec<u8> = (0..length.min(digits.len() / 2)).map(byte).collect();
            STANDARD.encode(bytes)
        }
    }
}

fn make_anew(world: &mut World, id: &str, slot: &str, form: Form) {
    let (value, now) = (fresh(world, form), world.now());
    let keys = world.states.get_mut::<Keys>().of.get_mut(&id.to_ascii_lowercase());
    for key in keys.into_iter().flatten().filter(|key| key.name == slot) {
        let before = std::mem::replace(&mut key.value, value.clone());
        (key.before, key.since) = (Some(before), now);
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let at = path.iter().rposition(|segment| *segment == "providers")?;
    let [namespace, rest @ ..] = &path[at + 1..] else { return None };
    let kinds = |count: usize| {
        let kinds: Vec<&str> = rest[..2 * count].iter().step_by(2).copied().collect();
        Row::of(&format!("{namespace}/{}", kinds.join("/")))
    };
    if let ["namespaces", _] = rest
        && call.method == Method::Get
    {
        return Some(match world.resources.get(&call.id(at + 4)) {
            Some(found) => Reply::ok(found.clone()),
            None => {
                let namespace = Row::of(&format!("{namespace}/namespaces/authorizationRules"))?.kind;
                let kind = namespace.trim_end_matches("/authorizationRules");
                Reply::resource_not_found(&format!("{kind}/{}", call.spelled(at + 3)), call.spelled(3))
            }
        });
    }
    if let ([kind], Method::Get) = (rest, call.method)
        && matches!(path[..at], ["subscriptions", _] | ["subscriptions", _, "resourcegroups", _])
        && let Some(row) = Row::of(&format!("{namespace}/{kind}"))
    {
        let scope = call.id(at);
        let all: Vec<&Value> = world.resources.of_type(&scope, row.kind).collect();
        return Some(Reply::ok(json!({ "value": all })));
    }
    // The longest matching type.
    let (row, depth) = (1..=rest.len() / 2).rev().find_map(|count| Some((kinds(count)?, count)))?;
    let length = at + 2 + 2 * depth;
    let id = call.id(length);
    if world.resources.get(&id).is_none() {
        let kind_and_name = format!("{}/{}", row.kind, call.spelled(length - 1));
        return Some(Reply::resource_not_found(&kind_and_name, call.spelled(3)));
    }
    match (call.method, &rest[2 * depth..]) {
        (Method::Get, []) => world.resources.get(&id).cloned().map(Reply::ok),
        (Method::Post, [action]) if *action == row.list => Some(list(world, row, &id)),
        (Method::Post, [action, which @ ..]) if *action == row.regenerate => {
            let named = match (row.by, which) {
                (By::Member(member), []) => call.json()[member].as_str().unwrap_or_default().to_owned(),
                (By::Segment, [slot]) => (*slot).to_owned(),
                _ => return None,
            };
            Some(regenerate(world, call, row, &id, &named))
        }
        _ => None,
    }
}

/// Reported: Cognitive Services do not list keys that are turned off. Other services list them, but do not accept them.
fn refused(world: &World, row: &Row, id: &str) -> Option<Reply> {
    let off = world.resources.get(id).is_some_and(|resource| row.is_off(resource));
    let cognitive = row.kind.starts_with("Microsoft.CognitiveServices");
    if off && row.kind.starts_with("Microsoft.Batch") {
        // Documented: both calls then fail. The error is not documented.
        return Some(Reply::not_implemented("the keys of a Batch account that does not accept them"));
    }
    (off && cognitive).then(|| Reply::bad_request("Failed to list key. disableLocalAuth is set to be true"))
}

fn list(world: &World, row: &Row, id: &str) -> Reply {
    refused(world, row, id).unwrap_or_else(|| Reply::ok(shown(world, row, id)))
}

fn shown(world: &World, row: &Row, id: &str) -> Value {
    show::keys(row, id, world.states.get::<Keys>().all(id))
}

fn regenerate(world: &mut World, call: &Call, row: &'static Row, id: &str, named: &str) -> Reply {
    let known: Vec<&str> = row.slots.iter().map(|(_, sent)| *sent).collect();
    let Some((slot, _)) = row.slots.iter().find(|(_, sent)| sent.eq_ignore_ascii_case(named)) else {
        return Reply::unknown("key to regenerate", named, &known);
    };
    if let Some(refusal) = refused(world, row, id) {
        return refusal;
    }
    match row.answer {
        Answer::Keys => {
            make_anew(world, id, slot, row.form);
            Reply::ok(shown(world, row, id))
        }
        Answer::AcceptedKeys => {
            make_anew(world, id, slot, row.form);
            let operation = operations::start(world, id, |_, _| None);
            let body = shown(world, row, id);
            operations::accepted(world, call, &operation)
                .header("azure-asyncoperation", operations::status_link(call, &operation))
                .with_body(body)
        }
        Answer::Enqueued => {
            if operations::running_on(world, id).is_some() {
                return Reply::not_implemented(
                    "the response to a second request while a key is being regenerated",
                );
            }
            let (target, form) = (id.to_owned(), row.form);
            let operation = operations::start(world, id, move |world, outcome| {
                if outcome.is_ok() {
                    make_anew(world, &target, slot, form);
                }
                None
            });
            operations::accepted(world, call, &operation)
                .header("azure-asyncoperation", operations::status_link(call, &operation))
                .with_body(serde_json::json!({ "status": "Enqueued" }))
        }
    }
}

impl Keys {
    fn lay_out(world: &mut World, row: &Row, id: &str) {
        let now = world.now();
        let make = |(name, _): &(&'static str, &'static str)| *name;
        let names: Vec<&'static str> = row.slots.iter().map(make).collect();
        for name in names {
            let key = Key { name, value: fresh(world, row.form), before: None, since: now };
            world.states.get_mut::<Self>().of.entry(id.to_ascii_lowercase()).or_default().push(key);
        }
    }
}

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter()
}
