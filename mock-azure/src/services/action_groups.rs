//! Action groups and their receivers, and test notifications.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, timestamp},
    state::{Seed, Surface, Tracked, World, operations, tracked},
};

pub(crate) const TYPE: &str = "Microsoft.Insights/actionGroups";

const VERSIONS: &[&str] =
    &["2019-06-01", "2021-09-01", "2022-06-01", "2023-01-01", "2023-09-01-preview", "2024-10-01-preview"];

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, VERSIONS), ("Microsoft.Insights/actionGroups/notificationStatus", VERSIONS)],
    answer,
    ..Surface::EMPTY
};

const GROUPS: Tracked = Tracked {
    // Recorded: this spelling, and a different one in ids.
    kind: "Microsoft.Insights/ActionGroups",
    in_ids: Some("microsoft.insights/actionGroups"),
    put,
    patch: Some(patch),
    ..Tracked::ROW
};

/// The lists of receivers, the fields that each entry must have, and the type name in test notifications.
const RECEIVERS: &[(&str, &[&str], &str)] = &[
    ("emailReceivers", &["name", "emailAddress"], "Email"),
    ("smsReceivers", &["name", "countryCode", "phoneNumber"], "Sms"),
    ("webhookReceivers", &["name", "serviceUri"], "Webhook"),
    ("itsmReceivers", &["name", "workspaceId", "connectionId", "ticketConfiguration", "region"], "Itsm"),
    ("azureAppPushReceivers", &["name", "emailAddress"], "AzureAppPush"),
    (
        "automationRunbookReceivers",
        &["automationAccountId", "runbookName", "webhookResourceId", "isGlobalRunbook"],
        "AutomationRunbook",
    ),
    ("voiceReceivers", &["name", "countryCode", "phoneNumber"], "Voice"),
    ("logicAppReceivers", &["name", "resourceId", "callbackUrl"], "LogicApp"),
    (
        "azureFunctionReceivers",
        &["name", "functionAppResourceId", "functionName", "httpTriggerUrl"],
        "AzureFunction",
    ),
    ("armRoleReceivers", &["name", "roleId"], "ArmRole"),
    ("eventHubReceivers", &["name", "eventHubNameSpace", "eventHubName", "subscriptionId"], "EventHub"),
];

/// Running and completed test notifications, by id.
#[derive(Debug, Default)]
pub(crate) struct Notifications {
    all: HashMap<String, Notification>,
    /// The reason why a receiver cannot be reached, by receiver name.
    failing: HashMap<String, String>,
}

impl Seed {
    /// Makes test notifications to this receiver fail. `why` is the reason in the response.
    pub fn receiver_fails(self, receiver: &str, why: &str) -> Self {
        let (receiver, why) = (receiver.to_owned(), why.to_owned());
        self.setting(move |world| {
            world.states.get_mut::<Notifications>().failing.insert(receiver.clone(), why.clone());
        })
    }
}

#[derive(Debug)]
struct Notification {
    polls_left: u32,
    result: Value,
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    if let [_, _, "resourcegroups", _, _, "microsoft.insights", "actiongroups", _, rest @ ..] =
        path.as_slice()
        && !rest.is_empty()
    {
        if !world.resources.contains(&call.id(8)) {
            return Some(GROUPS.not_found(call));
        }
        return match (call.method, rest) {
            (Method::Post, ["createnotifications"]) => Some(notify(world, call)),
            (Method::Get, ["notificationstatus", id]) => Some(status(world, call, id)),
            (Method::Post, ["subscribe"]) => Some(subscribe(world, call)),
            _ => None,
        };
    }
    GROUPS.answer(world, call)
}

fn bad(message: String) -> Box<Reply> {
    Box::new(Reply::arm_error(400, "BadRequest", message))
}

fn put(world: &mut World, call: &Call) -> Reply {
    let checked = tracked::location(world, call).and_then(|()| validate(call.json()));
    if let Err(refusal) = checked {
        return *refusal;
    }
    let body = with_statuses(call.json().clone(), world.resources.get(&call.id(8)));
    GROUPS.store(world, call, body)
}

fn patch(world: &mut World, call: &Call) -> Reply {
    let body = Tracked::patched(world, call);
    match validate(&body) {
        Ok(()) => {
            let mut body = body;
            complete(&mut body);
            GROUPS.store(world, call, body)
        }
        Err(refusal) => *refusal,
    }
}

/// Documented: a short name of at most 12 characters, the required fields of each receiver, and unique names.
fn validate(body: &Value) -> Result<(), Box<Reply>> {
    let properties = &body["properties"];
    let short = properties["groupShortName"].as_str().unwrap_or_default();
    if short.is_empty() || short.chars().count() > 12 {
        return Err(bad(format!(
            "The groupShortName '{short}' is not valid: it must have from 1 to 12 characters."
        )));
    }
    if !properties["enabled"].is_boolean() && !properties["enabled"].is_null() {
        return Err(bad("'properties.enabled' must be true or false.".to_owned()));
    }
    receivers(properties)
}

fn receivers(holder: &Value) -> Result<(), Box<Reply>> {
    let mut names = Vec::new();
    for (list, required, _) in RECEIVERS {
        for receiver in holder[*list].as_array().into_iter().flatten() {
            for field in *required {
                let value = &receiver[*field];
                if value.is_null() || value.as_str().is_some_and(str::is_empty) {
                    return Err(bad(format!("The property '{field}' is required in '{list}'.")));
                }
            }
            let name = receiver["name"].as_str().unwrap_or_default().to_ascii_lowercase();
            if names.contains(&name) {
                return Err(bad(format!(
                    "Receiver names must be unique in an action group: '{name}' is used twice."
                )));
            }
            names.push(name);
            if let Some(mail) = receiver["emailAddress"].as_str()
                && !is_mail(mail)
            {
                return Err(bad(format!("The email address '{mail}' of '{list}' is not valid.")));
            }
        }
    }
    Ok(())
}

fn is_mail(address: &str) -> bool {
    let Some((user, host)) = address.split_once('@') else { return false };
    let labels: Vec<&str> = host.split('.').collect();
    !user.is_empty()
        && !address.contains(char::is_whitespace)
        && !host.contains('@')
        && labels.len() > 1
        && labels.iter().all(|label| !label.is_empty())
}

/// Mail and text message receivers are enabled when they are added, and keep their status afterwards.
fn with_statuses(mut body: Value, existing: Option<&Value>) -> Value {
    for list in ["emailReceivers", "smsReceivers"] {
        if body["properties"][list].is_null() {
            continue;
        }
        for receiver in body["properties"][list].as_array_mut().into_iter().flatten() {
            let known = existing
                .and_then(|group| group["properties"][list].as_array())
                .into_iter()
                .flatten()
                .find(|known| known["name"] == receiver["name"]);
            receiver["status"] = known.map_or(json!("Enabled"), |known| known["status"].clone());
        }
    }
    if body["properties"]["enabled"].is_null() {
        body["properties"]["enabled"] = json!(true);
    }
    complete(&mut body);
    body
}

/// Adds what the service adds. Recorded: there is a list for every kind of receiver, and missing members are null.
fn complete(body: &mut Value) {
    for member in ["identity", "kind", "tags"] {
        if body[member].is_null() {
            body[member] = Value::Null;
        }
    }
    if body["location"].as_str().is_some_and(|location| location.eq_ignore_ascii_case("global")) {
        body["location"] = json!("Global");
    }
    if body["properties"]["tags"].is_null() {
        body["properties"]["tags"] = Value::Null;
    }
    let nulls: &[(&str, &[&str])] = &[
        ("webhookReceivers", &["objectId", "identifierUri", "tenantId"]),
        ("eventHubReceivers", &["tenantId"]),
    ];
    for (list, _, _) in RECEIVERS {
        if !body["properties"][*list].is_array() {
            body["properties"][*list] = json!([]);
        }
    }
    for (list, members) in nulls {
        for receiver in body["properties"][*list].as_array_mut().into_iter().flatten() {
            for member in *members {
                if receiver[*member].is_null() {
                    receiver[*member] = Value::Null;
                }
            }
        }
    }
}

const CONTEXTS: &[&str] = &[
    "servicehealth",
    "metricstaticthreshold",
    "metricsdynamicthreshold",
    "logalertv2",
    "smartalert",
    "webtestalert",
    "logalertv1numresult",
    "logalertv1metricmeasurement",
    "resourcehealth",
    "activitylog",
    "actualcostbudget",
    "forecastedbudget",
    "budget",
];

fn notify(world: &mut World, call: &Call) -> Reply {
    let body = call.json();
    let kind = body["alertType"].as_str().unwrap_or_default();
    if !CONTEXTS.contains(&kind.to_ascii_lowercase().as_str()) {
        return Reply::unknown("alertType of a test notification", kind, CONTEXTS);
    }
    if let Err(refusal) = receivers(body) {
        return *refusal;
    }
    let now = timestamp::precise(world.now());
    let mut details = Vec::new();
    for (list, _, mechanism) in RECEIVERS {
        for receiver in body[*list].as_array().into_iter().flatten() {
            let failing = &world.states.get::<Notifications>().failing;
            let why = receiver["name"].as_str().and_then(|name| failing.get(name));
            let mut detail = json!({
                "MechanismType": mechanism,
                "Name": receiver["name"],
                "Status": if why.is_some() { "Failed" } else { "Succeeded" },
                "SubState": "Default",
                "SendTime": now,
                "Detail": null,
            });
            if let Some(why) = why {
                // Recorded: the reason is here, not in the member that is documented for it.
                detail["Message"] = json!(why);
            }
            details.push(detail);
        }
    }
    if details.is_empty() {
        return *bad("The request names no receiver.".to_owned());
    }
    let result = json!({
        "context": {
            "notificationSource": "Microsoft.Insights/TestNotification",
            "contextType": format!("Microsoft.Insights/{kind}"),
        },
        "state": "Complete",
        "createdTime": now,
        "completedTime": now,
        "actionDetails": details,
    });
    let id = world.fresh_id();
    let polls_left = world.operations.polls;
    world.states.get_mut::<Notifications>().all.insert(id.clone(), Notification { polls_left, result });
    under_way(world, call, &id)
}

fn under_way(world: &World, call: &Call, id: &str) -> Reply {
    let path = format!("{}/notificationStatus/{id}?api-version={}", call.id(8), call.api_version());
    operations::pace(world, Reply::empty(202)).header("location", call.link(&path))
}

fn status(world: &mut World, call: &Call, id: &str) -> Reply {
    // Documented: the status of a notification can be requested after it was sent.
    let Some(notification) = world.states.get_mut::<Notifications>().all.get_mut(id) else {
        return Reply::arm_error(404, "NotFound", format!("The notification '{id}' was not found."));
    };
    if notification.polls_left == 0 {
        return Reply::ok(notification.result.clone());
    }
    notification.polls_left -= 1;
    under_way(world, call, id)
}

/// Documented: 409 for a receiver that is already enabled, 404 for one that does not exist.
fn subscribe(world: &mut World, call: &Call) -> Reply {
    let wanted = call.json()["receiverName"].as_str().unwrap_or_default().to_owned();
    let id = call.id(8);
    let Some(group) = world.resources.get_mut(&id) else { return GROUPS.not_found(call) };
    for list in ["emailReceivers", "smsReceivers"] {
        for receiver in group["properties"][list].as_array_mut().into_iter().flatten() {
            if receiver["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&wanted)) {
                if receiver["status"] == "Enabled" {
                    let message = format!(
                        "Receiver with name {wanted} in action group with Id {id} is already enabled"
                    );
                    return refused(409, "ReceiverAlreadyEnabled", &message);
                }
                receiver["status"] = json!("Enabled");
                return Reply::empty(200);
            }
        }
    }
    let message = format!("Could not find receiver with name {wanted} in action group with Id {id}");
    refused(404, "ReceiverNotFound", &message)
}

/// Recorded: these refusals have no `error` wrapper.
fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({ "code": code, "message": message }))
}
