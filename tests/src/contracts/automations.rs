//! Automations.

use crate::{Contract, all, delete, fixture, get, one, patch, post, put};
use defender_automation::{
    Action, AlertSeverity, Automation, AutomationPatch, AutomationSpec, AutomationsClient, Rule, Source,
};
use serde_json::{Value, json};

use super::common::{GROUP, SUBSCRIPTION, WORKSPACE, group, name, resource, subscription};

const VERSION: &str = "2023-12-01-preview";

fn spec() -> AutomationSpec {
    AutomationSpec::builder()
        .location("westeurope")
        .scopes(&subscription())
        .sources([Source::alerts()
            .when_all([Rule::severity_is(AlertSeverity::High), Rule::alert_type().starts_with("KV_")])])
        .actions([
            Action::logic_app(
                &resource(&format!("{GROUP}/providers/Microsoft.Logic/workflows/triage")),
                "https://logic.example.com/REDACTED",
            ),
            Action::workspace(&resource(WORKSPACE)),
        ])
        .build()
}

fn body() -> Value {
    json!({
        "location": "westeurope",
        "properties": {
            "isEnabled": true,
            "scopes": [{ "scopePath": SUBSCRIPTION }],
            "sources": [{ "eventSource": "Alerts", "ruleSets": [{ "rules": [
                {
                    "propertyJPath": "Severity",
                    "propertyType": "String",
                    "expectedValue": "High",
                    "operator": "Equals",
                },
                {
                    "propertyJPath": "AlertType",
                    "propertyType": "String",
                    "expectedValue": "KV_",
                    "operator": "StartsWith",
                },
            ]}]}],
            "actions": [
                {
                    "actionType": "LogicApp",
                    "logicAppResourceId": format!("{GROUP}/providers/Microsoft.Logic/workflows/triage"),
                    "uri": "https://logic.example.com/REDACTED",
                },
                { "actionType": "Workspace", "workspaceResourceId": WORKSPACE },
            ],
        },
    })
}

pub(super) fn contracts() -> Vec<Contract> {
    let client = AutomationsClient::new;
    let automations = "/providers/Microsoft.Security/automations";
    let the_one = format!("{GROUP}{automations}/kv-high");
    let list = |contract: Contract| contract.answers("automations/list.json").pages().model("Automation");
    let single = |contract: Contract| contract.answers("automations/get.json").model("Automation");
    vec![
        list(get("Automations_List", format!("{SUBSCRIPTION}{automations}"), VERSION))
            .call(move |arm| all(client(&arm).list(&subscription()))),
        list(get("Automations_ListByResourceGroup", format!("{GROUP}{automations}"), VERSION))
            .call(move |arm| all(client(&arm).list_by_resource_group(&group()))),
        single(get("Automations_Get", &the_one, VERSION))
            .call(move |arm| one(async move { client(&arm).get(&group(), &name("kv-high")).await })),
        single(put("Automations_CreateOrUpdate", &the_one, VERSION)).sends(body()).call(move |arm| {
            one(async move { client(&arm).create_or_update(&group(), &name("kv-high"), &spec()).await })
        }),
        single(patch("Automations_Update", &the_one, VERSION))
            .sends(json!({ "properties": { "isEnabled": false } }))
            .call(move |arm| {
                let patch = AutomationPatch::new().enabled(false);
                one(async move { client(&arm).update(&group(), &name("kv-high"), &patch).await })
            }),
        delete("Automations_Delete", &the_one, VERSION)
            .call(move |arm| one(async move { client(&arm).delete(&group(), &name("kv-high")).await })),
        post("Automations_Validate", format!("{the_one}/validate"), VERSION)
            .sends(read_back())
            .answers("automations/invalid.json")
            .call(move |arm| {
                let read: Automation = super::common::decoded("automations/get.json");
                let spec = AutomationSpec::from(&read);
                one(async move { client(&arm).validate(&group(), &name("kv-high"), &spec).await })
            }),
    ]
}

/// What was read, without what is the service's own.
fn read_back() -> Value {
    let mut body = fixture("automations/get.json");
    for own in ["id", "name", "etag"] {
        body.as_object_mut().unwrap().remove(own);
    }
    body
}
