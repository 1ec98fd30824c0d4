//! Creates, changes, lists and deletes vaults.

use serde_json::{Value, json};

use super::{TYPE, Vault, VaultState, register, soft_delete};
use crate::{
    http::{Call, Reply},
    state::{Pages, Tracked, World, system_data},
};

/// From this version on, a new vault uses roles unless the request says otherwise.
const RBAC_BY_DEFAULT: &str = "2026-02-01";

/// Properties that stay unchanged if a PUT does not name them.
const KEPT: &[&str] = &[
    "enableRbacAuthorization",
    "enableSoftDelete",
    "softDeleteRetentionInDays",
    "enablePurgeProtection",
    "privateEndpointConnections",
    "hsmPoolResourceId",
    "vaultUri",
    "provisioningState",
];

pub(super) const VAULTS: Tracked = Tracked {
    kind: TYPE,
    // Recorded: the last page of vaults has a link to an empty one.
    pages: Pages::ThenEmpty(1000),
    put,
    patch: Some(patch),
    delete: |row, world, call| {
        let there = world.resources.contains(&call.id(8));
        if there {
            soft_delete(world, call.spelled(7));
        }
        row.gone(there)
    },
    ..Tracked::ROW
};

fn put(world: &mut World, call: &Call) -> Reply {
    let (id, name, body) = (call.id(8), call.spelled(7), call.json());
    if let Some(refusal) = name_rule(name) {
        return Reply::arm_error(400, "VaultNameNotValid", refusal);
    }
    let Some(location) = body["location"].as_str().filter(|location| !location.is_empty()) else {
        return Reply::arm_error(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        );
    };
    let location = location.replace(' ', "").to_ascii_lowercase();
    if body["properties"]["createMode"] == "recover" {
        return super::deleted::recover(world, call, &location);
    }
    if let Some(refusal) = required(&body["properties"]) {
        return refusal;
    }
    match world.resources.get(&id).cloned() {
        Some(existing) => replace(world, call, &existing, &location),
        None => create(world, call, name, &location),
    }
}

fn create(world: &mut World, call: &Call, name: &str, location: &str) -> Reply {
    if let Some(refusal) = name_in_use(world, call, name) {
        return refusal;
    }
    let body = call.json();
    let mut properties = body["properties"].clone();
    if let Some(refusal) = bad_change(&properties, &Value::Null) {
        return refusal;
    }
    let rbac = call.api_version().to_ascii_lowercase().as_str() >= RBAC_BY_DEFAULT;
    if rbac {
        fill(&mut properties, &json!({ "enableRbacAuthorization": true }));
    }
    let defaults = json!({
        "enabledForDeployment": false,
        "enableSoftDelete": true,
        "softDeleteRetentionInDays": 90,
        "publicNetworkAccess": "Enabled",
        "accessPolicies": [],
    });
    fill(&mut properties, &defaults);
    complete(&mut properties);
    let group = world
        .resources
        .get(&call.id(4))
        .and_then(|group| group["id"].as_str())
        .unwrap_or_default()
        .to_owned();
    let id = format!("{group}/providers/{TYPE}/{name}");
    properties["vaultUri"] = json!(format!("https://{name}.{}/", call.host.cloud.vault_suffix));
    let resource = json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "location": location,
        "tags": tags(body),
        "systemData": system_data(world, call, None),
        "properties": properties,
    });
    let vault = Vault { id, name: name.to_owned(), location: location.to_owned(), ready: false };
    // Recorded: 200 even for a new vault.
    register(world, vault, resource, 200)
}

fn replace(world: &mut World, call: &Call, existing: &Value, location: &str) -> Reply {
    let there = existing["location"].as_str().unwrap_or_default();
    // Documented: a location cannot change.
    if there != location {
        let (name, group) = (call.spelled(7), call.spelled(3));
        let message = format!(
            "The resource '{name}' already exists in location '{there}' in resource group '{group}'. A resource with \
             the same name cannot be created in location '{location}'. Please select a new resource name."
        );
        return Reply::arm_error(409, "InvalidResourceLocation", message);
    }
    let (body, before) = (call.json(), &existing["properties"]);
    let mut properties = body["properties"].clone();
    for read_only in ["vaultUri", "provisioningState", "privateEndpointConnections", "hsmPoolResourceId"] {
        remove(&mut properties, read_only);
    }
    for key in KEPT {
        if properties[*key].is_null() && !before[*key].is_null() {
            properties[*key] = before[*key].clone();
        }
    }
    let defaults =
        json!({ "enabledForDeployment": false, "publicNetworkAccess": "Enabled", "accessPolicies": [] });
    fill(&mut properties, &defaults);
    if call.api_version().to_ascii_lowercase().as_str() >= RBAC_BY_DEFAULT {
        fill(&mut properties, &json!({ "enableRbacAuthorization": false }));
    }
    change(world, call, existing, properties, tags(body))
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let Some(existing) = world.resources.get(&call.id(8)).cloned() else { return VAULTS.not_found(call) };
    let body = call.json();
    let mut properties = existing["properties"].clone();
    for (key, value) in body["properties"].as_object().into_iter().flatten() {
        if !matches!(key.as_str(), "vaultUri" | "provisioningState" | "createMode") {
            properties[key.as_str()] = value.clone();
        }
    }
    let tags = if body["tags"].is_object() { body["tags"].clone() } else { existing["tags"].clone() };
    change(world, call, &existing, properties, tags)
}

fn change(world: &mut World, call: &Call, existing: &Value, mut properties: Value, tags: Value) -> Reply {
    let before = &existing["properties"];
    if let Some(refusal) = bad_change(&properties, before) {
        return refusal;
    }
    let mode = "enableRbacAuthorization";
    // Documented: only a caller that may assign roles may change a vault's permission model.
    if (properties[mode] == true) != (before[mode] == true) && !super::may_assign_roles(world, call) {
        let message = "Caller is not allowed to change permission model.";
        return Reply::arm_error(403, "InsufficientPermissions", message);
    }
    remove(&mut properties, "createMode");
    complete(&mut properties);
    let mut changed = existing.clone();
    changed["properties"] = properties;
    changed["tags"] = tags;
    changed["systemData"] = system_data(world, call, Some(existing));
    world.resources.put(changed.clone());
    Reply::ok(changed)
}

pub(super) fn check_name(world: &World, call: &Call) -> Reply {
    let body = call.json();
    let Some(name) = body["name"].as_str() else {
        return Reply::bad_request("The parameter name is not specified.");
    };
    if body["type"] != TYPE {
        return Reply::bad_request(format!("The parameter type must be '{TYPE}'."));
    }
    let (reason, message) = match (name_rule(name), is_taken(world, name)) {
        (Some(rule), _) => ("AccountNameInvalid", rule),
        (None, true) => ("AlreadyExists", already_exists(name)),
        (None, false) => return Reply::ok(json!({ "nameAvailable": true })),
    };
    Reply::ok(json!({ "nameAvailable": false, "reason": reason, "message": message }))
}

/// Documented: the response to an invalid name.
fn name_rule(name: &str) -> Option<String> {
    let fits = (3..=24).contains(&name.len())
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.ends_with(|last: char| last.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && !name.contains("--");
    (!fits).then(|| {
        format!(
            "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name \
             must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this \
             link for more information: https://go.microsoft.com/fwlink/?linkid=2147742"
        )
    })
}

fn is_taken(world: &World, name: &str) -> bool {
    let (vaults, key) = (world.states.get::<VaultState>(), name.to_ascii_lowercase());
    vaults.open.contains_key(&key) || vaults.deleted.contains_key(&key) || vaults.taken.contains(&key)
}

fn already_exists(name: &str) -> String {
    format!(
        "The vault name '{name}' is already in use. Vault names are globally unique so it is possible that the name is \
         already taken. If you are sure that the vault name was not taken then it is possible that a vault with the \
         same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a \
         recoverable state then the vault will need to be purged before reusing the name. For more information about \
         VaultAlreadyExists, soft delete and purging a vault follow this link \
         https://go.microsoft.com/fwlink/?linkid=2147740."
    )
}

/// Reported: the response to a name that is taken by a vault, or by one of the caller's deleted vaults.
fn name_in_use(world: &World, call: &Call, name: &str) -> Option<Reply> {
    let deleted = world.states.get::<VaultState>().deleted.get(&name.to_ascii_lowercase());
    if deleted.is_some_and(|deleted| call.subscription().is_some_and(|own| deleted.is_in(own))) {
        let message = "A vault with the same name already exists in deleted state. You need to either recover or \
                       purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for \
                       more information on soft delete.";
        return Some(Reply::arm_error(409, "ConflictError", message));
    }
    is_taken(world, name).then(|| Reply::arm_error(409, "VaultAlreadyExists", already_exists(name)))
}

/// Documented: these members are required, with these values.
fn required(properties: &Value) -> Option<Reply> {
    let missing = |name: &str| Some(Reply::bad_request(format!("The parameter {name} is not specified.")));
    let Some(tenant) = properties["tenantId"].as_str() else { return missing("tenantId") };
    if uuid::Uuid::parse_str(tenant).is_err() {
        return Some(Reply::bad_request(format!(
            "An invalid value was provided for 'tenantId': '{tenant}'."
        )));
    }
    if !properties["sku"].is_object() {
        return missing("sku");
    }
    let tier = properties["sku"]["name"].as_str().unwrap_or_default();
    if properties["sku"]["family"] != "A"
        || !["standard", "premium"].contains(&tier.to_ascii_lowercase().as_str())
    {
        return Some(Reply::bad_request("An invalid value was provided for 'sku'."));
    }
    // Documented: access policies are required. But the quickstart for a vault with roles sends none.
    if !properties["accessPolicies"].is_array() && properties["enableRbacAuthorization"] != true {
        return missing("accessPolicies");
    }
    None
}

/// Documented: the range of days, and what cannot be undone. Refuses properties that must not be set, or not be changed
/// once set.
fn bad_change(properties: &Value, before: &Value) -> Option<Reply> {
    let refuse = |message: &str| Some(Reply::bad_request(message));
    let days = &properties["softDeleteRetentionInDays"];
    if !days.is_null() && !days.as_i64().is_some_and(|days| (7..=90).contains(&days)) {
        return refuse("The property \"softDeleteRetentionInDays\" must be between 7 and 90.");
    }
    if !before["softDeleteRetentionInDays"].is_null() && *days != before["softDeleteRetentionInDays"] {
        return refuse(
            "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.",
        );
    }
    if properties["enableSoftDelete"] == false {
        return refuse("The property \"enableSoftDelete\" cannot be set to false: soft delete is always on.");
    }
    if properties["enablePurgeProtection"] == false {
        return refuse(
            "The property \"enablePurgeProtection\" cannot be set to false. Enabling the purge protection for a vault \
             is an irreversible action.",
        );
    }
    None
}

fn tags(body: &Value) -> Value {
    if body["tags"].is_object() { body["tags"].clone() } else { json!({}) }
}

/// Recorded: network rules always have all their lists. Reported: an address becomes a range, and a subnet lower case.
fn complete(properties: &mut Value) {
    if !properties["networkAcls"].is_object() {
        return;
    }
    let rules = &mut properties["networkAcls"];
    fill(rules, &json!({ "bypass": "AzureServices", "ipRules": [], "virtualNetworkRules": [] }));
    for rule in rules["ipRules"].as_array_mut().into_iter().flatten() {
        if let Some(address) = rule["value"].as_str().filter(|address| !address.contains('/')) {
            rule["value"] = json!(format!("{address}/32"));
        }
    }
    for rule in rules["virtualNetworkRules"].as_array_mut().into_iter().flatten() {
        if let Some(subnet) = rule["id"].as_str() {
            rule["id"] = json!(subnet.to_ascii_lowercase());
        }
    }
}

/// Sets missing properties.
fn fill(properties: &mut Value, defaults: &Value) {
    for (key, value) in defaults.as_object().into_iter().flatten() {
        if properties[key.as_str()].is_null() {
            properties[key.as_str()] = value.clone();
        }
    }
}

fn remove(properties: &mut Value, key: &str) {
    if let Some(fields) = properties.as_object_mut() {
        fields.remove(key);
    }
}
