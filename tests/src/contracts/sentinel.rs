//! Sentinel.

use crate::{Contract, all, delete, fixture, get, one, one_or_none, post, put};
use arm_core::ResourceName;
use monitor_ops::{IncidentFilter, IncidentStatus, SentinelClient, WorkspaceId};

use super::common::{WORKSPACE, decoded, name};

const VERSION: &str = "2025-09-01";
const ID: &str = "00000000-0000-0000-0000-0000000000f1";

fn workspace() -> WorkspaceId {
    WORKSPACE.parse().unwrap()
}

fn id() -> ResourceName {
    name(ID)
}

pub(super) fn contracts() -> Vec<Contract> {
    [onboarding(), connectors(), rules(), incidents()].concat()
}

fn at(what: &str) -> String {
    format!("{WORKSPACE}/providers/Microsoft.SecurityInsights/{what}")
}

fn onboarding() -> Vec<Contract> {
    let client = SentinelClient::new;
    let single = |contract: Contract| contract.answers("onboarding_states/get.json").model("OnboardingState");
    let default = at("onboardingStates/default");
    vec![
        get("SentinelOnboardingStates_List", at("onboardingStates"), VERSION)
            .answers("onboarding_states/list.json")
            .pages()
            .model("OnboardingState")
            .call(move |arm| all(client(&arm).list_onboarding_states(&workspace()))),
        single(get("SentinelOnboardingStates_Get", &default, VERSION))
            .call(move |arm| one_or_none(async move { client(&arm).onboarding_state(&workspace()).await })),
        single(put("SentinelOnboardingStates_Create", &default, VERSION))
            .sends(fixture("onboarding_states/get.json"))
            .call(move |arm| {
                one(async move {
                    let state = decoded("onboarding_states/get.json");
                    client(&arm).create_onboarding_state(&workspace(), &state).await
                })
            }),
        delete("SentinelOnboardingStates_Delete", &default, VERSION)
            .call(move |arm| one(async move { client(&arm).delete_onboarding_state(&workspace()).await })),
    ]
}

fn connectors() -> Vec<Contract> {
    let client = SentinelClient::new;
    let single = |contract: Contract| contract.answers("data_connectors/get.json").model("DataConnector");
    let the_one = at(&format!("dataConnectors/{ID}"));
    vec![
        get("DataConnectors_List", at("dataConnectors"), VERSION)
            .answers("data_connectors/list.json")
            .pages()
            .model("DataConnector")
            .call(move |arm| all(client(&arm).list_connectors(&workspace()))),
        single(get("DataConnectors_Get", &the_one, VERSION))
            .call(move |arm| one(async move { client(&arm).get_connector(&workspace(), &id()).await })),
        single(put("DataConnectors_CreateOrUpdate", &the_one, VERSION))
            .sends(fixture("data_connectors/get.json"))
            .call(move |arm| {
                one(async move {
                    let connector = decoded("data_connectors/get.json");
                    client(&arm).create_or_update_connector(&workspace(), &id(), &connector).await
                })
            }),
        delete("DataConnectors_Delete", &the_one, VERSION)
            .call(move |arm| one(async move { client(&arm).delete_connector(&workspace(), &id()).await })),
    ]
}

fn rules() -> Vec<Contract> {
    let client = SentinelClient::new;
    let single = |contract: Contract| contract.answers("alert_rules/get.json").model("AlertRule");
    let the_one = at("alertRules/kv-reads");
    let rule = || name("kv-reads");
    vec![
        get("AlertRules_List", at("alertRules"), VERSION)
            .answers("alert_rules/list.json")
            .pages()
            .model("AlertRule")
            .call(move |arm| all(client(&arm).list_rules(&workspace()))),
        single(get("AlertRules_Get", &the_one, VERSION))
            .call(move |arm| one(async move { client(&arm).get_rule(&workspace(), &rule()).await })),
        single(put("AlertRules_CreateOrUpdate", &the_one, VERSION))
            .sends(fixture("alert_rules/get.json"))
            .call(move |arm| {
                one(async move {
                    let body = decoded("alert_rules/get.json");
                    client(&arm).create_or_update_rule(&workspace(), &rule(), &body).await
                })
            }),
        delete("AlertRules_Delete", &the_one, VERSION)
            .call(move |arm| one(async move { client(&arm).delete_rule(&workspace(), &rule()).await })),
    ]
}

fn incidents() -> Vec<Contract> {
    let client = SentinelClient::new;
    let single = |contract: Contract| contract.answers("incidents/get.json").model("Incident");
    let the_one = at(&format!("incidents/{ID}"));
    let query = "$filter=properties/status eq 'New'&$orderby=properties/createdTimeUtc desc&$top=7";
    vec![
        get("Incidents_List", at(&format!("incidents?{query}")), VERSION)
            .answers("incidents/list.json")
            .pages()
            .model("Incident")
            .call(move |arm| {
                let filter = IncidentFilter::new().status(&IncidentStatus::New).newest_first().page_size(7);
                all(client(&arm).list_incidents(&workspace(), &filter))
            }),
        single(get("Incidents_Get", &the_one, VERSION))
            .call(move |arm| one(async move { client(&arm).get_incident(&workspace(), &id()).await })),
        single(put("Incidents_CreateOrUpdate", &the_one, VERSION)).sends(fixture("incidents/get.json")).call(
            move |arm| {
                one(async move {
                    let incident = decoded("incidents/get.json");
                    client(&arm).create_or_update_incident(&workspace(), &id(), &incident).await
                })
            },
        ),
        delete("Incidents_Delete", &the_one, VERSION)
            .call(move |arm| one(async move { client(&arm).delete_incident(&workspace(), &id()).await })),
        post("Incidents_ListAlerts", format!("{the_one}/alerts"), VERSION)
            .answers("incidents/alerts.json")
            .call(move |arm| one(async move { client(&arm).incident_alerts(&workspace(), &id()).await })),
    ]
}
