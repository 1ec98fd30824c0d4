//! Role assignments at any scope, and what they allow.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    http::{Call, Reply, filter::quoted, paging, timestamp},
    services::{
        directory,
        role_definitions::{self, BuiltIn, OWNER},
    },
    state::{Accepts, At, MockAzure, Place, Seed, Surface, Tracked, World, stable_id},
};

pub(crate) const TYPE: &str = "Microsoft.Authorization/roleAssignments";

pub(crate) const SURFACE: Surface = Surface {
    at: At::Management,
    types: &[(
        TYPE,
        &["2015-07-01", "2018-09-01-preview", "2020-04-01-preview", "2020-10-01-preview", "2022-04-01"],
    )],
    provision: Some(provision),
    options: &[("$filter", Accepts::Read)],
    graph_rows: Some(|world, subscription| {
        let scope = format!("/subscriptions/{subscription}");
        world.resources.of_type(&scope, TYPE).map(|found| ("authorizationresources", found.clone())).collect()
    }),
    answer: |world, call| ASSIGNMENTS.answer(world, call),
    ..Surface::EMPTY
};

/// An index of the stored assignments, with their propagation.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// The lower-case ids of assignments, by principal. An id may be stale; the store decides.
    by_principal: HashMap<String, Vec<String>>,
    /// How many more checks will not see an assignment yet.
    unseen_for: HashMap<String, u32>,
    /// When an assignment takes effect, if that is in the future.
    unseen_until: HashMap<String, OffsetDateTime>,
    propagation: u32,
    propagation_time: Duration,
    first_role: Option<String>,
}

impl Seed {
    /// Makes a new role assignment take effect only after `checks` requests that needed it have been refused.
    pub fn role_propagation(self, checks: u32) -> Self {
        self.setting(move |world| world.states.get_mut::<Roles>().propagation = checks)
    }

    /// Makes a new role assignment take effect only after this much time has passed on the double's clock, in addition
    /// to [`role_propagation`](Seed::role_propagation) if both are set.
    pub fn role_propagation_time(self, time: std::time::Duration) -> Self {
        let time = time.try_into().unwrap_or(Duration::MAX);
        self.setting(move |world| world.states.get_mut::<Roles>().propagation_time = time)
    }

    /// Sets the role (by name or GUID) of the signed-in principal on every subscription. Default: `Owner`.
    pub fn signed_in_role(self, role: &str) -> Self {
        let role = role.to_owned();
        self.setting(move |world| world.states.get_mut::<Roles>().first_role = Some(role))
    }

    /// Assigns a built-in role (by name or GUID) to a principal. The assignment takes effect immediately. A role that
    /// the double does not know is ignored.
    pub fn role_assignment(self, principal: &str, role: &str, scope: &str) -> Self {
        let (principal, role, scope) = (principal.to_owned(), role.to_owned(), scope.to_owned());
        self.step(move |world| grant(world, &principal, &role, &scope))
    }
}

fn provision(world: &mut World, subscription: &str) {
    let role = world.states.get::<Roles>().first_role.clone().unwrap_or_else(|| OWNER.to_owned());
    let principal = world.signed_in.object_id.clone();
    grant(world, &principal, &role, &format!("/subscriptions/{subscription}"));
}

pub(crate) fn grant(world: &mut World, principal: &str, role: &str, scope: &str) {
    let Some(role) = BuiltIn::find(role) else { return };
    let name = stable_id(&format!("{scope}/{principal}/{}", role.id));
    let kind = directory::find(world, principal).map_or("User", |found| found.type_name());
    let assignment = Assignment { scope, name: &name, principal, kind, role: &role.id };
    let shown = assignment.show(world, &json!({}));
    record(world, principal, shown, 0);
}

fn record(world: &mut World, principal: &str, shown: Value, unseen_for: u32) {
    let id = shown["id"].as_str().unwrap_or_default().to_ascii_lowercase();
    world.resources.put(shown);
    let roles = world.states.get_mut::<Roles>();
    if unseen_for > 0 {
        roles.unseen_for.insert(id.clone(), unseen_for);
    }
    let ids = roles.by_principal.entry(principal.to_ascii_lowercase()).or_default();
    if !ids.contains(&id) {
        ids.push(id);
    }
}

/// Whether a principal may perform a management action at a scope. Each check advances propagation.
pub(crate) fn may(world: &mut World, principal: &str, action: &str, scope: &str) -> bool {
    roles_at(world, principal, scope).iter().any(|role| role.allows(action))
}

/// The permissions of each role that a principal has at a scope.
pub(crate) fn permissions(world: &mut World, principal: &str, scope: &str) -> Vec<Value> {
    let held = roles_at(world, principal, scope);
    held.iter().filter_map(|role| role.data["permissions"].as_array()).flatten().cloned().collect()
}

/// Whether a principal may perform an action on a resource's data.
pub(crate) fn may_on_data(world: &mut World, principal: &str, action: &str, scope: &str) -> bool {
    roles_at(world, principal, scope).iter().any(|role| role.allows_data(action))
}

impl MockAzure {
    /// Returns whether a principal has a role (by name or GUID) at or above a scope, through an assignment that has
    /// propagated.
    pub fn has_role(&self, principal: &str, role: &str, scope: &str) -> bool {
        has_role(&mut self.shared.lock().world, principal, role, scope)
    }
}

fn has_role(world: &mut World, principal: &str, role: &str, scope: &str) -> bool {
    let wanted = BuiltIn::find(role).map(|role| &role.id);
    roles_at(world, principal, scope).iter().any(|held| Some(&held.id) == wanted)
}

/// The roles that a principal has at a scope, through assignments that have propagated.
fn roles_at(world: &mut World, principal: &str, scope: &str) -> Vec<&'static BuiltIn> {
    let (now, scope) = (world.now(), scope.to_ascii_lowercase());
    let Some(ids) = world.states.get::<Roles>().by_principal.get(&principal.to_ascii_lowercase()) else {
        return Vec::new();
    };
    let mut held = Vec::new();
    let mut spreading = Vec::new();
    for id in ids {
        let Some(assignment) = world.resources.get(id) else { continue };
        let at = assignment["properties"]["scope"].as_str().unwrap_or_default();
        if !reaches(at, &scope) {
            continue;
        }
        let roles = world.states.get::<Roles>();
        if roles.unseen_until.get(id).is_some_and(|until| now < *until) {
            continue;
        }
        if roles.unseen_for.contains_key(id) {
            spreading.push(id.clone());
        } else {
            held.extend(role_of(assignment));
        }
    }
    for id in spreading {
        let unseen = &mut world.states.get_mut::<Roles>().unseen_for;
        match unseen.get_mut(&id) {
            Some(left) if *left > 1 => *left -= 1,
            _ => drop(unseen.remove(&id)),
        }
    }
    held
}

fn role_of(assignment: &Value) -> Option<&'static BuiltIn> {
    let definition = assignment["properties"]["roleDefinitionId"].as_str()?;
    BuiltIn::find(definition.rsplit('/').next()?)
}

/// Whether `scope` (in lower case) is at or below `above`.
fn reaches(above: &str, scope: &str) -> bool {
    let above = above.trim_end_matches('/').to_ascii_lowercase();
    scope.strip_prefix(&above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

const ASSIGNMENTS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    list,
    put,
    delete: Tracked::answer_gone,
    missing: |_, call| {
        let name = call.name();
        Reply::arm_error(404, "RoleAssignmentNotFound", format!("The role assignment '{name}' is not found."))
    },
    ..Tracked::ROW
};

struct Assignment<'a> {
    scope: &'a str,
    name: &'a str,
    principal: &'a str,
    kind: &'a str,
    role: &'a str,
}

impl Assignment<'_> {
    fn show(&self, world: &World, asked: &Value) -> Value {
        let subscription = match self.scope.split('/').collect::<Vec<_>>().as_slice() {
            ["", "subscriptions", id, ..] => format!("/subscriptions/{id}"),
            _ => String::new(),
        };
        let now = timestamp::precise(world.now());
        let by = &world.signed_in.object_id;
        json!({
            "id": format!("{}/providers/{TYPE}/{}", self.scope, self.name),
            "type": TYPE,
            "name": self.name,
            "properties": {
                "roleDefinitionId":
                    format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{}", self.role),
                "principalId": self.principal,
                "principalType": self.kind,
                "scope": if self.scope.is_empty() { "/" } else { self.scope },
                "condition": asked["condition"],
                "conditionVersion": asked["conditionVersion"],
                "createdOn": now,
                "updatedOn": now,
                "createdBy": by,
                "updatedBy": by,
                "delegatedManagedIdentityResourceId": asked["delegatedManagedIdentityResourceId"],
                "description": asked["description"],
            },
        })
    }
}

fn put(world: &mut World, call: &Call) -> Reply {
    let (scope, name) = (call.id(call.len() - 4), call.name());
    // Documented: names and principals are GUIDs. Reported: the errors for a principal that is new or of another type.
    // Recorded: the error for an assignment that exists.
    let refuse = |status, code: &str, message: String| Reply::arm_error(status, code, message);
    if uuid::Uuid::parse_str(name).is_err() {
        let message =
            format!("The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.");
        return refuse(400, "InvalidRoleAssignmentId", message);
    }
    let asked = &call.json()["properties"];
    let (Some(definition), Some(principal)) =
        (asked["roleDefinitionId"].as_str(), asked["principalId"].as_str())
    else {
        return refuse(400, "BadRequestFormat", "The request was incorrectly formatted.".to_owned());
    };
    if uuid::Uuid::parse_str(principal).is_err() {
        let message = format!("The Principal ID '{principal}' is not valid. Principal ID must be a GUID.");
        return refuse(400, "InvalidPrincipalId", message);
    }
    let guid = definition.rsplit('/').next().unwrap_or_default();
    if !definition.to_ascii_lowercase().contains("/providers/microsoft.authorization/roledefinitions/") {
        let message = format!("The role definition ID '{definition}' is not valid.");
        return refuse(400, "InvalidRoleDefinitionId", message);
    }
    let Some(role) = BuiltIn::all().iter().find(|role| role.id.eq_ignore_ascii_case(guid)) else {
        return role_definitions::unknown(guid);
    };
    if role.is_conditional() {
        return Reply::not_implemented(format!(
            "the permissions of the role '{}': they depend on a condition",
            role.name
        ));
    }
    let seen = asked["principalType"].is_string() || directory::has_replicated(world, principal);
    let known = directory::find(world, principal).filter(|_| seen);
    let kind = match (known, asked["principalType"].as_str()) {
        (Some(known), None) => known.type_name().to_owned(),
        (Some(known), Some(said)) if !said.eq_ignore_ascii_case(known.type_name()) => {
            let message = format!(
                "The PrincipalId '{principal}' has type '{}', which is different from specified PrinciaplType '{said}'.",
                known.type_name()
            );
            return refuse(400, "UnmatchedPrincipalType", message);
        }
        (_, Some(said)) => said.to_owned(),
        (None, None) => {
            let message = format!(
                "Principal {} does not exist in the directory {}. Check that you have the correct principal ID. If \
                 you are creating this principal and then immediately assigning a role, this error might be related \
                 to a replication delay. In this case, set the role assignment principalType property to a value, \
                 such as ServicePrincipal, User, or Group.",
                principal.replace('-', ""),
                world.tenant
            );
            return refuse(400, "PrincipalNotFound", message);
        }
    };
    if let Some(existing) = world.resources.get(&call.key()) {
        let existing = existing.clone();
        return update(world, existing, principal, role, asked);
    }
    if let Some(twin) = twin(world, &scope, principal, role) {
        let message = format!(
            "The role assignment already exists. The ID of the existing role assignment is {}.",
            twin.replace('-', "")
        );
        return refuse(409, "RoleAssignmentExists", message);
    }
    let assignment = Assignment { scope: &scope, name, principal, kind: &kind, role: &role.id };
    let shown = assignment.show(world, asked);
    let until = world.now().saturating_add(world.states.get::<Roles>().propagation_time);
    let roles = world.states.get_mut::<Roles>();
    if roles.propagation_time.is_positive() {
        roles.unseen_until.insert(call.key(), until);
    }
    let checks = roles.propagation;
    record(world, principal, shown.clone(), checks);
    Reply::json(201, shown)
}

/// A second PUT with the same name, accepted for the same role and principal. Recorded: 201, with the new description
/// and condition.
fn update(world: &mut World, mut existing: Value, principal: &str, role: &BuiltIn, asked: &Value) -> Reply {
    let there = existing["properties"]["principalId"].as_str().unwrap_or_default();
    if there.eq_ignore_ascii_case(principal) && role_of(&existing).is_some_and(|held| held.id == role.id) {
        for member in ["description", "condition", "conditionVersion"] {
            existing["properties"][member] = asked[member].clone();
        }
        existing["properties"]["updatedOn"] = json!(timestamp::precise(world.now()));
        world.resources.put(existing.clone());
        return Reply::json(201, existing);
    }
    Reply::arm_error(
        400,
        "RoleAssignmentUpdateNotPermitted",
        "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
    )
}

/// The name of an existing assignment of the same role to the same principal at the same scope.
fn twin(world: &World, scope: &str, principal: &str, role: &BuiltIn) -> Option<String> {
    let ids = world.states.get::<Roles>().by_principal.get(&principal.to_ascii_lowercase())?;
    ids.iter().filter_map(|id| world.resources.get(id)).find_map(|found| {
        let at = found["properties"]["scope"].as_str()?;
        let same = at.trim_end_matches('/').eq_ignore_ascii_case(scope) && role_of(found)?.id == role.id;
        same.then(|| found["name"].as_str().unwrap_or_default().to_owned())
    })
}

fn list(_: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let scope = call.id(at).to_ascii_lowercase();
    let filter = call.query("$filter").unwrap_or_default().trim();
    let Some(wanted) = Wanted::parse(filter) else {
        let known = ["atScope()", "principalId eq '{id}'", "assignedTo('{id}')"];
        return Reply::unknown("$filter", filter, &known);
    };
    let mut found: Vec<&Value> = world
        .states
        .get::<Roles>()
        .by_principal
        .iter()
        .filter(|(principal, _)| wanted.principal.as_ref().is_none_or(|wanted| wanted == *principal))
        .flat_map(|(_, ids)| ids)
        .filter_map(|id| world.resources.get(id))
        .filter(|assignment| {
            let at = assignment["properties"]["scope"].as_str().unwrap_or_default();
            reaches(at, &scope) || (!wanted.at_scope && reaches(&scope, &at.to_ascii_lowercase()))
        })
        .collect();
    found.sort_by_key(|assignment| assignment["id"].as_str());
    paging::page(&world.paging, call, 1000, found.into_iter())
}

/// The filter of a list.
#[derive(Default)]
struct Wanted {
    at_scope: bool,
    principal: Option<String>,
}

impl Wanted {
    fn parse(filter: &str) -> Option<Self> {
        let mut wanted = Self::default();
        for part in filter.split(" and ").map(str::trim).filter(|part| !part.is_empty()) {
            let lower = part.to_ascii_lowercase();
            let assigned = lower.strip_prefix("assignedto(").and_then(|rest| rest.strip_suffix(')'));
            if lower == "atscope()" {
                wanted.at_scope = true;
            } else if let Some(principal) = lower.strip_prefix("principalid eq ").or(assigned)
                && wanted.principal.is_none()
            {
                wanted.principal = Some(quoted(principal)?);
            } else {
                return None;
            }
        }
        Some(wanted)
    }
}
