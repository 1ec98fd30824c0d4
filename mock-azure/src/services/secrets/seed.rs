//! Secrets in the initial state, and what tests look up in vaults.

use super::{
    SecretState, Throttle,
    kind::SECRETS,
    store::{Pending, Secrets, Version},
};
use crate::{
    services::vaults::VaultState,
    state::{MockAzure, Seed, World},
};

/// A version of a secret as stored in the vault.
#[derive(Clone)]
#[non_exhaustive]
pub struct SecretVersion {
    /// The version's id, 32 characters.
    pub id: String,
    /// The value.
    pub value: String,
    /// Whether it can be read.
    pub enabled: bool,
    /// Whether it is the version that a read without a version returns.
    pub current: bool,
    /// When it expires, as Unix time.
    pub expires: Option<i64>,
    /// The tags.
    pub tags: Vec<(String, String)>,
}

/// Omits the value, so that no secret gets into a test's output.
impl std::fmt::Debug for SecretVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretVersion")
            .field("id", &self.id)
            .field("enabled", &self.enabled)
            .field("current", &self.current)
            .finish_non_exhaustive()
    }
}

impl Seed {
    /// Adds a secret. Another call with the same name adds a version. The vault must have been seeded before.
    pub fn secret(self, vault: &str, name: &str, value: &str) -> Self {
        self.version(vault, name, value, |_| {})
    }

    /// Adds a secret whose newest version is disabled.
    pub fn disabled_secret(self, vault: &str, name: &str, value: &str) -> Self {
        self.version(vault, name, value, |version| version.enabled = false)
    }

    /// Adds `n` versions of a secret, all created within the same second.
    pub fn secret_versions(self, vault: &str, name: &str, n: u32) -> Self {
        let name = name.to_owned();
        self.in_vault(vault, move |secrets, world| {
            for number in 1..=n {
                let version = Version::new(&format!("{name}-value-{number}"), world.now);
                secrets.set(&name, version, world.order);
            }
        })
    }

    /// Adds the secret that Key Vault keeps for a certificate.
    pub fn managed_secret(self, vault: &str, name: &str) -> Self {
        let name = name.to_owned();
        self.in_vault(vault, move |secrets, world| {
            let mut version = Version::new("certificate with private key", world.now);
            version.content_type = Some("application/x-pkcs12".to_owned());
            secrets.set(&name, version, world.order);
            if let Some(secret) = secrets.live.get_mut(&name.to_ascii_lowercase()) {
                secret.managed = true;
            }
        })
    }

    /// Adds a secret and deletes it: its name is unavailable until it is recovered or purged.
    pub fn deleted_secret(self, vault: &str, name: &str, value: &str) -> Self {
        let name = name.to_owned();
        let key = name.to_ascii_lowercase();
        self.secret(vault, &name, value).in_vault(vault, move |secrets, world| {
            secrets.delete(&key, world.now);
            secrets.settle(&key, Pending::Deleting, 0);
        })
    }

    /// Sets how many requests for a name still find a delete, recovery or purge incomplete. Default: 1.
    pub fn secret_settling(self, requests: u32) -> Self {
        self.setting(move |world| world.states.get_mut::<SecretState>().settling = requests)
    }

    /// Refuses `refusals` requests to vaults with 429 after every `every` requests.
    pub fn secret_throttling(self, every: u32, refusals: u32) -> Self {
        self.setting(move |world| {
            world.states.get_mut::<SecretState>().throttle = Some(Throttle { every, refusals, seen: 0 })
        })
    }

    /// Changes the order of versions in lists. Each number selects one order, which is the same in every run.
    pub fn version_order(self, number: u64) -> Self {
        self.setting(move |world| world.states.get_mut::<SecretState>().order = Some(number))
    }

    fn version(
        self,
        vault: &str,
        name: &str,
        value: &str,
        alter: impl FnOnce(&mut Version) + Send + 'static,
    ) -> Self {
        let (name, value) = (name.to_owned(), value.to_owned());
        self.in_vault(vault, move |secrets, world| {
            let mut version = Version::new(&value, world.now);
            alter(&mut version);
            secrets.set(&name, version, world.order);
        })
    }

    fn in_vault(self, vault: &str, step: impl FnOnce(&mut Secrets, &Surroundings) + Send + 'static) -> Self {
        let vault = vault.to_owned();
        self.step(move |world| {
            let surroundings = Surroundings { now: world.now(), order: super::version_order(world) };
            if world.states.get::<VaultState>().open(&vault).is_some() {
                step(world.states.get_mut::<SecretState>().of_vault(&vault), &surroundings);
            }
        })
    }
}

struct Surroundings {
    now: time::OffsetDateTime,
    order: u64,
}

impl MockAzure {
    /// Returns all versions of a secret in the order in which they were set. Empty if there is no such secret or it is
    /// deleted.
    pub fn secret_versions(&self, vault: &str, name: &str) -> Vec<SecretVersion> {
        let state = self.shared.lock();
        versions(&state.world, vault, name)
    }
}

fn versions(world: &World, vault: &str, name: &str) -> Vec<SecretVersion> {
    let open = world.states.get::<VaultState>().open(vault);
    let secrets = open.and_then(|_| {
        world.states.get::<SecretState>().by_vault.get(&(vault.to_ascii_lowercase(), SECRETS.live))
    });
    let secret = secrets.and_then(|secrets| secrets.live.get(&name.to_ascii_lowercase()));
    let Some(secret) = secret else { return Vec::new() };
    let mut versions: Vec<_> = secret.versions.iter().collect();
    versions.sort_by_key(|(_, version)| version.number);
    versions
        .into_iter()
        .map(|(id, version)| SecretVersion {
            id: id.clone(),
            value: version.value.clone(),
            enabled: version.enabled,
            current: *id == secret.current,
            expires: version.expires,
            tags: version
                .tags
                .iter()
                .flatten()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
        })
        .collect()
}
