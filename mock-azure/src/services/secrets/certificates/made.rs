//! The key and the secret of a certificate, which the vault manages.

use time::OffsetDateTime;

use super::x509;
use crate::{
    services::secrets::{
        SecretState,
        kind::{KEYS, Kind, SECRETS},
        material::Made,
        store::{Secret, Version},
    },
    state::World,
};

const KEPT: [&Kind; 2] = [KEYS, SECRETS];

/// A change of a certificate that also applies to its key and its secret.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Follow {
    Delete(OffsetDateTime),
    Recover,
    Purge,
}

pub(crate) fn follow(world: &mut World, vault: &str, name: &str, what: Follow) {
    for kind in KEPT {
        let objects = world.states.get_mut::<SecretState>().objects(vault, kind);
        match what {
            Follow::Delete(now) if objects.live.get(name).is_some_and(|object| object.managed) => {
                objects.delete(name, now);
            }
            Follow::Delete(_) => {}
            Follow::Recover => {
                if let Some(deleted) = objects.deleted.remove(name) {
                    objects.live.insert(name.to_owned(), deleted.secret);
                }
            }
            Follow::Purge => {
                objects.deleted.remove(name);
            }
        }
    }
}

/// The key and the secret of a certificate, with all their versions.
pub(crate) fn kept_for(world: &World, vault: &str, name: &str) -> Vec<(&'static str, Secret)> {
    let by_vault = &world.states.get::<SecretState>().by_vault;
    let of = |kind: &&Kind| {
        let found = by_vault.get(&(vault.to_owned(), kind.live))?.live.get(name)?;
        found.managed.then(|| (kind.live, found.clone()))
    };
    KEPT.iter().filter_map(of).collect()
}

/// Whether there is a key or secret with this name that does not belong to a certificate.
pub(super) fn is_taken(world: &World, vault: &str, name: &str) -> bool {
    let by_vault = &world.states.get::<SecretState>().by_vault;
    KEPT.iter().any(|kind| {
        by_vault.get(&(vault.to_owned(), kind.live)).is_some_and(|objects| {
            objects.live.get(name).is_some_and(|object| !object.managed) || objects.deleted.contains_key(name)
        })
    })
}

pub(super) fn enable(world: &mut World, vault: &str, name: &str, version: &str, enabled: bool) {
    for kind in KEPT {
        let objects = world.states.get_mut::<SecretState>().objects(vault, kind);
        let found = objects.live.get_mut(name).and_then(|object| object.versions.get_mut(version));
        if let Some(found) = found {
            found.enabled = enabled;
        }
    }
}

/// Stores the key and the secret of an issued certificate under the same version id.
pub(super) fn put(
    world: &mut World,
    vault: &str,
    (name, id): (&str, &str),
    version: &Version,
    made: &Made,
    secret: &Content,
) {
    let (content_type, value) = match secret {
        Content::Made { content_type, exportable } => {
            let der = version.der.as_deref().unwrap_or_default();
            let whole = exportable.then(|| x509::with_private_half(made, der, content_type));
            (content_type, whole.flatten())
        }
        Content::Given { content_type, text } => (content_type, Some(text.clone())),
    };
    for kind in KEPT {
        let mut kept = version.clone();
        kept.der = None;
        if kind.live == KEYS.live {
            kept.key = made.public.clone();
            kept.value.clone_from(&made.private);
        } else {
            kept.content_type = Some(content_type.clone());
            kept.opaque = value.is_none();
            kept.value = value.clone().unwrap_or_default();
        }
        let objects = world.states.get_mut::<SecretState>().objects(vault, kind);
        objects.set_as(name, id, kept);
        if let Some(object) = objects.live.get_mut(&name.to_ascii_lowercase()) {
            object.managed = true;
        }
    }
}

/// The content of a certificate's secret.
pub(super) enum Content {
    /// The certificate and, if it is exportable, its private key.
    Made { content_type: String, exportable: bool },
    /// The text that was imported.
    Given { content_type: String, text: String },
}
