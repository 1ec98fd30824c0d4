//! The lab as a library: twice, side by side, alone, without a token in its log, and wrongly used.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

use std::process::{Command, Output};

use defender_pricing::{PlanName, PricingClient, Tier};
use keyvault_ops::{VaultId, VaultsClient};
use lab_examples::{
    Lab,
    cli::Options,
    screen::{Part, Screen},
    tasks::{self, PARTS},
};

async fn lab() -> Lab {
    Lab::with_screen(Options::default(), Screen::silent()).await.unwrap()
}

fn all() -> Vec<&'static tasks::Part> {
    PARTS.iter().collect()
}

fn program(arguments: &[&str]) -> Output {
    let test = std::env::current_exe().unwrap();
    let program =
        test.parent().unwrap().parent().unwrap().join(format!("lab{}", std::env::consts::EXE_SUFFIX));
    let mut command = Command::new(program);
    for name in ["AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID"] {
        command.env_remove(name);
    }
    command.args(arguments).output().unwrap()
}

/// The steps that say that something was written.
fn changes(part: &Part) -> Vec<String> {
    let written = ["created", "updated", "rotated", "removed", "disabled"];
    let steps = part.steps.iter().filter(|step| written.contains(&step.outcome.as_str()));
    steps.map(|step| format!("{} {}", step.what, step.outcome)).collect()
}

#[tokio::test]
async fn the_whole_lab_holds_and_no_request_is_unknown_to_the_double() {
    let lab = lab().await;
    assert!(lab.run(&all()).await, "{:#?}", lab.screen.recorded());
    let double = lab.azure.double.as_ref().unwrap();
    assert!(double.unknown_requests().is_empty(), "{:?}", double.unknown_requests());
    assert!(double.foreign_requests().is_empty());
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

#[test]
fn the_request_log_shows_requests_and_neither_tokens_nor_queries() {
    let output = program(&["task1", "-v"]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("PUT    management.azure.com/subscriptions/"), "{log}");
    assert!(
        log.lines().all(|line| !line.contains("Bearer") && !line.contains("eyJ") && !line.contains('?')),
        "{log}"
    );
}

#[test]
fn wrong_use_is_one_clear_line_and_the_right_exit_code() {
    for (arguments, code, expected) in [
        (&["task9"][..], 2, "unrecognized subcommand"),
        (&["break-fix", "3"], 2, "3 is not in 1..=2"),
        (&["--live", "task1"], 1, "no subscription: name one with --subscription or AZURE_SUBSCRIPTION_ID"),
        (&["--live", "--subscription", "prod", "task1"], 1, "must be a GUID"),
        (&["--vault-prefix", "9kv", "task1"], 1, "must begin with a letter"),
        (&["--resource-group", "rg.", "task1"], 1, "may not end with '.'"),
    ] {
        let output = program(arguments);
        let said =
            format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
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
