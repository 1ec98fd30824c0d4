//! Locks, and what they prevent.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{
        Accepts, Place, Surface, Tracked, World,
        tracked::{self, is_in},
    },
};

const TYPE: &str = "Microsoft.Authorization/locks";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2015-01-01", "2016-09-01", "2017-04-01", "2020-05-01"])],
    options: &[("$filter", Accepts::Words(&["atScope()"]))],
    answer: |world, call| LOCKS.answer(world, call),
    ..Surface::EMPTY
};

const LOCKS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    // Recorded: the list of a scope contains the locks at and below it, or only those at the scope if the request says
    // so.
    list: |row, world, call, at| {
        let (scope, all_below) = (call.id(at), call.query("$filter").is_none());
        let all = world.resources.of_type(&scope, row.kind);
        let all: Vec<&Value> = all.filter(|lock| all_below || tracked::is_on(lock, &scope)).collect();
        Reply::ok(json!({ "value": all }))
    },
    put,
    missing: |_, call| {
        let name = call.name();
        let message = format!("The lock '{name}' could not be found.");
        Reply::arm_error(404, "LockNotFound", message)
    },
    ..Tracked::ROW
};

fn put(world: &mut World, call: &Call) -> Reply {
    let properties = &call.json()["properties"];
    // Documented: the two levels.
    if !matches!(properties["level"].as_str(), Some("CanNotDelete" | "ReadOnly")) {
        let message =
            format!("The lock level {} is not one of: CanNotDelete, ReadOnly.", properties["level"]);
        return Reply::arm_error(400, "InvalidLockLevel", message);
    }
    LOCKS.store(world, call, json!({ "properties": properties }))
}

/// Documented: `CanNotDelete` prevents deleting its scope and everything below it; `ReadOnly` also prevents writes and
/// actions. A lock on a child prevents deleting the parent.
pub(crate) fn refusal(world: &World, call: &Call) -> Option<Reply> {
    let deletes = match call.method {
        Method::Delete => true,
        Method::Put | Method::Patch | Method::Post => false,
        _ => return None,
    };
    if call.subscription().is_none() || call.extension("microsoft.authorization", "locks").is_some() {
        return None;
    }
    let target = call.key();
    let subscription = call.id(2);
    let locked: Vec<&str> = world
        .resources
        .of_type(&subscription, TYPE)
        .filter(|lock| deletes || lock["properties"]["level"] == "ReadOnly")
        .filter_map(|lock| lock["id"].as_str()?.rsplit_once("/providers/").map(|(scope, _)| scope))
        .filter(|scope| {
            let scope = scope.to_ascii_lowercase();
            is_in(&target, &scope) || (deletes && is_in(&scope, &target))
        })
        .collect();
    let first = locked.first()?;
    let (what, id) = (if deletes { "delete" } else { "write" }, call.id(call.len()));
    Some(Reply::arm_error(
        409,
        "ScopeLocked",
        format!(
            "The scope '{id}' cannot perform {what} operation because following scope(s) are locked: '{first}'. \
             Please remove the lock and try again."
        ),
    ))
}
