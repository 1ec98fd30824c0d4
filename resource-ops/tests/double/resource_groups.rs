//! Resource groups against the double.

use crate::support::{arm, group, seed, subscription};
use arm_core::{ArmErrorExt as _, Change, ResourceType};
use futures::TryStreamExt as _;
use mock_azure::{Fault, MockAzure};
use resource_ops::{ResourceGroupPatch, ResourceGroupSpec, ResourceGroupsClient};
use serde_json::json;

fn client(azure: &MockAzure) -> ResourceGroupsClient {
    ResourceGroupsClient::new(&arm(azure))
}

#[tokio::test]
async fn a_group_is_written_read_and_changed() {
    let azure = seed().start().await;
    let groups = client(&azure);
    let spec = ResourceGroupSpec::new("westeurope").tag("purpose", "lab");
    let made = groups.create_or_update(&group("rg"), &spec).await.unwrap();
    assert_eq!((made.location.as_str(), made.tags["purpose"].as_str()), ("westeurope", "lab"));
    assert_eq!(azure.writes()[0].body, json!({ "location": "westeurope", "tags": { "purpose": "lab" } }));
    assert_eq!(azure.writes()[0].query("api-version"), Some("2024-03-01"));
    assert_eq!(groups.get(&group("RG")).await.unwrap(), made);
    let patch =
        ResourceGroupPatch { tags: Some([("owner".into(), "soc".into())].into()), ..Default::default() };
    let changed = groups.update(&group("rg"), &patch).await.unwrap();
    assert_eq!(changed.tags.keys().collect::<Vec<_>>(), ["owner"]);
    assert_eq!(azure.writes()[1].body, json!({ "tags": { "owner": "soc" } }));
}

#[tokio::test]
async fn a_missing_group_is_none_or_an_error_as_requested() {
    let azure = seed().resource_group(subscription(), "rg", "westeurope").start().await;
    let groups = client(&azure);
    assert!(groups.exists(&group("rg")).await.unwrap());
    assert!(!groups.exists(&group("other")).await.unwrap());
    assert!(groups.get_opt(&group("other")).await.unwrap().is_none());
    azure.inject(Fault::status(403).code("AuthorizationFailed").times(2));
    assert!(groups.exists(&group("other")).await.unwrap_err().is_forbidden());
    assert!(groups.get_opt(&group("other")).await.unwrap_err().is_forbidden());
    let error = groups.get(&group("other")).await.unwrap_err();
    assert!(error.is_not_found() && error.is_code("ResourceGroupNotFound"), "{error}");
    assert!(error.to_string().contains("resourcegroups/other"), "{error}");
}

#[tokio::test]
async fn a_list_continues_after_empty_pages_and_can_be_filtered_by_tag() {
    let seeded = (1..=5).fold(seed().page_size(2).empty_pages(), |seed, n| {
        seed.resource_group(subscription(), &format!("rg-{n}"), "westeurope")
    });
    let azure = seeded.start().await;
    let groups = client(&azure);
    let all: Vec<_> = groups.list(&subscription()).try_collect().await.unwrap();
    assert_eq!(all.len(), 5);
    let spec = ResourceGroupSpec::new("westeurope").tag("team", "soc");
    groups.create_or_update(&group("rg-soc"), &spec).await.unwrap();
    let tagged: Vec<_> = groups.list_tagged(&subscription(), "team", "soc").try_collect().await.unwrap();
    assert_eq!(tagged.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["rg-soc"]);
}

#[tokio::test]
async fn deleting_waits_until_the_group_is_gone() {
    let azure = seed().resource_group(subscription(), "rg", "westeurope").operation_polls(3).start().await;
    let groups = client(&azure);
    groups.delete(&group("rg")).await.unwrap();
    assert!(!groups.exists(&group("rg")).await.unwrap());
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn a_deletion_can_be_watched_and_says_why_it_failed() {
    let azure = seed()
        .resource_group(subscription(), "rg", "westeurope")
        .operation_fails("resourceGroups/rg", "ScopeLocked", "The scope is locked.")
        .start()
        .await;
    let vaults = [ResourceType::VIRTUAL_MACHINE];
    let mut states = client(&azure).force_delete(&group("rg"), &vaults);
    let first = states.try_next().await.unwrap().unwrap();
    assert_eq!(first.state, "InProgress");
    let error = loop {
        match states.try_next().await {
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert!(error.is_code("ScopeLocked"), "{error}");
    assert_eq!(azure.writes()[0].query("forceDeletionTypes"), Some("Microsoft.Compute/virtualMachines"));
}

#[tokio::test]
async fn ensuring_creates_a_group_once_and_leaves_an_existing_one_unchanged() {
    let azure = seed().resource_group(subscription(), "there", "eastus").start().await;
    let groups = client(&azure);
    let spec = ResourceGroupSpec::new("westeurope");
    let preview = groups.ensure(&group("new"), spec.clone()).dry_run().await.unwrap();
    assert!(matches!(preview, Change::Created(_)) && azure.writes().is_empty());
    assert!(matches!(groups.ensure(&group("new"), spec.clone()).await.unwrap(), Change::Created(_)));
    assert!(matches!(groups.ensure(&group("new"), spec.clone()).await.unwrap(), Change::Unchanged(_)));
    let there = groups.ensure(&group("there"), spec).await.unwrap();
    assert_eq!((there.is_change(), there.current().location.as_str()), (false, "eastus"));
    assert_eq!(azure.writes().len(), 1);
}

#[tokio::test]
async fn a_group_is_ensured_with_its_manager_and_with_members_that_this_crate_does_not_name() {
    let manager = format!("{}/providers/Microsoft.Solutions/applications/app", group("apps"));
    let copied = json!({
        "id": group("rg").to_string(),
        "name": "rg",
        "type": "Microsoft.Resources/resourceGroups",
        "location": "westeurope",
        "tags": {},
        "managedBy": manager,
        "invented": { "kept": true },
        "properties": { "provisioningState": "Succeeded" },
    });
    let azure = seed().resource(copied).start().await;
    let groups = client(&azure);
    let spec = ResourceGroupSpec::from(&groups.get(&group("rg")).await.unwrap());
    let made = groups.ensure(&group("copy"), spec.clone()).await.unwrap();
    assert!(matches!(&made, Change::Created(made) if made.managed_by.as_ref() == Some(&manager)), "{made:?}");
    let sent = json!({
        "location": "westeurope", "tags": {}, "managedBy": manager, "invented": { "kept": true },
    });
    assert_eq!(azure.writes()[0].body, sent);

    // A service that ignores the manager is still noticed.
    let other = json!({ "id": group("other").to_string(), "name": "other", "location": "westeurope" });
    azure.inject(Fault::body(200, other.to_string()).on("GET", "resourcegroups/other").skip(1));
    let error = groups.ensure(&group("other"), spec).await.unwrap_err();
    let members: Vec<_> = arm_core::unmet(&error).iter().map(|unmet| unmet.member.as_str()).collect();
    assert_eq!(members, ["managedBy"], "{error}");
}

#[tokio::test]
async fn ensuring_a_group_that_is_being_deleted_is_an_error_and_writes_nothing() {
    let azure = seed().resource_group(subscription(), "rg", "westeurope").operation_polls(9).start().await;
    let groups = client(&azure);
    groups.delete(&group("rg")).try_next().await.unwrap();
    let error = groups.ensure(&group("rg"), ResourceGroupSpec::new("westeurope")).await.unwrap_err();
    assert!(error.to_string().contains("is being deleted"), "{error}");
    assert_eq!(azure.writes().len(), 1, "the deletion only");
}

#[tokio::test]
async fn a_group_written_back_keeps_what_this_crate_does_not_name() {
    let azure = seed()
        .resource(json!({
            "id": group("rg").to_string(),
            "name": "rg",
            "type": "Microsoft.Resources/resourceGroups",
            "location": "westeurope",
            "tags": { "a": "1" },
            "invented": { "kept": true },
            "properties": { "provisioningState": "Succeeded" },
        }))
        .start()
        .await;
    let groups = client(&azure);
    let found = groups.get(&group("rg")).await.unwrap();
    groups.create_or_update(&group("rg"), &ResourceGroupSpec::from(&found).tag("b", "2")).await.unwrap();
    assert_eq!(
        azure.writes()[0].body,
        json!({ "location": "westeurope", "tags": { "a": "1", "b": "2" }, "invented": { "kept": true } })
    );
}
