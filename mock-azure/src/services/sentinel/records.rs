//! Records in Sentinel besides incidents: automation rules, bookmarks, comments, relations, metadata and watchlists.
//! Recorded: the members, and the statuses of a first and a second `PUT`.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, timestamp},
    state::{Tracked, TypeVersions, World, tracked},
};

use super::{INCIDENTS, ROW, VERSIONS};

pub(super) const TYPES: [TypeVersions; 6] = [
    ("Microsoft.SecurityInsights/automationRules", VERSIONS),
    ("Microsoft.SecurityInsights/bookmarks", VERSIONS),
    ("Microsoft.SecurityInsights/incidents/comments", VERSIONS),
    ("Microsoft.SecurityInsights/incidents/relations", VERSIONS),
    ("Microsoft.SecurityInsights/metadata", VERSIONS),
    ("Microsoft.SecurityInsights/watchlists", VERSIONS),
];

const ROWS: [Tracked; 6] = [AUTOMATION, BOOKMARKS, COMMENTS, RELATIONS, METADATA, WATCHLISTS];

const AUTOMATION: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/AutomationRules",
    put: |world, call| keep(world, call, &AUTOMATION, &AUTOMATION_RULE),
    ..ROW
};

const BOOKMARKS: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/Bookmarks",
    put: |world, call| keep(world, call, &BOOKMARKS, &BOOKMARK),
    ..ROW
};

const COMMENTS: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/Incidents/Comments",
    put: |world, call| {
        let reply = keep(world, call, &COMMENTS, &COMMENT);
        count_comments(world, call);
        reply
    },
    delete: |row, world, call| {
        let reply = (Tracked::ROW.delete)(row, world, call);
        count_comments(world, call);
        reply
    },
    ..ROW
};

const RELATIONS: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/Incidents/relations",
    put: |world, call| match call.property("relatedResourceId").as_str() {
        Some(id) if !world.resources.contains(id) => {
            Reply::not_implemented("the response to a relation with something that does not exist")
        }
        _ => keep(world, call, &RELATIONS, &RELATION),
    },
    ..ROW
};

const METADATA: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/metadata",
    put: |world, call| keep(world, call, &METADATA, &METADATUM),
    ..ROW
};

const WATCHLISTS: Tracked = Tracked {
    kind: "Microsoft.SecurityInsights/Watchlists",
    put: |world, call| keep(world, call, &WATCHLISTS, &WATCHLIST),
    ..ROW
};

/// What distinguishes a type of record.
struct Record {
    /// Documented: the required properties.
    required: &'static [&'static str],
    /// The status of a first `PUT`.
    created: u16,
    has_etag: bool,
    has_system_data: bool,
    /// Adds what the service sets itself.
    complete: fn(&mut World, &Call, &mut Value, Option<&Value>),
}

const AUTOMATION_RULE: Record = Record {
    required: &["displayName", "order", "triggeringLogic", "actions"],
    created: 201,
    has_etag: true,
    has_system_data: false,
    complete: |world, call, rule, before| {
        let (now, who) = (json!(timestamp::seconds(world.now())), person(call, true));
        rule["createdTimeUtc"] = kept(before, "createdTimeUtc", now.clone());
        rule["createdBy"] = kept(before, "createdBy", who.clone());
        (rule["lastModifiedTimeUtc"], rule["lastModifiedBy"]) = (now, who);
        fill(&mut rule["triggeringLogic"], "conditions", json!([]));
        let actions = rule["actions"].as_array_mut().into_iter().flatten();
        for action in actions.filter(|action| action["actionType"] == "ModifyProperties") {
            for member in [
                "severity",
                "status",
                "classification",
                "classificationReason",
                "classificationComment",
                "owner",
                "labels",
            ] {
                fill(&mut action["actionConfiguration"], member, Value::Null);
            }
        }
    },
};

const BOOKMARK: Record = Record {
    required: &["displayName", "query"],
    created: 200,
    has_etag: true,
    has_system_data: false,
    complete: |world, call, bookmark, before| {
        let now = with_offset(world);
        written(bookmark, before, &now, &person(call, false));
        fill(bookmark, "eventTime", kept(before, "eventTime", now));
        fill(bookmark, "labels", json!([]));
        fill(bookmark, "incidentInfo", json!({}));
        for member in ["incidentId", "title", "relationName", "severity"] {
            fill(&mut bookmark["incidentInfo"], member, Value::Null);
        }
    },
};

const COMMENT: Record = Record {
    required: &["message"],
    created: 201,
    has_etag: true,
    has_system_data: false,
    complete: |world, call, comment, before| {
        let now = json!(timestamp::precise(world.now()));
        comment["createdTimeUtc"] = kept(before, "createdTimeUtc", now.clone());
        comment["lastModifiedTimeUtc"] = now;
        comment["author"] = kept(before, "author", person(call, true));
    },
};

const RELATION: Record = Record {
    required: &["relatedResourceId"],
    created: 200,
    has_etag: true,
    has_system_data: false,
    complete: |world, _, relation, _| {
        let related = relation["relatedResourceId"].as_str().and_then(|id| world.resources.get(id));
        let (id, name, kind) = related.map_or((Value::Null, Value::Null, Value::Null), |related| {
            (related["id"].clone(), related["name"].clone(), related["type"].clone())
        });
        relation["relatedResourceId"] = id;
        relation["relatedResourceName"] = name;
        relation["relatedResourceType"] = kind;
    },
};

const METADATUM: Record = Record {
    required: &["parentId", "kind"],
    created: 201,
    has_etag: false,
    has_system_data: true,
    complete: |world, call, metadatum, _| {
        if metadatum["source"].is_null() {
            let id = world.resources.get(&call.id(8)).map(|found| found["properties"]["customerId"].clone());
            metadatum["source"] =
                json!({ "kind": "LocalWorkspace", "name": call.spelled(7), "sourceId": id });
        }
    },
};

const WATCHLIST: Record = Record {
    required: &["displayName", "provider", "itemsSearchKey"],
    created: 200,
    has_etag: true,
    has_system_data: true,
    complete: |world, call, watchlist, before| {
        let (now, id) = (with_offset(world), json!(world.fresh_id()));
        written(watchlist, before, &now, &person(call, false));
        watchlist["watchlistId"] = kept(before, "watchlistId", id);
        for (member, value) in [
            ("watchlistType", json!("watchlist")),
            ("watchlistAlias", json!(call.spelled(11))),
            ("isDeleted", json!(false)),
            ("labels", json!([])),
            ("tenantId", json!(world.tenant)),
            ("numberOfLinesToSkip", json!(0)),
            ("provisioningState", json!("Succeeded")),
            ("sasUri", json!("")),
            ("watchlistCategory", json!("General")),
        ] {
            fill(watchlist, member, value);
        }
    },
};

pub(super) fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    let path = call.path();
    if let ["incidents", _, "comments" | "relations", ..] = path.get(10..)?
        && !world.resources.contains(&call.id(12))
    {
        return Some((ROW.missing)(&INCIDENTS, call));
    }
    // The items of a watchlist are not supported here.
    if path.get(10) == Some(&"watchlists")
        && call.method == Method::Put
        && call.property("rawContent").is_string()
    {
        return Some(Reply::not_implemented("how the service processes the content of a watchlist"));
    }
    ROWS.iter().find_map(|row| row.answer(world, call))
}

fn keep(world: &mut World, call: &Call, row: &Tracked, record: &Record) -> Reply {
    let mut properties = call.json()["properties"].clone();
    for name in record.required {
        if properties[*name].is_null() {
            return Reply::bad_request(format!("The property '{name}' is required."));
        }
    }
    let before = world.resources.get(&row.id(world, call)).cloned();
    let sent =
        call.json()["etag"].as_str().or_else(|| call.header("if-match")).map(|etag| etag.trim_matches('"'));
    let known = before.as_ref().and_then(|before| before["etag"].as_str()).map(|etag| etag.trim_matches('"'));
    if let (Some(sent), Some(known)) = (sent, known)
        && sent != known
        && sent != "*"
    {
        let name = call.name();
        let message = format!(
            "Newer instance of '{name}' exists for workspace '{}' (Etag does not match). Data was not saved.",
            call.spelled(7)
        );
        return Reply::arm_error(409, "Conflict", message);
    }
    (record.complete)(world, call, &mut properties, before.as_ref().map(|before| &before["properties"]));
    let mut body = json!({ "properties": properties });
    if record.has_etag {
        body["etag"] = json!(world.fresh_etag());
    }
    if record.has_system_data {
        body["systemData"] = tracked::system_data(world, call, before.as_ref());
    }
    let reply = row.store(world, call, body);
    let status = if reply.status == 201 { record.created } else { reply.status };
    reply.with_status(status)
}

/// Sets a member that is missing or null.
fn fill(record: &mut Value, member: &str, value: Value) {
    let Some(members) = record.as_object_mut() else { return };
    if members.get(member).is_none_or(Value::is_null) {
        members.insert(member.to_owned(), value);
    }
}

fn kept(before: Option<&Value>, name: &str, fresh: Value) -> Value {
    before.map(|before| before[name].clone()).filter(|known| !known.is_null()).unwrap_or(fresh)
}

fn written(record: &mut Value, before: Option<&Value>, now: &Value, who: &Value) {
    record["created"] = kept(before, "created", now.clone());
    record["createdBy"] = kept(before, "createdBy", who.clone());
    record["updated"] = now.clone();
    record["updatedBy"] = who.clone();
}

/// Recorded: these dates have an offset instead of `Z`.
fn with_offset(world: &World) -> Value {
    json!(timestamp::precise(world.now()).replace('Z', "+00:00"))
}

fn person(call: &Call, by_principal_name: bool) -> Value {
    let caller = &call.caller;
    let mut who = json!({ "objectId": caller.object_id, "email": caller.upn, "name": caller.name });
    if by_principal_name {
        who["userPrincipalName"] = json!(caller.upn);
    }
    who
}

/// Updates the number of comments in an incident.
fn count_comments(world: &mut World, call: &Call) {
    let id = call.id(12);
    let count = world.resources.of_type(&id, COMMENTS.kind).count();
    if let Some(mut incident) = world.resources.get(&id).cloned() {
        incident["properties"]["additionalData"]["commentsCount"] = json!(count);
        world.resources.put(incident);
    }
}
