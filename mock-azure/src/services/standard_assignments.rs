//! Assignments of Defender's standards to scopes, and exemptions from them. `exemptions` has their effects on findings.

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, paging, timestamp},
    state::{
        GraphRow, Place, Surface, Tracked, World,
        tracked::{is_in, scope_of},
    },
};

pub(crate) const TYPE: &str = "Microsoft.Security/standardAssignments";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2024-08-01"])],
    graph_rows: Some(rows),
    answer: |world, call| ASSIGNMENTS.answer(world, call),
    ..Surface::EMPTY
};

const ASSIGNMENTS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    list,
    put,
    missing: |_, call| {
        let name = call.name();
        let message = format!("The standard assignment '{name}' was not found at the scope.");
        Reply::arm_error(404, "ResourceNotFound", message)
    },
    ..Tracked::ROW
};

/// Documented: all that apply to a scope. Observed in a connector's list: it includes those of the resources below.
fn list(row: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let scope = call.id(at).to_ascii_lowercase();
    let owner = call.id(at.min(2));
    let all = world
        .resources
        .of_type(&owner, row.kind)
        .filter(|one| scope_of(one).is_some_and(|own| is_in(&scope, &own) || is_in(&own, &scope)));
    paging::page(&world.paging, call, 100, all)
}

fn put(world: &mut World, call: &Call) -> Reply {
    // Documented: the name is a GUID.
    let name = call.name();
    if uuid::Uuid::parse_str(name).is_err() {
        return Reply::bad_request(format!("The assignment key '{name}' is not a GUID."));
    }
    let properties = &call.json()["properties"];
    // Documented: the effects and the categories, which clients may also send capitalized.
    let effect = properties["effect"].as_str().unwrap_or_default();
    if !["Audit", "Exempt", "Attest"].contains(&effect) {
        return Reply::bad_request(format!("The effect '{effect}' is not one of: Audit, Exempt, Attest."));
    }
    if effect == "Exempt" {
        let data = &properties["exemptionData"];
        let category = data["exemptionCategory"].as_str().unwrap_or_default().to_ascii_lowercase();
        if !["waiver", "mitigated"].contains(&category.as_str()) {
            return Reply::bad_request(format!(
                "The exemption category '{category}' is not one of: waiver, mitigated."
            ));
        }
        if !data["subAssessmentExemptionRule"].is_null() {
            return Reply::not_implemented("which findings a 'subAssessmentExemptionRule' exempts");
        }
        if data["assignedAssessment"]["assessmentKey"].as_str().is_none_or(str::is_empty) {
            return Reply::not_implemented("an exemption that names no assessment");
        }
    }
    let before =
        world.resources.get(&call.id(call.len())).map(|found| found["properties"]["metadata"].clone());
    let (who, now) = (json!(call.caller.object_id), json!(timestamp::precise(world.now())));
    let before = before.unwrap_or_else(|| json!({ "createdBy": who, "createdOn": now }));
    let mut properties = properties.clone();
    properties["metadata"] = json!({
        "createdBy": before["createdBy"],
        "createdOn": before["createdOn"],
        "lastUpdatedBy": who,
        "lastUpdatedOn": now,
    });
    ASSIGNMENTS.store(world, call, json!({ "properties": properties }))
}

/// Published: these are rows of this table in Resource Graph.
fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let scope = format!("/subscriptions/{subscription}");
    let all = world.resources.of_type(&scope, TYPE);
    let row = |found: &Value| {
        let mut row = found.clone();
        row["type"] = json!(TYPE.to_ascii_lowercase());
        ("securityresources", row)
    };
    all.map(row).collect()
}
