//! A run is checks, a plan, a question, and the plan carried out; whoever is faster keeps what is theirs.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::sync::{Arc, Mutex};

use arm_core::ArmClient;
use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{
        Context, Method, Request,
        policies::{Policy, PolicyResult},
    },
};
use lab_examples::{
    Azure, Lab,
    cli::Options,
    plan,
    screen::{PartState, Screen},
    tasks::{self, PARTS, Part},
    tenant,
};
use monitor_ops::{QueryRule, QueryRulesClient, WorkspaceId};
use support::{World, holds, rows, seed, subscription};

fn all() -> Vec<&'static Part> {
    PARTS.iter().collect()
}

#[tokio::test]
async fn a_subscription_that_is_not_seen_stops_every_command_before_anything_is_written() {
    let world = World::of(seed()).await;
    let azure = Azure {
        arm: world.arm.clone(),
        subscription: "00000000-0000-0000-0000-0000000000ee".parse().unwrap(),
        signed_in_with: "a test".to_owned(),
        double: None,
        group: tenant::PRODUCTION.to_owned(),
        vault: tenant::PRODUCTION_VAULT.to_owned(),
    };
    world.azure.clear_requests();
    let refused = Lab::on(azure, world.options("rg-lab"), Screen::silent()).await.unwrap_err().to_string();
    assert!(
        refused.contains("00000000-0000-0000-0000-0000000000ee does not exist, or is not visible to a test"),
        "{refused}"
    );
    assert!(refused.contains("Nothing was written"), "{refused}");
    assert!(world.azure.requests().iter().all(|request| request.method == "GET"));
    assert!(!world.state().exists());
}

#[tokio::test]
async fn all_problems_of_a_run_are_reported_on_one_screen_and_nothing_is_written() {
    let seed = seed().signed_in_role("Reader").unregistered(subscription(), "Microsoft.OperationalInsights");
    let world = World::of(seed).await;
    let options = Options { location: "atlantis".to_owned(), ..world.options("rg-lab") };
    let lab = world.lab_with(options).await;
    assert!(!lab.run(&all()).await);
    let record = lab.screen.recorded();
    let [part] = record.parts.as_slice() else { panic!("one part: {record:#?}") };
    assert_eq!((part.name.as_str(), part.state), ("preflight", PartState::Failed));
    let told: Vec<&str> = part.steps.iter().map(|step| step.detail.as_str()).collect();
    for problem in [
        "Microsoft.Security/pricings/write",
        "Microsoft.KeyVault/vaults/write",
        "Microsoft.Security/locations/alerts/simulate/action",
        "Microsoft.OperationalInsights is NotRegistered",
        "the region 'atlantis' is not available",
    ] {
        assert_eq!(told.iter().filter(|it| it.contains(problem)).count(), 1, "{problem}: {told:#?}");
    }
    assert_eq!(world.writes(), [""; 0]);
    assert!(!world.state().exists());
}

#[tokio::test]
async fn a_dry_run_names_the_problems_and_shows_the_rest() {
    let world = World::of(seed().signed_in_role("Reader")).await;
    let parts = world.run_with(Options { dry_run: true, ..world.options("rg-lab") }, &["task1"]).await;
    assert_eq!(parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(), ["preflight", "task1"]);
    assert!(holds(&parts) && parts[0].steps.iter().all(|step| step.outcome == "missing"), "{parts:#?}");
}

#[tokio::test]
async fn the_question_is_the_plan_and_a_no_writes_nothing() {
    let world = World::of(seed()).await;
    let asked = Arc::new(Mutex::new(Vec::new()));
    let questions = asked.clone();
    let options = Options { yes: false, ..world.options("rg-lab") };
    let lab = world.lab_with(options).await.asking(move |question| {
        questions.lock().unwrap().push(question.to_owned());
        Err(Error::with_message(ErrorKind::Other, "not confirmed; nothing was written"))
    });
    assert!(!lab.run(&all()).await);
    assert_eq!(world.writes(), [""; 0]);
    assert!(!world.state().exists());
    let asked = asked.lock().unwrap();
    let [question] = asked.as_slice() else { panic!("one question: {asked:#?}") };
    for line in [
        "~ update /subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Security/pricings/KeyVaults",
        "properties.pricingTier: \"Free\" -> \"Standard\"",
        "needs Security Admin (Microsoft.Security/pricings/write); billed by what the plan covers",
        "needs Key Vault Secrets Officer (Microsoft.KeyVault/vaults/secrets/setSecret/action); after task1: the role at the vault",
        "? decided when applied: the plan KeyVaults",
        "subscription 'Subscription 0001'",
    ] {
        assert!(question.contains(line), "{line}: {question}");
    }
}

#[tokio::test]
async fn a_run_on_what_is_as_wanted_asks_nothing_and_writes_nothing() {
    let world = World::of(seed()).await;
    let twice = ["task1", "task2", "task3", "task5"];
    assert!(holds(&world.run("rg-lab", &twice).await));
    world.azure.clear_requests();
    let lab = world.lab_with(Options { yes: false, ..world.options("rg-lab") }).await;
    let lab = lab.asking(|question| panic!("{question}"));
    let parts: Vec<_> = twice.iter().map(|name| tasks::find(name).unwrap()).collect();
    assert!(lab.run(&parts).await, "{:#?}", lab.screen.recorded());
    assert_eq!(world.writes(), [""; 0]);
}

#[tokio::test]
async fn a_kept_plan_with_a_sweep_is_applied_with_the_sweep_although_nobody_says_so_again() {
    let world = World::of(seed()).await;
    let lab = world.lab_with(world.options("rg-lab")).await;
    let parts = plan::parts(&["task1", "task4"].map(str::to_owned));
    let (made, _) = plan::make(&lab, &parts).await;
    assert_eq!(made.count().read, 20, "{made}");
    let kept = world.folder.path().join("lab.plan");
    plan::keep(&made, &kept).unwrap();
    let mut options = Options { confirm_sweep: false, ..world.options("rg-lab") };
    let read = plan::read(&kept, &mut options).unwrap();
    let lab = world.lab_with(options).await;
    assert!(plan::apply(&lab, &read).await.unwrap(), "{:#?}", lab.screen.recorded());
    let quiet = world.lab_with(Options { confirm_sweep: false, ..world.options("rg-lab") }).await;
    assert_eq!(plan::make(&quiet, &parts).await.0.count().read, 0, "nobody has allowed it");
}

const RULE: &str = "kv-secrets-in-bulk";

/// Somebody who makes a rule of the lab's name right after the lab has read so many times that there is none.
#[derive(Debug)]
struct Faster {
    arm: ArmClient,
    after: u32,
    reads: Mutex<u32>,
}

#[async_trait]
impl Policy for Faster {
    async fn send(&self, ctx: &Context, request: &mut Request, next: &[Arc<dyn Policy>]) -> PolicyResult {
        let is_now = request.method() == Method::Get && request.url().path().ends_with(RULE) && {
            let mut reads = self.reads.lock().unwrap();
            *reads += 1;
            *reads == self.after
        };
        let answer = next[0].send(ctx, request, &next[1..]).await;
        if is_now {
            let group = subscription().resource_group("rg-lab").unwrap();
            let workspace = WorkspaceId::new(&group, "law-kv-defender").unwrap();
            let rule = QueryRule::refused_requests(&workspace, "westeurope", 99);
            QueryRulesClient::new(&self.arm).ensure(&group, &RULE.parse().unwrap(), &rule).await.unwrap();
        }
        answer
    }
}

/// A lab whose task 5 runs while somebody makes a rule of the same name, after so many reads that found none; whether
/// it holds.
async fn while_somebody_is_faster(world: &World, after: u32) -> bool {
    assert!(holds(&world.run("rg-lab", &["task1", "task2"]).await));
    let faster = Arc::new(Faster { arm: world.arm.clone(), after, reads: Mutex::new(0) });
    let lab = world.lab_through(world.options("rg-lab"), vec![faster.clone()]).await;
    let held = lab.run(&[tasks::find("task5").unwrap()]).await;
    assert!(*faster.reads.lock().unwrap() >= after, "{:#?}", lab.screen.recorded());
    held
}

/// The plan reads twice; the run reads, looks once more before it writes, and the task itself reads.
#[tokio::test]
async fn what_somebody_made_since_the_plan_is_left_as_it_is() {
    for after in 1..=3 {
        let world = World::of(seed()).await;
        assert!(!while_somebody_is_faster(&world, after).await, "{after}");
        let group = subscription().resource_group("rg-lab").unwrap();
        let rule = QueryRulesClient::new(&world.arm).get(&group, &RULE.parse().unwrap()).await.unwrap();
        assert_eq!(rule.tags.get("lab-run"), None, "{after}");
    }
}

#[tokio::test]
async fn what_somebody_made_while_the_lab_was_about_to_is_not_the_labs_whatever_its_tags_say() {
    let world = World::of(seed()).await;
    assert!(!while_somebody_is_faster(&world, 4).await, "it made what was to be created, and that is told");
    let group = subscription().resource_group("rg-lab").unwrap();
    let rules = QueryRulesClient::new(&world.arm);
    let rule = rules.get(&group, &RULE.parse().unwrap()).await.unwrap();
    assert_eq!(rule.tags.get("lab-run"), Some(&world.remembered().run), "the write laid the lab's tag on it");

    let parts = world.run("rg-lab", &["cleanup"]).await;

    assert!(holds(&parts) && world.exists("rg-lab").await, "{parts:#?}");
    assert!(rules.get_opt(&group, &RULE.parse().unwrap()).await.unwrap().is_some());
    assert!(rows(&parts[0], "What stays").iter().any(|id| id.ends_with(RULE)));
}
