//! Role definitions and assignments against the double.

use crate::support::{arm, group, seed, subscription};
use arm_core::{ArmErrorExt as _, Change, Scope};
use futures::{TryStreamExt as _, future::join};
use mock_azure::{Fault, MockAzure};
use resource_ops::{
    PrincipalId, PrincipalType, RoleAssignmentFilter, RoleAssignmentId, RoleAssignmentSpec,
    RoleAssignmentsClient, RoleDefinitionsClient, RoleId, RoleType,
};
use serde_json::json;

const ALICE: &str = "00000000-0000-0000-0000-0000000000d1";
const NOBODY: &str = "00000000-0000-0000-0000-0000000000d9";

fn id(text: &str) -> PrincipalId {
    text.parse().unwrap()
}

async fn azure() -> MockAzure {
    seed()
        .resource_group(subscription(), "rg", "westeurope")
        .user(ALICE, "alice@contoso.example")
        .start()
        .await
}

fn client(azure: &MockAzure) -> RoleAssignmentsClient {
    RoleAssignmentsClient::new(&arm(azure))
}

#[tokio::test]
async fn a_role_is_found_by_its_name_whatever_its_case() {
    let azure = azure().await;
    let roles = RoleDefinitionsClient::new(&arm(&azure));
    let role = roles.get_by_name(subscription(), "key vault secrets user").await.unwrap();
    assert_eq!((role.role, role.role_type), (RoleId::KEY_VAULT_SECRETS_USER, RoleType::BuiltIn));
    assert!(role.permissions[0].data_actions.iter().any(|action| action.contains("getSecret")));
    assert_eq!(azure.requests()[0].query("$filter"), Some("roleName eq 'key vault secrets user'"));
    assert_eq!(azure.requests()[0].query("api-version"), Some("2022-04-01"));
    azure.inject(Fault::body(200, json!({ "value": [] }).to_string()));
    let error = roles.get_by_name(subscription(), "Lord 'of' Vaults").await.unwrap_err();
    assert!(error.to_string().contains("no role named 'Lord 'of' Vaults'"), "{error}");
    assert_eq!(azure.requests()[1].query("$filter"), Some("roleName eq 'Lord ''of'' Vaults'"));
}

#[tokio::test]
async fn a_filter_that_was_not_understood_chooses_no_role() {
    let azure = azure().await;
    let roles = RoleDefinitionsClient::new(&arm(&azure));
    let owner = json!({
        "id": RoleId::OWNER.definition_at(&Scope::from(subscription())),
        "name": RoleId::OWNER.to_string(),
        "properties": { "roleName": "Owner", "type": "BuiltInRole" },
    });
    azure.inject(Fault::body(200, json!({ "value": [owner] }).to_string()));
    assert_eq!(roles.get_by_name_opt(subscription(), "Reader").await.unwrap(), None);
}

#[tokio::test]
async fn a_role_is_read_by_its_id_and_all_are_listed() {
    let azure = azure().await;
    let roles = RoleDefinitionsClient::new(&arm(&azure));
    let owner = roles.get(subscription(), RoleId::OWNER).await.unwrap();
    assert_eq!(
        (owner.role_name.as_str(), owner.assignable_scopes.as_slice()),
        ("Owner", ["/".to_owned()].as_slice())
    );
    let all: Vec<_> = roles.list(group("rg")).try_collect().await.unwrap();
    assert!(all.len() > 10);
    let custom: Vec<_> =
        roles.list_filtered(subscription(), "type eq 'CustomRole'").try_collect().await.unwrap();
    assert!(custom.is_empty());
    let unknown = "00000000-0000-0000-0000-0000000000ee".parse().unwrap();
    azure.inject(Fault::status(404).code("RoleDefinitionDoesNotExist"));
    assert!(roles.get(subscription(), unknown).await.unwrap_err().is_code("RoleDefinitionDoesNotExist"));
}

#[tokio::test]
async fn an_assignment_is_made_listed_read_and_taken_away() {
    let azure = azure().await;
    let roles = client(&azure);
    let scope = Scope::from(group("rg"));
    let name = RoleAssignmentId::new(&scope, uuid::Uuid::from_u128(1)).unwrap();
    let spec = RoleAssignmentSpec::builder()
        .role(RoleId::READER)
        .principal(id(ALICE))
        .principal_type(PrincipalType::User)
        .description("for the lab")
        .build();
    let made = roles.create(&name, &spec).await.unwrap();
    assert_eq!(
        azure.writes()[0].body,
        json!({ "properties": {
            "roleDefinitionId": RoleId::READER.definition_at(&scope),
            "principalId": ALICE,
            "principalType": "User",
            "description": "for the lab",
        }})
    );
    assert!(made.is_at(&scope) && made.role == RoleId::READER && made.principal == id(ALICE));
    assert_eq!(roles.get(&name).await.unwrap(), made);
    for filter in [RoleAssignmentFilter::Principal(id(ALICE)), RoleAssignmentFilter::AssignedTo(id(ALICE))] {
        let held: Vec<_> = roles.list_filtered(&scope, filter).try_collect().await.unwrap();
        assert_eq!(held, std::slice::from_ref(&made));
    }
    let at_subscription: Vec<_> =
        roles.list_filtered(subscription(), RoleAssignmentFilter::AtScope).try_collect().await.unwrap();
    assert!(!at_subscription.contains(&made));
    let everywhere: Vec<_> = roles.list(subscription()).try_collect().await.unwrap();
    assert!(everywhere.contains(&made));
    assert_eq!(roles.delete(&name).await.unwrap(), Some(made));
    assert_eq!(roles.delete(&name).await.unwrap(), None);
    assert_eq!(roles.get_opt(&name).await.unwrap(), None);
}

/// Recorded: 201 also the second time, and the new text.
#[tokio::test]
async fn an_assignment_written_again_has_the_new_description() {
    let azure = azure().await;
    let name = RoleAssignmentId::new(&Scope::from(group("rg")), uuid::Uuid::from_u128(1)).unwrap();
    let described = |text: &str| {
        RoleAssignmentSpec::builder().role(RoleId::READER).principal(id(ALICE)).description(text).build()
    };
    for text in ["for the lab", "for the audit"] {
        let made = client(&azure).create(&name, &described(text)).await.unwrap();
        assert_eq!(made.description.as_deref(), Some(text));
        assert_eq!(client(&azure).get(&name).await.unwrap(), made);
    }
}

/// Recorded: each permission of a role comes with its condition, mostly none.
#[tokio::test]
async fn the_condition_of_a_permission_has_a_name() {
    let azure = azure().await;
    let condition = "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] StringEquals 'x'";
    let role = json!({ "value": [{
        "id": format!("/providers/Microsoft.Authorization/roleDefinitions/{}", RoleId::READER),
        "name": RoleId::READER.to_string(),
        "type": "Microsoft.Authorization/roleDefinitions",
        "properties": {
            "roleName": "Reader", "type": "BuiltInRole", "description": "",
            "assignableScopes": ["/"],
            "permissions": [{ "actions": ["*/read"], "notActions": [], "dataActions": [], "notDataActions": [],
                              "condition": condition, "conditionVersion": "2.0" }],
        },
    }] });
    azure.inject(Fault::body(200, role.to_string()));
    let roles = RoleDefinitionsClient::new(&arm(&azure));
    let conditional = roles.get_by_name(subscription(), "Reader").await.unwrap().permissions.remove(0);
    assert_eq!(conditional.condition.as_deref(), Some(condition));
    assert_eq!(conditional.condition_version.as_deref(), Some("2.0"));
    let plain = roles.get_by_name(subscription(), "Reader").await.unwrap().permissions.remove(0);
    assert_eq!((plain.condition, plain.condition_version), (None, None));
}

#[tokio::test]
async fn ensuring_assigns_once_and_a_second_run_writes_nothing() {
    let azure = azure().await;
    let roles = client(&azure);
    let preview = roles.ensure(group("rg"), RoleId::READER, id(ALICE)).dry_run().await.unwrap();
    assert!(matches!(preview, Change::Created(_)) && azure.writes().is_empty());
    let made = roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap();
    assert!(matches!(made, Change::Created(_)));
    assert_eq!(made.current().id, preview.current().id);
    let again = roles.ensure(group("RG"), RoleId::READER, id(ALICE)).await.unwrap();
    assert!(matches!(again, Change::Unchanged(_)));
    assert_eq!(azure.writes().len(), 1);
    assert!(azure.has_role(ALICE, "Reader", &group("rg").to_string()));
}

#[tokio::test]
async fn an_assignment_under_another_name_counts_and_one_above_does_not() {
    let azure = seed()
        .resource_group(subscription(), "rg", "westeurope")
        .user(ALICE, "alice@contoso.example")
        .role_assignment(ALICE, "Reader", &group("rg").to_string())
        .role_assignment(ALICE, "Contributor", &format!("/subscriptions/{}", subscription()))
        .start()
        .await;
    let roles = client(&azure);
    assert!(!roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap().is_change());
    assert!(roles.ensure(group("rg"), RoleId::CONTRIBUTOR, id(ALICE)).await.unwrap().is_change());
}

#[tokio::test]
async fn a_conflict_with_a_faster_writer_is_not_a_change() {
    let azure = azure().await;
    let roles = client(&azure);
    let name = RoleAssignmentId::new(&Scope::from(group("rg")), uuid::Uuid::from_u128(1)).unwrap();
    let spec = RoleAssignmentSpec::builder().role(RoleId::READER).principal(id(ALICE)).build();
    roles.create(&name, &spec).await.unwrap();
    // The first look does not see it yet, as when both start at the same time.
    azure.inject(Fault::body(200, r#"{"value":[]}"#).on("GET", "roleAssignments"));
    let outcome = roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap();
    assert!(matches!(outcome, Change::Unchanged(found) if found.id == name));
}

#[tokio::test]
async fn two_programs_at_the_same_time_make_one_assignment() {
    let azure = azure().await;
    let roles = client(&azure);
    let ensure = || async { roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap() };
    let (one, other) = join(ensure(), ensure()).await;
    assert_eq!(one.current().id, other.current().id);
    let held: Vec<_> = roles.list(group("rg")).try_collect().await.unwrap();
    assert_eq!(held.iter().filter(|held| held.principal == id(ALICE)).count(), 1);
}

#[tokio::test]
async fn an_unknown_principal_is_told_apart_from_one_that_is_new() {
    let azure = azure().await;
    let roles = client(&azure);
    let error = roles.ensure(group("rg"), RoleId::READER, id(NOBODY)).await.unwrap_err();
    assert!(error.is_code("PrincipalNotFound"));
    assert!(error.to_string().contains("set its principal_type"), "{error}");
    let ensure = roles.ensure(group("rg"), RoleId::READER, id(NOBODY));
    assert!(ensure.principal_type(PrincipalType::ServicePrincipal).await.unwrap().is_change());
}

#[tokio::test]
async fn without_the_right_to_assign_roles_nothing_happens_and_the_error_says_so() {
    let azure = seed().signed_in_role("Contributor").user(ALICE, "a@contoso.example").start().await;
    let roles = client(&azure);
    let error = roles.ensure(subscription(), RoleId::READER, id(ALICE)).await.unwrap_err();
    assert!(error.is_forbidden() && error.to_string().contains("roleAssignments/write"), "{error}");
}

#[tokio::test]
async fn another_refusal_is_not_taken_for_an_unknown_principal() {
    let azure = azure().await;
    azure.inject(Fault::status(400).code("RoleAssignmentLimitExceeded").on("PUT", "roleAssignments"));
    let error = client(&azure).ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap_err();
    assert!(error.is_code("RoleAssignmentLimitExceeded"), "{error}");
    assert!(!error.to_string().contains(ALICE), "{error}");
}

#[tokio::test]
async fn an_assignment_that_is_answered_and_shown_otherwise_is_an_error() {
    for (role, principal, description) in [
        (RoleId::OWNER, ALICE, "for the lab"),
        (RoleId::READER, NOBODY, "for the lab"),
        (RoleId::READER, ALICE, "For the Lab"),
    ] {
        let azure = azure().await;
        let scope = Scope::from(group("rg"));
        let made = RoleAssignmentId::of(&scope, RoleId::READER, id(ALICE)).unwrap();
        let shown = json!({ "id": made.to_string(), "name": made.name(), "properties": {
            "roleDefinitionId": role.definition_at(&scope), "principalId": principal, "scope": scope.to_string(),
            "description": description,
        } });
        azure.inject(Fault::body(200, shown.to_string()).on("GET", "roleAssignments/"));
        let ensure = client(&azure).ensure(scope, RoleId::READER, id(ALICE)).description("for the lab");
        let error = ensure.await.unwrap_err();
        assert_eq!(arm_core::unmet(&error).len(), 1, "{error}");
    }
}

#[tokio::test]
async fn an_interrupted_assignment_is_finished_by_the_next_run() {
    for at in 1..=2 {
        let azure = azure().await;
        let roles = client(&azure);
        azure.interrupt_at(at);
        assert!(roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.is_err());
        azure.clear_faults();
        assert!(roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap().is_change());
        assert!(!roles.ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap().is_change());
    }
    let azure = azure().await;
    azure.inject(Fault::reset_after_acting().on("PUT", "roleAssignments").always());
    assert!(client(&azure).ensure(group("rg"), RoleId::READER, id(ALICE)).await.is_err());
    azure.clear_faults();
    assert!(!client(&azure).ensure(group("rg"), RoleId::READER, id(ALICE)).await.unwrap().is_change());
}

/// terraform-provider-azurerm#24045
#[tokio::test]
async fn a_role_that_is_held_under_a_condition_is_said_and_never_unchanged() {
    let azure = azure().await;
    let scope = Scope::from(group("rg"));
    let narrow = RoleAssignmentSpec::builder()
        .role(RoleId::OWNER)
        .principal(id(ALICE))
        .condition("@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]\n  ForAnyOfAnyValues:GuidEquals {x}")
        .build();
    let assignment = RoleAssignmentId::of(&scope, RoleId::OWNER, id(ALICE)).unwrap();
    client(&azure).create(&assignment, &narrow).await.unwrap();
    azure.clear_requests();

    for dry_run in [true, false] {
        let task = client(&azure).ensure(scope.clone(), RoleId::OWNER, id(ALICE));
        let error = if dry_run { task.dry_run().await } else { task.await }.unwrap_err().to_string();
        assert!(error.contains("only under a condition (@Resource") && !error.contains('\n'), "{error}");
    }
    assert!(azure.writes().is_empty());
}
