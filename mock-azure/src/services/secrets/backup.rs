//! Backs up a secret with all its versions, and restores it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{
    SecretState, Visit, certificates,
    kind::CERTIFICATES,
    refusal,
    store::{Pending, Secret},
};
use crate::{http::Reply, services::vaults::VaultState, state::World};

/// The maximum number of versions of a secret that can be backed up.
const VERSION_LIMIT: usize = 500;

/// The content of a backup. The service encrypts it into the blob; the double stores it.
#[derive(Debug)]
pub(super) struct Backup {
    secret: Secret,
    /// For a certificate, its key and its secret.
    kept: Vec<(&'static str, Secret)>,
    kind: &'static str,
    subscription: String,
}

pub(super) fn backup(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let spelled = visit.call.spelled(1);
    let subscription = subscription(world, visit);
    let id = world.fresh_id();
    let secrets = visit.secrets(world);
    if matches!(secrets.look(name), Some(Pending::Recovering)) {
        return refusal::not_found(visit.kind, spelled);
    }
    let Some(mut secret) = secrets.live.get(name).cloned() else {
        return refusal::not_found(visit.kind, spelled);
    };
    // Recorded: a restored certificate has no pending operation.
    secret.operation = None;
    if secret.versions.len() > VERSION_LIMIT {
        let message = format!("An object with more than {VERSION_LIMIT} versions cannot be backed up.");
        return refusal::bad_parameter(message);
    }
    let blob = URL_SAFE_NO_PAD.encode(format!("KeyVault{}BackupV1.mock-azure.{id}", visit.kind.word));
    let kept = if visit.kind.live == CERTIFICATES.live {
        certificates::kept_for(world, &visit.vault, name)
    } else {
        Vec::new()
    };
    let backup = Backup { secret, kept, kind: visit.kind.live, subscription };
    world.states.get_mut::<SecretState>().backups.insert(blob.clone(), backup);
    Reply::ok(json!({ "value": blob }))
}

pub(super) fn restore(world: &mut World, visit: &Visit<'_>) -> Reply {
    let subscription = subscription(world, visit);
    let blob = visit.call.json()["value"].as_str().unwrap_or_default().trim_end_matches('=');
    let Some(backup) =
        world.states.get::<SecretState>().backups.get(blob).filter(|backup| backup.kind == visit.kind.live)
    else {
        let message = format!("Invalid {} backup blob.", visit.kind.word.to_ascii_lowercase());
        return refusal::bad_parameter(message);
    };
    if backup.subscription != subscription {
        // Documented: only within the same subscription.
        return refusal::bad_parameter(
            "The backup can only be restored to a vault of the same subscription.",
        );
    }
    let (secret, kept) = (backup.secret.clone(), backup.kept.clone());
    let (name, key) = (secret.name.clone(), secret.name.to_ascii_lowercase());
    let secrets = visit.secrets(world);
    match secrets.look(&key) {
        Some(Pending::Deleting | Pending::Purging) => return refusal::being_deleted(visit.kind, &name),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, &name),
        None => {}
    }
    if secrets.deleted.contains_key(&key) {
        return refusal::deleted_but_recoverable(visit.kind, &name);
    }
    if secrets.live.contains_key(&key) {
        return refusal::plain(409, "Conflict", format!("{} {name} already exists.", visit.kind.word));
    }
    let shown = visit.bundle(&secret, &secret.current);
    secrets.live.insert(key.clone(), secret);
    for (kind, object) in kept {
        let state = world.states.get_mut::<SecretState>();
        state.by_vault.entry((visit.vault.clone(), kind)).or_default().live.insert(key.clone(), object);
    }
    Reply::ok(shown)
}

fn subscription(world: &World, visit: &Visit<'_>) -> String {
    let vault = world.states.get::<VaultState>().open(&visit.vault);
    let id = vault.and_then(|vault| vault.id.split('/').nth(2)).unwrap_or_default();
    id.to_ascii_lowercase()
}
