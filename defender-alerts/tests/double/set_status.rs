use arm_core::Change;
use defender_alerts::{AlertAction, AlertBundle, AlertId, AlertStatus, AlertsClient};
use mock_azure::{Fault, MockAzure};

use crate::{all, arm, calls, subscription, vault};

async fn ids(client: &AlertsClient) -> Vec<AlertId> {
    all(client.list(&subscription())).await.into_iter().map(|alert| alert.id).collect()
}

fn posts(azure: &MockAzure) -> usize {
    calls(azure).iter().filter(|call| call.starts_with("POST")).count()
}

#[tokio::test]
async fn many_alerts_are_closed_and_a_second_run_changes_nothing() {
    let azure = MockAzure::seed().key_vault_alerts(vault()).start().await;
    let client = AlertsClient::new(&arm(&azure));
    let ids = ids(&client).await;

    let first = client.set_status(ids.clone(), AlertAction::Dismiss).await.unwrap();
    let second = client.set_status(ids.clone(), AlertAction::Dismiss).await.unwrap();

    assert_eq!(first.changed().collect::<Vec<_>>(), ids.iter().collect::<Vec<_>>());
    assert_eq!((second.changed().count(), second.is_complete()), (0, true));
    assert_eq!(posts(&azure), 14);
    let alerts = all(client.list(&subscription())).await;
    assert!(alerts.iter().all(|alert| alert.status == AlertStatus::Dismissed));
}

#[tokio::test]
async fn a_dry_run_says_what_would_change_and_changes_nothing() {
    let azure = MockAzure::seed().alert(vault(), "KV_UserAnomaly").start().await;
    let client = AlertsClient::new(&arm(&azure));

    let report = client.set_status(ids(&client).await, AlertAction::Resolve).dry_run().await.unwrap();

    let change = report.outcomes[0].result.as_ref().unwrap();
    let expected = Change::Updated { before: AlertStatus::Active, after: AlertStatus::Resolved };
    assert_eq!((change, posts(&azure)), (&expected, 0));
}

#[tokio::test]
async fn one_alert_that_fails_ends_no_other() {
    let azure = MockAzure::seed().key_vault_alerts(vault()).start().await;
    let client = AlertsClient::new(&arm(&azure));
    let mut ids = ids(&client).await;
    ids.insert(3, ids[0].to_string().replace(ids[0].name(), "none").parse().unwrap());

    let report = client.set_status(ids.clone(), AlertAction::StartProgress).await.unwrap();

    assert_eq!((report.changed().count(), report.is_complete()), (14, false));
    let failed: Vec<&AlertId> = report.failed().map(|outcome| &outcome.target).collect();
    assert_eq!(failed, [&ids[3]]);
}

#[tokio::test]
async fn samples_are_reached_although_their_group_does_not_exist() {
    let azure = MockAzure::seed().start().await;
    let client = AlertsClient::new(&arm(&azure));
    client.simulate(&subscription(), &"westeurope".parse().unwrap(), [AlertBundle::KeyVaults]).await.unwrap();

    let report = client.set_status(ids(&client).await, AlertAction::Dismiss).await.unwrap();

    assert_eq!((report.changed().count(), report.is_complete()), (5, true));
}

#[tokio::test]
async fn stopped_halfway_it_is_finished_by_running_it_again() {
    let azure = MockAzure::seed().key_vault_alerts(vault()).start().await;
    let client = AlertsClient::new(&arm(&azure));
    let ids = ids(&client).await;
    azure.inject(Fault::status(403).code("AuthorizationFailed").on("POST", "/dismiss").skip(5).always());

    let cut = client.set_status(ids.clone(), AlertAction::Dismiss).concurrency(1).await.unwrap();
    azure.clear_faults();
    let finished = client.set_status(ids, AlertAction::Dismiss).await.unwrap();

    assert_eq!((cut.changed().count(), cut.failed().count()), (5, 9));
    assert_eq!((finished.changed().count(), finished.is_complete()), (9, true));
}

#[tokio::test]
async fn an_alert_that_still_reads_as_before_is_not_reported_as_changed() {
    let azure = MockAzure::seed().alert(vault(), "KV_UserAnomaly").start().await;
    let client = AlertsClient::new(&arm(&azure));
    let ids = ids(&client).await;
    azure.inject(Fault::body(204, "").on("POST", "/dismiss"));

    let report = client.set_status(ids, AlertAction::Dismiss).await.unwrap();

    let error = report.failed().next().unwrap().result.as_ref().unwrap_err().to_string();
    assert!(error.contains("still shows Active"), "{error}");
}

#[tokio::test]
async fn what_somebody_took_up_in_the_meantime_is_left_to_them() {
    let azure = MockAzure::seed().key_vault_alerts(vault()).start().await;
    let client = AlertsClient::new(&arm(&azure));
    let ids = ids(&client).await;
    client.in_progress(&ids[0]).await.unwrap();
    client.dismiss(&ids[1]).await.unwrap();
    let before = posts(&azure);

    let report =
        client.set_status(ids.clone(), AlertAction::Resolve).only_if(AlertStatus::Active).await.unwrap();

    assert!(report.is_complete());
    assert_eq!((report.changed().count(), posts(&azure) - before), (ids.len() - 2, ids.len() - 2));
    assert_eq!(client.get(&ids[0]).await.unwrap().status, AlertStatus::InProgress);
    assert_eq!(client.get(&ids[1]).await.unwrap().status, AlertStatus::Dismissed);
}
