//! A vault is shut and opened again, whatever happens in between.

use arm_core::{ArmClient, Scope};
use azure_core::Result;
use defender_playbooks::containment::{ContainmentPlan, ContainmentReport, ContainmentsClient};
use futures::TryStreamExt as _;
use keyvault_ops::{IpRule, SecretsClient, VaultId, VaultPatch, VaultPatchProperties, VaultsClient};
use mock_azure::{Fault, MockAzure, Seed};
use resource_ops::{
    LockLevel, LockSpec, LocksClient, PrincipalId, RoleAssignmentFilter, RoleAssignmentsClient, RoleId,
    SignInsClient,
};
use serde_json::{Value, json};

use crate::lab::{arm, group, stored, subscription, writes};

const STRANGER: &str = "00000000-0000-0000-0000-0000000000e1";

fn stranger() -> PrincipalId {
    STRANGER.parse().unwrap()
}

fn vault() -> VaultId {
    VaultId::new(&group(), &"kv-prod".parse().unwrap()).unwrap()
}

fn seed() -> Seed {
    mock_azure::fast_forward();
    let rules = json!({ "bypass": "AzureServices", "defaultAction": "Allow", "ipRules": [{ "value": "192.0.2.1/32" }], "virtualNetworkRules": [] });
    MockAzure::seed()
        .vault(subscription(), "rg-sec", "kv-prod")
        .vault_property("kv-prod", "networkAcls", rules)
        .vault_role("kv-prod", "Key Vault Secrets Officer")
        .secret("kv-prod", "db", "old")
        .secret("kv-prod", "db", "new")
        .disabled_secret("kv-prod", "off", "REDACTED")
        .user(STRANGER, "stranger@contoso.example")
        .role_assignment(STRANGER, "Key Vault Secrets User", vault().as_str())
        .role_assignment(STRANGER, "Reader", &format!("/subscriptions/{}", subscription()))
        .role_assignment(STRANGER, "Key Vault Secrets User", &group().to_string())
}

async fn plan(arm: &ArmClient) -> ContainmentPlan {
    let containments = ContainmentsClient::new(arm);
    let plan = containments.plan(&vault()).narrow_network(["198.51.100.0/24"]).own_address("203.0.113.7");
    let plan = plan.principal(stranger()).disable_sign_in().revoke_sessions().lock("an attack");
    plan.disable_secrets(["db", "off"].map(|name| name.parse().unwrap())).await.unwrap()
}

/// What counts of the double's state: everything but etags, `systemData`, times and who did it.
async fn state(azure: &MockAzure) -> Value {
    let vault_now = stored(azure, vault().as_str(), keyvault_ops::API_VERSION).await;
    let mut held = Vec::new();
    let mut roles = RoleAssignmentsClient::new(&arm(azure)).list(Scope::from(&vault()));
    while let Some(role) = roles.try_next().await.unwrap() {
        held.push(format!(
            "{} {} {} {:?} {:?}",
            role.id, role.role, role.principal, role.description, role.condition
        ));
    }
    held.sort();
    let secrets: Vec<Value> = ["db", "off"]
        .iter()
        .flat_map(|name| azure.secret_versions("kv-prod", name))
        .map(|version| json!([version.id, version.enabled, version.tags]))
        .collect();
    let locks: Vec<_> =
        LocksClient::new(&arm(azure)).list(vault().resource_id().clone()).try_collect().await.unwrap();
    let locks: Vec<Value> =
        locks.iter().map(|lock| json!([lock.properties.level.as_str(), lock.properties.notes])).collect();
    let may_sign_in = azure.may_sign_in(STRANGER);
    json!({ "vault": vault_now, "roles": held, "secrets": secrets, "locks": locks, "maySignIn": may_sign_in })
}

async fn complete(
    run: impl IntoFuture<Output = Result<ContainmentReport>>,
) -> std::result::Result<ContainmentReport, String> {
    let report = run.await.map_err(|error| error.to_string())?;
    if report.is_complete() { Ok(report) } else { Err(report.to_string()) }
}

#[tokio::test]
async fn what_was_contained_is_undone_to_the_letter_also_from_a_stored_record() {
    let azure = seed().start().await;
    let arm = arm(&azure);
    // A role with all that a role can have.
    let reader =
        resource_ops::RoleAssignmentId::of(&Scope::from(&vault()), RoleId::READER, stranger()).unwrap();
    let mut spec =
        resource_ops::RoleAssignmentSpec::builder().role(RoleId::READER).principal(stranger()).build();
    spec.description = Some("until the audit is over".to_owned());
    spec.condition = Some("@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-prod'".to_owned());
    RoleAssignmentsClient::new(&arm).create(&reader, &spec).await.unwrap();
    let before = state(&azure).await;
    azure.clear_requests();
    let plan = plan(&arm).await;
    let containments = ContainmentsClient::new(&arm);
    let preview = containments.contain(&plan).dry_run().await.unwrap();
    assert!(writes(&azure).is_empty(), "planning and a dry run write nothing");
    let stays = plan.stays.join("\n");
    assert!(plan.stays.len() == 2 && stays.contains("above the vault"), "{stays}");

    let done = complete(containments.contain(&plan)).await.unwrap();
    assert_eq!(done.done, preview.done);
    assert_eq!((&done.stays, &preview.stays), (&plan.stays, &plan.stays), "the report says what remains");
    assert_eq!(done.done.len(), 7, "network, two roles, sign-in, sessions, one secret, lock: {done}");
    let told = preview.to_string();
    assert!(
        told.starts_with("CANNOT BE UNDONE: revoke the sessions of stranger@"),
        "before anything: {told}"
    );
    assert!(!azure.may_sign_in(STRANGER));
    let deleted = VaultsClient::new(&arm).delete(&vault()).await.unwrap_err();
    assert!(deleted.to_string().contains("ScopeLocked"), "{deleted}");
    assert_eq!(done.unchanged, ["disable the secret off"]);
    let contained = stored(&azure, vault().as_str(), keyvault_ops::API_VERSION).await;
    let rules = &contained["properties"]["networkAcls"];
    assert_eq!((&rules["defaultAction"], &rules["bypass"]), (&json!("Deny"), &json!("AzureServices")));
    assert_eq!(rules["ipRules"], json!([{ "value": "198.51.100.0/24" }, { "value": "203.0.113.7/32" }]));
    assert!(azure.secret_versions("kv-prod", "db").iter().all(|version| !version.enabled));

    let record: ContainmentPlan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(record, plan);
    complete(containments.undo(&record)).await.unwrap();
    assert_eq!(state(&azure).await, before);
}

#[tokio::test]
async fn stopped_at_any_request_both_ways_running_it_again_finishes_it() {
    let whole = seed().start().await;
    let before = state(&whole).await;
    let client = arm(&whole);
    let whole_plan = plan(&client).await;
    complete(ContainmentsClient::new(&client).contain(&whole_plan)).await.unwrap();
    let contained = state(&whole).await;
    for undoes in [false, true] {
        let mut cuts = 0;
        loop {
            let azure = seed().start().await;
            let client = arm(&azure);
            let plan = plan(&client).await;
            let containments = ContainmentsClient::new(&client);
            if undoes {
                complete(containments.contain(&plan)).await.unwrap();
            }
            let run = async || match undoes {
                false => complete(containments.contain(&plan)).await,
                true => complete(containments.undo(&plan)).await,
            };
            azure.interrupt_at(cuts + 1);
            let first = run().await;
            azure.clear_faults();
            if first.is_ok() {
                break;
            }
            cuts += 1;
            run().await.unwrap();
            let wished = if undoes { &before } else { &contained };
            assert_eq!(state(&azure).await["vault"], wished["vault"], "undoes {undoes}, cut {cuts}");
            for part in ["roles", "locks", "maySignIn"] {
                assert_eq!(state(&azure).await[part], wished[part], "undoes {undoes}, cut {cuts}");
            }
            let enabled = |state: &Value| {
                state["secrets"].as_array().unwrap().iter().map(|it| it[1].clone()).collect::<Vec<_>>()
            };
            assert_eq!(enabled(&state(&azure).await), enabled(wished), "undoes {undoes}, cut {cuts}");
            azure.clear_requests();
            run().await.unwrap();
            assert!(writes(&azure).is_empty(), "undoes {undoes}, cut {cuts}: {:?}", writes(&azure));
        }
        assert!(cuts > 16, "only {cuts} requests");
    }
}

#[tokio::test]
async fn a_role_on_one_secret_of_the_vault_is_access_to_the_vault() {
    let secret = format!("{}/secrets/db", vault());
    let azure = seed().role_assignment(STRANGER, "Key Vault Secrets User", &secret).start().await;
    let (before, client) = (state(&azure).await, arm(&azure));
    let containments = ContainmentsClient::new(&client);
    let plan = containments.plan(&vault()).principal(stranger()).await.unwrap();
    let mut scopes: Vec<&str> = plan.roles.iter().map(|role| role.scope.as_str()).collect();
    scopes.sort_unstable_by_key(|scope| scope.len());
    assert_eq!(scopes, [vault().to_string(), secret]);
    assert_eq!(plan.stays.len(), 2, "{:?}", plan.stays);
    assert!(plan.stays.iter().all(|it| it.contains("above the vault") && !it.contains("secrets/db")));

    complete(containments.contain(&plan)).await.unwrap();
    let held = RoleAssignmentsClient::new(&client)
        .list_filtered(&vault(), RoleAssignmentFilter::Principal(stranger()))
        .try_collect::<Vec<_>>()
        .await
        .unwrap();
    assert!(held.len() == 2 && held.iter().all(|role| !role.scope.contains("kv-prod")), "{held:?}");
    complete(containments.undo(&plan)).await.unwrap();
    assert_eq!(state(&azure).await, before);
}

#[tokio::test]
async fn a_role_that_somebody_changed_after_the_plan_is_neither_removed_nor_overwritten() {
    let azure = seed().start().await;
    let client = arm(&azure);
    let containments = ContainmentsClient::new(&client);
    let plan = containments.plan(&vault()).principal(stranger()).await.unwrap();
    let [planned] = plan.roles.as_slice() else { panic!("{plan:?}") };
    let roles = RoleAssignmentsClient::new(&client);
    roles.delete(&planned.id).await.unwrap();
    let spec = resource_ops::RoleAssignmentSpec::builder().role(planned.role).principal(stranger());
    let mut spec = spec.build();
    spec.condition = Some("@Resource[Microsoft.KeyVault/vaults:name] StringEquals 'kv-prod'".to_owned());
    roles.create(&planned.id, &spec).await.unwrap();
    azure.clear_requests();

    for report in [
        containments.contain(&plan).dry_run().await.unwrap(),
        containments.contain(&plan).await.unwrap(),
        containments.undo(&plan).await.unwrap(),
    ] {
        assert!(report.left.len() == 1 && report.done.is_empty() && !report.is_complete(), "{report}");
    }
    assert!(writes(&azure).is_empty(), "{:?}", writes(&azure));
    assert_eq!(roles.get_opt(&planned.id).await.unwrap().unwrap().condition, spec.condition);
}

#[tokio::test]
async fn what_somebody_else_does_in_between_survives_the_undo() {
    let azure = seed().start().await;
    let client = arm(&azure);
    let plan = plan(&client).await;
    let containments = ContainmentsClient::new(&client);
    complete(containments.contain(&plan)).await.unwrap();

    // Somebody lets one more address pass, assigns a role to another, and sets a new version of the secret.
    let vaults = VaultsClient::new(&client);
    let mut rules = vaults.get(&vault()).await.unwrap().properties.network_acls.unwrap();
    rules.ip_rules.push(IpRule::new("192.0.2.99/32"));
    let properties = VaultPatchProperties::builder().network_acls(rules).build();
    vaults.update(&vault(), &VaultPatch::builder().properties(properties).build()).await.unwrap();
    let secrets = SecretsClient::new(&client, &"kv-prod".parse().unwrap()).unwrap();
    secrets.set(&"db".parse().unwrap(), "newest".into()).await.unwrap();
    let other: PrincipalId = "00000000-0000-0000-0000-0000000000e2".parse().unwrap();
    let roles = RoleAssignmentsClient::new(&client);
    let spec = resource_ops::RoleAssignmentSpec::builder()
        .role(RoleId::READER)
        .principal(other)
        .principal_type(resource_ops::PrincipalType::User)
        .build();
    let theirs = resource_ops::RoleAssignmentId::of(&Scope::from(&vault()), RoleId::READER, other).unwrap();
    roles.create(&theirs, &spec).await.unwrap();

    // And makes the lock their own.
    let locks = LocksClient::new(&client);
    let name = plan.lock.as_ref().unwrap().name.clone();
    let spec = LockSpec { level: LockLevel::CanNotDelete, notes: Some("ours now".to_owned()) };
    locks.create_or_update(vault().resource_id().clone(), &name, &spec).await.unwrap();

    let report = containments.undo(&plan).await.unwrap();
    assert_eq!(report.left.len(), 2, "{report}");
    assert!(report.left[0].contains("the lock") && report.failed.is_empty(), "{report}");
    assert!(report.left[1].contains("db"), "{report}");
    assert!(locks.get_opt(vault().resource_id().clone(), &name).await.unwrap().is_some(), "their lock stays");
    let enabled: Vec<bool> =
        azure.secret_versions("kv-prod", "db").iter().map(|version| version.enabled).collect();
    assert_eq!(enabled, [false, false, true], "a rotated value does not come back");
    let rules = vaults.get(&vault()).await.unwrap().properties.network_acls.unwrap();
    let mut addresses: Vec<&str> = rules.ip_rules.iter().map(|rule| rule.value.as_str()).collect();
    addresses.sort_unstable();
    assert_eq!(addresses, ["192.0.2.1/32", "192.0.2.99/32"]);
    assert!(roles.get_opt(&theirs).await.unwrap().is_some());
}

#[tokio::test]
async fn neither_oneself_nor_the_last_owner_is_locked_out() {
    let azure = seed().start().await;
    let client = arm(&azure);
    let containments = ContainmentsClient::new(&client);
    let refused = containments.plan(&vault()).narrow_network(["198.51.100.0/24"]).await.unwrap_err();
    assert!(refused.to_string().contains("own_address"), "{refused}");
    let me: PrincipalId = azure.signed_in().parse().unwrap();
    let refused = containments.plan(&vault()).principal(me).also_above().await.unwrap_err();
    assert!(refused.to_string().contains("signed-in"), "{refused}");

    let break_glass =
        containments.plan(&vault()).principal(stranger()).spare([stranger()]).await.unwrap_err();
    assert!(break_glass.to_string().contains("spared"), "{break_glass}");

    // Where the signed-in one is only Contributor, the stranger is the last Owner.
    let azure = MockAzure::seed()
        .signed_in_role("User Access Administrator")
        .vault(subscription(), "rg-sec", "kv-prod")
        .user(STRANGER, "stranger@contoso.example")
        .role_assignment(STRANGER, "Owner", &format!("/subscriptions/{}", subscription()))
        .start()
        .await;
    let client = arm(&azure);
    let refused =
        ContainmentsClient::new(&client).plan(&vault()).principal(stranger()).also_above().await.unwrap_err();
    assert!(refused.to_string().contains("last Owner"), "{refused}");
    assert!(writes(&azure).is_empty());
}

const OTHER: &str = "00000000-0000-0000-0000-0000000000e2";

/// The stranger holds this role at the vault's group; whoever is signed in can give nothing back, and another holds this.
async fn last_who_can_give_back(role: &str, other: Option<(&str, Option<&str>)>) -> Result<ContainmentPlan> {
    mock_azure::fast_forward();
    let azure = MockAzure::seed()
        .signed_in_role("Reader")
        .vault(subscription(), "rg-sec", "kv-prod")
        .user(STRANGER, "stranger@contoso.example")
        .user(OTHER, "other@contoso.example")
        .role_assignment(STRANGER, role, &group().to_string())
        .start()
        .await;
    let client = arm(&azure);
    if let Some((role, condition)) = other {
        let subscription = format!("/subscriptions/{}", subscription());
        let properties = json!({ "roleDefinitionId": format!("{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"),
            "principalId": OTHER, "principalType": "User", "condition": condition, "scope": subscription });
        let id = format!(
            "{subscription}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000ff"
        );
        let list = json!({ "value": [{ "id": id, "properties": properties }] }).to_string();
        azure.inject(Fault::body(200, list).on("GET", "atScope").always());
    }
    ContainmentsClient::new(&client).plan(&vault()).principal(stranger()).also_above().await
}

#[tokio::test]
async fn the_last_one_who_can_give_access_back_is_not_locked_out_either() {
    let [owner, access, rbac] =
        [RoleId::OWNER, RoleId::USER_ACCESS_ADMINISTRATOR, RoleId::ROLE_BASED_ACCESS_CONTROL_ADMINISTRATOR]
            .map(|role| role.to_string());
    let rbac_word = "Role Based Access Control Administrator";
    for (role, other, is_taken) in [
        ("User Access Administrator", None, false),
        (rbac_word, None, false),
        ("User Access Administrator", Some((access.as_str(), None)), true),
        ("User Access Administrator", Some((owner.as_str(), None)), true),
        (rbac_word, Some((rbac.as_str(), None)), true),
        // Under a condition it may be for a few roles only.
        (rbac_word, Some((rbac.as_str(), Some("@Request[x] StringEquals 'y'"))), false),
        // An Owner is followed by an Owner.
        ("Owner", Some((access.as_str(), None)), false),
        ("Owner", Some((owner.as_str(), None)), true),
        ("Owner", Some((owner.as_str(), Some("@Request[x] StringEquals 'y'"))), false),
        ("Contributor", None, true),
    ] {
        match last_who_can_give_back(role, other).await {
            Ok(plan) => assert!(is_taken && plan.roles.len() == 1, "{role}, {other:?}"),
            Err(error) => {
                assert!(!is_taken && error.to_string().contains("is the last"), "{role}, {other:?}: {error}");
            }
        }
    }
}

#[tokio::test]
async fn a_role_that_somebody_has_given_back_under_another_name_is_not_given_twice() {
    let azure = seed().start().await;
    let client = arm(&azure);
    let containments = ContainmentsClient::new(&client);
    let plan = containments.plan(&vault()).principal(stranger()).await.unwrap();
    let [taken] = plan.roles.as_slice() else { panic!("{plan:?}") };
    complete(containments.contain(&plan)).await.unwrap();
    let roles = RoleAssignmentsClient::new(&client);
    let other_name = "providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-000000000007";
    let theirs = format!("{}/{other_name}", vault()).parse();
    let spec = resource_ops::RoleAssignmentSpec::builder()
        .role(taken.role)
        .principal(stranger())
        .principal_type(resource_ops::PrincipalType::User)
        .build();
    let theirs = roles.create(&theirs.unwrap(), &spec).await.unwrap();

    let report = complete(containments.undo(&plan)).await.unwrap();
    assert_eq!((report.done.len(), report.unchanged.len()), (0, 1), "{report}");
    let direct = roles.list_filtered(&vault(), RoleAssignmentFilter::Principal(stranger()));
    let held: Vec<_> = direct.try_collect().await.unwrap();
    let of_the_vault: Vec<_> =
        held.iter().filter(|it| it.scope.eq_ignore_ascii_case(vault().as_str())).map(|it| &it.id).collect();
    assert_eq!(of_the_vault, [&theirs.id]);
}

#[tokio::test]
async fn what_an_undo_gives_back_is_read_back_and_not_believed() {
    for (method, needle, answer, why) in [
        (
            "PUT",
            "/roleAssignments/",
            r#"{"id":"/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-0000000000ff","properties":{"scope":"/","roleDefinitionId":"/x/8e3af657-a8ff-443c-a75c-2fe8c4bcb635","principalId":"00000000-0000-0000-0000-0000000000e1"}}"#,
            "the assignment does not exist",
        ),
        ("PATCH", "/vaults/kv-prod", r#"{"properties":{}}"#, "other rules than were written"),
        (
            "PATCH",
            "/secrets/db/",
            r#"{"id":"https://kv-prod.vault.azure.net/secrets/db/0123456789abcdef0123456789abcdef","attributes":{"enabled":false}}"#,
            "is still disabled",
        ),
    ] {
        let azure = seed().start().await;
        let client = arm(&azure);
        let containments = ContainmentsClient::new(&client);
        let plan = plan(&client).await;
        complete(containments.contain(&plan)).await.unwrap();
        let answer = match needle {
            "/vaults/kv-prod" => {
                stored(&azure, vault().as_str(), keyvault_ops::API_VERSION).await.to_string()
            }
            _ => answer.to_owned(),
        };
        azure.inject(Fault::body(200, answer).on(method, needle));
        let lost = containments.undo(&plan).await.unwrap();
        assert!(lost.failed.iter().any(|(_, error)| error.contains(why)), "{needle}: {lost}");
        complete(containments.undo(&plan)).await.unwrap();
    }
}

#[tokio::test]
async fn an_access_policy_is_taken_and_given_back_beside_those_of_others() {
    mock_azure::fast_forward();
    let azure = MockAzure::seed()
        .vault(subscription(), "rg-sec", "kv-prod")
        .access_policy("kv-prod", &["get", "list"])
        .start()
        .await;
    let client = arm(&azure);
    let vaults = VaultsClient::new(&client);
    let policy = keyvault_ops::AccessPolicy::builder()
        .tenant_id(azure.tenant())
        .object_id(STRANGER)
        .permissions(keyvault_ops::Permissions::on_secrets([keyvault_ops::SecretPermission::Get]))
        .build();
    vaults
        .update_access_policy(&vault(), &keyvault_ops::AccessPolicyUpdateKind::Add, &[policy])
        .await
        .unwrap();
    let before = stored(&azure, vault().as_str(), keyvault_ops::API_VERSION).await;
    let containments = ContainmentsClient::new(&client);
    let plan = containments.plan(&vault()).principal(stranger()).await.unwrap();
    assert_eq!(plan.policies.len(), 1);
    complete(containments.contain(&plan)).await.unwrap();
    let left = vaults.get(&vault()).await.unwrap().properties.access_policies;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].object_id, STRANGER);
    // An answer that says it was given back is not believed.
    azure
        .inject(Fault::body(200, r#"{"properties":{"accessPolicies":[]}}"#).on("PUT", "/accessPolicies/add"));
    let lost = containments.undo(&plan).await.unwrap();
    assert!(!lost.is_complete() && lost.failed[0].1.contains("does not have it"), "{lost}");
    complete(containments.undo(&plan)).await.unwrap();
    assert_eq!(stored(&azure, vault().as_str(), keyvault_ops::API_VERSION).await, before);
}

#[tokio::test]
async fn a_plan_that_somebody_else_made_against_whoever_runs_it_is_refused() {
    let azure = seed()
        .role_assignment(STRANGER, "Owner", &format!("/subscriptions/{}", subscription()))
        .role_assignment(STRANGER, "Key Vault Secrets Officer", vault().as_str())
        .start()
        .await;
    let me: PrincipalId = azure.signed_in().parse().unwrap();
    let credential = azure.credential_of(STRANGER).unwrap();
    let theirs = ArmClient::new(credential, Some(azure.client_options().into())).unwrap();
    let plan = ContainmentsClient::new(&theirs).plan(&vault()).principal(me).await.unwrap();
    assert!(!plan.roles.is_empty());
    azure.clear_requests();
    let refused = ContainmentsClient::new(&arm(&azure)).contain(&plan).await.unwrap_err();
    assert!(refused.to_string().contains("signed-in"), "{refused}");
    assert!(writes(&azure).is_empty());
}

const TEAM: &str = "00000000-0000-0000-0000-0000000000f1";

/// A vault at which a group holds a role, and the list that Azure answers to `assignedTo()` for a member of that group:
/// it also lists what is held through groups. The double knows no members.
async fn held_through_the_team() -> (MockAzure, String) {
    let seed = seed().group(TEAM, "soc");
    let azure = seed.role_assignment(TEAM, "Key Vault Secrets Officer", vault().as_str()).start().await;
    let roles = RoleAssignmentsClient::new(&arm(&azure));
    let team = RoleAssignmentFilter::AssignedTo(TEAM.parse().unwrap());
    let held: Vec<_> = roles.list_filtered(&vault(), team).try_collect().await.unwrap();
    let properties = json!({ "roleDefinitionId": held[0].role_definition_id, "principalId": TEAM, "principalType": "Group", "scope": held[0].scope });
    let list = json!({ "value": [{ "id": held[0].id.to_string(), "properties": properties }] });
    (azure, list.to_string())
}

#[tokio::test]
async fn the_group_through_which_one_holds_a_role_is_not_contained() {
    let (azure, list) = held_through_the_team().await;
    let client = arm(&azure);
    let containments = ContainmentsClient::new(&client);
    let of_the_team = || containments.plan(&vault()).principal(TEAM.parse().unwrap());
    let plan = of_the_team().await.unwrap();
    assert_eq!(plan.roles.len(), 1);
    azure.inject(Fault::body(200, list).on("GET", azure.signed_in()).always());
    let refused = of_the_team().await.unwrap_err();
    assert!(refused.to_string().contains(&format!("through the group {TEAM}")), "{refused}");
    let refused = containments.contain(&plan).await.unwrap_err();
    assert!(refused.to_string().contains(&format!("through the group {TEAM}")), "{refused}");
    assert!(writes(&azure).is_empty());
}

#[tokio::test]
async fn what_the_principal_holds_through_a_group_is_named_and_not_taken_from_the_group() {
    let (azure, list) = held_through_the_team().await;
    let client = arm(&azure);
    azure.inject(Fault::body(200, list).on("GET", STRANGER));
    let plan =
        ContainmentsClient::new(&client).plan(&vault()).principal(stranger()).also_above().await.unwrap();
    assert!(plan.roles.is_empty(), "{plan:?}");
    let [stays] = plan.stays.as_slice() else { panic!("{plan:?}") };
    assert!(stays.ends_with(&format!("through the group {TEAM}")), "{stays}");
}

#[tokio::test]
async fn only_a_users_sessions_are_revoked_once_and_an_application_is_disabled_as_one() {
    const APP: &str = "00000000-0000-0000-0000-0000000000a1";
    let azure = seed().service_principal(APP, "00000000-0000-0000-0000-0000000000a2", "jobs").start().await;
    let client = arm(&azure);
    let containments = ContainmentsClient::new(&client);
    let of = |who: &str| containments.plan(&vault()).principal(who.parse().unwrap());
    let refused = of(APP).revoke_sessions().await.unwrap_err();
    assert!(refused.to_string().contains("no sessions"), "{refused}");
    let refused = containments.plan(&vault()).disable_sign_in().await.unwrap_err();
    assert!(refused.to_string().contains("set the principal"), "{refused}");
    let plan = of(APP).disable_sign_in().await.unwrap();
    assert!(plan.irreversible().is_empty());
    complete(containments.contain(&plan)).await.unwrap();
    assert!(!azure.may_sign_in(APP));
    complete(containments.undo(&plan)).await.unwrap();
    assert!(azure.may_sign_in(APP));

    // Whoever was disabled before stays so, and sessions that began after the first run are left alone.
    let sign_ins = SignInsClient::new(&client);
    sign_ins.set_user_enabled(stranger(), false).await.unwrap();
    let plan = of(STRANGER).disable_sign_in().revoke_sessions().await.unwrap();
    complete(containments.contain(&plan)).await.unwrap();
    let revoked = || azure.requests().iter().filter(|it| it.path.ends_with("/revokeSignInSessions")).count();
    assert_eq!(revoked(), 1);
    complete(containments.contain(&plan)).await.unwrap();
    assert_eq!(revoked(), 1);
    complete(containments.undo(&plan)).await.unwrap();
    assert!(!azure.may_sign_in(STRANGER));
}
