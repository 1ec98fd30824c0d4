//! Rules of the first api-version, which have a different format.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, timestamp},
    state::{Tracked, World, tracked},
};

pub(super) const VERSION: &str = "2018-04-16";

pub(super) const RULES: Tracked = Tracked {
    // Recorded: all in lower case.
    kind: "microsoft.insights/scheduledqueryrules",
    put: |world, call| {
        let checked = tracked::location(world, call).and_then(|()| validate(call.json()));
        checked.map_or_else(|refusal| *refusal, |()| store(world, call, call.json().clone()))
    },
    patch: Some(|world, call| {
        let body = Tracked::patched(world, call);
        validate(&body).map_or_else(|refusal| *refusal, |()| store(world, call, body))
    }),
    found: |_, _, rule| is_one(rule),
    ..Tracked::ROW
};

/// Whether a rule was created in this version.
pub(super) fn is_one(rule: &Value) -> bool {
    rule["properties"]["source"].is_object()
}

/// Documented: these members are required.
fn validate(body: &Value) -> Result<(), Box<Reply>> {
    let properties = &body["properties"];
    let missing = [
        ("source.dataSourceId", &properties["source"]["dataSourceId"]),
        ("action.odata.type", &properties["action"]["odata.type"]),
    ];
    match missing.iter().find(|(_, value)| value.as_str().is_none_or(str::is_empty)) {
        Some((name, _)) => Err(Box::new(Reply::bad_request(format!("The property '{name}' is required.")))),
        None => Ok(()),
    }
}

/// Recorded: what the service adds.
fn store(world: &mut World, call: &Call, mut body: Value) -> Reply {
    let properties = &mut body["properties"];
    if properties["displayName"].is_null() {
        properties["displayName"] = json!(call.spelled(7));
    }
    properties["lastUpdatedTime"] = json!(timestamp::seconds(world.now()));
    properties["provisioningState"] = json!("Succeeded");
    body["etag"] = json!(world.fresh_etag());
    RULES.store(world, call, body)
}
