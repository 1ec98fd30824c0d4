//! Resources with keys in the initial state, and what tests look up in them.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Keys, data_plane, rows, rows::Row};
use crate::{
    services::resource_groups,
    state::{MockAzure, Seed, World},
};

const LOCATION: &str = "westeurope";

impl Seed {
    /// Adds a resource with access keys in `westeurope`, and its resource group if that does not exist. `kind` is a
    /// resource type such as `Microsoft.Storage/storageAccounts`; for a nested type, `name` has one part per level:
    /// `namespace/rule`. A type that the double does not know is ignored.
    pub fn keyed_resource(self, subscription: impl ToString, group: &str, kind: &str, name: &str) -> Self {
        let (subscription, group) = (subscription.to_string(), group.to_owned());
        let (kind, name) = (kind.to_owned(), name.to_owned());
        self.step(move |world| add(world, &subscription, &group, &kind, &name))
    }

    /// Adds a storage account.
    pub fn storage_account(self, subscription: impl ToString, group: &str, name: &str) -> Self {
        self.keyed_resource(subscription, group, "Microsoft.Storage/storageAccounts", name)
    }

    /// Sets a property of a seeded resource, such as `allowSharedKeyAccess`.
    pub fn resource_property(self, id: &str, property: &str, value: impl Into<Value>) -> Self {
        let (id, property, value) = (id.to_owned(), property.to_owned(), value.into());
        self.step(move |world| {
            if let Some(resource) = world.resources.get_mut(&id) {
                resource["properties"][property.as_str()] = value;
            }
        })
    }

    /// Sets the kind of a seeded resource, such as `OpenAI`.
    pub fn resource_kind(self, id: &str, kind: &str) -> Self {
        let (id, kind) = (id.to_owned(), kind.to_owned());
        self.step(move |world| {
            if let Some(resource) = world.resources.get_mut(&id) {
                resource["kind"] = kind.into();
            }
        })
    }

    /// Sets how long a resource still accepts the old key, and not yet the new one, after a key is regenerated.
    /// Default: no delay.
    pub fn key_propagation_time(self, time: Duration) -> Self {
        let time = time.try_into().unwrap_or(time::Duration::MAX);
        self.setting(move |world| world.states.get_mut::<Keys>().propagation = time)
    }
}

impl MockAzure {
    /// Returns a key of a resource, by its name in the list, such as `key1`.
    pub fn resource_key(&self, id: &str, name: &str) -> Option<String> {
        let state = self.shared.lock();
        let keys = state.world.states.get::<Keys>();
        keys.all(id).iter().find(|key| key.name == name).map(|key| key.value.clone())
    }

    /// Returns whether a resource currently accepts this key at its own host. `false` if its type has no keys, or if
    /// its keys are turned off.
    pub fn takes_key(&self, id: &str, key: &str) -> bool {
        let state = self.shared.lock();
        let now = state.world.now();
        data_plane::may_be_used(&state.world, id)
            && state.world.states.get::<Keys>().taken(id, now).any(|taken| taken == key)
    }

    /// Regenerates a key, as a user would in the portal.
    pub fn regenerate_key(&self, id: &str, name: &str) {
        let world = &mut self.shared.lock().world;
        let kind = world.resources.get(id).and_then(|found| found["type"].as_str()).map(str::to_owned);
        if let Some(row) = kind.and_then(|kind| Row::of(&kind)) {
            super::make_anew(world, id, name, row.form);
        }
    }
}

fn add(world: &mut World, subscription: &str, group: &str, kind: &str, name: &str) {
    let Some(row) = super::rows().find(|row| row.kind.eq_ignore_ascii_case(kind)) else { return };
    let group = resource_groups::ensure(world, subscription, group, LOCATION);
    let (namespace, kinds) = row.kind.split_once('/').unwrap_or((row.kind, ""));
    let pairs: Vec<(&str, &str)> = kinds.split('/').zip(name.split('/')).collect();
    let mut id = format!("{group}/providers/{namespace}");
    for (depth, (kind, name)) in pairs.iter().enumerate() {
        id = format!("{id}/{kind}/{name}");
        if depth + 1 < pairs.len() && !world.resources.contains(&id) {
            let mut above = rows::named(row.above, name);
            above["id"] = json!(id);
            above["name"] = json!(name);
            above["type"] = json!(format!("{namespace}/{kind}"));
            above["location"] = json!(LOCATION);
            world.resources.put(above);
        }
    }
    let own = pairs.last().map_or(name, |(_, name)| name);
    let mut resource = rows::named(row.resource, own);
    resource["id"] = json!(id);
    resource["name"] = json!(own);
    resource["type"] = json!(row.kind);
    if pairs.len() == 1 {
        resource["location"] = json!(LOCATION);
    }
    if matches!(row.shape, rows::Shape::Storage) {
        let now = crate::http::timestamp::precise(world.now());
        resource["properties"]["keyCreationTime"] = json!({ "key1": now, "key2": now });
    }
    world.resources.put(resource);
    Keys::lay_out(world, row, &id);
}
