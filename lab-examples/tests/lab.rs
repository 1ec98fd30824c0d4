//! The lab as a library: twice, side by side, alone, and half-finished.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use arm_core::ResourceId;
use azure_core::http::headers::HeaderName;
use defender_alerts::{AlertAction, AlertsClient};
use defender_playbooks::plan::{Plan, PlanAction};
use defender_pricing::{PlanName, PricingClient, Tier};
use futures::{TryStreamExt as _, future::ready};
use keyvault_ops::{SecretsClient, VaultId, VaultsClient};
use lab_examples::{
    Lab,
    cli::Options,
    plan,
    screen::{Part, Screen},
    tasks::{self, PARTS},
};
use mock_azure::{Fault, Recorded};
use monitor_ops::{ProvisioningState, Workspace, WorkspaceSpec, WorkspacesClient};

async fn lab() -> Lab {
    Lab::with_screen(Options::default(), Screen::silent()).await.unwrap()
}

fn all() -> Vec<&'static tasks::Part> {
    PARTS.iter().collect()
}

/// The steps that say that something was written.
fn changes(part: &Part) -> Vec<String> {
    let written = ["created", "updated", "rotated", "removed", "disabled"];
    let steps = part.steps.iter().filter(|step| written.contains(&step.outcome.as_str()));
    steps.map(|step| format!("{} {}", step.what, step.outcome)).collect()
}

#[tokio::test]
async fn the_whole_lab_succeeds_and_no_request_is_unknown_to_the_double() {
    let lab = lab().await;
    assert!(lab.run(&all()).await, "{:#?}", lab.screen.recorded());
    let double = lab.azure.double.as_ref().unwrap();
    assert!(double.unknown_requests().is_empty(), "{:?}", double.unknown_requests());
    assert!(double.foreign_requests().is_empty());
}

#[tokio::test]
async fn the_exposed_storage_key_works_before_task_6_and_is_dead_after_it() {
    let lab = lab().await;
    let (double, account) = (
        lab.azure.double.as_ref().unwrap(),
        format!(
            "/subscriptions/{}/resourceGroups/rg-contoso-prod/providers/Microsoft.Storage/storageAccounts/stcontosoprod",
            lab.subscription()
        ),
    );
    let keys = ["key1", "key2"].map(|name| double.resource_key(&account, name).unwrap());
    for name in ["task1", "task2", "task4"] {
        assert!(lab.run(&[tasks::find(name).unwrap()]).await);
    }
    assert!(keys.iter().all(|key| double.takes_key(&account, key)));
    assert!(lab.run(&[tasks::find("task6").unwrap()]).await);
    assert!(!keys.iter().any(|key| double.takes_key(&account, key)));
    let record = lab.screen.recorded();
    let step = record.parts.iter().flat_map(|part| &part.steps).find(|step| step.outcome == "dead").unwrap();
    assert_eq!(step.what, "the exposed key, key1 of stcontosoprod");
}

#[tokio::test]
async fn every_task_run_a_second_time_changes_nothing() {
    let lab = lab().await;
    let twice = ["task1", "task2", "task3", "task5"];
    for name in twice {
        assert!(lab.run(&[tasks::find(name).unwrap()]).await);
    }
    let before = lab.screen.recorded().parts.len();
    for name in twice {
        assert!(lab.run(&[tasks::find(name).unwrap()]).await);
    }
    for part in &lab.screen.recorded().parts[before..] {
        assert_eq!(changes(part), [""; 0], "{}", part.name);
    }
}

#[tokio::test]
async fn labs_in_one_process_do_not_interfere() {
    let (one, two) = tokio::join!(lab(), lab());
    let parts = all();
    let (first, second) = tokio::join!(one.run(&parts), two.run(&parts));
    assert!(first && second);
    assert!(one.run(&parts).await, "and again: {:#?}", one.screen.recorded());
}

#[tokio::test]
async fn each_part_can_be_run_alone() {
    for part in PARTS {
        let lab = lab().await;
        assert!(lab.run_alone(part).await, "{}: {:#?}", part.name, lab.screen.recorded());
        assert_eq!(lab.screen.recorded().parts.len(), 1);
    }
}

#[tokio::test]
async fn a_plan_writes_nothing_and_once_it_is_applied_the_next_one_is_empty() {
    let lab = lab().await;
    let parts = plan::parts(&[]);
    let (made, problems) = plan::ready(&lab, &parts).await;
    assert_eq!(problems, plan::InTheWay::default());
    let double = lab.azure.double.as_ref().unwrap();
    let writes = || double.requests().iter().filter(|it| it.method == "PUT" || it.method == "PATCH").count();
    assert_eq!(writes(), 0);
    assert!(!made.is_empty());
    assert!(plan::apply(&lab, &made).await.unwrap(), "{:#?}", lab.screen.recorded());
    assert!(double.unknown_requests().is_empty(), "{:?}", double.unknown_requests());
    let written = writes();
    let (next, _) = plan::make(&lab, &parts).await;
    assert!(next.is_empty(), "{next}");
    assert_eq!(next.changes.len(), made.changes.len());
    assert!(plan::apply(&lab, &next).await.unwrap());
    assert_eq!(writes(), written);
}

#[tokio::test]
async fn a_plan_is_not_applied_after_somebody_else_changed_what_it_changes() {
    let lab = lab().await;
    let (made, _) = plan::make(&lab, &plan::parts(&[])).await;
    let pricing = PricingClient::new(&lab.azure.arm);
    let theirs = pricing.enable(lab.subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(theirs.change.is_change());
    let double = lab.azure.double.as_ref().unwrap();
    double.clear_requests();
    let refused = plan::apply(&lab, &made).await.unwrap_err();
    assert!(refused.lines().iter().any(|line| line.contains("pricings/KeyVaults")), "{refused}");
    assert!(double.requests().iter().all(|it| it.method != "PUT" && it.method != "PATCH"));
}

fn named(names: &[&str]) -> Vec<&'static tasks::Part> {
    plan::parts(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_plan_of_all_six_tasks_tells_secrets_versions_keys_and_alerts_and_is_done_exactly() {
    let lab = lab().await;
    let parts = named(&["task1", "task2", "task3", "task4", "task5", "task6"]);
    let (made, problems) = plan::ready(&lab, &parts).await;
    assert_eq!(problems, plan::InTheWay::default());
    let double = lab.azure.double.as_ref().unwrap();
    assert!(double.writes().is_empty(), "{:?}", double.writes());
    assert!(made.decided_at_apply.is_empty());
    let (told, vault) = (made.to_string(), lab.vault().unwrap());
    let vault = format!("https://{}.vault.azure.net/secrets", vault.name());
    for line in [
        &format!("  + create {vault}/test-secret-1"),
        &format!("  > read {vault}/test-secret-20"),
        "      needs Key Vault Secrets User (Microsoft.KeyVault/vaults/secrets/getSecret/action); after task1: the role at the vault, task4: the secrets",
        &format!("  + create {vault}/storage-connection"),
        &format!("  + create {vault}/storage-connection/(known after apply)"),
        &format!("  ~ update {vault}/storage-connection/(known after apply)"),
        "      attributes.enabled: true -> false",
        "      keys[key1].value: (secret)",
        "      keys[key2].value: (secret)",
        "      properties.status: \"Active\" -> \"Resolved\"",
        "      needs Security Admin (Microsoft.Security/locations/alerts/resolve/action); after task4: the sample alerts",
    ] {
        assert_eq!(told.lines().filter(|it| *it == line).count(), 1, "{line}\n{told}");
    }
    assert!(told.ends_with("0 to delete, 0 unchanged, 20 to read"), "{told}");
    let kept = Plan::from_json(&made.to_json().unwrap()).unwrap();
    assert!(plan::apply(&lab, &kept).await.unwrap(), "{:#?}", lab.screen.recorded());

    // What is there now is told by its ids.
    let (next, _) = plan::make(&lab, &named(&["task4", "task6"])).await;
    let count = next.count();
    assert_eq!((count.read, count.delete), (20, 0), "{next}");
    let of = |action| {
        let changes = next.changes.iter().filter(move |change| change.action == action);
        changes.map(|change| change.id.replace(&vault, "")).collect::<Vec<_>>()
    };
    assert_eq!(of(PlanAction::Create), ["/storage-connection/(known after apply)"]);
    let [version, account] = of(PlanAction::Update).try_into().unwrap();
    assert!(version.starts_with("/storage-connection/") && !version.contains('('), "{version}");
    assert!(account.ends_with("/storageAccounts/stcontosoprod"), "{account}");
    assert!(plan::apply(&lab, &next).await.unwrap(), "{:#?}", lab.screen.recorded());
}

#[tokio::test]
async fn a_plan_of_tasks_4_and_6_is_refused_after_somebody_set_a_secret_or_took_up_an_alert() {
    let lab = lab().await;
    for name in ["task1", "task2", "task4"] {
        assert!(lab.run(&[tasks::find(name).unwrap()]).await);
    }
    let parts = named(&["task4", "task6"]);
    let (made, _) = plan::make(&lab, &parts).await;
    let secrets = SecretsClient::new(&lab.azure.arm, &lab.vault().unwrap().name().parse().unwrap()).unwrap();
    secrets.set(&"storage-connection".parse().unwrap(), "REDACTED".into()).await.unwrap();
    let alerts = AlertsClient::new(&lab.azure.arm);
    let sample = alerts.list_key_vault(lab.subscription()).try_filter(|alert| ready(alert.is_sample()));
    let sample = std::pin::pin!(sample).try_next().await.unwrap().unwrap();
    let taken_up = alerts.set_status([sample.id.clone()], AlertAction::StartProgress).await.unwrap();
    assert!(taken_up.is_complete());
    let double = lab.azure.double.as_ref().unwrap();
    double.clear_requests();
    let refused = plan::apply(&lab, &made).await.unwrap_err();
    for moved in ["/secrets/storage-connection/", sample.id.as_ref()] {
        assert!(refused.lines().iter().any(|line| line.contains(moved)), "{moved}: {refused}");
    }
    assert!(double.writes().is_empty(), "{:?}", double.writes());
}

#[tokio::test]
async fn task_6_is_planned_only_with_what_sets_its_secret() {
    let (made, problems) = plan::make(&lab().await, &named(&["task1", "task6"])).await;
    assert_eq!(problems.lines(), ["task6: there is no exposed secret yet: plan task4 with it"]);
    assert!(made.changes.iter().all(|change| change.step.starts_with("task1")));
}

#[tokio::test]
async fn a_dry_run_writes_nothing() {
    let options = Options { dry_run: true, ..Options::default() };
    for part in PARTS {
        let lab = Lab::with_screen(options.clone(), Screen::silent()).await.unwrap();
        assert!(lab.run_alone(part).await, "{}: {:#?}", part.name, lab.screen.recorded());
        let part = &lab.screen.recorded().parts[0];
        assert_eq!(changes(part), [""; 0], "{}", part.name);
    }
    let lab = Lab::with_screen(options, Screen::silent()).await.unwrap();
    let first = tasks::find("task1").unwrap();
    assert!(lab.run(&[first]).await);
    let double = lab.azure.double.as_ref().unwrap();
    let written: Vec<_> = double
        .requests()
        .into_iter()
        .filter(|request| request.method != "GET" && request.method != "HEAD")
        // A question, although it is a POST: whether the vault's name is free.
        .filter(|request| !request.path.ends_with("/checkNameAvailability"))
        .collect();
    assert!(written.is_empty(), "{written:?}");
}

#[tokio::test]
async fn cleanup_finishes_a_half_finished_lab() {
    let lab = lab().await;
    let only = |name| tasks::find(name).unwrap();
    assert!(
        lab.run(&[only("task1"), only("cleanup"), only("cleanup")]).await,
        "{:#?}",
        lab.screen.recorded()
    );
}

#[tokio::test]
async fn cleanup_keeps_a_group_that_the_lab_did_not_make_and_what_else_is_in_it() {
    let options = Options { resource_group: "rg-contoso-prod".to_owned(), ..Options::default() };
    let lab = Lab::with_screen(options, Screen::silent()).await.unwrap();
    let only = |name| tasks::find(name).unwrap();
    assert!(lab.run(&[only("task1")]).await);
    let vault = lab.vault().unwrap();
    assert!(lab.run(&[only("cleanup")]).await, "{:#?}", lab.screen.recorded());
    let vaults = VaultsClient::new(&lab.azure.arm);
    let production = VaultId::new(&lab.group().unwrap(), &"kv-contoso-prod".parse().unwrap()).unwrap();
    assert!(vaults.get_opt(&production).await.unwrap().is_some(), "it is not the lab's");
    assert!(vaults.get_opt(&vault).await.unwrap().is_none(), "it is the lab's");
    assert!(lab.run(&[only("cleanup")]).await, "a second time finds nothing to do");
}

#[tokio::test]
async fn plans_can_be_turned_off_after_the_group_is_gone() {
    let mut lab = lab().await;
    let only = |name| tasks::find(name).unwrap();
    assert!(lab.run(&[only("task1"), only("cleanup")]).await);
    lab.options.plans_off = true;
    assert!(lab.run(&[only("cleanup")]).await, "{:#?}", lab.screen.recorded());
    let pricing = PricingClient::new(&lab.azure.arm);
    for plan in [PlanName::KeyVaults, PlanName::CloudPosture] {
        assert_eq!(pricing.get(lab.subscription(), &plan).await.unwrap().tier, Tier::Free, "{plan}");
    }
}

#[tokio::test]
async fn a_refusal_is_one_line_that_says_what_to_do() {
    use arm_core::{ArmClient, ArmOptions, RetryBudget};
    use lab_examples::advice::explain;

    mock_azure::fast_forward();
    let azure = mock_azure::MockAzure::seed().signed_in_role("Reader").start().await;
    let options = || ArmOptions { retry: RetryBudget::none(), ..ArmOptions::from(azure.client_options()) };
    let subscription: arm_core::SubscriptionId = mock_azure::DEFAULT_SUBSCRIPTION.parse().unwrap();
    let plan = defender_pricing::PlanName::KeyVaults;
    let enable = async |arm: ArmClient| {
        let error =
            defender_pricing::PricingClient::new(&arm).enable(&subscription, &plan).await.unwrap_err();
        let line = explain(&error);
        assert!(!line.contains('\n'), "{line}");
        line
    };
    let own = ArmClient::new(azure.credential(), options()).unwrap();
    let line = enable(own.clone()).await;
    assert!(
        line.contains("AuthorizationFailed") && line.contains("Ask an owner of the subscription"),
        "{line}"
    );
    let stranger = azure.credential_in("00000000-0000-0000-0000-0000000000ff");
    let line = enable(ArmClient::new(stranger, options()).unwrap()).await;
    assert!(
        line.contains("InvalidAuthenticationTokenTenant") && line.contains("is in another tenant"),
        "{line}"
    );
    azure.inject(mock_azure::Fault::reset().always());
    let line = enable(own).await;
    assert!(line.contains("connection was reset"), "{line}");
    azure.clear_faults();
    let written = azure
        .requests()
        .into_iter()
        .filter(|request| request.method == "PUT")
        .filter(|put| put.status == Some(200));
    assert_eq!(written.count(), 0);
}

#[tokio::test]
async fn a_failed_part_stops_only_what_needs_it_and_its_reason_is_given_once() {
    let lab = lab().await;
    let double = lab.azure.double.as_ref().unwrap();
    let refused = mock_azure::Fault::status(409).code("Locked");
    double.inject(refused.on("PUT", "/Microsoft.KeyVault/vaults/").always());
    assert!(!lab.run(&all()).await);
    let record = lab.screen.recorded();
    let states: Vec<_> = record.parts.iter().map(|part| (part.name.as_str(), part.state)).collect();
    use lab_examples::screen::PartState::{Done, Failed, NotTried};
    assert_eq!(
        states,
        [
            ("task1", Failed),
            ("task2", NotTried),
            ("task3", Done),
            ("task4", NotTried),
            ("task5", NotTried),
            ("task6", NotTried),
            ("break-fix-1", NotTried),
            ("break-fix-2", NotTried),
            ("cleanup", Done),
        ]
    );
    assert_eq!(record.parts[3].error.as_deref(), Some("not tried: it needs task1"));
    let told = serde_json::to_string(&record).unwrap();
    assert_eq!(told.matches("Locked").count(), 2, "as a step and as the reason of its part: {told}");
}

#[tokio::test]
async fn a_sign_in_that_fails_is_said_once_and_before_anything_is_tried() {
    let double = mock_azure::MockAzure::seed().start().await;
    mock_azure::fast_forward();
    let stranger = double.credential_in("00000000-0000-0000-0000-0000000000ff");
    let azure = lab_examples::Azure {
        arm: arm_core::ArmClient::new(stranger, arm_core::ArmOptions::from(double.client_options())).unwrap(),
        subscription: mock_azure::DEFAULT_SUBSCRIPTION.parse().unwrap(),
        signed_in_with: "a test".to_owned(),
        double: None,
        group: String::new(),
        vault: String::new(),
    };
    let refused = Lab::on(azure, Options::default(), Screen::silent()).await.unwrap_err();
    let [line] = refused.lines() else { panic!("one line: {refused}") };
    assert!(line.contains("az login --tenant") && !line.contains('\n'), "{line}");
    assert!(double.requests().iter().all(|request| request.method == "GET"));
}

/// Recorded of the real service: the `Location` of a new workspace is the workspace, which answers 200 at once and is
/// still being created.
#[tokio::test]
async fn task_2_holds_where_a_new_workspace_is_its_own_link_and_what_the_link_answers_first_is_no_end() {
    let lab = lab().await;
    assert!(lab.run_alone(tasks::find("task2").unwrap()).await, "{:#?}", lab.screen.recorded());
    let workspaces = WorkspacesClient::new(&lab.azure.arm);
    let of_the_lab = lab.workspace().unwrap();
    let state = |workspace: &Workspace| workspace.properties.provisioning_state.clone();
    assert_eq!(state(&workspaces.get(&of_the_lab).await.unwrap()), Some(ProvisioningState::Succeeded));

    let beside = |name: &str| of_the_lab.to_string().replace(of_the_lab.name(), name);
    let spec = WorkspaceSpec::builder().location(&lab.options.location).build();
    let (ours, theirs) = (beside("law-ours"), beside("law-theirs"));
    let made = workspaces.create_or_update(&ours.parse().unwrap(), &spec).await.unwrap();
    assert_eq!(state(&made), Some(ProvisioningState::Succeeded));

    // As pollers read it that take any 200 at the link for the end.
    let theirs: ResourceId = theirs.parse().unwrap();
    let put = lab.azure.arm.put(&theirs, WorkspacesClient::API_VERSION).body(&spec);
    let answer = put.expect_status(&[201]).send().await.unwrap();
    let link = answer.headers().get_str(&HeaderName::from_static("location")).unwrap();
    assert!(link.contains(&theirs.to_string()), "{link}");
    let first: Workspace = lab.azure.arm.get(&theirs, WorkspacesClient::API_VERSION).json().await.unwrap();
    assert_eq!(state(&first), Some(ProvisioningState::Creating), "a task that goes on from here fails");
}

/// The same, seen in what Task 2 asks. Its write of the workspace ends when the workspace is ready, not at the first 200 of
/// the link; only then the task looks for itself, once, and goes on to the logs.
#[tokio::test]
async fn the_write_of_task_2_waits_until_the_new_workspace_is_ready() {
    let usual = lab().await;
    let before_the_write = asked_of_the_workspace(&usual).await.iter().position(|it| it == "PUT").unwrap();

    let slow = lab().await;
    let workspace = slow.workspace().unwrap();
    let creating = serde_json::json!({
        "id": workspace.to_string(), "name": workspace.name(), "location": slow.options.location,
        "properties": { "provisioningState": "Creating" },
    });
    let once_more =
        Fault::body(200, creating.to_string()).on("GET", &format!("/workspaces/{}", workspace.name()));
    slow.azure.double.as_ref().unwrap().inject(once_more.skip(before_the_write as u64 + 1));
    let asked = asked_of_the_workspace(&slow).await.split_off(before_the_write);
    assert_eq!(asked, ["PUT", "GET", "GET", "GET", "GET"], "Creating, Creating, Succeeded, and a look");
}

/// Runs Task 2: the methods of its requests for the workspace, until it goes on to the logs.
async fn asked_of_the_workspace(lab: &Lab) -> Vec<String> {
    assert!(lab.run_alone(tasks::find("task2").unwrap()).await, "{:#?}", lab.screen.recorded());
    let requests = lab.azure.double.as_ref().unwrap().requests();
    let path = format!("/workspaces/{}", lab.workspace().unwrap().name());
    let on_workspace = |request: &&Recorded| request.path.to_lowercase().ends_with(&path);
    let write = requests.iter().position(|it| it.method == "PUT" && on_workspace(&it)).unwrap();
    let then = requests[write..].iter().position(|it| it.path.contains("diagnosticSettings")).unwrap();
    requests[..write + then].iter().filter(on_workspace).map(|request| request.method.clone()).collect()
}
