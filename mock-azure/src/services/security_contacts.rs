//! Security contacts, whom Defender notifies by mail.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{Pages, Place, Surface, Tracked, World},
};

const BARE: &str = "2020-01-01-preview";
/// Documented: in this version, a contact is numbered and has one address and two switches.
const FIRST: &str = "2017-08-01-preview";

const TYPE: &str = "Microsoft.Security/securityContacts";

pub(crate) const SURFACE: Surface =
    Surface { types: &[(TYPE, &[FIRST, BARE, "2023-12-01-preview"])], answer, ..Surface::EMPTY };

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
    if call.api_version() == FIRST {
        return if at == 2 { first(world, call, &rest) } else { None };
    }
    match rest.as_slice() {
        // Recorded: this version returns an array without `value` if there is a contact.
        [] if at == 2 && call.method == Method::Get && call.api_version() == BARE => {
            let contacts: Vec<&Value> = world.resources.of_type(&call.id(2), TYPE).collect();
            Some(Reply::ok(if contacts.is_empty() { json!({ "value": [] }) } else { json!(contacts) }))
        }
        // Documented: the only name is 'default'.
        [name] if at == 2 && *name != "default" => {
            Some(Reply::bad_request(format!("The security contact name '{name}' is not 'default'.")))
        }
        _ => CONTACTS.answer(world, call),
    }
}

/// The only contact, in the format of the first version.
fn first(world: &mut World, call: &Call, rest: &[&str]) -> Option<Reply> {
    const NAME: &str = "default1";
    let scope = call.id(2);
    let id = format!("{scope}/providers/{TYPE}/default");
    let show = |contact: &Value| {
        let (properties, on) = (&contact["properties"], |is: bool| if is { "On" } else { "Off" });
        let mut sources = properties["notificationsSources"].as_array().into_iter().flatten();
        let alerts = properties["alertNotifications"]["state"] == "On"
            || sources.any(|source| source["sourceType"] == "Alert");
        let emails = properties["emails"].as_str().unwrap_or_default();
        json!({
            "id": format!("{scope}/providers/{TYPE}/{NAME}"),
            "name": NAME,
            "type": TYPE,
            "properties": {
                "email": emails.split(';').next().map(str::trim),
                "phone": properties["phone"].as_str().unwrap_or_default(),
                "alertNotifications": on(alerts && properties["isEnabled"] != false),
                "alertsToAdmins": on(properties["notificationsByRole"]["state"] == "On"),
            },
        })
    };
    let missing = || (CONTACTS.missing)(&CONTACTS, call);
    Some(match (call.method, rest) {
        (Method::Get, []) => {
            let all: Vec<Value> = world.resources.get(&id).map(show).into_iter().collect();
            Reply::ok(json!({ "value": all }))
        }
        (_, [name]) if *name != NAME => Reply::unknown("name of a contact", name, &[NAME]),
        (Method::Get, [_]) => {
            world.resources.get(&id).map_or_else(missing, |contact| Reply::ok(show(contact)))
        }
        (Method::Delete, [_]) => CONTACTS.gone(!world.resources.remove_tree(&id).is_empty()),
        (Method::Put, [_]) => {
            let properties = &call.json()["properties"];
            if !properties["email"].as_str().is_some_and(|email| email.contains('@')) {
                return Some(Reply::bad_request(
                    "The property 'email' of a security contact is not an address.",
                ));
            }
            let is_on = |name: &str| properties[name] == "On";
            let sources = [json!({ "sourceType": "Alert", "minimalSeverity": "High" })];
            let contact = json!({
                "id": id,
                "name": "default",
                "type": TYPE,
                "etag": world.fresh_etag(),
                "location": "West Europe",
                "properties": {
                    "isEnabled": true,
                    "emails": properties["email"],
                    "phone": properties["phone"].as_str().unwrap_or_default(),
                    "notificationsByRole": {
                        "state": if is_on("alertsToAdmins") { "On" } else { "Off" },
                        "roles": ["Owner"],
                    },
                    "notificationsSources": if is_on("alertNotifications") { &sources[..] } else { &[] },
                },
            });
            let shown = show(&contact);
            world.resources.put(contact);
            Reply::ok(shown)
        }
        _ => return None,
    })
}

fn put(world: &mut World, call: &Call) -> Reply {
    let properties = &call.json()["properties"];
    if let Some(problem) = problem(properties) {
        return Reply::bad_request(problem);
    }
    let etag = world.fresh_etag();
    CONTACTS.store(world, call, json!({ "etag": etag, "location": "West Europe", "properties": properties }))
}

/// Documented: the format of the addresses and the allowed values.
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
