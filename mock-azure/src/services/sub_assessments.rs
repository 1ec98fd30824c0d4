//! Sub-assessments: the findings of grouped recommendations. They are retired, so lists are empty and no finding
//! exists, unless the seed says that they are still served.

use serde_json::{Value, json};

use crate::{
    http::{Call, Method, Reply, paging},
    services::assessments::{self, MACHINE_SECRETS},
    state::{GraphRow, Seed, Surface, World, stable_id},
};

const TYPE: &str = "Microsoft.Security/assessments/subAssessments";

pub(crate) const SURFACE: Surface = Surface {
    types: &[("Microsoft.Security/subAssessments", VERSIONS), (TYPE, VERSIONS)],
    graph_rows: Some(rows),
    answer,
    ..Surface::EMPTY
};

const VERSIONS: &[&str] = &["2019-01-01-preview"];

/// Whether the findings are still served.
#[derive(Debug, Default)]
pub(crate) struct SubAssessments {
    served: bool,
}

impl Seed {
    /// Serves sub-assessments, as the service did until it retired them.
    pub fn sub_assessments_served(self) -> Self {
        self.setting(|world| world.states.get_mut::<SubAssessments>().served = true)
    }

    /// Adds a vulnerability found on a machine to the grouped recommendation to which it belonged.
    pub fn vulnerability(self, machine: impl ToString, cve: &str) -> Self {
        let cve = cve.to_owned();
        self.finding(machine, "1195afff-c881-495e-9bc5-1486211ae03f", move || {
            json!({
                "id": "91540",
                "displayName": format!("Update for {cve} is missing"),
                "category": "Local",
                "status": { "code": "Unhealthy", "severity": "High", "cause": "", "description": "" },
                "additionalData": {
                    "assessedResourceType": "ServerVulnerabilityAssessment",
                    "type": "Vulnerability",
                    "cvss": { "2.0": { "base": 7.2 }, "3.0": { "base": 7.8 } },
                    "patchable": true,
                    "cve": [{ "title": cve, "link": format!("https://cve.example/{cve}") }],
                    "publishedTime": "2026-08-11T00:00:00.0000000Z",
                    "vendorReferences": [],
                    "threat": "A local user can gain higher rights.",
                },
            })
        })
    }

    /// Adds a secret found on a machine to the grouped recommendation to which it belonged. The published contract has
    /// no type for it.
    pub fn grouped_secret(self, machine: impl ToString, secret: &str) -> Self {
        let secret = secret.to_owned();
        self.finding(machine, MACHINE_SECRETS, move || {
            json!({
                "id": stable_id(&secret),
                "displayName": format!("{secret} in plain text"),
                "category": "Secrets",
                "status": { "code": "Unhealthy", "severity": "High", "cause": "", "description": "" },
                "additionalData": {
                    "assessedResourceType": "MachineSecret",
                    "type": "Secret",
                    "secretType": secret,
                    "filePath": "/home/app/.ssh/id_rsa",
                    "lastAccessTime": "2026-06-30T06:11:02.0000000Z",
                },
            })
        })
    }

    /// Adds a sub-assessment exactly as the service would return it.
    pub fn sub_assessment_json(self, finding: Value) -> Self {
        self.step(move |world| world.resources.put(finding))
    }

    fn finding(
        self,
        resource: impl ToString,
        key: &'static str,
        properties: impl FnOnce() -> Value + Send + 'static,
    ) -> Self {
        let resource = resource.to_string();
        self.assessment(&resource, key, "Unhealthy").step(move |world| {
            let mut properties = properties();
            let name = stable_id(&format!("{resource}/{key}/{}", properties["displayName"]));
            properties["resourceDetails"] = json!({ "source": "Azure", "id": resource });
            properties["description"] = json!("Found by the agentless scan of the machine's disk.");
            properties["remediation"] = json!("See the recommendation that this finding belongs to.");
            properties["impact"] = json!("3");
            properties["timeGenerated"] = json!("2026-07-01T12:20:08.7644808Z");
            world.resources.put(json!({
                "id": format!("{resource}/providers/Microsoft.Security/assessments/{key}/subAssessments/{name}"),
                "name": name,
                "type": TYPE,
                "properties": properties,
            }));
        })
    }
}

fn answer(world: &mut World, call: &Call) -> Option<Reply> {
    if call.method != Method::Get {
        return None;
    }
    if let Some((scope, rest)) = call.extension("microsoft.security", "subassessments") {
        return rest.is_empty().then(|| list(world, call, scope, None));
    }
    let (scope, rest) = call.extension("microsoft.security", "assessments")?;
    match rest.as_slice() {
        [key, "subassessments"] => Some(list(world, call, scope, Some(key))),
        [_, "subassessments", name] => {
            let served = world.states.get::<SubAssessments>().served;
            let found = world.resources.get(&call.id(call.len())).filter(|_| served);
            Some(found.map_or_else(
                || {
                    // Documented: 404 for a finding that does not exist.
                    let message = format!("The sub-assessment '{name}' was not found.");
                    Reply::arm_error(404, "ResourceNotFound", message)
                },
                |finding| Reply::ok(finding.clone()),
            ))
        }
        _ => None,
    }
}

fn list(world: &World, call: &Call, scope: usize, key: Option<&str>) -> Reply {
    let scopes = match assessments::scopes(world, &call.id(scope)) {
        Ok(scopes) => scopes,
        Err(reply) => return *reply,
    };
    let served = world.states.get::<SubAssessments>().served;
    let below = |finding: &&Value| {
        key.is_none_or(|key| {
            let part = format!("/assessments/{key}/subassessments/");
            finding["id"].as_str().is_some_and(|id| id.to_ascii_lowercase().contains(&part))
        })
    };
    let all = scopes.iter().flat_map(|scope| world.resources.of_type(scope, TYPE));
    paging::page(&world.paging, call, 200, all.filter(|_| served).filter(below))
}

fn rows(world: &World, subscription: &str) -> Vec<GraphRow> {
    if !world.states.get::<SubAssessments>().served {
        return Vec::new();
    }
    let scope = format!("/subscriptions/{subscription}");
    let row = |finding: &Value| {
        let mut row = finding.clone();
        row["type"] = json!("microsoft.security/assessments/subassessments");
        ("securityresources", row)
    };
    world.resources.of_type(&scope, TYPE).map(row).collect()
}
