//! Role definitions: the built-in roles, at any scope.

mod builtin;

use serde_json::{Value, json};

use self::builtin::BUILT_IN;
pub(crate) use self::builtin::{BuiltIn, OWNER};
use crate::{
    http::{Call, Method, Reply, filter::quoted, paging},
    state::{At, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(
        "Microsoft.Authorization/roleDefinitions",
        &["2015-07-01", "2018-01-01-preview", "2022-04-01", "2022-05-01-preview"],
    )],
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
        [id] => Some(match BUILT_IN.iter().find(|role| role.id == *id) {
            Some(role) => Reply::ok(show(call, role)),
            None => {
                let message = format!("The specified role definition with ID '{id}' does not exist.");
                Reply::arm_error(404, "RoleDefinitionDoesNotExist", message)
            }
        }),
        _ => None,
    }
}

fn list(world: &World, call: &Call, scope: usize) -> Reply {
    if scope > 2
        && call.path().get(2) == Some(&"resourcegroups")
        && scope > 4
        && !world.resources.contains(&call.id(scope))
    {
        let (kind, group) = (call.id(scope), call.spelled(3));
        return Reply::resource_not_found(kind.rsplit("/providers/").next().unwrap_or_default(), group);
    }
    let Some(wanted) = call.query("$filter").map_or(Some(Vec::new()), conditions) else {
        let filter = call.query("$filter").unwrap_or_default();
        let message = format!(
            "The filter '{filter}' is not supported. Supported filters are 'atScopeAndBelow()', 'type eq' and \
             'roleName eq'."
        );
        return Reply::arm_error(400, "UnsupportedQuery", message);
    };
    let matching: Vec<Value> = BUILT_IN
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

fn conditions(filter: &str) -> Option<Vec<Condition>> {
    filter
        .split(" and ")
        .map(|part| {
            let part = part.trim();
            if part.eq_ignore_ascii_case("atScopeAndBelow()") || part.eq_ignore_ascii_case("atScope()") {
                return Some(Condition::Scope);
            }
            let (field, value) = part.split_once(" eq ")?;
            let value = quoted(value)?;
            match field.trim().to_ascii_lowercase().as_str() {
                "rolename" => Some(Condition::Name(value)),
                "type" => Some(Condition::Type(value)),
                _ => None,
            }
        })
        .collect()
}

/// A built-in role as a subscription shows it.
fn show(call: &Call, role: &BuiltIn) -> Value {
    let prefix = call.subscription().map(|id| format!("/subscriptions/{id}")).unwrap_or_default();
    json!({
        "id": format!("{prefix}/providers/Microsoft.Authorization/roleDefinitions/{}", role.id),
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": role.id,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "description": role.description,
            "assignableScopes": ["/"],
            "permissions": [{
                "actions": role.actions,
                "notActions": role.not_actions,
                "dataActions": role.data_actions,
                "notDataActions": [],
            }],
            "createdOn": "2015-02-02T21:55:09.8806423Z",
            "updatedOn": "2021-11-11T20:13:12.9130000Z",
            "createdBy": null,
            "updatedBy": null,
        },
    })
}
