//! Role definitions: built-in roles, at any scope. Custom roles are not supported: creating one gets a 501.

mod builtin;

use serde_json::{Value, json};

pub(crate) use self::builtin::{BuiltIn, OWNER};
use crate::{
    http::{Call, Method, Reply, filter::quoted, paging},
    state::{Accepts, At, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(
        "Microsoft.Authorization/roleDefinitions",
        &["2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"],
    )],
    options: &[("$filter", Accepts::Read)],
    answer,
    ..Surface::EMPTY
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (scope, rest) = call.extension("microsoft.authorization", "roledefinitions")?;
    if call.method != Method::Get {
        return None;
    }
    match rest.as_slice() {
        [] => Some(list(world, call, scope)),
        [id] => Some(match BuiltIn::all().iter().find(|role| role.id == *id) {
            Some(role) => Reply::ok(show(call, role)),
            None => unknown(id),
        }),
        _ => None,
    }
}

fn list(world: &World, call: &Call, scope: usize) -> Reply {
    let is_resource = scope > 4 && call.path().get(2) == Some(&"resourcegroups");
    if is_resource && !world.resources.contains(&call.id(scope)) {
        let (kind, group) = (call.id(scope), call.spelled(3));
        return Reply::resource_not_found(kind.rsplit("/providers/").next().unwrap_or_default(), group);
    }
    let filter = call.query("$filter").unwrap_or_default();
    let Some(wanted) = conditions(filter) else {
        let known = ["atScopeAndBelow()", "atScope()", "type eq '{type}'", "roleName eq '{name}'"];
        return Reply::unknown("$filter", filter, &known);
    };
    for condition in &wanted {
        match condition {
            Condition::Name(name) if BuiltIn::find(name).is_none() => return unknown(name),
            _ => {}
        }
    }
    let matching: Vec<Value> = BuiltIn::all()
        .iter()
        .filter(|role| wanted.iter().all(|condition| condition.holds(role)))
        .map(|role| show(call, role))
        .collect();
    paging::page(&world.paging, call, 1000, matching.iter())
}

/// One condition of a filter.
enum Condition {
    Scope,
    Name(String),
    Type(String),
}

impl Condition {
    fn holds(&self, role: &BuiltIn) -> bool {
        match self {
            Self::Scope => true,
            Self::Name(name) => role.name.eq_ignore_ascii_case(name),
            Self::Type(kind) => kind.eq_ignore_ascii_case("BuiltInRole"),
        }
    }
}

/// The response for a role that the double does not have, which may be one of the built-in roles that it lacks.
pub(crate) fn unknown(id_or_name: &str) -> Reply {
    Reply::not_implemented(format!(
        "the role '{id_or_name}'; it knows the {} built-in roles of its list",
        BuiltIn::all().len()
    ))
}

fn conditions(filter: &str) -> Option<Vec<Condition>> {
    filter
        .split(" and ")
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let part = part.trim();
            if part.eq_ignore_ascii_case("atScopeAndBelow()") || part.eq_ignore_ascii_case("atScope()") {
                return Some(Condition::Scope);
            }
            let (field, value) = part.split_once(" eq ")?;
            let value = quoted(value)?;
            match field.trim().to_ascii_lowercase().as_str() {
                "rolename" => Some(Condition::Name(value)),
                "type"
                    if ["BuiltInRole", "CustomRole"].iter().any(|kind| kind.eq_ignore_ascii_case(&value)) =>
                {
                    Some(Condition::Type(value))
                }
                _ => None,
            }
        })
        .collect()
}

/// A built-in role as a subscription returns it.
fn show(call: &Call, role: &BuiltIn) -> Value {
    let prefix = call.subscription().map(|id| format!("/subscriptions/{id}")).unwrap_or_default();
    let mut permissions = role.data["permissions"].clone();
    for permission in permissions.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        // Recorded: only the preview versions have conditions.
        match call.api_version() {
            "2022-05-01-preview" => {
                for member in ["condition", "conditionVersion"] {
                    permission.entry(member).or_insert(Value::Null);
                }
            }
            _ => permission.retain(|name, _| !name.starts_with("condition")),
        }
    }
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.data["description"],
            "assignableScopes": ["/"],
            "permissions": permissions,
            "createdOn": role.data["createdOn"],
            "updatedOn": role.data["updatedOn"],
            "createdBy": null,
            "updatedBy": null,
        },
    })
}
