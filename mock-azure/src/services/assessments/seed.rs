//! Assessments in the initial state.

use serde_json::{Value, json};

use super::{
    TYPE,
    builtin::{self, KEY_VAULT, MACHINE_SECRETS},
};
use crate::{
    services::resource_groups,
    state::{Parts, Seed, World, stable_id},
};

const SINCE: &str = "2026-10-12T09:07:18.6759138Z";

impl Seed {
    /// Adds an assessment of a resource, by the key of its recommendation. `code` is `Healthy`, `Unhealthy` or
    /// `NotApplicable`.
    pub fn assessment(self, resource: impl ToString, key: &str, code: &str) -> Self {
        let (resource, key, code) = (resource.to_string(), key.to_owned(), code.to_owned());
        self.step(move |world| add(world, &resource, &key, &code, in_azure(&resource)))
    }

    /// Adds an assessment of a machine outside Azure that reports to a workspace. `workspace` is a resource id,
    /// `machine` a name.
    pub fn on_premises_assessment(self, workspace: &str, machine: &str, key: &str, code: &str) -> Self {
        let (workspace, machine) = (workspace.to_owned(), machine.to_owned());
        let (key, code) = (key.to_owned(), code.to_owned());
        self.step(move |world| {
            let (agent, hardware) =
                (stable_id(&format!("agent/{machine}")), stable_id(&format!("hardware/{machine}")));
            let details = json!({
                "source": "OnPremise",
                "workspaceId": workspace,
                "vmuuid": hardware,
                "sourceComputerId": agent,
                "machineName": machine,
            });
            let resource = format!("{workspace}/onPremiseMachines/{machine}_{agent}_{hardware}");
            add(world, &resource, &key, &code, details);
        })
    }

    /// Adds an assessment of a vault for each known Key Vault recommendation, alternating between unhealthy, healthy
    /// and not applicable.
    pub fn key_vault_assessments(self, vault: impl ToString) -> Self {
        let vault = vault.to_string();
        self.step(move |world| {
            for (built_in, code) in
                KEY_VAULT.iter().zip(["Unhealthy", "Healthy", "NotApplicable"].into_iter().cycle())
            {
                add(world, &vault, built_in.key, code, in_azure(&vault));
            }
        })
    }

    /// Adds an assessment exactly as the service would return it.
    pub fn assessment_json(self, assessment: Value) -> Self {
        self.step(move |world| world.resources.put(assessment))
    }

    /// Adds a secret found on a machine or in a repository, as an assessment of its own: category `ExposedSecrets`, no
    /// fixed key. As in the service, every second one has keys in Pascal case and its details as JSON in a string. The
    /// finding is returned while the plan that scans for secrets is on.
    pub fn exposed_secret(self, resource: impl ToString, secret: &str) -> Self {
        let (resource, secret) = (resource.to_string(), secret.to_owned());
        self.step(move |world| {
            let parts = Parts::of(&resource);
            let count = world
                .resources
                .of_type(&format!("/subscriptions/{}", parts.subscription), TYPE)
                .filter(|found| super::is_exposed_secret(found))
                .count();
            prepare(world, &resource);
            world.resources.put(finding(&resource, &secret, count));
        })
    }

    /// Adds the older, grouped assessment with a fixed key, which says that a machine has exposed secrets.
    pub fn grouped_secret_assessment(self, machine: impl ToString) -> Self {
        self.assessment(machine, MACHINE_SECRETS, "Unhealthy")
    }
}

fn prepare(world: &mut World, resource: &str) {
    let parts = Parts::of(resource);
    if let Some(group) = parts.group {
        resource_groups::ensure(world, parts.subscription, group, "westeurope");
    }
}

fn in_azure(resource: &str) -> Value {
    json!({ "source": "Azure", "id": resource })
}

fn add(world: &mut World, resource: &str, key: &str, code: &str, details: Value) {
    prepare(world, resource);
    let title = builtin::find(key).map_or("A recommendation", |built_in| built_in.title);
    let mut status = json!({ "code": code, "statusChangeDate": SINCE, "firstEvaluationDate": SINCE });
    if code == "NotApplicable" {
        status["cause"] = json!("OffByPolicy");
        status["description"] = json!("The effective policy for the assessment was evaluated to off.");
    }
    world.resources.put(json!({
        "id": format!("{resource}/providers/{TYPE}/{key}"),
        "name": key,
        "type": TYPE,
        "properties": {
            "resourceDetails": details,
            "displayName": title,
            "status": status,
            "additionalData": {},
        },
    }));
}

fn finding(resource: &str, secret: &str, number: usize) -> Value {
    let name = stable_id(&format!("exposed/{resource}/{secret}/{number}"));
    let title = format!("Exposed {secret} should be removed");
    let resource_name = resource.rsplit('/').next().unwrap_or_default();
    let resource_type = type_of(resource);
    let (details, additional) = if number.is_multiple_of(2) {
        (
            json!({ "source": "Azure", "id": resource, "resourceType": resource_type, "resourceName": resource_name }),
            json!({
                "secretType": secret,
                "filePath": format!("/home/app/.config/settings-{number}.env"),
                "lastAccessTime": "2026-10-30T06:11:02.0000000Z",
                "isTargetExists": "True",
            }),
        )
    } else {
        let detail = json!({
            "FilePath": format!("C:\\inetpub\\wwwroot\\web-{number}.config"),
            "LastAccessTime": "2026-10-30T06:11:02.0000000Z",
            "TokenExpiration": "2027-01-15T00:00:00.0000000Z",
        });
        (
            json!({ "Source": "Azure", "Id": resource, "ResourceType": resource_type, "ResourceName": resource_name }),
            json!({ "SecretType": secret, "Data": detail.to_string() }),
        )
    };
    json!({
        "id": format!("{resource}/providers/{TYPE}/{name}"),
        "name": name,
        "type": TYPE,
        "properties": {
            "resourceDetails": details,
            "displayName": title,
            "status": { "code": "Unhealthy", "statusChangeDate": SINCE, "firstEvaluationDate": SINCE },
            "additionalData": additional,
            "metadata": {
                "displayName": title,
                "assessmentType": "DynamicBuiltIn",
                "recommendationCategory": "ExposedSecrets",
                "categories": ["Data"],
                "severity": if secret.to_ascii_lowercase().contains("key") { "High" } else { "Medium" },
                "description": "A secret in plain text was found here. Whoever reads the place can use it.",
                "remediationDescription": "Rotate the secret, move it to a vault, and remove it from here.",
            },
        },
    })
}

/// The type in a resource id, such as `microsoft.compute/virtualmachines`.
fn type_of(resource: &str) -> String {
    let (_, provider) = resource.rsplit_once("/providers/").unwrap_or_default();
    let segments: Vec<&str> = provider.split('/').collect();
    let kinds: Vec<&str> = segments.iter().skip(1).step_by(2).copied().collect();
    format!("{}/{}", segments[0], kinds.join("/")).to_ascii_lowercase()
}
