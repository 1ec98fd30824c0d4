//! Soft-deleted vaults: list, get, purge, recover.

use super::{VaultState, register};
use crate::{
    http::{Call, Reply, paging},
    state::{World, operations},
};

pub(super) fn list(world: &World, call: &Call, subscription: &str) -> Reply {
    let deleted = world.states.get::<VaultState>().deleted.values();
    let own = deleted.filter(|deleted| deleted.is_in(subscription)).map(super::DeletedVault::show);
    // Recorded: the last page has a link to an empty one.
    paging::page_then_empty(&world.paging, call, 1000, own)
}

pub(super) fn get(world: &World, subscription: &str, location: &str, name: &str) -> Reply {
    match find(world, subscription, location, name) {
        Some(deleted) => Reply::ok(deleted.show()),
        None => not_found(name),
    }
}

fn find<'a>(
    world: &'a World,
    subscription: &str,
    location: &str,
    name: &str,
) -> Option<&'a super::DeletedVault> {
    let location = location.replace(' ', "");
    world.states.get::<VaultState>().deleted.get(name).filter(|deleted| {
        deleted.is_in(subscription) && deleted.vault.location.eq_ignore_ascii_case(&location)
    })
}

/// Documented: the code for a vault that is not deleted.
fn not_found(name: &str) -> Reply {
    Reply::arm_error(
        404,
        "DeletedVaultNotFound",
        format!("The specified deleted vault '{name}' does not exist."),
    )
}

pub(super) fn purge(world: &mut World, call: &Call, subscription: &str, location: &str, name: &str) -> Reply {
    let Some(deleted) = find(world, subscription, location, name) else { return not_found(name) };
    // Reported: purge protection prevents purging.
    if deleted.resource["properties"]["enablePurgeProtection"] == true {
        return Reply::arm_error(405, "MethodNotAllowed", "Operation 'DeletedVaultPurge' is not allowed.");
    }
    let (target, key) = (call.id(8), name.to_owned());
    let operation = match operations::running_on(world, &target) {
        Some(running) => running,
        None => operations::start(world, &target, move |world, outcome| {
            if outcome.is_ok() {
                purge_now(world, &key);
            }
            None
        }),
    };
    operations::accepted(world, call, &operation)
}

/// Removes a deleted vault for good, which frees its name.
pub(super) fn purge_now(world: &mut World, name: &str) {
    let Some(deleted) = world.states.get_mut::<VaultState>().deleted.remove(name) else { return };
    world.remove(&deleted.id());
}

/// A PUT with `createMode` `recover`: restores the vault and its secrets, but not its role assignments.
pub(super) fn recover(world: &mut World, call: &Call, location: &str) -> Reply {
    let (id, name) = (call.id(8), call.spelled(7));
    let key = name.to_ascii_lowercase();
    if let Some(existing) = world.resources.get(&id) {
        return Reply::ok(existing.clone());
    }
    let there = world.states.get::<VaultState>().deleted.get(&key);
    if !there.is_some_and(|deleted| {
        deleted.vault.id.eq_ignore_ascii_case(&id) && deleted.vault.location == location
    }) {
        return not_found(name);
    }
    let Some(mut deleted) = world.states.get_mut::<VaultState>().deleted.remove(&key) else {
        return not_found(name);
    };
    if call.json()["tags"].is_object() {
        deleted.resource["tags"] = call.json()["tags"].clone();
    }
    deleted.vault.ready = false;
    register(world, deleted.vault, deleted.resource, 200)
}
