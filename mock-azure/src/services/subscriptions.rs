//! Subscriptions and the tenant.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use crate::{
    http::{Body, Call, Method, Reply, paging},
    state::{At, Surface, World},
};

pub(crate) const VERSIONS: &[&str] = &[
    "2016-06-01",
    "2018-06-01",
    "2019-06-01",
    "2019-11-01",
    "2020-01-01",
    "2021-01-01",
    "2021-10-01",
    "2022-12-01",
];

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[("Microsoft.Resources/subscriptions", VERSIONS), ("Microsoft.Resources/tenants", VERSIONS)],
    answer,
    ..Surface::EMPTY
};

/// The subscriptions that the signed-in principal can see.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    ids: Vec<String>,
    spelled: HashMap<String, String>,
    tags: HashMap<String, Map<String, Value>>,
}

impl Subscriptions {
    /// Adds a subscription. Returns whether it is new.
    pub(crate) fn add(&mut self, id: &str) -> bool {
        let new = !self.contains(id);
        if new {
            self.ids.push(id.to_owned());
            self.spelled.insert(id.to_ascii_lowercase(), id.to_owned());
        }
        new
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        self.spelled.contains_key(&id.to_ascii_lowercase())
    }

    pub(crate) fn all(&self) -> &[String] {
        &self.ids
    }

    /// The tags of a subscription. `None` if it has none.
    pub(crate) fn tags(&self, id: &str) -> Option<&Map<String, Value>> {
        self.tags.get(&id.to_ascii_lowercase()).filter(|tags| !tags.is_empty())
    }

    pub(crate) fn set_tags(&mut self, id: &str, tags: Map<String, Value>) {
        self.tags.insert(id.to_ascii_lowercase(), tags);
    }

    /// An id in the spelling of the seed.
    pub(crate) fn spelled(&self, id: &str) -> Option<String> {
        self.spelled.get(&id.to_ascii_lowercase()).cloned()
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    match (call.method, call.path().as_slice()) {
        (Method::Get, ["subscriptions"]) => {
            let all: Vec<Value> =
                world.states.get::<Subscriptions>().ids.iter().map(|id| show(world, id)).collect();
            let mut reply = paging::page(&world.paging, call, 1000, all.iter());
            if let Body::Json(body) = &mut reply.body {
                body["count"] = json!({ "type": "Total", "value": all.len() });
            }
            Some(reply)
        }
        (Method::Get, ["subscriptions", id]) => {
            world.states.get::<Subscriptions>().spelled(id).map(|id| Reply::ok(show(world, &id)))
        }
        (Method::Get, ["tenants"]) => {
            let tenant = json!({
                "id": format!("/tenants/{}", world.tenant),
                "tenantId": world.tenant,
                "displayName": "Contoso",
                "defaultDomain": "contoso.example",
                "tenantCategory": "Home",
            });
            Some(Reply::ok(json!({ "value": [tenant] })))
        }
        _ => None,
    }
}

pub(crate) fn show(world: &World, id: &str) -> Value {
    let mut shown = json!({
        "id": format!("/subscriptions/{id}"),
        "subscriptionId": id,
        "tenantId": world.tenant,
        "displayName": format!("Subscription {}", &id[id.len().saturating_sub(4)..]),
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
    });
    if let Some(tags) = world.states.get::<Subscriptions>().tags(id) {
        shown["tags"] = json!(tags);
    }
    shown
}
