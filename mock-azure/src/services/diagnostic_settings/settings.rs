//! Creating, reading and listing the settings.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply},
    services::workspaces,
    state::{Pages, Place, Seed, Tracked, World, is_type},
};

use super::{
    Routes, TYPE,
    categories::{METRICS, Subject},
    refuse,
    routes::{Mode, Target},
    subject,
};

/// The maximum number of settings for a resource.
const LIMIT: usize = 5;

/// The fields that name a sink.
const SINKS: &[&str] = &[
    "workspaceId",
    "storageAccountId",
    "eventHubAuthorizationRuleId",
    "serviceBusRuleId",
    "marketplacePartnerId",
];

impl Seed {
    /// Adds a diagnostic setting that sends log categories (or the groups `audit` or `allLogs`) of a resource to a
    /// workspace.
    pub fn diagnostic_setting(
        self,
        resource: &str,
        name: &str,
        workspace: &str,
        categories: &[&str],
    ) -> Self {
        let subject = Subject::of(resource);
        let (logs, metrics): (Vec<&str>, Vec<&str>) = categories.iter().partition(|name| **name != METRICS);
        let entry = |name: &&str| match subject.category(name) {
            Some(category) => json!({ "category": category, "enabled": true }),
            None => json!({ "categoryGroup": name, "enabled": true }),
        };
        let properties = json!({
            "workspaceId": workspace,
            "logs": logs.iter().map(entry).collect::<Vec<_>>(),
            "metrics": metrics.iter().map(entry).collect::<Vec<_>>(),
        });
        let (scope, name) = (resource.to_owned(), name.to_owned());
        self.step(move |world| {
            let id = id_of(&scope, &name);
            let sends = sends(subject, &properties);
            world.states.get_mut::<Routes>().replace(&id, targets(&scope, &properties, &sends), None);
            world.resources.put(show(&id, &name, subject, &json!({ "properties": properties })));
        })
    }
}

fn of_resource<'a>(world: &'a World, scope: &str) -> impl Iterator<Item = &'a Value> {
    let prefix = format!("{}/providers/microsoft.insights/diagnosticsettings/", scope.to_ascii_lowercase());
    let belongs = move |setting: &&Value| {
        setting["id"].as_str().is_some_and(|id| id.to_ascii_lowercase().starts_with(&prefix))
    };
    world.resources.below(scope).filter(|setting| is_type(setting, TYPE)).filter(belongs)
}

pub(super) const SETTINGS: Tracked = Tracked {
    kind: TYPE,
    in_ids: Some("microsoft.insights/diagnosticSettings"),
    place: Place::Resource,
    pages: Pages::None,
    put: |world, call| {
        accept(world, call).map_or_else(|refusal| *refusal, |setting| Reply::ok(shown(call, &setting)))
    },
    delete: |row, world, call| {
        let (id, now) = (call.id(call.len()), world.now());
        world.states.get_mut::<Routes>().replace(&id, Vec::new(), Some(now));
        row.gone(!world.resources.remove_tree(&id).is_empty())
    },
    shown: |_, call, setting| shown(call, setting),
    missing: |_, call| {
        let name = call.name();
        refuse(404, "ResourceNotFound", format!("The diagnostic setting '{name}' doesn't exist."))
    },
    ..Tracked::ROW
};

/// Recorded: the id of a subscription's setting begins without a slash.
fn shown(_: &Call, setting: &Value) -> Value {
    let mut shown = setting.clone();
    let id = setting["id"].as_str().unwrap_or_default();
    if id.split('/').nth(3) == Some("providers") {
        shown["id"] = json!(id.trim_start_matches('/'));
    }
    shown
}

/// Recorded: the resource part of a setting's id is in lower case.
fn id_of(scope: &str, name: &str) -> String {
    format!("{}/providers/microsoft.insights/diagnosticSettings/{name}", scope.to_ascii_lowercase())
}

fn accept(world: &mut World, call: &Call) -> Result<Value, Box<Reply>> {
    let (scope, name) = (&*call.id(call.len() - 4), call.name());
    let (subject, id) = (subject(world, scope)?, id_of(scope, name));
    let properties = &call.json()["properties"];
    let sends = validate(subject, properties)?;
    workspaces::reachable(world, properties["workspaceId"].as_str())
        .map_err(|(status, code, message)| Box::new(refuse(status, code, message)))?;
    not_sent_yet(world, subject, scope, &id, properties, &sends)?;
    // Documented: at most five settings for a resource.
    if !world.resources.contains(&id) && of_resource(world, scope).count() >= LIMIT {
        let message = format!(
            "The limit of {LIMIT} diagnostic settings was reached. To create a new diagnostic setting, delete an \
             existing one."
        );
        return Err(Box::new(refuse(400, "BadRequest", message)));
    }
    let now = world.now();
    world.states.get_mut::<Routes>().replace(&id, targets(scope, properties, &sends), Some(now));
    let setting = show(&id, name, subject, call.json());
    world.resources.put(setting.clone());
    Ok(setting)
}

/// Validates a setting and returns the categories that it sends. Documented: it needs a sink and an enabled entry, has
/// categories or groups but not both, and only categories of its resource type.
fn validate(subject: Subject, properties: &Value) -> Result<Vec<&'static str>, Box<Reply>> {
    let bad = |message: String| Err(Box::new(refuse(400, "BadRequest", message)));
    if !SINKS.iter().any(|sink| is_given(&properties[*sink])) {
        return bad("At least one data sink needs to be specified.".to_owned());
    }
    let (mut by_name, mut by_group) = (false, false);
    for (list, metrics) in [("logs", false), ("metrics", true)] {
        for entry in properties[list].as_array().into_iter().flatten() {
            let (category, group) = (entry["category"].as_str(), entry["categoryGroup"].as_str());
            if !entry["enabled"].is_boolean() {
                return bad(format!("The property 'enabled' is required in '{list}'."));
            }
            match (category, group) {
                (Some(name), None) if metrics == (subject.category(name) == Some(METRICS)) => {
                    if subject.category(name).is_none() {
                        return bad(format!("Category '{name}' is not supported."));
                    }
                    by_name |= !metrics;
                }
                (None, Some(name)) if !metrics && !subject.group(name).is_empty() => by_group = true,
                (None, Some(name)) => return bad(format!("Category group '{name}' is not supported.")),
                (Some(name), _) => return bad(format!("Category '{name}' is not supported.")),
                (None, None) => return bad("Either category or categoryGroup is required.".to_owned()),
            }
        }
    }
    if by_name && by_group {
        return bad("Category and category group can't be mixed in one diagnostic setting.".to_owned());
    }
    let sends = sends(subject, properties);
    // Recorded: for a network security group, a setting that sends nothing is accepted.
    if sends.is_empty() && subject.must_send() {
        return bad("At least one log or metric needs to be enabled.".to_owned());
    }
    Ok(sends)
}

/// The categories that a setting sends, with groups expanded.
fn sends(subject: Subject, properties: &Value) -> Vec<&'static str> {
    let mut all = Vec::new();
    for entry in
        ["logs", "metrics"].iter().flat_map(|list| properties[*list].as_array().into_iter().flatten())
    {
        if entry["enabled"] != true {
            continue;
        }
        all.extend(entry["category"].as_str().and_then(|name| subject.category(name)));
        all.extend(entry["categoryGroup"].as_str().map(|name| subject.group(name)).unwrap_or_default());
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Reported: a category cannot be sent to the same sink twice.
fn not_sent_yet(
    world: &World,
    subject: Subject,
    scope: &str,
    id: &str,
    properties: &Value,
    wanted: &[&str],
) -> Result<(), Box<Reply>> {
    for other in of_resource(world, scope).filter(|other| !same(&other["id"], id)) {
        let theirs = &other["properties"];
        let already = sends(subject, theirs);
        let Some(category) = wanted.iter().find(|category| already.contains(*category)) else { continue };
        for sink in SINKS.iter().filter(|sink| is_given(&properties[**sink])) {
            let shared = properties[*sink].as_str().is_some_and(|ours| same(&theirs[*sink], ours));
            let hubs = *sink != "eventHubAuthorizationRuleId"
                || theirs["eventHubName"] == properties["eventHubName"];
            if shared && hubs {
                let message = format!(
                    "Data sink '{}' is already used in diagnostic setting '{}' for category '{category}'. Data sinks \
                     can't be reused in different settings on the same category for the same resource.",
                    properties[*sink].as_str().unwrap_or_default(),
                    other["name"].as_str().unwrap_or_default(),
                );
                return Err(Box::new(refuse(409, "Conflict", message)));
            }
        }
    }
    Ok(())
}

fn is_given(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.is_empty())
}

fn same(value: &Value, text: &str) -> bool {
    value.as_str().is_some_and(|value| value.eq_ignore_ascii_case(text))
}

/// The targets of a setting's logs.
fn targets(scope: &str, properties: &Value, sends: &[&'static str]) -> Vec<Target> {
    let Some(workspace) = properties["workspaceId"].as_str().filter(|id| !id.is_empty()) else {
        return Vec::new();
    };
    let dedicated = same(&properties["logAnalyticsDestinationType"], "Dedicated");
    let mode = if dedicated { Mode::Dedicated } else { Mode::AzureDiagnostics };
    let target = |category: &&'static str| Target {
        resource: scope.to_ascii_lowercase(),
        workspace: workspace.to_ascii_lowercase(),
        category,
        mode,
    };
    sends.iter().map(target).collect()
}

/// The setting as a GET returns it.
fn show(id: &str, name: &str, subject: Subject, body: &Value) -> Value {
    let mut setting = body.clone();
    setting["id"] = json!(id);
    setting["name"] = json!(name);
    setting["type"] = json!(TYPE);
    let properties = &mut setting["properties"];
    for sink in SINKS.iter().chain(&["eventHubName"]) {
        if properties[*sink].is_null() {
            properties[*sink] = Value::Null;
        }
    }
    for (list, group) in [("logs", true), ("metrics", false)] {
        if !properties[list].is_array() {
            properties[list] = json!([]);
        }
        for entry in properties[list].as_array_mut().into_iter().flatten() {
            let missing: &[&str] = if group { &["category", "categoryGroup"] } else { &["timeGrain"] };
            for key in missing {
                if entry[*key].is_null() {
                    entry[*key] = Value::Null;
                }
            }
            if subject != Subject::Subscription && entry["retentionPolicy"].is_null() {
                entry["retentionPolicy"] = json!({ "enabled": false, "days": 0 });
            }
        }
    }
    if !subject.tells_destination_type() || properties["logAnalyticsDestinationType"].is_null() {
        properties["logAnalyticsDestinationType"] = Value::Null;
    }
    match subject {
        // Recorded: a subscription's setting has only the members that were set, and is global.
        Subject::Subscription => {
            if let Some(properties) = properties.as_object_mut() {
                properties.retain(|name, value| name != "metrics" && !value.is_null());
            }
            setting["location"] = json!("global");
        }
        // Recorded: a resource's setting has the members of any resource.
        _ => {
            for member in ["identity", "kind", "location", "tags"] {
                if setting[member].is_null() {
                    setting[member] = Value::Null;
                }
            }
        }
    }
    setting
}
