use std::collections::BTreeMap;

use arm_core::{ArmErrorExt as _, Change};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure};
use monitor_ops::{Workspace, WorkspaceId, WorkspacePatch, WorkspaceSku, WorkspaceSpec, WorkspacesClient};
use serde_json::json;

use crate::lab::*;

fn spec() -> WorkspaceSpec {
    WorkspaceSpec::builder().location("westeurope").retention_in_days(90).build()
}

fn client(azure: &MockAzure) -> WorkspacesClient {
    WorkspacesClient::new(&arm(azure))
}

async fn empty() -> MockAzure {
    mock_azure::fast_forward();
    MockAzure::seed().resource_group(subscription(), "rg-sec", "westeurope").start().await
}

#[tokio::test]
async fn every_operation_does_what_it_says() {
    let azure = empty().await;
    let client = client(&azure);
    let made: Workspace = client.create_or_update(&workspace(), &spec()).await.unwrap();
    assert!(made.properties.is_ready() && made.properties.customer_id.is_some());
    assert_eq!(
        azure.writes()[0].body,
        json!({ "location": "westeurope", "properties": { "sku": { "name": "PerGB2018" }, "retentionInDays": 90 } })
    );
    let tags = BTreeMap::from([("team".to_owned(), "sec".to_owned())]);
    let patch = WorkspacePatch::new().tags(tags.clone()).retention_in_days(60).daily_quota_gb(1.0);
    let patched = client.update(&workspace(), &patch).await.unwrap();
    assert_eq!((&patched.tags, patched.properties.retention_in_days), (&tags, Some(60)));
    assert_eq!(patched.properties.sku.as_ref().unwrap().name, WorkspaceSku::PerGb2018);
    assert_eq!(client.get(&workspace()).await.unwrap(), patched);
    let listed: Vec<_> = client.list(&subscription()).try_collect().await.unwrap();
    let in_group: Vec<_> = client.list_by_resource_group(&group()).try_collect().await.unwrap();
    assert_eq!((listed.len(), in_group.len()), (1, 1));
    client.delete(&workspace()).await.unwrap();
    assert!(client.get_opt(&workspace()).await.unwrap().is_none());
    let deleted: Vec<_> = client.list_deleted(&subscription()).try_collect().await.unwrap();
    let deleted_in_group: Vec<_> =
        client.list_deleted_by_resource_group(&group()).try_collect().await.unwrap();
    assert_eq!((deleted.len(), deleted_in_group.len()), (1, 1));
    let back: Workspace = client.create_or_update(&workspace(), &spec()).await.unwrap();
    assert_eq!(back.properties.customer_id, made.properties.customer_id);
    client.force_delete(&workspace()).await.unwrap();
    let deleted: Vec<Workspace> = client.list_deleted(&subscription()).try_collect().await.unwrap();
    assert!(deleted.is_empty());
}

#[tokio::test]
async fn a_policy_that_forbids_workspaces_is_named_and_no_role_is_asked_for() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed()
        .resource_group(subscription(), "rg-sec", "westeurope")
        .resource_type_not_allowed(
            group(),
            "Logs live in the hub",
            "Microsoft.OperationalInsights/workspaces",
        )
        .start()
        .await;
    let refused = client(&azure).ensure(&workspace(), &spec()).await.unwrap_err();
    assert_eq!(refused.policy_refusal().unwrap().policies, ["Logs live in the hub"]);
    assert!(!refused.is_role_missing() && !refused.may_have_been_applied());
    let said = refused.to_string();
    assert!(said.contains("by policy 'Logs live in the hub'"), "{said}");
    assert!(!said.contains("role") && !said.contains('\n'), "{said}");
    assert!(client(&azure).get_opt(&workspace()).await.unwrap().is_none());
    assert_eq!(azure.writes().len(), 1, "it is not asked again");
}

#[tokio::test]
async fn a_workspace_is_made_once_and_then_left_as_it_is() {
    let azure = empty().await;
    let preview = client(&azure).ensure(&workspace(), &spec()).dry_run().await.unwrap();
    assert!(matches!(&preview, Change::Created(workspace) if workspace.name == "law-sec"));
    assert!(azure.writes().is_empty());
    assert!(matches!(client(&azure).ensure(&workspace(), &spec()).await.unwrap(), Change::Created(_)));
    let other = WorkspaceSpec::builder().location("eastus").build();
    assert!(matches!(client(&azure).ensure(&workspace(), &other).await.unwrap(), Change::Unchanged(_)));
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn a_deleted_workspace_comes_back_only_when_that_is_said_and_only_where_it_was() {
    let azure = empty().await;
    let tagged =
        WorkspaceSpec::builder().location("westeurope").tags([("team".to_owned(), "soc".to_owned())]).build();
    client(&azure).ensure(&workspace(), &tagged).await.unwrap();
    client(&azure).delete(&workspace()).await.unwrap();
    let before = azure.writes().len();
    let elsewhere = WorkspaceSpec::builder().location("eastus").build();
    for (task, reason) in [
        (client(&azure).ensure(&workspace(), &spec()), "call recover_deleted()"),
        (
            client(&azure).ensure(&workspace(), &elsewhere).recover_deleted(),
            "can be recovered only there, not in eastus",
        ),
    ] {
        let would = task.clone().dry_run().await.unwrap_err().to_string();
        let error = task.await.unwrap_err().to_string();
        assert!(would == error && error.contains(reason), "{would}\n{error}");
    }
    assert_eq!(azure.writes().len(), before);
    let recover = || client(&azure).ensure(&workspace(), &spec()).recover_deleted();
    let (would, done) = (recover().dry_run().await.unwrap(), recover().await.unwrap());
    for change in [&would, &done] {
        let Change::Created(back) = change else { panic!("{change:?}") };
        assert_eq!(back.tags.get("team").map(String::as_str), Some("soc"), "{change:?}");
    }
    assert!(!recover().await.unwrap().is_change());
}

#[tokio::test]
async fn a_failed_creation_says_why() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed()
        .resource_group(subscription(), "rg-sec", "westeurope")
        .operation_fails("law-sec", "QuotaExceeded", "too many workspaces")
        .start()
        .await;
    assert!(client(&azure).ensure(&workspace(), &spec()).await.is_err());
    let missing = WorkspaceId::new(&subscription().resource_group("rg-none").unwrap(), "law-sec").unwrap();
    assert!(client(&azure).create_or_update(&missing, &spec()).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn cut_at_any_request_the_task_ends_in_the_same_state() {
    interrupted_anywhere_it_ends_the_same(
        || MockAzure::seed().resource_group(subscription(), "rg-sec", "westeurope"),
        |arm| async move { WorkspacesClient::new(&arm).ensure(&workspace(), &spec()).await.map(drop) },
        |azure| async move {
            let mut found = stored(&azure, &workspace().to_string(), WorkspacesClient::API_VERSION).await;
            found["properties"]["sku"].as_object_mut().unwrap().remove("lastSkuUpdate");
            found["properties"].as_object_mut().unwrap().remove("workspaceCapping");
            found
        },
    )
    .await;
}

/// A read that shows the workspace in this state, once.
fn in_state(state: &str) -> Fault {
    let body = json!({
        "id": workspace().to_string(), "name": "law-sec", "location": "westeurope",
        "properties": { "customerId": "00000000-0000-0000-0000-0000000000c1", "provisioningState": state,
                        "retentionInDays": 365, "sku": { "name": "CapacityReservation" } },
    });
    Fault::body(200, body.to_string()).on("GET", "/workspaces/law-sec").times(1)
}

#[tokio::test]
async fn a_workspace_that_is_not_ready_is_waited_for_and_never_written_over() {
    for state in ["Updating", "LinkingAccount", "ProvisioningAccount", "Creating", "ANewState"] {
        let azure = empty().await;
        assert!(client(&azure).ensure(&workspace(), &spec()).await.unwrap().is_change());
        azure.clear_requests();
        azure.inject(in_state(state));
        azure.inject(in_state(state));

        let found = client(&azure).ensure(&workspace(), &spec()).await.unwrap();

        assert!(matches!(&found, Change::Unchanged(it) if it.properties.is_ready()), "{state}: {found:?}");
        assert!(azure.writes().is_empty(), "{state}");
        azure.inject(in_state(state));
        let would = client(&azure).ensure(&workspace(), &spec()).dry_run().await.unwrap();
        assert!(matches!(would, Change::Unchanged(_)), "{state}: {would:?}");
    }
}

#[tokio::test]
async fn a_workspace_that_never_becomes_ready_is_given_up_and_a_dry_run_does_not_wait() {
    let azure = empty().await;
    azure.inject(in_state("Creating").always());
    let would = client(&azure).ensure(&workspace(), &spec()).dry_run().await.unwrap();
    assert!(matches!(would, Change::Unchanged(_)), "{would:?}");
    assert_eq!(azure.requests().len(), 1);
    assert!(client(&azure).ensure(&workspace(), &spec()).await.is_err());
    assert!(azure.writes().is_empty());
}

/// The same in a world where somebody really is at the workspace, which is not as it is wished.
#[tokio::test]
async fn a_workspace_that_somebody_is_at_is_written_only_once_it_is_ready() {
    for state in ["Updating", "LinkingAccount"] {
        mock_azure::fast_forward();
        let azure =
            MockAzure::seed().workspace_in_state(subscription(), "rg-sec", "law-sec", state).start().await;

        let found = client(&azure).ensure(&workspace(), &spec()).await.unwrap();

        assert!(found.current().properties.is_ready(), "{state}: {found:?}");
        let asked: Vec<String> = azure.requests().iter().map(|request| request.method.clone()).collect();
        assert_eq!(asked, ["GET", "GET"], "{state}: it is read again until it is ready, and left as it is");
    }
}

/// Recorded: what people see of a workspace most often, and a deletion that is done when it is answered.
#[tokio::test]
async fn what_the_service_says_of_a_workspace_has_a_name_and_a_deletion_is_done_at_once() {
    let azure = seed().start().await;
    let shown = client(&azure).get(&workspace()).await.unwrap();
    assert!(shown.etag.is_some());
    assert!(shown.properties.sku.unwrap().last_sku_update.is_some());
    let capping = shown.properties.workspace_capping.unwrap();
    assert_eq!(capping.data_ingestion_status.as_deref(), Some("RespectQuota"));
    assert!(capping.quota_next_reset_time.is_some() && capping.daily_quota_gb == Some(-1.0));
    azure.clear_requests();
    client(&azure).delete(&workspace()).await.unwrap();
    assert_eq!(azure.requests().len(), 1, "there is nothing to wait for");
}

#[tokio::test]
async fn a_workspace_that_goes_away_is_made_anew_once_it_is_gone() {
    let azure = empty().await;
    azure.inject(in_state("Deleting"));
    let error = client(&azure).ensure(&workspace(), &spec()).dry_run().await.unwrap_err();
    assert!(error.to_string().contains("is being deleted"), "{error}");
    azure.clear_requests();
    azure.inject(in_state("Deleting"));

    assert!(matches!(client(&azure).ensure(&workspace(), &spec()).await.unwrap(), Change::Created(_)));

    let methods: Vec<String> = azure.requests().iter().map(|request| request.method.clone()).collect();
    assert_eq!(methods[..4], ["GET", "GET", "GET", "PUT"], "the PUT comes after a read that says 404");
}

#[tokio::test]
async fn a_workspace_that_failed_or_whose_state_cannot_be_read_is_left_alone() {
    let azure = empty().await;
    azure.inject(in_state("Failed"));
    let error = client(&azure).ensure(&workspace(), &spec()).await.unwrap_err().to_string();
    assert!(error.contains("is Failed"), "{error}");
    let body =
        json!({ "id": workspace().to_string(), "properties": { "provisioningState": { "of": "mind" } } });
    azure.inject(Fault::body(200, body.to_string()).on("GET", "/workspaces/law-sec").times(1));
    let error = client(&azure).ensure(&workspace(), &spec()).await.unwrap_err().to_string();
    assert!(error.contains("cannot determine whether"), "{error}");
    assert!(azure.writes().is_empty());
}
