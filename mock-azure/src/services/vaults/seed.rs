//! Vaults in the initial state.

use serde_json::{Value, json};

use super::{TYPE, Vault, VaultState, soft_delete};
use crate::{
    services::{resource_groups, role_assignments},
    state::{MockAzure, Seed, World},
};

const LOCATION: &str = "westeurope";

impl Seed {
    /// Adds a vault in `westeurope` whose access is controlled by roles, and its resource group if that does not exist.
    /// Nobody has a role for its secrets yet: see [`vault_role`](Self::vault_role).
    pub fn vault(self, subscription: impl ToString, group: &str, name: &str) -> Self {
        let (subscription, group, name) = (subscription.to_string(), group.to_owned(), name.to_owned());
        self.step(move |world| add(world, &subscription, &group, &name))
    }

    /// Sets a property of a seeded vault, such as `enablePurgeProtection` or `networkAcls`.
    pub fn vault_property(self, name: &str, property: &str, value: impl Into<Value>) -> Self {
        let (name, property, value) = (name.to_owned(), property.to_owned(), value.into());
        self.step(move |world| {
            if let Some(resource) = resource(world, &name) {
                resource["properties"][property.as_str()] = value;
            }
        })
    }

    /// Assigns a role (by name or GUID) on a seeded vault, such as `Key Vault Secrets Officer`, to the signed-in
    /// principal.
    pub fn vault_role(self, name: &str, role: &str) -> Self {
        let (name, role) = (name.to_owned(), role.to_owned());
        self.step(move |world| {
            let Some(id) = world.states.get::<VaultState>().open(&name).map(|vault| vault.id.clone()) else {
                return;
            };
            let principal = world.signed_in.object_id.clone();
            role_assignments::grant(world, &principal, &role, &id);
        })
    }

    /// Switches a seeded vault to access policies, and gives the signed-in principal these permissions on secrets:
    /// `get`, `list`, `set`, ..
    pub fn access_policy(self, name: &str, secret_permissions: &[&str]) -> Self {
        let (name, secrets) = (name.to_owned(), json!(secret_permissions));
        self.step(move |world| {
            let policy = json!({
                "tenantId": world.tenant,
                "objectId": world.signed_in.object_id,
                "permissions": { "secrets": secrets },
            });
            if let Some(resource) = resource(world, &name) {
                resource["properties"]["enableRbacAuthorization"] = json!(false);
                resource["properties"]["accessPolicies"] = json!([policy]);
            }
        })
    }

    /// Adds a vault and deletes it: its name is unavailable until it is recovered or purged.
    pub fn deleted_vault(self, subscription: impl ToString, group: &str, name: &str) -> Self {
        let deleted = name.to_owned();
        self.vault(subscription, group, name).step(move |world| soft_delete(world, &deleted))
    }

    /// Makes a vault name unavailable, as if somebody else had taken it.
    pub fn vault_name_taken(self, name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.setting(move |world| {
            world.states.get_mut::<VaultState>().taken.insert(name);
        })
    }

    /// Sets the address from which requests reach vaults. Default: `203.0.113.7`.
    pub fn caller_ip(self, address: &str) -> Self {
        let address = address.to_owned();
        self.setting(move |world| world.states.get_mut::<VaultState>().caller_ip = Some(address))
    }
}

impl MockAzure {
    /// Changes the address from which requests reach vaults from now on.
    pub fn set_caller_ip(&self, address: &str) {
        self.shared.lock().world.states.get_mut::<VaultState>().caller_ip = Some(address.to_owned());
    }
}

fn add(world: &mut World, subscription: &str, group: &str, name: &str) {
    let group = resource_groups::ensure(world, subscription, group, LOCATION);
    let id = format!("{group}/providers/{TYPE}/{name}");
    let resource = json!({
        "id": id,
        "name": name,
        "type": TYPE,
        "location": LOCATION,
        "tags": {},
        "systemData": {
            "createdBy": "seed@contoso.example",
            "createdByType": "User",
            "createdAt": "2026-03-01T12:00:00.0000000Z",
            "lastModifiedBy": "seed@contoso.example",
            "lastModifiedByType": "User",
            "lastModifiedAt": "2026-03-01T12:00:00.0000000Z",
        },
        "properties": {
            "tenantId": world.tenant,
            "sku": { "family": "A", "name": "standard" },
            "accessPolicies": [],
            "enabledForDeployment": false,
            "enableSoftDelete": true,
            "softDeleteRetentionInDays": 90,
            "enableRbacAuthorization": true,
            "vaultUri": format!("https://{name}.vault.azure.net/"),
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
        },
    });
    world.resources.put(resource);
    let vault = Vault { id, name: name.to_owned(), location: LOCATION.to_owned(), ready: true };
    world.states.get_mut::<VaultState>().open.insert(name.to_ascii_lowercase(), vault);
}

fn resource<'w>(world: &'w mut World, name: &str) -> Option<&'w mut Value> {
    let id = world.states.get::<VaultState>().open(name)?.id.clone();
    world.resources.get_mut(&id)
}
