//! What a cleanup counts, keeps and forgets, and what it does not take for gone.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails

mod support;

use defender_alerts::{Alert, AlertStatus, AlertsClient};
use defender_pricing::{PlanName, Pricing, PricingClient};
use futures::TryStreamExt as _;
use lab_examples::{
    cli::Options,
    screen::{Part, Value},
    state::State,
};
use mock_azure::{DEFAULT_SUBSCRIPTION, Fault};
use monitor_ops::{WorkspaceId, WorkspaceSpec, WorkspacesClient};
use resource_ops::ResourceGroupsClient;
use serde_json::json;
use support::{World, holds, seed, subscription};

fn how<'a>(part: &'a Part, what: &str) -> Vec<&'a str> {
    let stays = part.tables.iter().find(|table| table.name == "What stays").unwrap();
    let of = |row: &&Vec<Value>| row[0].as_str().is_some_and(|id| id.ends_with(what));
    stays.rows.iter().filter(of).map(|row| row[1].as_str().unwrap()).collect()
}

fn steps(part: &Part) -> Vec<(&str, &str)> {
    part.steps.iter().map(|step| (step.what.as_str(), step.outcome.as_str())).collect()
}

#[tokio::test]
async fn with_the_labs_own_workspace_beside_it_what_is_foreign_stays_and_so_does_the_group() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
    let group = subscription().resource_group("rg-lab").unwrap();
    let theirs = WorkspaceId::new(&group, "law-theirs").unwrap();
    let spec = WorkspaceSpec::builder().location("westeurope").build();
    WorkspacesClient::new(&world.arm).ensure(&theirs, &spec).await.unwrap();

    let parts = world.run("rg-lab", &["cleanup"]).await;

    assert!(holds(&parts) && world.exists("rg-lab").await, "{parts:#?}");
    assert!(WorkspacesClient::new(&world.arm).get_opt(&theirs).await.unwrap().is_some());
    assert_eq!(how(&parts[0], "/law-theirs"), ["not known to belong to the lab"]);
    assert!(
        how(&parts[0], "/law-kv-defender")[0].starts_with("the lab created it; others may use it by now")
    );
    assert!(parts[0].tables.iter().any(|table| table.name == "Will stay"), "it was said before, too");
    assert_eq!(
        how(&parts[0], "/rg-lab"),
        ["the lab created it, but it contains resources that the lab did not create"]
    );
    // The vault went by itself: its name is taken, which the lab goes on telling.
    assert_eq!(world.remembered().deleted_vaults.len(), 1);
    assert_eq!(world.remembered().vault, None);
}

#[tokio::test]
async fn the_reason_why_somebody_elses_group_stays_is_given() {
    let world = World::of(seed()).await;
    world.somebody_makes_the_group("rg-shared").await;
    assert!(holds(&world.run("rg-shared", &["task1"]).await));
    let parts = world.run("rg-shared", &["cleanup"]).await;
    assert_eq!(
        how(&parts[0], "/resourceGroups/rg-shared"),
        ["it does not have this lab's tag, so it is not known to belong to the lab"]
    );
}

#[tokio::test]
async fn plans_are_put_back_also_when_nothing_is_left_to_delete() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1"]).await));
    let group = subscription().resource_group("rg-lab").unwrap();
    ResourceGroupsClient::new(&world.arm).delete(&group).await.unwrap();
    let off = Options { plans_off: true, ..world.options("rg-lab") };
    let parts = world.run_with(off, &["cleanup"]).await;
    assert!(holds(&parts), "{parts:#?}");
    let plan = PricingClient::new(&world.arm).get(&subscription(), &PlanName::KeyVaults).await.unwrap();
    assert!(!plan.is_standard(), "{:?}", steps(&parts[0]));
}

#[tokio::test]
async fn secrets_are_counted_as_they_are_deleted_and_those_that_stay_are_named() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task4"]).await));
    let dry = || Options { dry_run: true, ..world.options("rg-lab") };
    let planned = world.run_with(dry(), &["cleanup"]).await;
    let secrets: Vec<_> =
        steps(&planned[0]).into_iter().filter(|(what, _)| what.ends_with(" secrets deleted")).collect();
    let [(all, "would change")] = secrets.as_slice() else { unreachable!("{planned:#?}") };
    let all: usize = all.split(' ').next().unwrap().parse().unwrap();
    assert!(all > 1);

    world.azure.inject(Fault::status(400).on("DELETE", "/secrets/test-secret-1?").always());
    let parts = world.run("rg-lab", &["cleanup"]).await;
    let steps = steps(&parts[0]);
    assert!(steps.contains(&("secret test-secret-1", "failed")), "{steps:?}");
    assert!(steps.contains(&(format!("{} secrets", all - 1).as_str(), "deleted")), "{steps:?}");

    world.azure.clear_faults();
    assert!(holds(&world.run("rg-lab", &["task1"]).await));
    let none = world.run_with(dry(), &["cleanup"]).await;
    assert!(none[0].steps.iter().all(|step| !step.what.contains(" secrets deleted")), "{none:#?}");
}

#[tokio::test]
async fn the_labs_own_sample_alerts_are_counted_among_what_stays() {
    for (tasks, resolved) in
        [(&["task1", "task2", "task4"][..], false), (&["task1", "task2", "task4", "task6"], true)]
    {
        let world = World::of(seed()).await;
        assert!(holds(&world.run("rg-lab", tasks).await));
        let own = world.remembered().samples;
        let alerts: Vec<Alert> =
            AlertsClient::new(&world.arm).list_key_vault(&subscription()).try_collect().await.unwrap();
        let of_the_lab = |alert: &&Alert| own.contains(&alert.id.to_string());
        let there = alerts.iter().filter(of_the_lab).count();
        let is_open = |alert: &&Alert| alert.status == AlertStatus::Active;
        let open = alerts.iter().filter(of_the_lab).filter(is_open).count();
        assert!(there > 0 && (resolved || open == there), "{own:?}");
        let parts = world.run("rg-lab", &["cleanup"]).await;
        let told = how(&parts[0], &format!("{there} sample alerts created by the lab"));
        assert!(matches!(told[..], [how] if how.contains(&format!("; {open} are open"))), "{told:?}");
    }
}

#[tokio::test]
async fn sample_alerts_that_the_service_has_dropped_do_not_stay() {
    let world = World::of(seed()).await;
    assert!(holds(&world.run("rg-lab", &["task1", "task2", "task4"]).await));
    assert!(!world.remembered().samples.is_empty());
    world.azure.inject(Fault::body(200, json!({ "value": [] }).to_string()).on("GET", "/alerts?").always());
    let parts = world.run("rg-lab", &["cleanup"]).await;
    assert!(holds(&parts), "{parts:#?}");
    let stays = parts[0].tables.iter().filter(|table| table.name == "What stays");
    assert!(
        stays
            .flat_map(|table| &table.rows)
            .all(|row| row[0].as_str().is_none_or(|what| !what.contains("sample alerts"))),
        "{parts:#?}"
    );
}

/// The lab's workspace has one of its own, which goes with it.
#[tokio::test]
async fn what_only_looks_like_sentinels_record_of_the_labs_workspace_stays_and_so_does_the_group() {
    for (kind, name) in [
        ("Microsoft.OperationsManagement/solutions", "SecurityInsights(law-theirs)"),
        ("Microsoft.OperationsManagement/views", "SecurityInsights(law-kv-defender)"),
    ] {
        let group = subscription().resource_group("rg-lab").unwrap();
        let id = format!("{group}/providers/{kind}/{name}");
        let world = World::of(
            seed().resource(json!({ "id": id, "name": name, "type": kind, "location": "westeurope" })),
        )
        .await;
        assert!(holds(&world.run("rg-lab", &["task1", "task2", "task5"]).await));
        let parts = world.run("rg-lab", &["cleanup"]).await;
        assert!(world.exists("rg-lab").await, "{parts:#?}");
        assert_eq!(how(&parts[0], name), ["not known to belong to the lab"], "{parts:#?}");
    }
}

#[tokio::test]
async fn what_cannot_be_checked_is_not_taken_for_gone() {
    for path in ["/diagnosticSettings/", "/secrets?"] {
        let world = World::of(seed()).await;
        assert!(holds(&world.run("rg-lab", &["task1", "task2", "task4"]).await));
        world.azure.inject(Fault::status(403).code("ForbiddenByFirewall").on("GET", path).always());
        let parts = world.run("rg-lab", &["cleanup"]).await;
        assert!(!holds(&parts) && world.exists("rg-lab").await, "{path}: {parts:#?}");
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_not_an_empty_one() {
    let world = World::of(seed()).await;
    std::fs::create_dir(world.state()).unwrap();
    assert!(State::read(&world.state(), DEFAULT_SUBSCRIPTION).is_err());
}

fn plan(tier: &str) -> Pricing {
    let id = format!("/subscriptions/{DEFAULT_SUBSCRIPTION}/providers/Microsoft.Security/pricings/KeyVaults");
    let plan = json!({
        "id": id, "name": "KeyVaults", "type": "Microsoft.Security/pricings", "properties": { "pricingTier": tier }
    });
    serde_json::from_value(plan).unwrap()
}

#[test]
fn a_plan_that_somebody_else_changed_between_two_writes_is_shared_for_good() {
    let (free, standard) = (plan("Free"), plan("Standard"));
    let turned_on = arm_core::Change::Updated { before: free.clone(), after: standard.clone() };
    let shared = |state: &State| state.plans["KeyVaults"].shared;
    let mut state = State::of(DEFAULT_SUBSCRIPTION);
    state.about_to_write(&free);
    state.wrote(&free, &turned_on);
    state.about_to_write(&standard);
    state.wrote(&standard, &arm_core::Change::Unchanged(standard.clone()));
    assert!(!shared(&state), "all of it was the lab");
    state.about_to_write(&free);
    assert!(shared(&state), "somebody else has turned it off");
    state.wrote(&free, &turned_on);
    state.about_to_write(&standard);
    assert!(shared(&state), "it stays so");

    let mut state = State::of(DEFAULT_SUBSCRIPTION);
    state.about_to_write(&standard);
    state.wrote(&standard, &turned_on);
    assert!(shared(&state), "somebody else has turned it off between the read and the write");
}
