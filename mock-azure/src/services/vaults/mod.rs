//! Key vaults: the control plane, including soft delete.

mod access_policies;
pub(crate) mod audit;
mod deleted;
mod manage;
mod seed;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    http::{Call, Method, Reply, host::Service},
    services::role_assignments,
    state::{Accepts, Surface, TypeVersions, World, operations},
};

pub(crate) use self::access_policies::allow as policies_allow;

pub(crate) const TYPE: &str = "Microsoft.KeyVault/vaults";

pub(crate) const VERSIONS: &[&str] = &[
    "2016-10-01",
    "2018-02-14",
    "2019-09-01",
    "2020-04-01-preview",
    "2021-04-01-preview",
    "2021-06-01-preview",
    "2021-10-01",
    "2021-11-01-preview",
    "2022-07-01",
    "2022-11-01",
    "2023-02-01",
    "2023-07-01",
    "2024-11-01",
    "2024-12-01-preview",
    "2025-05-01",
    "2026-02-01",
    "2026-05-15",
];

const TYPES: &[TypeVersions] = &[
    (TYPE, VERSIONS),
    ("Microsoft.KeyVault/vaults/accessPolicies", VERSIONS),
    ("Microsoft.KeyVault/deletedVaults", VERSIONS),
    ("Microsoft.KeyVault/locations/deletedVaults", VERSIONS),
    ("Microsoft.KeyVault/checkNameAvailability", VERSIONS),
    ("Microsoft.KeyVault/managedHSMs", VERSIONS),
    ("Microsoft.KeyVault/deletedManagedHSMs", VERSIONS),
];

pub(crate) const SURFACE: Surface = Surface {
    types: TYPES,
    options: &[("$top", Accepts::Count)],
    answer,
    heard: Some(audit::record),
    leaving: Some(leave),
    expire: Some(expire),
    ..Surface::EMPTY
};

/// All vaults of all subscriptions by lower-case name. Names are unique in the whole cloud.
#[derive(Debug, Default)]
pub(crate) struct VaultState {
    open: BTreeMap<String, Vault>,
    deleted: BTreeMap<String, DeletedVault>,
    /// Names that somebody else has taken.
    taken: HashSet<String>,
    caller_ip: Option<String>,
}

/// The state of a vault besides its ARM resource.
#[derive(Debug)]
pub(crate) struct Vault {
    /// The resource id, as the service spells it.
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) location: String,
    /// Whether the host name has been registered.
    ready: bool,
}

/// A soft-deleted vault with everything in it, until it is purged.
#[derive(Debug)]
struct DeletedVault {
    vault: Vault,
    resource: Value,
    deleted: OffsetDateTime,
}

impl VaultState {
    /// A vault whose host name resolves.
    pub(crate) fn open(&self, name: &str) -> Option<&Vault> {
        self.open.get(&name.to_ascii_lowercase()).filter(|vault| vault.ready)
    }

    /// The address from which requests come.
    pub(crate) fn caller_ip(&self) -> &str {
        self.caller_ip.as_deref().unwrap_or(audit::CALLER_IP)
    }
}

/// How many days a deleted vault and its deleted objects can be recovered.
pub(crate) fn retention(properties: &Value) -> i64 {
    properties["softDeleteRetentionInDays"].as_i64().unwrap_or(90)
}

/// The id of the vault that a request addresses, and whether roles control access to it.
pub(crate) fn audited(world: &World, call: &Call) -> Option<(String, bool)> {
    let vaults = world.states.get::<VaultState>();
    let (name, at) = match &call.host.service {
        Service::Vault(name) => (name.as_str(), None),
        _ => (*call.path().get(7)?, Some(call.id(8))),
    };
    let deleted = || vaults.deleted.get(name).map(|deleted| (&deleted.vault.id, &deleted.resource));
    let open = vaults.open.get(name).and_then(|vault| Some((&vault.id, world.resources.get(&vault.id)?)));
    let (id, resource) = open.or_else(deleted)?;
    let meant = at.is_none_or(|at| at.eq_ignore_ascii_case(id));
    meant.then(|| (id.clone(), resource["properties"]["enableRbacAuthorization"] == true))
}

/// Soft-deletes the vaults of a group that is being deleted.
fn leave(world: &mut World, group: &str) {
    let inside: Vec<String> = world
        .resources
        .of_type(group, TYPE)
        .filter_map(|vault| vault["name"].as_str().map(str::to_owned))
        .collect();
    for vault in inside {
        soft_delete(world, &vault);
    }
}

/// Soft-deletes a vault. Its role assignments are removed for good; its diagnostic settings remain, as in the service.
pub(crate) fn soft_delete(world: &mut World, name: &str) {
    let key = name.to_ascii_lowercase();
    let Some(vault) = world.states.get_mut::<VaultState>().open.remove(&key) else { return };
    let mut gone = world.resources.remove_tree(&vault.id).into_iter();
    let Some(resource) = gone.next() else { return };
    for left in gone.filter(|left| crate::state::is_type(left, "Microsoft.Insights/diagnosticSettings")) {
        world.resources.put(left);
    }
    let deleted = DeletedVault { vault, resource, deleted: world.now() };
    world.states.get_mut::<VaultState>().deleted.insert(key, deleted);
}

/// Purges the vaults whose retention has ended.
fn expire(world: &mut World, now: OffsetDateTime) {
    let deleted = world.states.get::<VaultState>().deleted.iter();
    let over: Vec<String> =
        deleted.filter(|(_, deleted)| deleted.purge_date() <= now).map(|(name, _)| name.clone()).collect();
    for name in over {
        deleted::purge_now(world, &name);
    }
}

impl DeletedVault {
    fn id(&self) -> String {
        let Vault { id, name, location, .. } = &self.vault;
        let subscription = id.split('/').nth(2).unwrap_or_default();
        format!(
            "/subscriptions/{subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/{name}"
        )
    }

    fn show(&self) -> Value {
        let Vault { id, name, location, .. } = &self.vault;
        let mut properties = json!({
            "vaultId": id,
            "location": location,
            "tags": self.resource["tags"],
            "deletionDate": crate::http::timestamp::seconds(self.deleted),
            "scheduledPurgeDate": crate::http::timestamp::seconds(self.purge_date()),
        });
        if self.resource["properties"]["enablePurgeProtection"] == true {
            properties["purgeProtectionEnabled"] = json!(true);
        }
        json!({
            "id": self.id(),
            "name": name,
            "type": "Microsoft.KeyVault/deletedVaults",
            "properties": properties,
        })
    }

    fn purge_date(&self) -> OffsetDateTime {
        self.deleted + Duration::days(retention(&self.resource["properties"]))
    }

    fn is_in(&self, subscription: &str) -> bool {
        self.vault.id.split('/').nth(2).is_some_and(|own| own.eq_ignore_ascii_case(subscription))
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    const KEYVAULT: &str = "microsoft.keyvault";
    match (call.method, call.path().as_slice()) {
        (method, ["subscriptions", _, "resourcegroups", _, "providers", KEYVAULT, "vaults", rest @ ..]) => {
            match (method, rest) {
                (Method::Put, [_, "accesspolicies", kind]) => access_policies::update(world, call, kind),
                _ => manage::VAULTS.answer(world, call),
            }
        }
        (method, ["subscriptions", subscription, "providers", KEYVAULT, rest @ ..]) => match (method, rest) {
            (Method::Get, ["managedhsms" | "deletedmanagedhsms"]) => Some(no_hardware()),
            (Method::Post, ["checknameavailability"]) => Some(manage::check_name(world, call)),
            (Method::Get, ["deletedvaults"]) => Some(deleted::list(world, call, subscription)),
            (Method::Get, ["locations", location, "deletedvaults", name]) => {
                Some(deleted::get(world, subscription, location, name))
            }
            (Method::Post, ["locations", location, "deletedvaults", name, "purge"]) => {
                Some(deleted::purge(world, call, subscription, location, name))
            }
            _ => manage::VAULTS.answer(world, call),
        },
        _ => None,
    }
}

/// Stores a vault whose host name does not resolve yet; it does when an operation completes.
fn register(world: &mut World, vault: Vault, mut resource: Value, status: u16) -> Reply {
    resource["properties"]["provisioningState"] = json!("RegisteringDns");
    let (id, key) = (vault.id.clone(), vault.name.to_ascii_lowercase());
    world.resources.put(resource.clone());
    world.states.get_mut::<VaultState>().open.insert(key.clone(), vault);
    operations::start(world, &id.clone(), move |world, outcome| {
        let state = if outcome.is_ok() { "Succeeded" } else { "Failed" };
        if let Some(resource) = world.resources.get_mut(&id) {
            resource["properties"]["provisioningState"] = json!(state);
        }
        if let Some(vault) = world.states.get_mut::<VaultState>().open.get_mut(&key) {
            vault.ready = outcome.is_ok();
        }
        None
    });
    operations::pace(world, Reply::json(status, resource))
}

/// Tools list hardware security modules along with vaults. The double has none.
fn no_hardware() -> Reply {
    Reply::ok(json!({ "value": [] }))
}

/// Whether the caller may assign roles, which changing the permission model requires.
fn may_assign_roles(world: &mut World, call: &Call) -> bool {
    let (principal, scope) = (call.caller.object_id.clone(), call.key());
    call.caller.unchecked
        || role_assignments::may(world, &principal, "Microsoft.Authorization/roleAssignments/write", &scope)
}
