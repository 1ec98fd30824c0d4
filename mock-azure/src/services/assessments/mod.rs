//! Assessments: the status of recommendations for each resource.

mod builtin;
pub(crate) mod metadata;
mod seed;

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::{
    http::{Call, Reply, paging, timestamp},
    services::{attack_paths, exemptions, resource_graph, security_plans},
    state::{Accepts, GraphRow, Parts, Place, Surface, Tracked, World},
};
pub(crate) use builtin::MACHINE_SECRETS;

pub(crate) const TYPE: &str = "Microsoft.Security/assessments";

/// The version that added the dates of a status.
const DATES: &str = "2021-06-01";

pub(crate) const SURFACE: Surface = Surface {
    types: &[(TYPE, &["2019-01-01-preview", "2020-01-01", "2021-06-01", "2025-05-04-preview", "2025-05-04"])],
    options: &[("$expand", Accepts::Words(&["links", "metadata"]))],
    graph_rows: Some(rows),
    answer: |world, call| ASSESSMENTS.answer(world, call),
    ..Surface::EMPTY
};

const ASSESSMENTS: Tracked = Tracked {
    kind: TYPE,
    place: Place::Resource,
    list,
    put,
    found: |world, _, assessment| is_served(world, assessment),
    shown: show,
    // Documented: 404 for an assessment that the resource does not have.
    missing: |_, call| {
        let name = call.name();
        let message = format!("The assessment '{name}' was not found on the resource.");
        Reply::arm_error(404, "ResourceNotFound", message)
    },
    ..Tracked::ROW
};

fn list(_: &Tracked, world: &World, call: &Call, at: usize) -> Reply {
    let scopes = match scopes(world, &call.id(at)) {
        Ok(scopes) => scopes,
        Err(reply) => return *reply,
    };
    let all = scopes
        .iter()
        .flat_map(|scope| world.resources.of_type(scope, TYPE))
        .filter(|assessment| is_served(world, assessment));
    paging::page_of(&world.paging, call, 200, all, |assessment| show(world, call, assessment))
}

/// The scopes that a list covers: its own, or the subscriptions of a management group.
pub(crate) fn scopes(world: &World, scope: &str) -> Result<Vec<String>, Box<Reply>> {
    let lower = scope.to_ascii_lowercase();
    let Some(group) = lower.strip_prefix("/providers/microsoft.management/managementgroups/") else {
        return Ok(vec![scope.to_owned()]);
    };
    let members = resource_graph::members(world, group);
    if members.is_empty() {
        let message = format!("The management group '{group}' cannot be found.");
        return Err(Box::new(Reply::arm_error(404, "NotFound", message)));
    }
    Ok(members.iter().map(|id| format!("/subscriptions/{id}")).collect())
}

/// Exposed secrets are returned only while a plan that scans for them is on.
fn is_served(world: &World, assessment: &Value) -> bool {
    if !is_exposed_secret(assessment) {
        return true;
    }
    let id = assessment["id"].as_str().unwrap_or_default();
    let machine = id.to_ascii_lowercase().contains("/providers/microsoft.compute/virtualmachines/");
    security_plans::scans_secrets(world, Parts::of(id).subscription, machine)
}

fn is_exposed_secret(assessment: &Value) -> bool {
    assessment["properties"]["metadata"]["recommendationCategory"] == "ExposedSecrets"
}

/// The assessment with exemptions applied. The wording is from published samples of sub-assessments.
fn judged<'a>(world: &World, assessment: &'a Value) -> Cow<'a, Value> {
    let status = &assessment["properties"]["status"];
    if status["code"] != "Unhealthy" {
        return Cow::Borrowed(assessment);
    }
    let Some(seen) = exemption(world, assessment) else { return Cow::Borrowed(assessment) };
    let mut judged = assessment.clone();
    judged["properties"]["status"] = json!({
        "code": "NotApplicable",
        "cause": "Exempt",
        "statusChangeDate": seen.since,
        "firstEvaluationDate": status["firstEvaluationDate"],
    });
    Cow::Owned(judged)
}

fn exemption(world: &World, assessment: &Value) -> Option<exemptions::Seen> {
    let (id, key) = (assessment["id"].as_str()?, assessment["name"].as_str()?);
    let end = id.to_ascii_lowercase().rfind("/providers/microsoft.security/")?;
    let metadata = metadata_of(world, assessment);
    let policy = metadata.as_ref().and_then(|metadata| metadata["policyDefinitionId"].as_str());
    exemptions::of(world, &id[..end], key, policy)
}

/// The assessment in the format of the requested api-version, with the requested expansions.
fn show(world: &World, call: &Call, assessment: &Value) -> Value {
    let expand = call.query("$expand").unwrap_or_default().to_ascii_lowercase();
    let wants = |part: &str| expand.split(',').any(|wanted| wanted.trim() == part);
    let assessment = &*judged(world, assessment);
    let mut shown = assessment.clone();
    let metadata = metadata_of(world, assessment);
    if let Some(properties) = shown["properties"].as_object_mut() {
        properties.remove("metadata");
    }
    if wants("metadata")
        && let Some(metadata) = metadata.clone()
    {
        shown["properties"]["metadata"] = metadata;
    }
    if wants("links") {
        shown["properties"]["links"] = links(assessment);
    }
    if call.api_version().starts_with("2025-05-04")
        && let Some(risk) = risk(world, assessment, metadata.as_ref())
    {
        shown["properties"]["risk"] = risk;
    }
    if call.api_version() < DATES {
        as_before(&mut shown["properties"]);
    }
    shown
}

/// Recorded: before the version with dates, the members of the details were capitalized.
fn as_before(properties: &mut Value) {
    if let Some(status) = properties["status"].as_object_mut() {
        status.remove("firstEvaluationDate");
        status.remove("statusChangeDate");
    }
    if let Some(details) = properties["resourceDetails"].as_object_mut() {
        details.retain(|name, _| !matches!(name.as_str(), "resourceName" | "resourceType"));
        let capitals = [
            ("source", "Source"),
            ("id", "Id"),
            ("workspaceId", "WorkspaceId"),
            ("vmuuid", "VMUUID"),
            ("sourceComputerId", "SourceComputerId"),
            ("machineName", "MachineName"),
        ];
        for (old, new) in capitals {
            if let Some(value) = details.remove(old) {
                details.insert(new.to_owned(), value);
            }
        }
    }
}

fn metadata_of(world: &World, assessment: &Value) -> Option<Value> {
    let own = &assessment["properties"]["metadata"];
    if !own.is_null() {
        return Some(own.clone());
    }
    let id = assessment["id"].as_str().unwrap_or_default();
    metadata::of(world, Parts::of(id).subscription, assessment["name"].as_str().unwrap_or_default())
}

fn links(assessment: &Value) -> Value {
    let id = assessment["id"].as_str().unwrap_or_default().trim_start_matches('/');
    json!({ "azurePortalUri": format!("portal.azure.com/#blade/Microsoft_Azure_Security/RecommendationsBlade/assessmentId/{id}") })
}

/// Defender CSPM's rating of an unhealthy assessment: its risk level, and why.
fn risk(world: &World, assessment: &Value, metadata: Option<&Value>) -> Option<Value> {
    let id = assessment["id"].as_str().unwrap_or_default();
    let subscription = Parts::of(id).subscription;
    let contextual = security_plans::is_on(world, subscription, "CloudPosture");
    if assessment["properties"]["status"]["code"] != "Unhealthy" || !contextual {
        return None;
    }
    if !assessment["properties"]["risk"].is_null() {
        return Some(assessment["properties"]["risk"].clone());
    }
    let resource = id.split("/providers/Microsoft.Security/").next().unwrap_or_default();
    let paths = attack_paths::through(world, resource);
    let level = if paths.is_empty() { metadata?["severity"].clone() } else { json!("Critical") };
    Some(json!({
        "level": level,
        "riskFactors": if paths.is_empty() { json!([]) } else { json!(["Internet exposure", "Lateral movement"]) },
        "attackPathsReferences": paths.iter().map(|path| path["id"].clone()).collect::<Vec<_>>(),
        "paths": paths.iter().map(attack_paths::as_risk_path).collect::<Vec<_>>(),
        "isContextualRisk": true,
    }))
}

/// The rows of a subscription. Resource Graph expands everything.
fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    let scope = format!("/subscriptions/{subscription}");
    let all = world.resources.of_type(&scope, TYPE).filter(|assessment| is_served(world, assessment));
    let row = |assessment: &Value| {
        let assessment = &*judged(world, assessment);
        let mut row = assessment.clone();
        row["type"] = json!("microsoft.security/assessments");
        let metadata = metadata_of(world, assessment);
        if let Some(risk) = risk(world, assessment, metadata.as_ref()) {
            row["properties"]["risk"] = risk;
        }
        row["properties"]["metadata"] = metadata.unwrap_or_default();
        row["properties"]["links"] = links(assessment);
        if is_exposed_secret(assessment) {
            // In the new model, only the metadata has the severity.
            return ("securityresources", row);
        }
        row["properties"]["status"]["severity"] = row["properties"]["metadata"]["severity"].clone();
        ("securityresources", row)
    };
    all.map(row).collect()
}

fn put(world: &mut World, call: &Call) -> Reply {
    let (id, resource, name) = (call.id(call.len()), call.id(call.len() - 4), call.name());
    let body = &call.json()["properties"];
    let Some(metadata) = metadata::of(world, call.subscription().unwrap_or_default(), name) else {
        let message =
            format!("There is no assessment metadata named '{name}' in the subscription. Create it first.");
        return Reply::bad_request(message);
    };
    // Documented: a client can write results only for its own metadata.
    if builtin::find(name).is_some() {
        return Reply::bad_request(format!(
            "The assessment '{name}' is built in. Its results cannot be written."
        ));
    }
    // Documented: the three codes, and that the source is required.
    let code = body["status"]["code"].as_str().unwrap_or_default();
    if !["Healthy", "Unhealthy", "NotApplicable"].contains(&code) {
        return Reply::bad_request(format!(
            "The status code '{code}' is not one of: Healthy, Unhealthy, NotApplicable."
        ));
    }
    if body["resourceDetails"]["source"].as_str().is_none() {
        return Reply::bad_request("The property 'resourceDetails.source' of an assessment is required.");
    }
    let before = world.resources.get(&id).cloned();
    let now = timestamp::precise(world.now());
    let mut properties = body.clone();
    if let Some(fields) = properties.as_object_mut() {
        for written_only in ["metadata", "links", "partnersData", "risk"] {
            fields.remove(written_only);
        }
    }
    properties["displayName"] = metadata["displayName"].clone();
    properties["resourceDetails"]["id"] = json!(resource);
    let old = before.as_ref().map(|before| &before["properties"]["status"]);
    let same = old.is_some_and(|old| old["code"] == code);
    let (first, change) = match old {
        Some(old) if same => (old["firstEvaluationDate"].clone(), old["statusChangeDate"].clone()),
        Some(old) => (old["firstEvaluationDate"].clone(), json!(now)),
        None => (json!(now), json!(now)),
    };
    properties["status"]["firstEvaluationDate"] = first;
    properties["status"]["statusChangeDate"] = change;
    let assessment = json!({ "id": id, "name": name, "type": TYPE, "properties": properties });
    world.resources.put(assessment.clone());
    // Recorded: the old versions return 200 even for a new one. Documented: the others return 201.
    let new = before.is_none() && call.api_version() >= DATES;
    Reply::json(if new { 201 } else { 200 }, show(world, call, &assessment))
}

/// The numbers of healthy, unhealthy and not applicable assessments with these keys in a subscription.
pub(crate) fn counts(world: &World, subscription: &str, keys: &[&str]) -> [u64; 3] {
    let scope = format!("/subscriptions/{subscription}");
    let mut counts = [0; 3];
    for assessment in world.resources.of_type(&scope, TYPE) {
        let name = assessment["name"].as_str().unwrap_or_default();
        if !keys.iter().any(|key| key.eq_ignore_ascii_case(name)) {
            continue;
        }
        match assessment["properties"]["status"]["code"].as_str() {
            Some("Healthy") => counts[0] += 1,
            // Documented: a mitigated finding counts as healthy, and a waived one is not part of the score.
            Some("Unhealthy") => match exemption(world, assessment) {
                Some(seen) => counts[if seen.is_mitigated { 0 } else { 2 }] += 1,
                None => counts[1] += 1,
            },
            _ => counts[2] += 1,
        }
    }
    counts
}
