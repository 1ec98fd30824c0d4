//! Whom Defender writes to.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    state::{Surface, World},
};

const BARE: &str = "2020-01-01-preview";

const TYPE: &str = "Microsoft.Security/securityContacts";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &[BARE, "2023-12-01-preview"])], answer, ..Surface::EMPTY };

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    let ["subscriptions", _, "providers", "microsoft.security", "securitycontacts", rest @ ..] =
        path.as_slice()
    else {
        return None;
    };
    let id = call.id(call.len());
    match (call.method, rest) {
        (Method::Get, []) => {
            let contacts: Vec<&Value> = world.resources.of_type(&call.id(2), TYPE).collect();
            // Recorded: a bare list where there is a contact, in the first version.
            if call.api_version() == BARE && !contacts.is_empty() {
                return Some(Reply::ok(json!(contacts)));
            }
            Some(paging::page(&world.paging, call, 100, contacts.into_iter()))
        }
        // Documented: the one name is 'default'.
        (_, [name]) if *name != "default" => {
            Some(Reply::bad_request(format!("The security contact name '{name}' is not 'default'.")))
        }
        (Method::Get, [_]) => Some(match world.resources.get(&id) {
            Some(contact) => Reply::ok(contact.clone()),
            None => {
                Reply::arm_error(404, "ResourceNotFound", "The security contact 'default' was not found.")
            }
        }),
        (Method::Put, [_]) => Some(put(world, call, &id)),
        (Method::Delete, [_]) => {
            let gone = world.resources.remove_tree(&id);
            Some(Reply::empty(if gone.is_empty() { 204 } else { 200 }))
        }
        _ => None,
    }
}

fn put(world: &mut World, call: &Call, id: &str) -> Reply {
    let properties = &call.json()["properties"];
    if let Some(problem) = problem(properties) {
        return Reply::bad_request(problem);
    }
    let etag = world.fresh_etag();
    let contact = json!({
        "id": id,
        "name": "default",
        "type": TYPE,
        "etag": etag,
        "location": "West Europe",
        "properties": properties,
    });
    let new = !world.resources.contains(id);
    world.resources.put(contact.clone());
    Reply::json(if new { 201 } else { 200 }, contact)
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
