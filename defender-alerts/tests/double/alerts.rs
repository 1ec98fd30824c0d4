use arm_core::ArmErrorExt as _;
use defender_alerts::{
    Alert, AlertBundle, AlertId, AlertStatus, AlertsClient, AssessmentId, AssessmentKey, AssessmentsClient,
    Expand, KeyVaultAlertType, Location, SecurityContactsClient, Severity, SuppressionRulesClient,
};
use mock_azure::MockAzure;
use resource_ops::GraphScope;
use serde_json::json;

use crate::{all, arm, calls, group, subscription, vault};

const V: &str = "api-version=2022-01-01";

fn location() -> Location {
    "westeurope".parse().unwrap()
}

#[tokio::test]
async fn the_four_lists_ask_at_their_level_and_follow_empty_pages() {
    let azure = MockAzure::seed().key_vault_alerts(vault()).page_size(10).empty_pages().start().await;
    let client = AlertsClient::new(&arm(&azure));

    let lists = [
        client.list(&subscription()),
        client.list_by_resource_group(&group()),
        client.list_by_location(&subscription(), &location()),
        client.list_by_resource_group_and_location(&group(), &location()),
    ];
    for list in lists {
        assert_eq!(all(list).await.len(), 14);
    }

    let first: Vec<String> = calls(&azure).into_iter().step_by(3).collect();
    assert_eq!(
        first,
        [
            format!("GET /alerts?{V} -> 200"),
            format!("GET /resourceGroups/rg-app/alerts?{V} -> 200"),
            format!("GET /locations/westeurope/alerts?{V} -> 200"),
            format!("GET /resourceGroups/rg-app/locations/westeurope/alerts?{V} -> 200"),
        ]
    );
}

#[tokio::test]
async fn an_alert_has_its_scalars_as_fields_and_its_parts_on_demand() {
    let azure = MockAzure::seed().alert(vault(), "KV_UserAppAnomaly").start().await;
    let alert = all(AlertsClient::new(&arm(&azure)).list(&subscription())).await.remove(0);

    assert_eq!(alert.key_vault_type(), Some(KeyVaultAlertType::UserAppAnomaly));
    assert_eq!((&alert.severity, &alert.status), (&Severity::Medium, &AlertStatus::Active));
    assert_eq!((alert.compromised_entity.as_str(), alert.id.location()), ("kv-prod", "westeurope"));
    assert!(alert.start_time.unwrap() < alert.end_time.unwrap());
    assert!(alert.start_time.unwrap().nanosecond() > 0);
    assert_eq!(alert.resources(), [vault()]);
    assert_eq!(alert.resource_identifiers().unwrap().len(), 3);
    let entities = alert.entities().unwrap();
    let accounts: Vec<_> = entities.iter().filter_map(|entity| entity.as_account()).collect();
    assert!(accounts[0].user_principal_name().unwrap().ends_with("@contoso.example"));
    assert!(accounts[1].app_id.is_some() && accounts[1].user_principal_name().is_none());
    assert_eq!(entities[3].fields().unwrap()["host"]["$ref"], "westeurope_2");
    assert!(alert.extended_properties().unwrap().contains_key("client IP address"));
    assert_eq!(alert.techniques().unwrap(), ["T1555"]);
    assert_eq!(alert.sub_techniques().unwrap(), ["T1555.006"]);
    assert_eq!(alert.remediation_steps().unwrap().len(), 3);
    assert_eq!(alert.extended_links().unwrap()[0].link_type, "webLink");
    let evidence = alert.supporting_evidence().unwrap().unwrap();
    let defender_alerts::SupportingEvidence::Table { columns, rows, .. } = evidence else {
        panic!("{evidence:?}")
    };
    assert_eq!((columns.len(), rows.len(), &*rows[1][4]), (5, 2, "true"));
}

#[test]
fn the_tenant_of_the_affected_resource_has_a_name() {
    let id = format!(
        "/subscriptions/{}/providers/Microsoft.Security/locations/westeurope/alerts/a",
        subscription()
    );
    let sent = json!({ "id": id, "name": "a", "properties": {
        "alertType": "KV_UserAnomaly", "azureResourceTenantId": mock_azure::DEFAULT_TENANT,
    } });
    let alert: Alert = serde_json::from_value(sent).unwrap();
    assert_eq!(alert.azure_resource_tenant_id.as_deref(), Some(mock_azure::DEFAULT_TENANT));
}

#[tokio::test]
async fn only_alerts_about_key_vaults_are_kept_whatever_their_type_is_called() {
    let machine = crate::machine();
    let azure = MockAzure::seed()
        .alert(&machine, "VM_AmBroadFilesExclusion")
        .alert(vault(), "ARM_OperationFromSuspiciousIP")
        .alert(vault(), "KV_BrandNew")
        .alert(vault(), "kv_toraccess")
        .start()
        .await;

    let kept = all(AlertsClient::new(&arm(&azure)).list_key_vault(&subscription())).await;

    let types: Vec<&str> = kept.iter().map(|alert| alert.alert_type.as_str()).collect();
    assert_eq!(types, ["ARM_OperationFromSuspiciousIP", "KV_BrandNew", "KV_TORAccess"]);
    assert_eq!(kept[1].key_vault_type(), Some(KeyVaultAlertType::Unknown("KV_BrandNew".to_owned())));
}

#[tokio::test]
async fn a_tenant_is_asked_once_and_its_alerts_are_the_same_as_those_of_the_lists() {
    let other = subscription().to_string().replace("0001", "0002");
    let far = vault().to_string().replace(subscription().as_str(), &other);
    let azure = MockAzure::seed()
        .subscription(subscription())
        .subscription(&other)
        .key_vault_alerts(vault())
        .alert(crate::machine(), "VM_AmBroadFilesExclusion")
        .alert(far, "KV_TORAccess")
        .start()
        .await;
    let client = AlertsClient::new(&arm(&azure));
    let listed = all(client.list(&subscription())).await;
    azure.clear_requests();

    let across = all(client.list_key_vault_across(GraphScope::Tenant)).await;

    assert_eq!((across.len(), azure.requests().len()), (15, 1));
    assert_eq!(all(client.list_across(GraphScope::Tenant)).await.len(), 16);
    for alert in across.iter().filter(|alert| *alert.id.subscription() == subscription()) {
        let same = listed.iter().find(|listed| listed.id == alert.id).unwrap();
        assert_eq!((&alert.alert_type, alert.time_generated), (&same.alert_type, same.time_generated));
        assert_eq!(alert.resource_identifiers().unwrap(), same.resource_identifiers().unwrap());
        assert_eq!(alert.extended_properties().unwrap(), same.extended_properties().unwrap());
        assert_eq!(alert.extended_links().unwrap(), same.extended_links().unwrap());
        let kinds = |alert: &Alert| {
            alert.entities().unwrap().iter().map(|it| format!("{:?}", it.kind)).collect::<Vec<_>>()
        };
        assert_eq!(kinds(alert), kinds(same));
    }
}

#[tokio::test]
async fn the_four_states_are_set_at_the_level_of_the_id() {
    let azure = MockAzure::seed().alert(vault(), "KV_UserAnomaly").start().await;
    let client = AlertsClient::new(&arm(&azure));
    let id = all(client.list(&subscription())).await.remove(0).id;
    azure.clear_requests();

    for id in [id.clone(), id.at_subscription()] {
        client.dismiss(&id).await.unwrap();
        assert_eq!(client.get(&id).await.unwrap().status, AlertStatus::Dismissed);
        client.in_progress(&id).await.unwrap();
        assert_eq!(client.get(&id).await.unwrap().status, AlertStatus::InProgress);
        client.resolve(&id).await.unwrap();
        assert_eq!(client.get(&id).await.unwrap().status, AlertStatus::Resolved);
        client.activate(&id).await.unwrap();
        assert_eq!(client.get(&id).await.unwrap().status, AlertStatus::Active);
    }

    let name = id.name();
    let posts: Vec<String> = calls(&azure).into_iter().filter(|call| call.starts_with("POST")).collect();
    let at = |level: &str, verb: &str| {
        format!("POST {level}/locations/westeurope/alerts/{name}/{verb}?{V} -> 204")
    };
    let verbs = ["dismiss", "inProgress", "resolve", "activate"];
    let group = verbs.map(|verb| at("/resourceGroups/rg-app", verb));
    let subscription = verbs.map(|verb| at("", verb));
    assert_eq!(posts, [group, subscription].concat());
}

#[tokio::test]
async fn a_missing_alert_is_an_error_or_none() {
    let azure = MockAzure::seed().start().await;
    let client = AlertsClient::new(&arm(&azure));
    let id: AlertId =
        format!("{}/providers/Microsoft.Security/locations/westeurope/alerts/x", subscription().to_path())
            .parse()
            .unwrap();

    assert!(client.get(&id).await.unwrap_err().is_not_found());
    assert!(client.get_opt(&id).await.unwrap().is_none());
    assert!(client.dismiss(&id).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_simulation_ends_with_samples_that_have_the_kind_they_are_samples_of() {
    let azure = MockAzure::seed().start().await;
    let client = AlertsClient::new(&arm(&azure));

    client.simulate(&subscription(), &location(), [AlertBundle::KeyVaults]).await.unwrap();

    let post = azure.requests().into_iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(post.body, json!({ "properties": { "kind": "Bundles", "bundles": ["KeyVaults"] } }));
    let samples = all(client.list_key_vault(&subscription())).await;
    assert_eq!(samples.len(), 5);
    assert!(samples.iter().all(|alert| alert.is_sample() && alert.id.location() == "westeurope"));
    assert!(samples.iter().all(|alert| KeyVaultAlertType::KNOWN.contains(&alert.key_vault_type().unwrap())));
}

#[tokio::test]
async fn an_unregistered_provider_is_told_apart() {
    let azure = MockAzure::seed().unregistered(subscription(), "Microsoft.Security").start().await;
    let error = futures::TryStreamExt::try_next(&mut AlertsClient::new(&arm(&azure)).list(&subscription()))
        .await
        .unwrap_err();
    assert!(error.is_registration_missing() && error.is_code("SubscriptionNotRegistered"), "{error}");
}

#[tokio::test]
async fn nothing_is_called_absent_because_the_provider_is_not_registered() {
    let azure = MockAzure::seed().unregistered(subscription(), "Microsoft.Security").start().await;
    let arm = arm(&azure);
    let id: AlertId = format!(
        "/subscriptions/{}/providers/Microsoft.Security/locations/westeurope/alerts/a-1",
        subscription()
    )
    .parse()
    .unwrap();
    let assessment = AssessmentId::new(subscription(), AssessmentKey::KV_FIREWALL);
    let errors = [
        AlertsClient::new(&arm).get_opt(&id).await.unwrap_err(),
        SecurityContactsClient::new(&arm).get_opt(&subscription()).await.unwrap_err(),
        AssessmentsClient::new(&arm).get_opt(&assessment, Expand::Nothing).await.unwrap_err(),
        SuppressionRulesClient::new(&arm).get_opt(&subscription(), &"r".parse().unwrap()).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.status(), Some(404));
        assert!(error.is_registration_missing() && !error.is_resource_not_found(), "{error}");
    }
}
