//! Whom Defender writes to.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{Pages, Place, Surface, Tracked, World},
};

const BARE: &str = "2020-01-01-preview";

const TYPE: &str = "Microsoft.Security/securityContacts";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &[BARE, "2023-12-01-preview"])], answer, ..Surface::EMPTY };

const CONTACTS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Subscription,
    pages: Pages::Of(100),
    put,
    missing: |_, _| {
        Reply::arm_error(404, "ResourceNotFound", "The security contact 'default' was not found.")
    },
    ..Tracked::ROW
};

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let (at, rest) = call.extension("microsoft.security", "securitycontacts")?;
    match rest.as_slice() {
        // Recorded: a bare list where there is a contact, in the first version.
        [] if at == 2 && call.method == Method::Get && call.api_version() == BARE => {
            let contacts: Vec<&Value> = world.resources.of_type(&call.id(2), TYPE).collect();
            Some(Reply::ok(if contacts.is_empty() { json!({ "value": [] }) } else { json!(contacts) }))
        }
        // Documented: the one name is 'default'.
        [name] if at == 2 && *name != "default" => {
            Some(Reply::bad_request(format!("The security contact name '{name}' is not 'default'.")))
        }
        _ => CONTACTS.answer(world, call),
    }
}

fn put(world: &mut World, call: &Call) -> Reply {
    let properties = &call.json()["properties"];
    if let Some(problem) = problem(properties) {
        return Reply::bad_request(problem);
    }
    let etag = world.fresh_etag();
    CONTACTS.store(world, call, json!({ "etag": etag, "location": "West Europe", "properties": properties }))
}

/// Documented: what the addresses and the choices look like.
fn problem(properties: &Value) -> Option<String> {
    let emails = properties["emails"].as_str().unwrap_or_default();
    if let Some(email) =
        emails.split(';').map(str::trim).find(|email| !email.is_empty() && !email.contains('@'))
    {
        return Some(format!("The email address '{email}' is not valid."));
    }
    let sources = properties["notificationsSources"].as_array().map(Vec::as_slice).unwrap_or_default();
    let unknown = |source: &&Value| !matches!(source["sourceType"].as_str(), Some("Alert" | "AttackPath"));
    let source = sources.iter().find(unknown)?;
    Some(format!(
        "The source type {} of a notification is not one of: Alert, AttackPath.",
        source["sourceType"]
    ))
}
