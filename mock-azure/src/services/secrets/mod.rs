//! A vault's data plane: secrets and keys.

mod access;
mod backup;
mod certificates;
#[cfg_attr(not(feature = "curves"), path = "no_curves.rs")]
mod curves;
mod deleted;
mod keys;
mod kind;
mod listing;
pub(crate) mod managed;
mod material;
mod objects;
mod refusal;
mod seed;
mod store;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use time::OffsetDateTime;

pub use self::seed::SecretVersion;
use self::{
    kind::{CERTIFICATES, KEYS, Kind, SECRETS},
    store::{Recovery, Secret, Secrets, Version},
};
use crate::{
    http::{Call, Method, Reply, host::Service},
    services::vaults::{VaultState, retention},
    state::{At, Surface, World},
};

pub(crate) const SURFACE: Surface =
    Surface { at: At::Vault, answer, leaving: Some(forget), expire: Some(expire), ..Surface::EMPTY };

const LATEST: &str = "2026-04-01";
const VERSIONS: &[&str] = &[
    "2016-10-01",
    "7.0",
    "7.1-preview",
    "7.1",
    "7.2-preview",
    "7.2",
    "7.3-preview",
    "7.3",
    "7.4-preview.1",
    "7.4",
    "7.5-preview.1",
    "7.5",
    "7.6-preview.2",
    "7.6",
    "2025-06-01-preview",
    "2025-07-01",
    "2026-03-01-preview",
    LATEST,
];

/// The data plane's settings and the objects of all vaults.
#[derive(Debug)]
pub(crate) struct SecretState {
    /// How many requests for a name find a delete, recovery or purge incomplete.
    settling: u32,
    /// Shifts the version ids, and so the order of versions in lists. `None`: the seed does.
    order: Option<u64>,
    throttle: Option<Throttle>,
    backups: HashMap<String, backup::Backup>,
    /// The objects by the vault's lower-case name and their type. Those of a deleted vault are kept until it is purged.
    by_vault: BTreeMap<(String, &'static str), Secrets>,
    certificates: BTreeMap<String, certificates::Certificates>,
}

impl SecretState {
    fn of_vault(&mut self, name: &str) -> &mut Secrets {
        self.objects(name, SECRETS)
    }

    fn objects(&mut self, vault: &str, kind: &Kind) -> &mut Secrets {
        self.by_vault.entry((vault.to_ascii_lowercase(), kind.live)).or_default()
    }
}

impl Default for SecretState {
    fn default() -> Self {
        Self {
            settling: 1,
            order: None,
            throttle: None,
            backups: HashMap::new(),
            by_vault: BTreeMap::new(),
            certificates: BTreeMap::new(),
        }
    }
}

/// Lets `every` requests pass, then refuses `refusals` requests, and so on.
#[derive(Debug)]
struct Throttle {
    every: u32,
    refusals: u32,
    seen: u32,
}

impl Throttle {
    fn refuses(&mut self) -> bool {
        let round = self.every.saturating_add(self.refusals).max(1);
        let refused = self.seen % round >= self.every;
        self.seen = self.seen.wrapping_add(1);
        refused
    }
}

/// A request to a vault.
struct Visit<'a> {
    call: &'a Call,
    kind: &'static Kind,
    /// The vault's lower-case name.
    vault: String,
    recovery: Recovery,
    purge_protected: bool,
    /// Whether the vault can have hardware-protected keys.
    premium: bool,
}

impl Visit<'_> {
    /// `https://{vault}/{collection}/{name}`
    fn url(&self, collection: &str, name: &str) -> String {
        self.call.link(&format!("/{collection}/{name}"))
    }

    /// Whether the path addresses objects that are not deleted.
    fn is_live(&self) -> bool {
        self.call.path().first() != Some(&self.kind.deleted)
    }

    fn secrets<'w>(&self, world: &'w mut World) -> &'w mut Secrets {
        world.states.get_mut::<SecretState>().objects(&self.vault, self.kind)
    }

    /// A secret without its value, as an item of a list.
    fn item(&self, secret: &Secret, version_id: Option<&str>) -> Value {
        let Some((id, version)) = secret.version(version_id) else { return Value::Null };
        if self.kind.live == CERTIFICATES.live {
            let mut url = self.url(self.kind.live, &secret.name);
            if version_id.is_some() {
                url.push_str(&format!("/{id}"));
            }
            return certificates::item(self, secret, version, url);
        }
        let mut shown = json!({
            self.kind.id: self.url(self.kind.live, &secret.name),
            "attributes": version.attributes(&self.recovery),
        });
        if version_id.is_some() {
            shown[self.kind.id] = json!(format!("{}/{id}", self.url(self.kind.live, &secret.name)));
        }
        self.describe(&mut shown, secret, version);
        shown
    }

    /// A version of a secret, without its value.
    fn bundle(&self, secret: &Secret, version_id: &str) -> Value {
        if self.kind.live == CERTIFICATES.live {
            let version = secret.version(Some(version_id));
            return version.map_or(Value::Null, |(id, it)| certificates::bundle(self, secret, id, it));
        }
        let mut shown = self.item(secret, Some(version_id));
        if let Some((_, Version { key, .. })) =
            secret.version(Some(version_id)).filter(|(_, it)| !it.key.is_null())
        {
            let mut key = key.clone();
            key["kid"] = shown[self.kind.id].take();
            shown.as_object_mut().map(|members| members.remove(self.kind.id));
            shown["key"] = key;
            self.newer_attributes(&mut shown["attributes"]);
        } else if secret.managed {
            shown["kid"] = json!(format!("{}/{version_id}", self.url("keys", &secret.name)));
        }
        shown
    }

    /// Recorded: attributes of keys that these api-versions added.
    fn newer_attributes(&self, attributes: &mut Value) {
        let at = |version: &str| VERSIONS.iter().position(|known| known.eq_ignore_ascii_case(version));
        let asked = at(self.call.api_version());
        if asked >= at("7.3") {
            attributes["exportable"] = json!(false);
        }
        if asked >= at("7.5-preview.1") {
            attributes["hsmPlatform"] = json!("0");
        }
    }

    fn describe(&self, shown: &mut Value, secret: &Secret, version: &Version) {
        if let Some(content_type) = &version.content_type {
            shown["contentType"] = json!(content_type);
        }
        if let Some(tags) = &version.tags {
            shown["tags"] = json!(tags);
        }
        if secret.managed {
            shown["managed"] = json!(true);
        }
    }
}

fn version_order(world: &World) -> u64 {
    world.states.get::<SecretState>().order.unwrap_or(world.seed)
}

/// Purges the deleted secrets whose retention has ended.
fn expire(world: &mut World, now: OffsetDateTime) {
    let all = world.states.get::<SecretState>().by_vault.iter();
    let waiting: Vec<_> =
        all.filter(|(_, secrets)| secrets.has_deleted()).map(|(vault, _)| vault.clone()).collect();
    for (vault, kind) in waiting {
        let resource =
            world.states.get::<VaultState>().open(&vault).and_then(|open| world.resources.get(&open.id));
        if let Some(days) = resource.map(|resource| retention(&resource["properties"])) {
            let state = world.states.get_mut::<SecretState>();
            state.by_vault.entry((vault, kind)).or_default().purge_expired(now, days);
        }
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let Service::Vault(name) = &call.host.service else { return None };
    let path = call.path();
    let kind = path.first().map_or(Some(SECRETS), |first| Kind::of(first))?;
    let id = world.states.get::<VaultState>().open(name)?.id.clone();
    let resource = world.resources.get(&id)?.clone();
    let visit = Visit {
        call,
        kind,
        vault: name.clone(),
        recovery: Recovery::of(&resource["properties"]),
        purge_protected: resource["properties"]["enablePurgeProtection"] == true,
        premium: resource["properties"]["sku"]["name"]
            .as_str()
            .is_some_and(|sku| sku.eq_ignore_ascii_case("premium")),
    };
    let reply = match admit(world, &visit, &resource) {
        Ok(()) => route(world, &visit)?,
        Err(refusal) => *refusal,
    };
    let address = world.states.get::<VaultState>().caller_ip();
    let network = format!("conn_type=Ipv4;addr={address};act_addr_fam=InterNetwork;");
    Some(
        reply
            .header("x-ms-keyvault-region", resource["location"].as_str().unwrap_or_default())
            .header("x-ms-keyvault-service-version", "1.9.2784.1")
            .header("x-ms-keyvault-network-info", network)
            .header("cache-control", "no-cache"),
    )
}

/// Purging a vault purges its secrets.
fn forget(world: &mut World, id: &str) {
    if let Some((_, vault)) = id.to_ascii_lowercase().split_once("/deletedvaults/") {
        world.states.get_mut::<SecretState>().by_vault.retain(|(name, _), _| name != vault);
        world.states.get_mut::<SecretState>().certificates.remove(vault);
    }
}

fn admit(world: &mut World, visit: &Visit<'_>, resource: &Value) -> Result<(), Box<Reply>> {
    let asked = visit.call.api_version();
    if asked.is_empty() {
        return Err(Box::new(refusal::bad_parameter("api-version must be specified")));
    }
    let known = VERSIONS.iter().any(|version| version.eq_ignore_ascii_case(asked));
    // Documented: a version is a number or a date.
    let year = |version: &str| version.get(..4).and_then(|year| year.parse::<u16>().ok());
    let newest = VERSIONS.iter().filter_map(|version| year(version)).max().unwrap_or_default();
    let far_ahead = year(asked).is_some_and(|year| year > newest + 1);
    if !known && !far_ahead && asked.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Box::new(Reply::unknown("api-version of a vault", asked, VERSIONS)));
    }
    if !known {
        let message = format!(
            "The specified version ({asked}) is not recognized. Consider using the latest supported version \
             ({LATEST})."
        );
        return Err(Box::new(refusal::bad_parameter(message)));
    }
    if world.states.get_mut::<SecretState>().throttle.as_mut().is_some_and(Throttle::refuses) {
        return Err(Box::new(refusal::throttled()));
    }
    access::admit(world, visit.call, resource)
}

fn route(world: &mut World, visit: &Visit<'_>) -> Option<Reply> {
    let (call, kind) = (visit.call, visit.kind);
    let path = call.path();
    let [collection, rest @ ..] = path.as_slice() else { return None };
    let live = *collection == kind.live;
    if kind.live == CERTIFICATES.live {
        return certificates::route(world, visit);
    }
    let Some((name, rest)) = rest.split_first() else {
        return match (call.method, live) {
            (Method::Get, true) => Some(listing::secrets(world, visit)),
            (Method::Get, false) => Some(listing::deleted(world, visit)),
            _ => None,
        };
    };
    if (live, call.method, *name, rest) == (true, Method::Post, "restore", &[]) {
        return Some(backup::restore(world, visit));
    }
    let spelled = call.spelled(1);
    if !is_name(name) {
        let message = format!("The request URI contains an invalid name: {spelled}");
        return Some(refusal::bad_parameter(message));
    }
    match (live, call.method, rest) {
        (true, Method::Get, ["versions"]) => Some(listing::versions(world, visit, name)),
        (true, Method::Delete, []) => Some(deleted::delete(world, visit, name)),
        (true, Method::Post, ["backup"]) => Some(backup::backup(world, visit, name)),
        (false, Method::Get, []) => Some(deleted::get(world, visit, name)),
        (false, Method::Delete, []) => Some(deleted::purge(world, visit, name)),
        (false, Method::Post, ["recover"]) => Some(deleted::recover(world, visit, name)),
        (true, Method::Get, ["rotationpolicy"]) if kind.live == KEYS.live => keys::route(world, visit),
        (true, Method::Get, []) => Some(objects::get(world, visit, name, None)),
        (true, Method::Get, [version]) => Some(objects::get(world, visit, name, Some(version))),
        (true, Method::Patch, []) => Some(objects::update(world, visit, name, None)),
        (true, Method::Patch, [version]) => Some(objects::update(world, visit, name, Some(version))),
        (true, Method::Put, []) if kind.live == SECRETS.live => Some(objects::set(world, visit, spelled)),
        _ if kind.live == KEYS.live => keys::route(world, visit),
        _ => None,
    }
}

/// Whether a name is valid for a secret.
fn is_name(name: &str) -> bool {
    (1..=127).contains(&name.len()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}
