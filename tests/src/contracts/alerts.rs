//! Alerts.

use crate::{Contract, all, get, one, post};
use arm_core::ArmClient;
use defender_alerts::{AlertBundle, AlertId, AlertsClient};
use futures::{FutureExt as _, future::BoxFuture};
use serde_json::json;

use super::common::{GROUP, SUBSCRIPTION, group, location, subscription};

const VERSION: &str = "2022-01-01";
const HERE: &str = "/providers/Microsoft.Security/locations/westeurope/alerts";
const NAME: &str = "2518770965529163669_1";

fn alert(scope: &str) -> AlertId {
    format!("{scope}{HERE}/{NAME}").parse().unwrap()
}

fn list(operation: &'static str, scope: &str, path: &str) -> Contract {
    get(operation, format!("{scope}{path}"), VERSION).answers("alerts/list.json").pages().model("Alert")
}

fn single(operation: &'static str, scope: &'static str, answer: &str) -> Contract {
    get(operation, format!("{scope}{HERE}/{NAME}"), VERSION)
        .answers(answer)
        .model("Alert")
        .call(move |arm| one(async move { AlertsClient::new(&arm).get(&alert(scope)).await }))
}

/// The four changes of a state, at one level.
fn changes(level: [&'static str; 4], scope: &'static str) -> [Contract; 4] {
    type Change = fn(ArmClient, AlertId) -> BoxFuture<'static, azure_core::Result<()>>;
    let verbs: [(&str, Change); 4] = [
        ("dismiss", |arm, id| async move { AlertsClient::new(&arm).dismiss(&id).await }.boxed()),
        ("resolve", |arm, id| async move { AlertsClient::new(&arm).resolve(&id).await }.boxed()),
        ("activate", |arm, id| async move { AlertsClient::new(&arm).activate(&id).await }.boxed()),
        ("inProgress", |arm, id| async move { AlertsClient::new(&arm).in_progress(&id).await }.boxed()),
    ];
    let mut level = level.into_iter();
    verbs.map(|(verb, change)| {
        post(level.next().unwrap(), format!("{scope}{HERE}/{NAME}/{verb}"), VERSION)
            .statuses(&[204])
            .call(move |arm| one(change(arm, alert(scope))))
    })
}

pub(super) fn contracts() -> Vec<Contract> {
    let everywhere = "/providers/Microsoft.Security/alerts";
    let mut contracts = vec![
        list("Alerts_List", SUBSCRIPTION, everywhere)
            .call(|arm| all(AlertsClient::new(&arm).list(&subscription()))),
        list("Alerts_ListByResourceGroup", GROUP, everywhere)
            .call(|arm| all(AlertsClient::new(&arm).list_by_resource_group(&group()))),
        list("Alerts_ListSubscriptionLevelByRegion", SUBSCRIPTION, HERE)
            .call(|arm| all(AlertsClient::new(&arm).list_by_location(&subscription(), &location()))),
        list("Alerts_ListResourceGroupLevelByRegion", GROUP, HERE).call(|arm| {
            all(AlertsClient::new(&arm).list_by_resource_group_and_location(&group(), &location()))
        }),
        single("Alerts_GetSubscriptionLevel", SUBSCRIPTION, "alerts/get.json"),
        single("Alerts_GetResourceGroupLevel", GROUP, "alerts/get_in_group.json"),
        post("Alerts_Simulate", format!("{SUBSCRIPTION}{HERE}/default/simulate"), VERSION)
            .sends(json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults", "DNS"] } }))
            .statuses(&[202, 204])
            .long_running()
            .call(|arm| {
                let bundles = [AlertBundle::KeyVaults, AlertBundle::Dns];
                crate::done(AlertsClient::new(&arm).simulate(&subscription(), &location(), bundles))
            }),
    ];
    contracts.extend(changes(
        [
            "Alerts_UpdateSubscriptionLevelStateToDismiss",
            "Alerts_UpdateSubscriptionLevelStateToResolve",
            "Alerts_UpdateSubscriptionLevelStateToActivate",
            "Alerts_UpdateSubscriptionLevelStateToInProgress",
        ],
        SUBSCRIPTION,
    ));
    contracts.extend(changes(
        [
            "Alerts_UpdateResourceGroupLevelStateToDismiss",
            "Alerts_UpdateResourceGroupLevelStateToResolve",
            "Alerts_UpdateResourceGroupLevelStateToActivate",
            "Alerts_UpdateResourceGroupLevelStateToInProgress",
        ],
        GROUP,
    ));
    contracts
}
