//! The key and the secret that the vault keeps for a certificate.

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

/// What happens to a certificate, and so to its key and its secret.
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

/// Whether a key or a secret of this name is someone's own.
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

/// Puts a certificate that is issued in its place, with its key and its secret under the same id.
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

/// What the secret of a certificate holds.
pub(super) enum Content {
    /// The certificate and, where it may leave the vault, its private half.
    Made { content_type: String, exportable: bool },
    /// What was imported.
    Given { content_type: String, text: String },
}
