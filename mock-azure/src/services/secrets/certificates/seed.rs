//! Certificates in the initial state.

use serde_json::json;
use time::Duration;

use super::{
    made::{self, Content},
    policy, x509,
};
use crate::{
    http::Reply,
    services::{
        secrets::{SecretState, kind::CERTIFICATES, material, store::Version, version_order},
        vaults::VaultState,
    },
    state::{Seed, World},
};

impl Seed {
    /// Adds a self-signed certificate, valid for one year, with a P-256 key. Another call with the same name adds a
    /// version. The vault also gets the key and the secret of the certificate. The vault must have been seeded before.
    /// Without the feature `certificates`, nothing is added.
    pub fn certificate(self, vault: &str, name: &str) -> Self {
        let (vault, name) = (vault.to_ascii_lowercase(), name.to_owned());
        self.step(move |world| {
            if world.states.get::<VaultState>().open(&vault).is_some() {
                // A policy like this one is always valid.
                let _ = add(world, &vault, &name);
            }
        })
    }
}

fn add(world: &mut World, vault: &str, name: &str) -> Result<(), Box<Reply>> {
    const YEAR: u64 = 12;
    let (now, order, seed) = (world.now(), version_order(world), world.fresh_id());
    let mut base = policy::defaults();
    base["x509_props"]["sans"] = json!({});
    let given = json!({
        "key_props": { "kty": "EC", "crv": "P-256" },
        "x509_props": { "subject": format!("CN={name}") },
        "issuer": { "name": "Self" },
    });
    let policy = policy::laid_over(base, &given, now.unix_timestamp())?;
    let made = material::generate(&policy["key_props"], &seed, false)?;
    let certificates = world.states.get_mut::<SecretState>().objects(vault, CERTIFICATES);
    let id = certificates.next_id(name, order);
    let (from, to) = (now - Duration::minutes(10), x509::months_later(now, YEAR));
    let mut version = Version::new("", now);
    version.der = Some(x509::issue(&made, &policy, &id, (from, to))?);
    (version.not_before, version.expires) = (Some(from.unix_timestamp()), Some(to.unix_timestamp()));
    certificates.set_as(name, &id, version.clone());
    if let Some(certificate) = certificates.live.get_mut(&name.to_ascii_lowercase()) {
        certificate.policy = Some(policy);
    }
    let content = Content::Made { content_type: "application/x-pkcs12".to_owned(), exportable: true };
    made::put(world, vault, (name, &id), &version, &made, &content);
    Ok(())
}
