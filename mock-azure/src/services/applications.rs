//! Applications in Microsoft Graph, and their passwords, which start and stop working only after a delay.

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::{
    http::{
        Call, Method, Reply,
        identity::{Principal, PrincipalKind},
        timestamp,
    },
    services::directory,
    state::{At, MockAzure, Seed, Surface, World},
};

pub(crate) const SURFACE: Surface = Surface { at: At::Graph, answer, ..Surface::EMPTY };

/// The applications of the tenant.
#[derive(Debug, Default)]
pub(crate) struct Applications {
    all: Vec<Application>,
    propagation: Duration,
    /// The restrictions of the tenant's policy for applications.
    policy: Option<Value>,
}

#[derive(Debug)]
struct Application {
    id: String,
    app_id: String,
    name: String,
    created: OffsetDateTime,
    passwords: Vec<Password>,
}

struct Password {
    key_id: String,
    name: Value,
    value: String,
    begins: OffsetDateTime,
    ends: OffsetDateTime,
    since: OffsetDateTime,
    removed: Option<OffsetDateTime>,
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Password").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

/// The sign-in's response to a client secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sign {
    In,
    Invalid,
    Expired,
}

/// The sign-in's response to an application's client secret. `None` if the double does not know the application's
/// passwords.
pub(crate) fn sign_in(world: &World, app_id: &str, secret: &str) -> Option<Sign> {
    let applications = world.states.get::<Applications>();
    let application = applications.all.iter().find(|found| found.app_id.eq_ignore_ascii_case(app_id))?;
    let (now, delay) = (world.now(), applications.propagation);
    let held = application.passwords.iter().find(|held| {
        let arrived = now >= held.since + delay;
        held.value == secret && arrived && held.removed.is_none_or(|removed| now < removed + delay)
    });
    Some(match held {
        Some(held) if now >= held.ends => Sign::Expired,
        Some(_) => Sign::In,
        None => Sign::Invalid,
    })
}

impl Seed {
    /// Adds an application with its service principal and one password, which works immediately.
    pub fn application(self, object_id: &str, app_id: &str, name: &str, password: &str) -> Self {
        let (id, app_id, name) = (object_id.to_owned(), app_id.to_owned(), name.to_owned());
        let value = password.to_owned();
        self.step(move |world| {
            let principal = Principal {
                object_id: world.seeded_id(&format!("principal of {id}")),
                display_name: name.clone(),
                kind: PrincipalKind::ServicePrincipal { app_id: app_id.clone() },
            };
            directory::add(world, principal);
            let created = world.now() - Duration::days(400);
            let password = Password {
                key_id: world.fresh_id(),
                name: json!("by hand"),
                value,
                begins: created,
                ends: world.now() + Duration::days(365),
                since: created,
                removed: None,
            };
            let application = Application { id, app_id, name, created, passwords: vec![password] };
            world.states.get_mut::<Applications>().all.push(application);
        })
    }

    /// Sets how much time must pass on the double's clock before a password added to an application works, or a removed
    /// one stops working. Default: none.
    pub fn password_propagation_time(self, time: std::time::Duration) -> Self {
        let time = time.try_into().unwrap_or(Duration::MAX);
        self.setting(move |world| world.states.get_mut::<Applications>().propagation = time)
    }

    /// Sets the restrictions of the tenant's policy for all applications: the entries of `passwordCredentials`, such as
    /// `{"restrictionType":"passwordLifetime","maxLifetime":"P90D"}`. Only `passwordLifetime` and `passwordAddition`
    /// are enforced.
    pub fn application_policy(self, restrictions: Value) -> Self {
        self.setting(move |world| world.states.get_mut::<Applications>().policy = Some(restrictions))
    }
}

impl MockAzure {
    /// Returns the key ids and names of the passwords that an application lists.
    pub fn application_passwords(&self, object_id: &str) -> Vec<(String, Option<String>)> {
        let state = self.shared.lock();
        let applications = &state.world.states.get::<Applications>().all;
        let passwords =
            applications.iter().filter(|found| found.id == object_id).flat_map(|it| &it.passwords);
        let listed = passwords.filter(|held| held.removed.is_none());
        listed.map(|held| (held.key_id.clone(), held.name.as_str().map(str::to_owned))).collect()
    }

    /// Returns whether an application, given by its client id, can currently sign in with this secret.
    pub fn application_takes(&self, app_id: &str, secret: &str) -> bool {
        sign_in(&self.shared.lock().world, app_id, secret) == Some(Sign::In)
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if call.query("$select").is_some() {
        return None;
    }
    let path = call.path();
    let ["v1.0", rest @ ..] = path.as_slice() else { return None };
    let known = match (call.method, rest) {
        (Method::Get, ["applications", id]) => with(world, id, |application| Reply::ok(show(application))),
        (Method::Post, ["applications", id, "addpassword"]) => add(world, call, id),
        (Method::Post, ["applications", id, "removepassword"]) => remove(world, call, id),
        (Method::Get, ["applications", id, "appmanagementpolicies"]) => {
            with(world, id, |_| Reply::ok(json!({ "value": [] })))
        }
        (Method::Get, ["policies", "defaultappmanagementpolicy"]) => Reply::ok(policy(world)),
        _ => return None,
    };
    Some(directory::forbidden(world).unwrap_or(known))
}

fn with(world: &World, id: &str, act: impl FnOnce(&Application) -> Reply) -> Reply {
    let applications = &world.states.get::<Applications>().all;
    match applications.iter().find(|found| found.id.eq_ignore_ascii_case(id)) {
        Some(found) => act(found),
        None => directory::not_found(id),
    }
}

/// Documented: the members of the policy; without one, nothing is restricted.
fn policy(world: &World) -> Value {
    let restrictions = world.states.get::<Applications>().policy.clone();
    json!({
        "id": "00000000-0000-0000-0000-000000000000",
        "displayName": "Default app management tenant policy",
        "isEnabled": restrictions.is_some(),
        "applicationRestrictions": {
            "passwordCredentials": restrictions.unwrap_or_else(|| json!([])),
            "keyCredentials": [],
        },
        "servicePrincipalRestrictions": { "passwordCredentials": [], "keyCredentials": [] },
    })
}

/// A restriction of the tenant's policy, by its type, if it is in force.
fn restriction(world: &World, kind: &str) -> Option<Value> {
    let policy = world.states.get::<Applications>().policy.as_ref()?.as_array()?;
    let found = policy.iter().find(|found| found["restrictionType"] == kind)?;
    (found["state"] != "disabled").then(|| found.clone())
}

/// Recorded: the body, the response, and that the value is returned only once. Reported: the refusals by policy.
fn add(world: &mut World, call: &Call, id: &str) -> Reply {
    let now = world.now();
    let asked = &call.json()["passwordCredential"];
    let time = |member: &str| {
        let text = asked[member].as_str()?;
        OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()
    };
    let begins = time("startDateTime").unwrap_or(now);
    let ends =
        time("endDateTime").unwrap_or_else(|| begins.checked_add(Duration::days(730)).unwrap_or(begins));
    if restriction(world, "passwordAddition").is_some() {
        let message = "Credential type not allowed as per assigned policy.";
        return directory::refusal(400, "CredentialTypeNotAllowedAsPerAppPolicy", message);
    }
    let longest = restriction(world, "passwordLifetime")
        .and_then(|found| crate::http::duration::parse(found["maxLifetime"].as_str()?));
    if longest.is_some_and(|longest| ends - begins > longest) {
        let message = "Credential lifetime exceeds the max value allowed as per assigned policy.";
        return directory::refusal(400, "CredentialInvalidLifetimeAsPerAppPolicy", message);
    }
    let (key_id, digits) = (world.fresh_id(), world.fresh_id().replace('-', ""));
    let value = format!("{}8Q~{}abcd", &digits[..3], &digits[3..]);
    let name = asked["displayName"].clone();
    let applications = &mut world.states.get_mut::<Applications>().all;
    let Some(application) = applications.iter_mut().find(|found| found.id.eq_ignore_ascii_case(id)) else {
        return directory::not_found(id);
    };
    let password = Password { key_id, name, value: value.clone(), begins, ends, since: now, removed: None };
    let mut shown = show_password(&password);
    shown["secretText"] = json!(value);
    shown["@odata.context"] =
        json!(format!("https://{}/v1.0/$metadata#microsoft.graph.passwordCredential", call.authority));
    application.passwords.insert(0, password);
    Reply::ok(shown)
}

/// Recorded: 204. Reported: 400 for one that does not exist.
fn remove(world: &mut World, call: &Call, id: &str) -> Reply {
    let now = world.now();
    let key_id = call.json()["keyId"].as_str().unwrap_or_default().to_owned();
    let applications = &mut world.states.get_mut::<Applications>().all;
    let Some(application) = applications.iter_mut().find(|found| found.id.eq_ignore_ascii_case(id)) else {
        return directory::not_found(id);
    };
    let listed = |held: &&mut Password| held.removed.is_none() && held.key_id.eq_ignore_ascii_case(&key_id);
    match application.passwords.iter_mut().find(listed) {
        Some(held) => {
            held.removed = Some(now);
            Reply::empty(204)
        }
        None => directory::refusal(
            400,
            "Request_BadRequest",
            &format!("No password credential found with keyId {key_id}."),
        ),
    }
}

fn show_password(password: &Password) -> Value {
    json!({
        "customKeyIdentifier": null,
        "displayName": password.name,
        "endDateTime": timestamp::seconds(password.ends),
        "hint": password.value.get(..3),
        "keyId": password.key_id,
        "secretText": null,
        "startDateTime": timestamp::seconds(password.begins),
    })
}

/// Recorded: the members.
fn show(application: &Application) -> Value {
    let listed = application.passwords.iter().filter(|held| held.removed.is_none());
    let mut shown: Value = serde_json::from_str(include_str!("application.json")).unwrap_or_default();
    let context = "https://graph.microsoft.com/v1.0/$metadata#applications/$entity";
    let own = [
        ("@odata.context", json!(context)),
        ("id", json!(application.id)),
        ("appId", json!(application.app_id)),
        ("createdDateTime", json!(timestamp::seconds(application.created))),
        ("displayName", json!(application.name)),
        ("publisherDomain", json!("contoso.example")),
        ("passwordCredentials", listed.map(show_password).collect()),
    ];
    for (member, value) in own {
        shown[member] = value;
    }
    shown
}
