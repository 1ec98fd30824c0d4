//! The cleanup touches only what is the lab's, whoever else is there.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use std::sync::{Arc, Mutex};

use arm_core::ResourceType;
use defender_alerts::{AlertStatus, AlertsClient};
use defender_automation::{Action, AutomationSpec, AutomationsClient};
use defender_pricing::{ExtensionName, PlanName, PricingClient};
use futures::TryStreamExt as _;
use keyvault_ops::{VaultId, VaultsClient};
use lab_examples::{Azure, Lab, cli::Options, plan, screen::Screen, tasks, tenant};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault};
use monitor_ops::{
    ActionGroupsClient, DiagnosticsClient, QueryRule, QueryRulesClient, WorkspaceId, WorkspaceSpec,
    WorkspacesClient,
};
use resource_ops::{PrincipalId, PrincipalType, ResourceGroupsClient, RoleAssignmentsClient, RoleId};
use serde_json::{Value, json};
use support::{World, holds, rows, seed, subscription};

const SHARED: &str = "rg-shared";
const RULE: &str = "kv-secrets-in-bulk";

#[tokio::test]
async fn a_group_that_the_lab_failed_to_make_is_not_its_own_when_somebody_else_makes_it() {
    let world = World::of(seed()).await;
    world.azure.inject(Fault::status(409).on("PUT", "/resourcegroups/rg-shared").always());
    let parts = world.run(SHARED, &["task1"]).await;
    assert!(!holds(&parts));
    world.azure.clear_faults();
    world.somebody_makes_the_group(SHARED).await;

    let parts = world.run(SHARED, &["cleanup"]).await;

    assert!(holds(&parts) && world.exists(SHARED).await, "{parts:#?}");
    assert!(rows(&parts[0], "What stays").iter().any(|id| id.ends_with("/resourceGroups/rg-shared")));
}

#[tokio::test]
async fn a_cleanup_is_planned_by_id_and_refused_when_what_it_would_delete_has_moved() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run(SHARED, &["task1", "task2", "task4", "task5"]).await));
    world.azure.clear_requests();
    let parts = plan::parts(&["cleanup".to_owned()]);
    let lab = world.lab_with(world.options(SHARED)).await;
    let (made, in_the_way) = plan::ready(&lab, &parts).await;
    assert_eq!(in_the_way, plan::InTheWay::default());
    assert!(world.writes().is_empty(), "{:?}", world.writes());
    let group = subscription().resource_group(SHARED).unwrap();
    let vault = VaultId::new(&group, &world.remembered().vault.unwrap().parse().unwrap()).unwrap();
    let secret = format!("https://{}.vault.azure.net/secrets/test-secret-20", vault.name());
    let ids: Vec<&str> = made.changes.iter().map(|change| change.id.as_str()).collect();
    for id in [group.to_string(), vault.to_string(), secret] {
        assert!(ids.contains(&id.as_str()), "{id}: {ids:?}");
    }
    assert_eq!(made.count().delete, made.changes.len());
    assert!(made.decided_at_apply.is_empty());

    let rules = QueryRulesClient::new(&world.arm);
    rules.delete(&group, &RULE.parse().unwrap()).await.unwrap();
    world.azure.clear_requests();
    let refused = plan::apply(&lab, &made).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("{RULE}: delete was planned, but is no longer needed")), "{refused}");
    assert!(world.writes().is_empty(), "{:?}", world.writes());

    let lab = world.lab_with(world.options(SHARED)).await;
    let (made, _) = plan::ready(&lab, &parts).await;
    assert!(plan::apply(&lab, &made).await.unwrap(), "{:#?}", lab.screen.recorded());
    assert!(!world.exists(SHARED).await);
    let (next, _) = plan::make(&lab, &parts).await;
    assert!(next.is_empty(), "{next}");
}

#[tokio::test]
async fn in_a_shared_group_things_of_the_same_names_and_other_assignments_stay() {
    let world = World::of(seed()).await;
    world.somebody_makes_the_group(SHARED).await;
    let group = subscription().resource_group(SHARED).unwrap();
    let (groups, rules) = (ActionGroupsClient::new(&world.arm), QueryRulesClient::new(&world.arm));
    let automations = AutomationsClient::new(&world.arm);
    let workspace = WorkspaceId::new(&group, "law-kv-defender").unwrap();
    let spec = WorkspaceSpec::builder().location("westeurope").build();
    WorkspacesClient::new(&world.arm).ensure(&workspace, &spec).await.unwrap();
    let theirs = ["theirs@contoso.example".parse().unwrap()];
    groups.ensure_mail(&group, &"ag-soc".parse().unwrap(), "theirs", &theirs).await.unwrap();
    let rule = QueryRule::refused_requests(&workspace, "westeurope", 99);
    let rule_name = "kv-refused-requests".parse().unwrap();
    rules.ensure(&group, &rule_name, &rule).await.unwrap();
    let automation_name = "respond-to-key-vault-alerts".parse().unwrap();
    let action = Action::workspace(workspace.as_resource());
    let spec = AutomationSpec::key_vault_response("westeurope", &subscription(), [action]);
    automations.ensure(&group, &automation_name, &spec).await.unwrap();

    assert!(holds(&world.run(SHARED, &["task1", "task2", "task5"]).await));
    let vault = VaultId::new(&group, &world.remembered().vault.unwrap().parse().unwrap()).unwrap();
    let roles = RoleAssignmentsClient::new(&world.arm);
    let somebody: PrincipalId = "00000000-0000-0000-0000-0000000000cc".parse().unwrap();
    let other = roles
        .ensure(vault.resource_id(), RoleId::KEY_VAULT_SECRETS_USER, somebody)
        .principal_type(PrincipalType::User)
        .await
        .unwrap()
        .into_current();
    // The vault itself must stay for this: it loses the lab's tag.
    let patch = keyvault_ops::VaultPatch::builder().tags(std::collections::BTreeMap::new()).build();
    VaultsClient::new(&world.arm).update(&vault, &patch).await.unwrap();

    let parts = world.run(SHARED, &["cleanup"]).await;

    assert!(holds(&parts), "{parts:#?}");
    let found = groups.get(&group, &"ag-soc".parse().unwrap()).await.unwrap();
    assert!(serde_json::to_string(&found).unwrap().contains("theirs@contoso.example"));
    assert!(rules.get_opt(&group, &rule_name).await.unwrap().is_some());
    assert!(
        rules.get_opt(&group, &"kv-secrets-in-bulk".parse().unwrap()).await.unwrap().is_none(),
        "the lab's"
    );
    assert!(automations.get_opt(&group, &automation_name).await.unwrap().is_some());
    let held: Vec<_> = roles.list(vault.resource_id()).try_collect().await.unwrap();
    let at_vault: Vec<_> =
        held.iter().filter(|held| held.is_at(&vault.resource_id().into())).map(|held| &held.id).collect();
    assert_eq!(at_vault, [&other.id], "only the lab's own assignment went");
    assert!(VaultsClient::new(&world.arm).get_opt(&vault).await.unwrap().is_some());
    let stays = rows(&parts[0], "What stays");
    for name in [
        "/ag-soc",
        "/kv-refused-requests",
        "/respond-to-key-vault-alerts",
        "/law-kv-defender",
        &vault.to_string(),
    ] {
        assert!(stays.iter().any(|id| id.ends_with(name)), "{name}: {stays:#?}");
    }
}

#[tokio::test]
async fn a_group_of_the_lab_that_holds_something_else_stays_also_when_a_policy_copied_the_tag() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1"]).await));
    let group = subscription().resource_group("rg-lab").unwrap();
    let tags = ResourceGroupsClient::new(&world.arm).get(&group).await.unwrap().tags;
    assert_eq!(tags.get("lab-run"), Some(&world.remembered().run));
    let theirs = WorkspaceId::new(&group, "law-theirs").unwrap();
    let spec = WorkspaceSpec::builder().location("westeurope").tags(tags).build();
    WorkspacesClient::new(&world.arm).ensure(&theirs, &spec).await.unwrap();

    let parts = world.run("rg-lab", &["cleanup"]).await;

    assert!(holds(&parts) && world.exists("rg-lab").await, "{parts:#?}");
    assert!(WorkspacesClient::new(&world.arm).get_opt(&theirs).await.unwrap().is_some());
    assert!(rows(&parts[0], "What stays").contains(&theirs.to_string().as_str()));
    let vaults: Vec<_> =
        VaultsClient::new(&world.arm).list_by_resource_group(&group).try_collect().await.unwrap();
    assert!(vaults.is_empty(), "the lab's vault went");

    WorkspacesClient::new(&world.arm).delete(&theirs).await.unwrap();
    assert!(holds(&world.run("rg-lab", &["cleanup"]).await) && !world.exists("rg-lab").await);
}

#[tokio::test]
async fn plans_go_back_to_what_they_were_and_those_that_others_changed_stay() {
    let sub = subscription();
    let seed = seed()
        .plan(&sub, "CloudPosture", "Standard")
        .plan_extension(&sub, "CloudPosture", "SensitiveDataDiscovery", false)
        .plan_extension(&sub, "CloudPosture", "AgentlessVmScanning", true);
    let world = World::of(seed).await;
    let pricing = PricingClient::new(&world.arm);
    let before = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    let off = Options { plans_off: true, ..world.options("rg-lab") };
    assert!(holds(&world.run("rg-lab", &["task1", "task3"]).await));
    assert!(
        pricing.get(&sub, &PlanName::CloudPosture).await.unwrap().has(&ExtensionName::SensitiveDataDiscovery)
    );

    let kept = world.run("rg-lab", &["cleanup"]).await;
    assert!(holds(&kept) && pricing.get(&sub, &PlanName::KeyVaults).await.unwrap().is_standard());
    assert!(holds(&world.run_with(off.clone(), &["cleanup"]).await));

    let now = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    assert!(now.is_standard() && now.has_settings_of(&before), "it was on before the lab");
    assert!(!pricing.get(&sub, &PlanName::KeyVaults).await.unwrap().is_standard(), "it was off");

    assert!(holds(&world.run("rg-lab", &["task1", "task3"]).await));
    let theirs = pricing.enable(&sub, &PlanName::CloudPosture).extension(ExtensionName::ApiPosture);
    let theirs = theirs.await.unwrap().change.into_current();
    let parts = world.run_with(off, &["cleanup"]).await;
    let now = pricing.get(&sub, &PlanName::CloudPosture).await.unwrap();
    assert!(now.has_settings_of(&theirs), "somebody chose another extension");
    let stays = &parts[0].tables.iter().find(|table| table.name == "What stays").unwrap().rows;
    let told = stays.iter().find(|row| row[0].as_str() == Some("plan CloudPosture")).unwrap();
    assert!(told[1].as_str().unwrap().contains("somebody else has changed it since"), "{told:?}");
}

#[tokio::test]
async fn a_plan_whose_write_was_cut_off_is_named_and_not_put_back() {
    let world = World::of(seed()).await;
    world.azure.inject(Fault::reset_after_acting().on("PUT", "/pricings/KeyVaults").always());
    assert!(!holds(&world.run("rg-lab", &["task1"]).await));
    world.azure.clear_faults();
    let off = Options { plans_off: true, ..world.options("rg-lab") };
    let parts = world.run_with(off, &["cleanup"]).await;
    let stays = &parts[0].tables.iter().find(|table| table.name == "What stays").unwrap().rows;
    let told = stays.iter().find(|row| row[0].as_str() == Some("plan KeyVaults")).unwrap();
    assert!(
        told[1].as_str().unwrap().contains("was Free before the lab, which stopped while writing it"),
        "{told:?}"
    );
}

#[tokio::test]
async fn settings_in_other_vaults_go_unless_somebody_changed_them_and_machines_are_named() {
    let world = World::of(seed()).await;
    let parts = world.run("rg-lab", &["task1", "task2", "task4", "break-fix-1", "break-fix-2"]).await;
    assert!(holds(&parts), "{parts:#?}");
    let production = subscription().resource_group(tenant::PRODUCTION).unwrap();
    let vault = |name: &str| production.resource(&ResourceType::VAULT, name).unwrap();
    let (one, two) = (vault(tenant::PRODUCTION_VAULT), vault(tenant::FORGOTTEN_VAULT));
    let client = DiagnosticsClient::new(&world.arm);
    let name = "audit-to-log-analytics".parse().unwrap();
    let mut changed = client.get(&one, &name).await.unwrap();
    changed.properties.logs.push(monitor_ops::SettingEntry::group("allLogs"));
    changed.properties.logs.remove(0);
    client.create_or_update(&one, &name, &changed).await.unwrap();

    let parts = world.run("rg-lab", &["cleanup"]).await;

    assert!(holds(&parts), "{parts:#?}");
    let (deleted, stays) = (rows(&parts[0], "Will be deleted"), rows(&parts[0], "What stays"));
    let id = |vault: &arm_core::ResourceId| {
        format!("{vault}/providers/Microsoft.Insights/diagnosticSettings/{name}")
    };
    assert!(deleted.contains(&id(&two).as_str()) && !deleted.contains(&id(&one).as_str()), "{deleted:#?}");
    assert!(stays.contains(&id(&one).as_str()), "{stays:#?}");
    assert!(client.get(&one, &name).await.is_ok() && client.get(&two, &name).await.is_err());
    let machine = stays.iter().filter(|id| id.ends_with(&format!("/virtualMachines/{}", tenant::MACHINE)));
    assert_eq!(machine.count(), 2, "its identity and its file: {stays:#?}");
}

#[tokio::test]
async fn an_action_group_of_the_lab_that_somebody_uses_too_stays() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
    let group = subscription().resource_group("rg-lab").unwrap();
    let (client, name) = (ActionGroupsClient::new(&world.arm), "ag-soc".parse().unwrap());
    let theirs = ["theirs@contoso.example".parse().unwrap()];
    client.ensure_mail(&group, &name, "soc", &theirs).await.unwrap();
    let parts = world.run("rg-lab", &["cleanup"]).await;
    assert!(holds(&parts), "{parts:#?}");
    assert!(client.get_opt(&group, &name).await.unwrap().is_some());
    assert!(world.exists("rg-lab").await, "with its group");
}

#[tokio::test]
async fn only_sample_alerts_that_the_lab_made_are_resolved() {
    let world = World::of(seed()).await;
    let alerts = AlertsClient::new(&world.arm);
    let location = "westeurope".parse().unwrap();
    alerts.simulate(&subscription(), &location, [defender_alerts::AlertBundle::KeyVaults]).await.unwrap();
    let theirs: Vec<_> = alerts.list(&subscription()).try_collect().await.unwrap();
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task4", "task6"]).await));
    let now: Vec<_> = alerts.list(&subscription()).try_collect().await.unwrap();
    assert_eq!(now.len(), theirs.len(), "there were samples already");
    assert!(now.iter().all(|alert| alert.status == AlertStatus::Active));
}

#[tokio::test]
async fn the_question_names_by_full_id_what_goes_and_what_stays_and_a_no_deletes_nothing() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task4", "break-fix-1", "break-fix-2"]).await));
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = asked.clone();
    let options = Options { yes: false, ..world.options("rg-lab") };
    let lab = world.lab_with(options).await.asking(move |question| {
        noted.lock().unwrap().push(question.to_owned());
        Err(azure_core::Error::with_message(azure_core::error::ErrorKind::Other, "no"))
    });
    world.azure.clear_requests();
    assert!(!lab.run(&[tasks::find("cleanup").unwrap()]).await);
    let written: Vec<_> =
        world.azure.requests().into_iter().filter(|request| request.method == "DELETE").collect();
    assert!(written.is_empty(), "{written:?}");
    let asked = asked.lock().unwrap();
    let [question] = asked.as_slice() else { panic!("one question: {asked:?}") };
    let (goes, stays) = question.split_once("will stay").unwrap();
    let vault = lab.vault().unwrap().to_string();
    for id in [
        lab.group().unwrap().to_string(),
        vault.clone(),
        format!("{vault}/secrets: test-secret-1,"),
        lab.workspace().unwrap().to_string(),
    ] {
        assert!(goes.contains(&id), "{id}: {question}");
    }
    for id in [format!("/virtualMachines/{}", tenant::MACHINE), "plan KeyVaults".to_owned()] {
        assert!(stays.contains(&id), "{id}: {question}");
    }
    for word in [DEFAULT_SUBSCRIPTION, "tenant", "signed in as", "a test"] {
        assert!(question.contains(word), "{word}: {question}");
    }
}

#[tokio::test]
async fn the_dry_run_of_a_cleanup_decides_as_the_run_does() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
    let state = std::fs::read(world.state()).unwrap();
    world.azure.clear_requests();
    let dry = Options { dry_run: true, ..world.options("rg-lab") };
    let would = world.run_with(dry, &["cleanup"]).await;
    assert!(world.azure.requests().iter().all(|request| matches!(request.method.as_str(), "GET" | "HEAD")));
    assert_eq!(std::fs::read(world.state()).unwrap(), state);
    let did = world.run("rg-lab", &["cleanup"]).await;
    assert_eq!(rows(&would[0], "Will be deleted"), rows(&did[0], "Will be deleted"));
    let again = world.run("rg-lab", &["cleanup"]).await;
    assert!(holds(&again) && rows(&again[0], "Will be deleted").is_empty());
    assert_eq!(again[0].steps[0].outcome, "unchanged");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_hands_between_the_plan_and_its_turn_stays() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
    let group = subscription().resource_group("rg-lab").unwrap();
    let (rules, name) = (QueryRulesClient::new(&world.arm), "kv-secrets-in-bulk".parse().unwrap());
    let arm = world.arm.clone();
    // Somebody takes the rule over while the question waits for its answer.
    let takes_over = move || {
        let (arm, group) = (arm.clone(), subscription().resource_group("rg-lab").unwrap());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (rules, name) = (QueryRulesClient::new(&arm), "kv-secrets-in-bulk".parse().unwrap());
                let mut rule = rules.get(&group, &name).await.unwrap();
                rule.tags.clear();
                rules.create_or_update(&group, &name, &rule).await.unwrap();
            });
        })
        .join()
        .unwrap();
    };
    let options = Options { yes: false, ..world.options("rg-lab") };
    let lab = world.lab_with(options).await.asking(move |_| {
        takes_over();
        Ok(())
    });
    lab.run(&[tasks::find("cleanup").unwrap()]).await;
    let part = lab.screen.recorded().parts.remove(0);
    assert!(rows(&part, "Will be deleted").iter().any(|id| id.ends_with("/kv-secrets-in-bulk")));
    assert!(rules.get_opt(&group, &name).await.unwrap().is_some(), "{part:#?}");
    assert!(world.exists("rg-lab").await, "it is in the group");
}

#[tokio::test]
async fn what_a_lab_made_in_another_subscription_is_not_forgotten() {
    let world = World::of(seed()).await;
    let other = json!({ "subscription": "00000000-0000-0000-0000-0000000000ee", "run": "theirs" });
    std::fs::write(world.state(), other.to_string()).unwrap();
    let azure = Azure {
        arm: world.arm.clone(),
        subscription: subscription(),
        signed_in_with: "a test".to_owned(),
        double: None,
        group: String::new(),
        vault: String::new(),
    };
    let refused = Lab::on(azure, world.options("rg-lab"), Screen::silent()).await.unwrap_err().to_string();
    assert!(refused.contains("0000000000ee") && refused.contains("--state"), "{refused}");
    let kept: Value = serde_json::from_slice(&std::fs::read(world.state()).unwrap()).unwrap();
    assert_eq!(kept, other);
}

#[tokio::test]
async fn a_deletion_that_was_accepted_but_not_done_is_not_a_success() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
    world.azure.inject(Fault::body(200, "{}").on("DELETE", RULE));
    let parts = world.run("rg-lab", &["cleanup"]).await;
    let failed: Vec<_> = parts[0].steps.iter().filter(|step| step.outcome == "failed").collect();
    assert!(failed.len() == 1 && failed[0].detail.contains("still shows it"), "{failed:#?}");
    assert!(!parts[0].ok && world.exists("rg-lab").await, "what is left is in it");
    assert!(
        holds(&world.run("rg-lab", &["cleanup"]).await) && !world.exists("rg-lab").await,
        "again finishes it"
    );
}
