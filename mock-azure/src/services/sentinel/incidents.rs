//! Incidents.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, paging, timestamp},
    state::{Seed, Tracked, World},
};

use super::{INCIDENTS, NAMESPACE, store};

impl Seed {
    /// Adds a new incident with one alert to a workspace; `name` is its GUID.
    pub fn incident(self, workspace: &str, name: &str, title: &str, severity: &str) -> Self {
        let (workspace, name) = (workspace.to_owned(), name.to_owned());
        let (title, severity) = (title.to_owned(), severity.to_owned());
        self.step(move |world| {
            let id = format!("{workspace}/providers/{}/{name}", INCIDENTS.kind);
            let asked = json!({ "title": title, "severity": severity, "status": "New" });
            let mut properties = completed(world, &workspace, &id, asked, None);
            properties["additionalData"] = json!({
                "alertsCount": 1,
                "bookmarksCount": 0,
                "commentsCount": 0,
                "alertProductNames": ["Azure Security Center"],
                "tactics": ["CredentialAccess"],
                "techniques": [],
            });
            let etag = format!("\"{}\"", world.fresh_id());
            world.resources.put(json!({
                "id": id,
                "name": name,
                "type": INCIDENTS.kind,
                "etag": etag,
                "properties": properties,
            }));
        })
    }
}

/// Documented: title, severity and status are required, with these values; a closed incident has a classification.
pub(super) fn put(world: &mut World, call: &Call) -> Reply {
    let mut body = call.json().clone();
    for name in ["title", "severity", "status"] {
        if body["properties"][name].as_str().is_none_or(str::is_empty) {
            return Reply::bad_request(format!("Invalid incident: the property '{name}' is required."));
        }
    }
    let properties = &body["properties"];
    if !matches!(properties["severity"].as_str(), Some("High" | "Medium" | "Low" | "Informational")) {
        return Reply::bad_request(format!(
            "Invalid incident: the severity {} is not known.",
            properties["severity"]
        ));
    }
    match properties["status"].as_str() {
        Some("New" | "Active") => {}
        Some("Closed") if properties["classification"].is_null() => {
            return Reply::bad_request(
                "Invalid incident: a classification is required to close an incident.",
            );
        }
        Some("Closed") => {}
        _ => {
            return Reply::bad_request(format!(
                "Invalid incident: the status {} is not known.",
                properties["status"]
            ));
        }
    }
    let id = INCIDENTS.id(world, call);
    let existing = world.resources.get(&id).map(|found| found["properties"].clone());
    let asked = body["properties"].take();
    body["properties"] = completed(world, &call.id(8), &id, asked, existing.as_ref());
    store(world, call, &INCIDENTS, body)
}

/// Adds what the service sets itself.
fn completed(world: &World, workspace: &str, id: &str, mut asked: Value, existing: Option<&Value>) -> Value {
    let now = timestamp::precise(world.now());
    let number = world.resources.of_type(workspace, INCIDENTS.kind).count() + 1;
    let kept = |name: &str, fresh: Value| existing.map_or(fresh, |existing| existing[name].clone());
    asked["createdTimeUtc"] = kept("createdTimeUtc", json!(now));
    asked["incidentNumber"] = kept("incidentNumber", json!(number));
    asked["lastModifiedTimeUtc"] = json!(now);
    asked["providerName"] = json!("Azure Sentinel");
    asked["providerIncidentId"] = kept("providerIncidentId", json!(number.to_string()));
    asked["relatedAnalyticRuleIds"] = kept("relatedAnalyticRuleIds", json!([]));
    asked["incidentUrl"] =
        json!(format!("https://portal.azure.com/#asset/Microsoft_Azure_Security_Insights/Incident{id}"));
    let counts = json!({
        "alertsCount": 0,
        "bookmarksCount": 0,
        "commentsCount": 0,
        "alertProductNames": [],
        "tactics": [],
        "techniques": [],
    });
    asked["additionalData"] = kept("additionalData", counts);
    if asked["owner"].is_null() {
        asked["owner"] = kept("owner", json!({ "objectId": null }));
    }
    // Recorded: an owner always has all its members.
    for member in ["email", "assignedTo", "userPrincipalName"] {
        if asked["owner"][member].is_null() {
            asked["owner"][member] = Value::Null;
        }
    }
    if asked["owner"]["ownerType"].is_null() && !asked["owner"]["objectId"].is_null() {
        asked["owner"]["ownerType"] = json!("Unknown");
    }
    if asked["labels"].is_null() {
        asked["labels"] = json!([]);
    }
    asked
}

pub(super) fn alerts(world: &World, call: &Call) -> Reply {
    let Some(incident) = world.resources.get(&call.id(12)) else {
        return Reply::arm_error(404, "NotFound", format!("Incident '{}' was not found.", call.spelled(11)));
    };
    let count = incident["properties"]["additionalData"]["alertsCount"].as_u64().unwrap_or_default();
    let alert = |index: u64| {
        let name = crate::state::stable_id(&format!("{}/alert/{index}", call.id(12)));
        json!({
            "id": format!("{}/providers/{NAMESPACE}/Entities/{name}", call.id(8)),
            "name": name,
            "type": format!("{NAMESPACE}/Entities"),
            "kind": "SecurityAlert",
            "properties": {
                "systemAlertId": name,
                "alertDisplayName": incident["properties"]["title"],
                "severity": incident["properties"]["severity"],
                "status": "New",
                "productName": "Azure Security Center",
                "tactics": incident["properties"]["additionalData"]["tactics"],
                "startTimeUtc": incident["properties"]["createdTimeUtc"],
                "endTimeUtc": incident["properties"]["createdTimeUtc"],
                "timeGenerated": incident["properties"]["createdTimeUtc"],
                "resourceIdentifiers": [],
            },
        })
    };
    Reply::ok(json!({ "value": (0..count).map(alert).collect::<Vec<_>>() }))
}

pub(super) fn list(row: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let mut found: Vec<&Value> = world.resources.of_type(&call.id(at), row.kind).collect();
    if let Some(filter) = call.query("$filter") {
        let Some(conditions) = filter.split(" and ").map(condition).collect::<Option<Vec<_>>>() else {
            let known = [
                "properties/{name} eq '{value}'",
                "properties/{name} ne '{value}'",
                "these, or these in parentheses, joined by 'and'",
            ];
            return Reply::unknown("incident filter", filter, &known);
        };
        found.retain(|incident| {
            conditions
                .iter()
                .all(|(name, equal, value)| (incident["properties"][name] == value.as_str()) == *equal)
        });
    }
    if let Some(order) = call.query("$orderby") {
        let (name, direction) = order.trim().split_once(' ').unwrap_or((order, "asc"));
        let Some(name) = name.trim().strip_prefix("properties/") else {
            return Reply::unknown(
                "incident order",
                order,
                &["properties/{name} asc", "properties/{name} desc"],
            );
        };
        found.sort_by_key(|incident| incident["properties"][name].to_string());
        if direction.trim().eq_ignore_ascii_case("desc") {
            found.reverse();
        }
    }
    paging::page(&world.paging, call, 50, found.into_iter())
}

/// `properties/status eq 'New'`, or the same in parentheses.
fn condition(text: &str) -> Option<(String, bool, String)> {
    let text = text.trim();
    let inner = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let mut words = inner.unwrap_or(text).trim().splitn(3, ' ');
    let name = words.next()?.strip_prefix("properties/")?;
    let equal = match words.next()? {
        "eq" => true,
        "ne" => false,
        _ => return None,
    };
    let value = words.next()?.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    Some((name.to_owned(), equal, value.replace("''", "'")))
}
