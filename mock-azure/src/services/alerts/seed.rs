//! Alerts in the initial state.

use serde_json::Value;
use time::{Duration, OffsetDateTime, macros::datetime};

use super::{
    Alerts, Record,
    catalog::{self, KEY_VAULT, Kind, OTHERS},
    shape::{Draft, LOCATION},
};
use crate::{
    services::resource_groups,
    state::{Parts, Seed, World},
};

/// When the first seeded alert began; each later one began an hour earlier.
const NEWEST: OffsetDateTime = datetime!(2026-11-02 09:15:42.1921106 UTC);

impl Seed {
    /// Adds an alert on a resource. `alert_type` is a documented type, such as `KV_ListGetAnomaly`, or any other text,
    /// for an alert of that type with generic content.
    pub fn alert(self, resource: impl ToString, alert_type: &str) -> Self {
        let (resource, alert_type) = (resource.to_string(), alert_type.to_owned());
        self.step(move |world| add(world, &resource, &alert_type))
    }

    /// Adds one alert of each of the fourteen documented types on a vault.
    pub fn key_vault_alerts(self, vault: impl ToString) -> Self {
        let vault = vault.to_string();
        self.step(move |world| {
            for kind in KEY_VAULT {
                add(world, &vault, kind.id);
            }
        })
    }

    /// Adds `count` alerts of about 3.35 KB each, in the group `rg-fleet`. One in five is about one of twenty vaults,
    /// the others are about other resource types. The call is cheap, since each alert is generated when it is read.
    pub fn alerts(self, subscription: impl ToString, count: usize) -> Self {
        let subscription = subscription.to_string();
        self.step(move |world| {
            resource_groups::ensure(world, &subscription, "rg-fleet", LOCATION);
            for number in 0..count as u64 {
                let record = Record::numbered(world, &subscription, number);
                world.states.get_mut::<Alerts>().all.push(record);
            }
        })
    }

    /// Adds an alert exactly as the service would return it. Its location is taken from its `id`.
    pub fn alert_json(self, alert: Value) -> Self {
        self.step(move |world| world.states.get_mut::<Alerts>().all.push(Record::whole(alert)))
    }
}

fn add(world: &mut World, resource: &str, alert_type: &str) {
    let parts = Parts::of(resource);
    if let Some(group) = parts.group {
        resource_groups::ensure(world, parts.subscription, group, LOCATION);
    }
    let number = world.states.get::<Alerts>().all.len() as u64;
    let known = catalog::find(alert_type);
    let draft = Draft {
        kind: known.unwrap_or(&KEY_VAULT[0]),
        tenant: &world.tenant,
        subscription: parts.subscription,
        group: parts.group,
        location: LOCATION,
        resource,
        number,
        started: started(number),
        sample: false,
    };
    let mut alert = draft.into_alert();
    if known.is_none() {
        alert["properties"]["alertType"] = Value::from(alert_type);
    }
    world.states.get_mut::<Alerts>().all.push(Record::whole(alert));
}

fn started(number: u64) -> OffsetDateTime {
    NEWEST - Duration::hours(i64::try_from(number).unwrap_or_default())
}

/// Generates an alert in a large subscription by its number.
pub(crate) fn numbered(tenant: &str, subscription: &str, number: u64) -> Value {
    with_draft(tenant, subscription, number, |draft| draft.into_alert())
}

/// The name of that alert.
pub(crate) fn numbered_name(tenant: &str, subscription: &str, number: u64) -> String {
    with_draft(tenant, subscription, number, |draft| draft.name())
}

fn with_draft<T>(tenant: &str, subscription: &str, number: u64, make: impl FnOnce(Draft<'_>) -> T) -> T {
    let kind = kind_of(number);
    let resource = format!(
        "/subscriptions/{subscription}/resourceGroups/rg-fleet/providers/{}/{}-{:03}",
        kind.plan().resource_type,
        kind.plan().component.to_ascii_lowercase(),
        number % 20
    );
    make(Draft {
        kind,
        tenant,
        subscription,
        group: Some("rg-fleet"),
        location: LOCATION,
        resource: &resource,
        number,
        started: NEWEST - Duration::minutes(i64::try_from(number).unwrap_or_default()),
        sample: false,
    })
}

fn kind_of(number: u64) -> &'static Kind {
    let kinds = if number.is_multiple_of(5) { KEY_VAULT } else { OTHERS };
    let turn = if number.is_multiple_of(5) { number / 5 } else { number };
    &kinds[(turn % kinds.len() as u64) as usize]
}
