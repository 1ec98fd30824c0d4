//! Soft-deleted secrets: delete, get, recover, purge.

use serde_json::{Value, json};
use time::Duration;

use super::{
    SecretState, Visit, refusal,
    store::{DeletedSecret, Pending},
};
use crate::{http::Reply, state::World};

/// Adds the properties of a deletion to a secret's JSON.
pub(super) fn describe(visit: &Visit<'_>, mut shown: Value, deleted: &DeletedSecret) -> Value {
    let purge = deleted.deleted + Duration::days(visit.recovery.days);
    shown["recoveryId"] = json!(visit.url(visit.kind.deleted, &deleted.secret.name));
    shown["deletedDate"] = json!(deleted.deleted.unix_timestamp());
    shown["scheduledPurgeDate"] = json!(purge.unix_timestamp());
    shown
}

fn show(visit: &Visit<'_>, deleted: &DeletedSecret) -> Value {
    describe(visit, visit.bundle(&deleted.secret, &deleted.secret.current), deleted)
}

pub(super) fn delete(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let (spelled, now, looks) =
        (visit.call.spelled(1), world.now(), world.states.get::<SecretState>().settling);
    let secrets = visit.secrets(world);
    match secrets.look(name) {
        Some(Pending::Deleting | Pending::Purging) => return refusal::being_deleted(visit.kind, spelled),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, spelled),
        None => {}
    }
    if secrets.live.get(name).is_some_and(|secret| secret.managed) {
        return refusal::managed(spelled);
    }
    let Some(deleted) = secrets.delete(name, now) else { return refusal::not_found(visit.kind, spelled) };
    let shown = show(visit, deleted);
    secrets.settle(name, Pending::Deleting, looks);
    Reply::ok(shown)
}

pub(super) fn get(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let spelled = visit.call.spelled(1);
    let secrets = visit.secrets(world);
    if matches!(secrets.look(name), Some(Pending::Deleting | Pending::Purging)) {
        return refusal::deleted_not_found(visit.kind, spelled);
    }
    match secrets.deleted.get(name) {
        Some(deleted) => Reply::ok(show(visit, deleted)),
        None => refusal::deleted_not_found(visit.kind, spelled),
    }
}

pub(super) fn purge(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let (spelled, looks) = (visit.call.spelled(1), world.states.get::<SecretState>().settling);
    let secrets = visit.secrets(world);
    match secrets.look(name) {
        Some(Pending::Deleting) => return refusal::being_deleted(visit.kind, spelled),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, spelled),
        Some(Pending::Purging) | None => {}
    }
    if !secrets.deleted.contains_key(name) {
        return refusal::deleted_not_found(visit.kind, spelled);
    }
    if visit.purge_protected {
        let message = format!(
            "Operation \"purge\" is not allowed because purge protection is enabled for this vault. Key Vault service \
             will automatically purge it after the retention period has passed.\r\nVault: {}",
            visit.vault
        );
        return refusal::plain(403, "Forbidden", message);
    }
    secrets.deleted.remove(name);
    secrets.settle(name, Pending::Purging, looks);
    Reply::empty(204)
}

pub(super) fn recover(world: &mut World, visit: &Visit<'_>, name: &str) -> Reply {
    let (spelled, looks) = (visit.call.spelled(1), world.states.get::<SecretState>().settling);
    let secrets = visit.secrets(world);
    match secrets.look(name) {
        Some(Pending::Deleting) => return refusal::being_deleted(visit.kind, spelled),
        Some(Pending::Recovering) => return refusal::being_recovered(visit.kind, spelled),
        Some(Pending::Purging) | None => {}
    }
    let Some(deleted) = secrets.deleted.remove(name) else {
        return refusal::deleted_not_found(visit.kind, spelled);
    };
    let shown = visit.bundle(&deleted.secret, &deleted.secret.current);
    secrets.live.insert(name.to_owned(), deleted.secret);
    secrets.settle(name, Pending::Recovering, looks);
    Reply::ok(shown)
}
