//! The principals in Microsoft Graph.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    http::{
        Call, Method, Reply,
        filter::quoted,
        identity::{Principal, PrincipalKind},
    },
    state::{Accepts, At, Seed, Surface, World},
};

pub(crate) const SURFACE: Surface =
    Surface { at: At::Graph, options: &[("$filter", Accepts::Read)], answer, ..Surface::EMPTY };

/// The tenant's other principals besides the signed-in one, and whether Graph may be read.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    others: Vec<Principal>,
    forbidden: bool,
    /// How many more lookups will not find a new principal, by object id.
    unseen_for: HashMap<String, u32>,
    replication: u32,
}

impl Seed {
    /// Makes Graph refuse every request with 403, as it does without consent.
    pub fn graph_forbidden(self) -> Self {
        self.setting(|world| world.states.get_mut::<Directory>().forbidden = true)
    }

    /// Adds a user to the directory.
    pub fn user(self, object_id: &str, upn: &str) -> Self {
        let kind = PrincipalKind::User { upn: upn.to_owned() };
        self.principal(object_id, upn, kind)
    }

    /// Adds the service principal of an application to the directory.
    pub fn service_principal(self, object_id: &str, app_id: &str, display_name: &str) -> Self {
        self.principal(object_id, display_name, PrincipalKind::ServicePrincipal { app_id: app_id.to_owned() })
    }

    /// Adds a group to the directory.
    pub fn group(self, object_id: &str, display_name: &str) -> Self {
        self.principal(object_id, display_name, PrincipalKind::Group)
    }

    /// Makes the next `lookups` role assignments for a principal created later, such as a machine's identity, fail
    /// because the principal is not found. Assignments that give the principal's type succeed.
    pub fn principal_replication(self, lookups: u32) -> Self {
        self.setting(move |world| world.states.get_mut::<Directory>().replication = lookups)
    }

    fn principal(self, object_id: &str, display_name: &str, kind: PrincipalKind) -> Self {
        let (object_id, display_name) = (object_id.to_owned(), display_name.to_owned());
        let principal = Principal { object_id, display_name, kind };
        self.setting(move |world| world.states.get_mut::<Directory>().others.push(principal))
    }
}

/// Adds a principal that did not exist before.
pub(crate) fn add(world: &mut World, principal: Principal) {
    let directory = world.states.get_mut::<Directory>();
    if directory.replication > 0 {
        directory.unseen_for.insert(principal.object_id.clone(), directory.replication);
    }
    directory.others.push(principal);
}

/// Whether a lookup finds a principal that may still be replicating. Each call counts as a lookup.
pub(crate) fn has_replicated(world: &mut World, object_id: &str) -> bool {
    match world.states.get_mut::<Directory>().unseen_for.get_mut(&object_id.to_ascii_lowercase()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            false
        }
        _ => true,
    }
}

/// Finds a principal by its object id.
pub(crate) fn find<'a>(world: &'a World, object_id: &str) -> Option<&'a Principal> {
    all(world).find(|principal| principal.object_id.eq_ignore_ascii_case(object_id))
}

/// Finds a principal by the client id of its application.
pub(crate) fn application<'a>(world: &'a World, client_id: &str) -> Option<&'a Principal> {
    all(world).find(|principal| match &principal.kind {
        PrincipalKind::ServicePrincipal { app_id } => app_id.eq_ignore_ascii_case(client_id),
        _ => false,
    })
}

fn all(world: &World) -> impl Iterator<Item = &Principal> {
    std::iter::once(&world.signed_in).chain(&world.states.get::<Directory>().others)
}

/// Recorded: the format and codes of Graph's errors.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let inner =
        json!({ "date": "2026-03-01T12:00:00", "request-id": "00000000-0000-0000-0000-000000000000" });
    Reply::json(status, json!({ "error": { "code": code, "message": message, "innerError": inner } }))
}

/// The refusal without consent, if the seed says so.
pub(crate) fn forbidden(world: &World) -> Option<Reply> {
    let message = "Insufficient privileges to complete the operation.";
    world.states.get::<Directory>().forbidden.then(|| refusal(403, "Authorization_RequestDenied", message))
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if call.query("$select").is_some() {
        return None;
    }
    let path = call.path();
    let [version @ ("v1.0" | "beta"), rest @ ..] = path.as_slice() else { return None };
    let known = match (call.method, rest) {
        (Method::Get, ["me"]) => me(world, call),
        (Method::Get, ["users"]) => list(world, call, Sort::User)?,
        (Method::Get, ["users", id]) => one(user(world, id), id),
        (Method::Get, ["groups"]) => list(world, call, Sort::Group)?,
        (Method::Get, ["groups", id]) => one(find(world, id).filter(|found| Sort::Group.has(found)), id),
        (Method::Get, ["serviceprincipals"]) => list(world, call, Sort::Application)?,
        (Method::Get, ["serviceprincipals", id]) => {
            one(find(world, id).filter(|found| Sort::Application.has(found)), id)
        }
        (Method::Get, ["directoryobjects", id]) => {
            find(world, id).map_or_else(|| not_found(id), |principal| Reply::ok(show_typed(principal)))
        }
        (Method::Post, ["directoryobjects", "getbyids"]) => by_ids(world, call)?,
        (Method::Get, [key]) => {
            let client_id = key.strip_prefix("serviceprincipals(appid='")?.strip_suffix("')")?;
            one(application(world, client_id), client_id)
        }
        _ => return None,
    };
    if let Some(refusal) = forbidden(world) {
        return Some(refusal);
    }
    let mut reply = known;
    if let crate::http::Body::Json(body) = &mut reply.body
        && body["error"].is_null()
    {
        let (host, kind) = (&call.authority, call.spelled(1));
        body["@odata.context"] = json!(format!("https://{host}/{version}/$metadata#{kind}"));
    }
    Some(reply)
}

fn me(world: &World, call: &Call) -> Reply {
    match find(world, &call.caller.object_id) {
        Some(found) if Sort::User.has(found) => Reply::ok(show(found)),
        Some(_) => {
            refusal(400, "BadRequest", "/me request is only valid with delegated authentication flow.")
        }
        None => not_found(&call.caller.object_id),
    }
}

/// Finds a user by sign-in name or object id.
pub(crate) fn user<'a>(world: &'a World, id: &str) -> Option<&'a Principal> {
    all(world).find(|principal| match &principal.kind {
        PrincipalKind::User { upn } => {
            upn.eq_ignore_ascii_case(id) || principal.object_id.eq_ignore_ascii_case(id)
        }
        _ => false,
    })
}

/// The type of a collection's items in Graph.
#[derive(Clone, Copy)]
enum Sort {
    User,
    Application,
    Group,
}

impl Sort {
    fn of(principal: &Principal) -> Self {
        match principal.kind {
            PrincipalKind::User { .. } => Self::User,
            PrincipalKind::ServicePrincipal { .. } => Self::Application,
            PrincipalKind::Group => Self::Group,
        }
    }

    fn has(self, principal: &Principal) -> bool {
        self.name() == Self::of(principal).name()
    }

    /// Graph's name of the type.
    fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Application => "servicePrincipal",
            Self::Group => "group",
        }
    }
}

/// A whole collection, or the items that match a filter with one comparison. Other options are unknown.
fn list(world: &World, call: &Call, sort: Sort) -> Option<Reply> {
    if call.query_pairs().iter().any(|(name, _)| name != "$filter") {
        return None;
    }
    let of_sort =
        all(world).map(|principal| (principal, show(principal))).filter(|(found, _)| sort.has(found));
    let value: Vec<Value> = match call.query("$filter") {
        None => of_sort.map(|(_, shown)| shown).collect(),
        Some(filter) => {
            let (field, wanted) = comparison(sort, filter)?;
            let is = |value: &Value| value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(&wanted));
            let matches = |shown: &Value| match &shown[field] {
                Value::Array(names) => names.iter().any(is),
                value => is(value),
            };
            of_sort.map(|(_, shown)| shown).filter(matches).collect()
        }
    };
    Some(Reply::ok(json!({ "value": value })))
}

/// `appId eq 'x'`, or `servicePrincipalNames/any(c:c eq 'x')`.
fn comparison(sort: Sort, filter: &str) -> Option<(&'static str, String)> {
    let (field, value) = filter.trim().split_once(" eq ")?;
    let (field, value) = match field.split_once("/any(") {
        Some((field, variable)) => {
            let (declared, used) = variable.split_once(':')?;
            (field, (declared.trim() == used.trim()).then(|| value.strip_suffix(')'))??)
        }
        None => (field, value),
    };
    let fields: &[&'static str] = match sort {
        Sort::User => &["id", "displayName", "userPrincipalName"],
        Sort::Application => &["id", "displayName", "appId", "servicePrincipalNames"],
        Sort::Group => &["id", "displayName"],
    };
    let field = *fields.iter().find(|known| **known == field.trim())?;
    Some((field, quoted(value)?))
}

/// The principals with these ids and of the requested types; missing ones are omitted.
fn by_ids(world: &World, call: &Call) -> Option<Reply> {
    let texts = |key: &str| -> Vec<&str> {
        call.json()[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (ids, types) = (texts("ids"), texts("types"));
    if ids.is_empty() || ids.len() > 1000 {
        return Some(refusal(400, "Request_BadRequest", "The ids must be one to 1000 object ids."));
    }
    let asked = |principal: &&Principal| {
        types.is_empty()
            || types.iter().any(|kind| *kind == "directoryObject" || *kind == Sort::of(principal).name())
    };
    let found: Vec<Value> =
        ids.iter().filter_map(|id| find(world, id)).filter(asked).map(show_typed).collect();
    Some(Reply::ok(json!({ "value": found })))
}

fn one(found: Option<&Principal>, id: &str) -> Reply {
    found.map_or_else(|| not_found(id), |principal| Reply::ok(show(principal)))
}

pub(crate) fn not_found(id: &str) -> Reply {
    let message = format!(
        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
    );
    refusal(404, "Request_ResourceNotFound", &message)
}

/// With its type, as collections of mixed types show a principal.
/// Recorded: what Graph answers of a user by default, beside names.
const USER_MEMBERS: &[&str] =
    &["givenName", "jobTitle", "mail", "mobilePhone", "officeLocation", "preferredLanguage", "surname"];

fn show_typed(principal: &Principal) -> Value {
    let mut shown = show(principal);
    shown["@odata.type"] = json!(format!("#microsoft.graph.{}", Sort::of(principal).name()));
    shown
}

fn show(principal: &Principal) -> Value {
    let mut shown = json!({ "id": principal.object_id, "displayName": principal.display_name });
    match &principal.kind {
        PrincipalKind::User { upn } => {
            shown["userPrincipalName"] = json!(upn);
            for unset in USER_MEMBERS {
                shown[*unset] = Value::Null;
            }
            shown["businessPhones"] = json!([]);
        }
        PrincipalKind::ServicePrincipal { app_id } => {
            shown["appId"] = json!(app_id);
            shown["appDisplayName"] = json!(principal.display_name);
            shown["servicePrincipalNames"] = json!([app_id]);
            shown["servicePrincipalType"] = json!("Application");
        }
        PrincipalKind::Group => {
            shown["securityEnabled"] = json!(true);
        }
    }
    shown
}
