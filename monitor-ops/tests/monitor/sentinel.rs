use arm_core::{ArmErrorExt as _, Change};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure, Seed};
use monitor_ops::{
    AlertRule, DataConnector, IncidentClassification, IncidentCreationRule, IncidentFilter,
    IncidentProperties, IncidentStatus, Onboarding, OnboardingProperties, OnboardingState, Resource,
    RuleKind, SentinelClient, SentinelSeverity, is_not_onboarded,
};
use serde_json::{Value, json};

use crate::lab::*;

const ID: &str = "00000000-0000-0000-0000-0000000000f1";

fn client(azure: &MockAzure) -> SentinelClient {
    SentinelClient::new(&arm(azure))
}

fn onboarded() -> Seed {
    seed().sentinel(&workspace().to_string())
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    let azure = seed().start().await;
    let (client, ws, id) = (client(&azure), workspace(), name(ID));
    let state = OnboardingState::new(OnboardingProperties::default());
    let on = client.create_onboarding_state(&ws, &state).await.unwrap();
    let read = client.onboarding_state(&ws).await.unwrap().unwrap();
    // Who switched it on stands in that answer only.
    assert_eq!((&read.id, &read.properties), (&on.id, &on.properties));
    assert_eq!(client.list_onboarding_states(&ws).try_collect::<Vec<_>>().await.unwrap(), [read]);

    let connector = DataConnector::defender_for_cloud(&subscription());
    let made = client.create_or_update_connector(&ws, &id, &connector).await.unwrap();
    assert_eq!(client.get_connector(&ws, &id).await.unwrap(), made);
    assert_eq!(client.list_connectors(&ws).try_collect::<Vec<_>>().await.unwrap(), [made]);
    client.delete_connector(&ws, &id).await.unwrap();
    assert!(client.get_connector(&ws, &id).await.unwrap_err().is_not_found());

    let rule = IncidentCreationRule::new("Incidents of Defender for Cloud", "Azure Security Center");
    let made = client
        .create_or_update_rule(&ws, &id, &AlertRule::new(RuleKind::IncidentCreation(rule)))
        .await
        .unwrap();
    assert_eq!(client.get_rule(&ws, &id).await.unwrap(), made);
    let rules: Vec<_> = client.list_rules(&ws).try_collect().await.unwrap();
    assert!(rules.iter().any(|rule| matches!(rule.rule, RuleKind::Fusion(_))), "onboarding brings one");
    client.delete_rule(&ws, &id).await.unwrap();
    assert!(client.get_rule_opt(&ws, &id).await.unwrap().is_none());

    let incident = Resource::new(IncidentProperties::new("Secrets read in bulk", SentinelSeverity::Medium));
    let mut made = client.create_or_update_incident(&ws, &id, &incident).await.unwrap();
    let open = IncidentFilter::new().status(&IncidentStatus::New).newest_first().page_size(10);
    assert_eq!(client.list_incidents(&ws, &open).try_collect::<Vec<_>>().await.unwrap(), [made.clone()]);
    made.properties.status = IncidentStatus::Closed;
    made.properties.classification = Some(IncidentClassification::TruePositive);
    let closed = client.create_or_update_incident(&ws, &id, &made).await.unwrap();
    assert!(
        client.create_or_update_incident(&ws, &id, &made).await.unwrap_err().is_conflict(),
        "the etag is old"
    );
    assert_eq!(client.get_incident(&ws, &id).await.unwrap(), closed);
    assert!(client.incident_alerts(&ws, &id).await.unwrap().is_empty());
    client.delete_incident(&ws, &id).await.unwrap();
    assert!(client.get_incident(&ws, &id).await.unwrap_err().is_not_found());
    client.delete_onboarding_state(&ws).await.unwrap();
    assert_eq!(client.onboarding_state(&ws).await.unwrap(), None);
    assert!(azure.unknown_requests().is_empty());
}

/// Recorded: what comes with incidents, their alerts and the switching on.
#[tokio::test]
async fn what_the_service_says_of_incidents_and_of_who_switched_sentinel_on_has_a_name() {
    let azure = seed().start().await;
    let state = OnboardingState::new(OnboardingProperties::default());
    let on = client(&azure).create_onboarding_state(&workspace(), &state).await.unwrap();
    let by = on.system_data.unwrap();
    assert_eq!(by.created_by_type.as_deref(), Some("User"));
    assert!(by.created_by.is_some() && by.created_at.is_some() && by.last_modified_at.is_some());

    let azure = onboarded().incident(&workspace().to_string(), ID, "Bulk", "Medium").start().await;
    let incident = client(&azure).get_incident(&workspace(), &name(ID)).await.unwrap();
    assert_eq!(incident.properties.additional_data.unwrap()["alertsCount"], 1);
    assert_eq!(incident.properties.related_analytic_rule_ids, Vec::<String>::new());
    let raised = json!({ "value": [{ "id": "/a", "name": "a", "properties": {
        "tactics": ["CredentialAccess"], "resourceIdentifiers": [{ "type": "AAD" }],
        "startTimeUtc": "2026-03-01T12:00:00Z", "endTimeUtc": "2026-03-01T12:05:00Z",
    } }] });
    azure.inject(Fault::body(200, raised.to_string()));
    let alerts = client(&azure).incident_alerts(&workspace(), &name(ID)).await.unwrap();
    let alert = &alerts[0].properties;
    assert_eq!(
        (&alert.tactics[..], alert.resource_identifiers.len()),
        (&["CredentialAccess".to_owned()][..], 1)
    );
    assert!(alert.start_time_utc < alert.end_time_utc && alert.start_time_utc.is_some());
}

#[tokio::test]
async fn an_incident_brings_its_alerts() {
    let azure = onboarded().incident(&workspace().to_string(), ID, "Bulk", "Medium").start().await;
    let alerts = client(&azure).incident_alerts(&workspace(), &name(ID)).await.unwrap();
    assert_eq!(alerts[0].properties.alert_display_name.as_deref(), Some("Bulk"));
}

#[tokio::test]
async fn off_is_distinguished_from_not_allowed_to_know() {
    let azure = seed().start().await;
    assert!(matches!(client(&azure).onboarding(&workspace()).await.unwrap(), Onboarding::Off));
    let refused = client(&azure).connect_defender(&workspace(), &subscription()).await.unwrap_err();
    assert!(is_not_onboarded(&refused) && !refused.is_forbidden());
    assert!(
        refused.to_string().contains("Workspace 'law-sec' is not onboarded to Microsoft Sentinel"),
        "{refused}"
    );
    assert!(!refused.to_string().contains('{'), "{refused}");

    azure.inject(Fault::status(403).on("*", "SecurityInsights").always());
    assert!(matches!(client(&azure).onboarding(&workspace()).await.unwrap(), Onboarding::NotAllowed(_)));
    let forbidden = client(&azure).onboard(&workspace()).await.unwrap_err();
    assert!(forbidden.is_forbidden() && !is_not_onboarded(&forbidden));
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn filters_of_incidents_are_combined_so_that_each_keeps_its_meaning() {
    let azure = onboarded().incident(&workspace().to_string(), ID, "Bulk", "Medium").start().await;
    let list = async |filter: IncidentFilter| {
        let found = client(&azure).list_incidents(&workspace(), &filter).try_collect::<Vec<_>>().await;
        let sent = azure.requests().last().unwrap().query("$filter").map(str::to_owned);
        (found.map(|found| found.len()), sent)
    };
    let new = IncidentFilter::new().status(&IncidentStatus::New);
    let (found, sent) = list(new.clone().matching("properties/severity eq 'Medium'")).await;
    assert_eq!(found.unwrap(), 1);
    let both = "(properties/status eq 'New') and (properties/severity eq 'Medium')";
    assert_eq!(sent.as_deref(), Some(both));
    let (found, _) = list(new.clone().matching("properties/severity eq 'High'")).await;
    assert_eq!(found.unwrap(), 0);

    // The double does not know `or`.
    let (_, sent) = list(new.matching("properties/severity eq 'High' or properties/severity eq 'Low'")).await;
    let either =
        "(properties/status eq 'New') and (properties/severity eq 'High' or properties/severity eq 'Low')";
    assert_eq!(sent.as_deref(), Some(either));
}

#[tokio::test]
async fn a_missing_workspace_is_refused_alike_in_a_dry_run_and_nothing_is_written() {
    let azure = MockAzure::seed().start().await;
    let onboard = || client(&azure).onboard(&workspace());
    let planned = onboard().dry_run().await.unwrap_err();
    assert!(planned.is_resource_not_found() && planned.to_string().contains("law-sec"), "{planned}");
    let refused = onboard().await.unwrap_err();
    assert!(refused.is_resource_not_found(), "{refused}");
}

#[tokio::test]
async fn onboarding_twice_writes_once() {
    let azure = seed().start().await;
    let onboard = || client(&azure).onboard(&workspace());
    assert!(matches!(onboard().dry_run().await.unwrap(), Change::Created(_)));
    assert!(azure.writes().is_empty());
    assert!(matches!(onboard().await.unwrap(), Change::Created(_)));
    assert!(matches!(onboard().await.unwrap(), Change::Unchanged(_)));
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn alerts_are_connected_once_and_a_disabled_connector_is_turned_on_with_its_etag() {
    let azure = onboarded().start().await;
    let connect = || client(&azure).connect_defender(&workspace(), &subscription());
    assert!(matches!(connect().dry_run().await.unwrap(), Change::Created(_)));
    let Change::Created(made) = connect().await.unwrap() else { panic!("it was there before") };
    assert!(made.takes_alerts());
    assert!(!connect().await.unwrap().is_change());
    let mut off = serde_json::to_value(&made).unwrap();
    off["properties"]["dataTypes"]["alerts"]["state"] = json!("Disabled");
    off["properties"]["invented"] = json!(1);
    let off: DataConnector = serde_json::from_value(off).unwrap();
    client(&azure).create_or_update_connector(&workspace(), &name(&made.name), &off).await.unwrap();
    let Change::Updated { after, .. } = connect().await.unwrap() else { panic!("it was on") };
    assert!(after.takes_alerts());
    assert_eq!(azure.writes().last().unwrap().body["properties"]["invented"], 1);
}

#[tokio::test]
async fn the_connector_of_another_subscription_is_not_taken_for_that_of_this_one() {
    const OTHER: &str = "00000000-0000-0000-0000-0000000000a2";
    let azure = onboarded().subscription(OTHER).start().await;
    let other = OTHER.parse().unwrap();
    let theirs = DataConnector::defender_for_cloud(&other);
    client(&azure).create_or_update_connector(&workspace(), &name(ID), &theirs).await.unwrap();
    let made = client(&azure).connect_defender(&workspace(), &subscription()).await.unwrap();
    assert!(matches!(made, Change::Created(_)), "{made:?}");
    let all: Vec<_> = client(&azure).list_connectors(&workspace()).try_collect().await.unwrap();
    let mut of: Vec<_> = all.into_iter().filter_map(|it| it.properties.subscription_id).collect();
    of.sort();
    assert_eq!(of, [subscription().to_string(), other.to_string()]);
}

#[tokio::test]
async fn both_connectors_at_once_are_refused() {
    let azure = onboarded().defender_tenant_connector(&workspace().to_string()).start().await;
    let refused =
        client(&azure).connect_defender(&workspace(), &subscription()).await.unwrap_err().to_string();
    assert!(refused.contains("a second connector would ingest every alert twice"), "{refused}");
    assert!(azure.writes().is_empty());
}

#[tokio::test]
async fn both_rules_are_installed_before_any_table_exists_and_a_second_run_writes_nothing() {
    let azure = onboarded().start().await;
    let install = || client(&azure).install_vault_rules(&workspace());
    let would = install().dry_run().await.unwrap();
    assert!(would.iter().all(|rule| matches!(rule.change, Change::Created(_))));
    assert!(azure.writes().is_empty());
    let done = install().await.unwrap();
    let shown = |rule: &monitor_ops::InstalledRule| {
        let rule = rule.change.current();
        (rule.id.to_lowercase(), rule.name.clone())
    };
    let [would, made] = [&would, &done].map(|rules| rules.iter().map(shown).collect::<Vec<_>>());
    assert_eq!(would, made, "a rule to come is shown under the id that it gets");
    assert_eq!(done.len(), 2);
    assert!(done.iter().all(|rule| matches!(rule.change, Change::Created(_))));
    assert!(install().await.unwrap().iter().all(|rule| !rule.change.is_change()));
    assert_eq!(azure.writes().len(), 2);
}

#[tokio::test]
async fn a_rule_that_was_tuned_keeps_its_severity_and_is_set_right_where_it_matters() {
    let azure = onboarded().start().await;
    let client = client(&azure);
    let done = client.install_vault_rules(&workspace()).await.unwrap();
    let made = done[0].change.current();
    let mut wire = serde_json::to_value(made).unwrap();
    wire["properties"]["severity"] = json!("High");
    wire["properties"]["enabled"] = json!(false);
    wire["properties"]["invented"] = json!(1);
    wire["properties"]["queryPeriod"] = json!("PT10M");
    let tuned: AlertRule = serde_json::from_value(wire).unwrap();
    client.create_or_update_rule(&workspace(), &name(&made.name), &tuned).await.unwrap();
    let again = client.install_vault_rules(&workspace()).await.unwrap();
    assert!(matches!(again[0].change, Change::Updated { .. }) && !again[1].change.is_change());
    let body = azure.writes().last().unwrap().body["properties"].clone();
    assert_eq!(
        (&body["severity"], &body["enabled"], &body["invented"], &body["queryPeriod"]),
        (&json!("High"), &json!(false), &json!(1), &json!("PT30M"))
    );
}

#[tokio::test]
async fn a_failure_says_which_rules_are_there_already() {
    let azure = onboarded().start().await;
    azure.inject(Fault::status(400).code("BadRequest").on("PUT", "alertRules").skip(1));
    let error = client(&azure).install_vault_rules(&workspace()).await.unwrap_err().to_string();
    assert!(error.contains("'Key vault: one caller refused many times' created"), "{error}");
}

#[tokio::test]
async fn cut_at_any_request_the_tasks_end_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        seed,
        |arm| async move {
            let client = SentinelClient::new(&arm);
            let _ = client.onboard(&workspace()).await?;
            let _ = client.connect_defender(&workspace(), &subscription()).await?;
            client.install_vault_rules(&workspace()).await.map(drop)
        },
        |azure| async move {
            let client = client(&azure);
            let mut rules: Vec<_> = client.list_rules(&workspace()).try_collect::<Vec<_>>().await.unwrap();
            rules.iter_mut().for_each(|rule| rule.etag = None);
            let mut connectors: Vec<_> =
                client.list_connectors(&workspace()).try_collect::<Vec<_>>().await.unwrap();
            connectors.iter_mut().for_each(|connector| connector.etag = None);
            let mut all = json!([rules, connectors]);
            for rule in all[0].as_array_mut().unwrap() {
                rule["properties"].as_object_mut().unwrap().remove("lastModifiedUtc");
            }
            Value::Array(vec![all])
        },
    )
    .await;
}
