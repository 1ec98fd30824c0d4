//! Settings of Defender for Cloud: integrations, auto-provisioning, workspaces, and threat protection.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply},
    state::{Pages, Place, Surface, Tracked, World},
};

const SETTINGS: &str = "Microsoft.Security/settings";
const AUTO_PROVISIONING: &str = "Microsoft.Security/autoProvisioningSettings";
/// The same as in the ids of alerts.
const HOME: &str = "westeurope";
const LOCATIONS: &str = "Microsoft.Security/locations";
const WORKSPACES: &str = "Microsoft.Security/workspaceSettings";
const THREAT_PROTECTION: &str = "Microsoft.Security/advancedThreatProtectionSettings";

pub(crate) const SURFACE: Surface = Surface {
    types: &[
        (
            SETTINGS,
            &[
                "2017-08-01-preview",
                "2019-01-01",
                "2021-06-01",
                "2021-07-01",
                "2022-05-01",
                "2023-02-01-preview",
            ],
        ),
        (AUTO_PROVISIONING, &["2017-08-01-preview"]),
        (WORKSPACES, &["2017-08-01-preview"]),
        (LOCATIONS, &["2015-06-01-preview"]),
        (THREAT_PROTECTION, &["2017-08-01-preview", "2019-01-01"]),
    ],
    answer,
    ..Surface::EMPTY
};

/// A setting that exists before it is first written.
struct Default {
    kind: &'static str,
    name: &'static str,
    /// The setting's `kind` member, if it has one.
    sort: Option<&'static str>,
    /// The property that it sets; `to` is its value.
    sets: &'static str,
    to: Value,
    /// The api-version that added it.
    since: &'static str,
}

/// Recorded: the first two and auto-provisioning. Documented: the others, and that settings that require consent are
/// off.
const fn defaults() -> [Default; 6] {
    const fn setting(name: &'static str, sort: &'static str, on: bool, since: &'static str) -> Default {
        Default { kind: SETTINGS, name, sort: Some(sort), sets: "enabled", to: Value::Bool(on), since }
    }
    [
        setting("MCAS", "DataExportSettings", true, ""),
        setting("WDATP", "DataExportSettings", true, ""),
        setting("Sentinel", "AlertSyncSettings", false, "2021-06-01"),
        setting("WDATP_EXCLUDE_LINUX_PUBLIC_PREVIEW", "DataExportSettings", false, "2022-05-01"),
        setting("WDATP_UNIFIED_SOLUTION", "DataExportSettings", false, "2022-05-01"),
        Default {
            kind: AUTO_PROVISIONING,
            name: "default",
            sort: None,
            sets: "autoProvision",
            to: Value::Null,
            since: "",
        },
    ]
}

impl Default {
    fn id(&self, call: &Call) -> String {
        format!("{}/providers/{}/{}", call.id(2), self.kind, self.name)
    }

    fn show(&self, world: &World, call: &Call) -> Value {
        let id = self.id(call);
        if let Some(written) = world.resources.get(&id) {
            return written.clone();
        }
        let to = if self.to.is_null() { json!("Off") } else { self.to.clone() };
        let mut shown =
            json!({ "id": id, "name": self.name, "type": self.kind, "properties": { self.sets: to } });
        if let Some(sort) = self.sort {
            shown["kind"] = json!(sort);
        }
        shown
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if let Some((at, rest)) = call.extension("microsoft.security", "workspacesettings") {
        return (at == 2 && matches!(rest.as_slice(), [] | ["default"]))
            .then(|| WORKSPACE_SETTINGS.answer(world, call))?;
    }
    if let Some((2, rest)) = call.extension("microsoft.security", "locations") {
        return (call.method == Method::Get).then(|| home(call, &rest))?;
    }
    if let Some((at, rest)) = call.extension("microsoft.security", "advancedthreatprotectionsettings") {
        return (rest == ["current"]).then(|| threat_protection(world, call, at))?;
    }
    let (kind, (at, rest)) = [SETTINGS, AUTO_PROVISIONING].into_iter().find_map(|kind| {
        let (namespace, name) = kind.split_once('/')?;
        Some((kind, call.extension(namespace, name)?))
    })?;
    let all: Vec<Default> = defaults()
        .into_iter()
        .filter(|setting| setting.kind == kind && setting.since <= call.api_version())
        .collect();
    match (call.method, rest.as_slice()) {
        _ if at != 2 => None,
        (Method::Get, []) => {
            let value: Vec<Value> = all.iter().map(|setting| setting.show(world, call)).collect();
            Some(Reply::ok(json!({ "value": value })))
        }
        (Method::Get | Method::Put, [name]) => {
            let Some(setting) = all.iter().find(|setting| setting.name.eq_ignore_ascii_case(name)) else {
                let known: Vec<&str> = all.iter().map(|setting| setting.name).collect();
                return Some(Reply::unknown("setting", name, &known));
            };
            Some(if call.method == Method::Get {
                Reply::ok(setting.show(world, call))
            } else {
                write(world, call, setting)
            })
        }
        _ => None,
    }
}

fn write(world: &mut World, call: &Call, setting: &Default) -> Reply {
    let given = call.property(setting.sets);
    let is_good = match setting.to {
        Value::Bool(_) => given.is_boolean(),
        _ => matches!(given.as_str(), Some("On" | "Off")),
    };
    // Documented: the values of a setting, and that its kind follows from its name.
    if !is_good {
        return Reply::bad_request(format!("The value {given} of '{}' is not valid.", setting.sets));
    }
    if let (Some(sort), Some(kind)) = (setting.sort, call.json()["kind"].as_str())
        && sort != kind
    {
        return Reply::bad_request(format!(
            "The setting '{}' is not of the kind '{kind}' but '{sort}'.",
            setting.name
        ));
    }
    let mut whole = setting.show(world, call);
    whole["properties"][setting.sets] = given.clone();
    world.resources.put(whole.clone());
    Reply::ok(whole)
}

const WORKSPACE_SETTINGS: Tracked = Tracked {
    kind: WORKSPACES,
    place: Place::Subscription,
    pages: Pages::None,
    put: |world, call| {
        // Documented: both are required.
        if !["workspaceId", "scope"].iter().all(|name| call.property(name).is_string()) {
            return Reply::bad_request("A workspace setting needs 'workspaceId' and 'scope'.");
        }
        let properties = call.json()["properties"].clone();
        WORKSPACE_SETTINGS.store(world, call, json!({ "properties": properties })).with_status(200)
    },
    ..Tracked::ROW
};

/// Recorded: there is one location, where Defender stores the data of a subscription.
fn home(call: &Call, rest: &[&str]) -> Option<Reply> {
    let shown = json!({
        "id": format!("{}/providers/{LOCATIONS}/{HOME}", call.id(2)),
        "name": HOME,
        "type": LOCATIONS,
        "properties": { "homeRegionName": HOME },
    });
    match rest {
        [] => Some(Reply::ok(json!({ "value": [shown] }))),
        [HOME] => Some(Reply::ok(shown)),
        _ => None,
    }
}

/// Recorded: off until it is turned on for a storage account or a Cosmos DB account.
fn threat_protection(world: &mut World, call: &Call, at: usize) -> Option<Reply> {
    let id = format!("{}/providers/{THREAT_PROTECTION}/current", call.id(at));
    if !world.resources.contains(&call.id(at)) {
        let kind_and_name = format!("{}/{}/{}", call.spelled(5), call.spelled(6), call.spelled(7));
        return Some(Reply::resource_not_found(&kind_and_name, call.spelled(3)));
    }
    let enabled = match call.method {
        Method::Get => {
            let written = world.resources.get(&id).map(|found| found["properties"]["isEnabled"].clone());
            written.unwrap_or(json!(false))
        }
        Method::Put if call.property("isEnabled").is_boolean() => call.property("isEnabled").clone(),
        Method::Put => return Some(Reply::bad_request("The property 'isEnabled' is required.")),
        _ => return None,
    };
    let whole = json!({ "id": id, "name": "current", "type": THREAT_PROTECTION, "properties": { "isEnabled": enabled } });
    if call.method == Method::Put {
        world.resources.put(whole.clone());
    }
    Some(Reply::ok(whole))
}
