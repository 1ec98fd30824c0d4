//! The registration of resource providers in a subscription.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::resource_groups,
    state::{At, Seed, Surface, World, operations},
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[("Microsoft.Resources/subscriptions/providers", resource_groups::VERSIONS)],
    answer,
    ..Surface::EMPTY
};

/// Registration states that are not `Registered`, by subscription and namespace in lower case.
#[derive(Debug, Default)]
pub(crate) struct Providers {
    others: HashMap<(String, String), &'static str>,
}

impl Providers {
    pub(crate) fn is_registered(&self, subscription: &str, namespace: &str) -> bool {
        self.state(subscription, namespace) == "Registered"
    }

    fn state(&self, subscription: &str, namespace: &str) -> &'static str {
        self.others.get(&key(subscription, namespace)).copied().unwrap_or("Registered")
    }

    fn set(&mut self, subscription: &str, namespace: &str, state: &'static str) {
        let key = key(subscription, namespace);
        if state == "Registered" {
            self.others.remove(&key);
        } else {
            self.others.insert(key, state);
        }
    }
}

fn key(subscription: &str, namespace: &str) -> (String, String) {
    (subscription.to_ascii_lowercase(), namespace.to_ascii_lowercase())
}

impl Seed {
    /// Leaves a resource provider, such as `Microsoft.Security`, unregistered in this subscription.
    pub fn unregistered(self, subscription: impl ToString, namespace: &str) -> Self {
        let (subscription, namespace) = (subscription.to_string(), namespace.to_owned());
        self.step(move |world| {
            world.states.get_mut::<Providers>().set(&subscription, &namespace, "NotRegistered")
        })
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.path().as_slice()) {
        (Method::Get, ["subscriptions", subscription, "providers", namespace]) => {
            Some(match show(world, subscription, namespace) {
                Some(provider) => Reply::ok(provider),
                None => unknown(world, call.spelled(3)),
            })
        }
        (Method::Get, ["subscriptions", subscription, "providers"]) => {
            let all: Vec<Value> = namespaces(world)
                .iter()
                .filter_map(|namespace| show(world, subscription, namespace))
                .collect();
            Some(Reply::ok(json!({ "value": all })))
        }
        (Method::Post, ["subscriptions", subscription, "providers", namespace, "register"]) => {
            Some(register(world, subscription, namespace).unwrap_or_else(|| unknown(world, call.spelled(3))))
        }
        _ => None,
    }
}

fn register(world: &mut World, subscription: &str, namespace: &str) -> Option<Reply> {
    show(world, subscription, namespace)?;
    if world.states.get::<Providers>().state(subscription, namespace) == "NotRegistered" {
        world.states.get_mut::<Providers>().set(subscription, namespace, "Registering");
        let target = format!("/subscriptions/{subscription}/providers/{namespace}");
        let (subscription, namespace) = (subscription.to_owned(), namespace.to_owned());
        operations::start(world, &target, move |world, outcome| {
            let state = if outcome.is_ok() { "Registered" } else { "NotRegistered" };
            world.states.get_mut::<Providers>().set(&subscription, &namespace, state);
            None
        });
    }
    show(world, subscription, namespace).map(Reply::ok)
}

fn unknown(world: &World, namespace: &str) -> Reply {
    // Documented: a namespace is the provider's name and the service's name, joined by a dot. A name without a dot
    // cannot exist; any other may be one of the hundreds that the double does not have.
    let mut words = namespace.split('.');
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    };
    if words.clone().count() > 1 && words.all(is_word) {
        return Reply::unknown("resource provider", namespace, &namespaces(world));
    }
    let message = format!("The resource namespace '{namespace}' is invalid.");
    Reply::arm_error(404, "InvalidResourceNamespace", message)
}

/// The namespaces that the surfaces support.
fn namespaces(world: &World) -> Vec<&'static str> {
    let mut all: Vec<&str> = world
        .surfaces
        .iter()
        .flat_map(|surface| surface.types)
        .filter_map(|(kind, _)| kind.split_once('/').map(|(namespace, _)| namespace))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn show(world: &World, subscription: &str, namespace: &str) -> Option<Value> {
    let namespace = namespaces(world).into_iter().find(|known| known.eq_ignore_ascii_case(namespace))?;
    let types: Vec<Value> = world
        .surfaces
        .iter()
        .flat_map(|surface| surface.types)
        .filter_map(|(kind, versions)| Some((kind.strip_prefix(namespace)?.strip_prefix('/')?, versions)))
        .map(|(kind, versions)| {
            json!({ "resourceType": kind, "locations": ["West Europe", "East US"], "apiVersions": versions })
        })
        .collect();
    Some(json!({
        "id": format!("/subscriptions/{subscription}/providers/{namespace}"),
        "namespace": namespace,
        "registrationPolicy": "RegistrationRequired",
        "registrationState": world.states.get::<Providers>().state(subscription, namespace),
        "resourceTypes": types,
    }))
}
