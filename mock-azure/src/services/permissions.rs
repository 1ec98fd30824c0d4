//! The caller's permissions at a scope.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    services::role_assignments,
    state::{Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    types: &[("Microsoft.Authorization/permissions", &["2015-07-01", "2018-07-01", "2022-04-01"])],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (scope, rest) = call.extension("microsoft.authorization", "permissions")?;
    if call.method != Method::Get || !rest.is_empty() {
        return None;
    }
    let id = call.id(scope);
    if scope > 4 && !world.resources.contains(&id) {
        let kind_and_name = format!("{}/{}/{}", call.spelled(5), call.spelled(6), call.spelled(7));
        return Some(Reply::resource_not_found(&kind_and_name, call.spelled(3)));
    }
    let held = role_assignments::permissions(world, &call.caller.object_id, &id);
    let value: Vec<Value> = held
        .into_iter()
        .map(|mut held| {
            held["condition"] = Value::Null;
            held["conditionVersion"] = Value::Null;
            held
        })
        .collect();
    Some(Reply::ok(json!({ "value": value })))
}
