//! Microsoft Graph: whether users and applications may sign in, and which sessions of users are valid.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use azure_core::credentials::TokenCredential;
use serde_json::{Map, Value, json};
use time::{OffsetDateTime, macros::datetime};

use crate::{
    http::{
        Call, Method, Reply,
        identity::{Principal, PrincipalKind},
        timestamp,
    },
    services::directory,
    state::{Accepts, At, MockAzure, Surface, World},
};

pub(crate) const SURFACE: Surface =
    Surface { at: At::Graph, options: &[("$select", Accepts::Read)], answer, ..Surface::EMPTY };

/// The time from which a user's sessions are valid if none were revoked.
const BEGINNING: OffsetDateTime = datetime!(2026-03-01 12:00 UTC);

/// Changes to accounts, by lower-case object id.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    disabled: HashSet<String>,
    sessions_from: HashMap<String, OffsetDateTime>,
}

/// Whether a principal is not allowed to sign in.
pub(crate) fn is_disabled(world: &World, object_id: &str) -> bool {
    world.states.get::<Accounts>().disabled.contains(&object_id.to_ascii_lowercase())
}

/// The time up to which a user's sessions have been revoked.
pub(crate) fn sessions_from(world: &World, object_id: &str) -> OffsetDateTime {
    let revoked = world.states.get::<Accounts>().sessions_from.get(&object_id.to_ascii_lowercase()).copied();
    revoked.unwrap_or(BEGINNING)
}

impl MockAzure {
    /// Returns a credential for another principal in the directory, by its object id. Requests with it have that
    /// principal's roles, and the logs name that principal. `None` if the directory has no such user or application.
    pub fn credential_of(&self, object_id: &str) -> Option<Arc<dyn TokenCredential>> {
        let principal = directory::find(&self.shared.lock().world, object_id)?.clone();
        let signs_in = !matches!(principal.kind, PrincipalKind::Group);
        signs_in.then(|| self.credential_for(self.tenant(), principal, refused))
    }

    /// Returns whether a principal may sign in: Graph's `accountEnabled`. `true` for one that does not exist.
    pub fn may_sign_in(&self, object_id: &str) -> bool {
        !is_disabled(&self.shared.lock().world, object_id)
    }
}

/// Documented: the sign-in's error codes for a user and for an application.
fn refused(world: &World, principal: &Principal) -> Option<&'static str> {
    is_disabled(world, &principal.object_id).then_some(match principal.kind {
        PrincipalKind::ServicePrincipal { .. } => "AADSTS7000112: The application is disabled.",
        _ => "AADSTS50057: The user account is disabled.",
    })
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["v1.0", kind @ ("users" | "serviceprincipals"), id, rest @ ..] = path.as_slice() else {
        return None;
    };
    let found = match *kind {
        "users" => directory::user(world, id).cloned(),
        _ => directory::find(world, id).filter(|found| is_application(found)).cloned(),
    };
    let known = match (call.method, rest) {
        (Method::Get, []) => {
            let asked = call.query("$select")?;
            match &found {
                Some(found) => selected(world, call, found, asked)?,
                None => directory::not_found(id),
            }
        }
        (Method::Patch, []) => {
            let body = call.json();
            let enabled = body["accountEnabled"].as_bool()?;
            // Other members of a principal are not stored here.
            body.as_object().filter(|members| members.len() == 1)?;
            on(world, found.as_ref(), id, |accounts, id, _| {
                if enabled {
                    accounts.disabled.remove(&id)
                } else {
                    accounts.disabled.insert(id)
                };
                Reply::empty(204)
            })
        }
        (Method::Post, ["revokesigninsessions"]) if *kind == "users" => {
            let host = call.authority.clone();
            on(world, found.as_ref(), id, |accounts, id, now| {
                accounts.sessions_from.insert(id, now);
                let context = format!("https://{host}/v1.0/$metadata#Edm.Boolean");
                Reply::ok(json!({ "@odata.context": context, "value": true }))
            })
        }
        _ => return None,
    };
    Some(directory::forbidden(world).unwrap_or(known))
}

/// Changes an account if Graph allows it to the caller.
fn on(
    world: &mut World,
    found: Option<&Principal>,
    id: &str,
    change: impl FnOnce(&mut Accounts, String, OffsetDateTime) -> Reply,
) -> Reply {
    if let Some(refusal) = directory::forbidden(world) {
        return refusal;
    }
    let Some(found) = found else { return directory::not_found(id) };
    let now = world.now();
    change(world.states.get_mut::<Accounts>(), found.object_id.to_ascii_lowercase(), now)
}

/// Documented: `$select` names the members of the response; `accountEnabled` of a user is returned only if selected.
fn selected(world: &World, call: &Call, found: &Principal, asked: &str) -> Option<Reply> {
    let mut all = json!({
        "id": found.object_id,
        "displayName": found.display_name,
        "accountEnabled": !is_disabled(world, &found.object_id),
    });
    match &found.kind {
        PrincipalKind::User { upn } => {
            let from = sessions_from(world, &found.object_id);
            all["userPrincipalName"] = json!(upn);
            all["signInSessionsValidFromDateTime"] = json!(timestamp::seconds(from));
        }
        PrincipalKind::ServicePrincipal { app_id } => {
            all["appId"] = json!(app_id);
            all["servicePrincipalType"] = json!("Application");
            all["appOwnerOrganizationId"] = json!(world.tenant);
        }
        PrincipalKind::Group => return None,
    }
    let kind = call.spelled(1);
    let context = format!("https://{}/v1.0/$metadata#{kind}({asked})/$entity", call.authority);
    let mut shown = Map::from_iter([("@odata.context".to_owned(), json!(context))]);
    for member in asked.split(',') {
        shown.insert(member.to_owned(), all.get(member)?.clone());
    }
    Some(Reply::ok(Value::Object(shown)))
}

fn is_application(found: &Principal) -> bool {
    matches!(found.kind, PrincipalKind::ServicePrincipal { .. })
}
