//! From a leak in code to closed, as the example plays it.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "the example's own main")]

#[path = "../examples/leak_to_closed/main.rs"]
mod leak_to_closed;

use arm_core::Outcome;
use defender_alerts::{AlertStatus, AlertsClient};
use defender_playbooks::leaks::LeakStep;
use keyvault_ops::Rotation;
use leak_to_closed::{play, world, world::World};

#[tokio::test]
async fn from_twenty_leaked_secrets_and_a_stranger_in_the_vault_to_a_resolved_alert() {
    let world = World::build().await.unwrap();
    assert_eq!(world.planted.len(), 20);
    assert!(world.planted.iter().all(|planted| world.is_alive(planted)));
    assert!(world.stranger_reads().await);

    let answer = play(&world).await.unwrap();

    let steps: Vec<(&str, LeakStep)> =
        answer.plan.secrets.iter().map(|planned| (planned.secret.name.as_str(), planned.step)).collect();
    let first: Vec<&str> = steps.iter().take(3).map(|(name, _)| *name).collect();
    assert_eq!(first, ["sttemp", "stweb", "users"], "what the stranger read is ended first");
    assert!(steps[..3].iter().all(|(_, step)| *step == LeakStep::RevokeFirst), "{steps:?}");
    assert!(steps[3..].iter().all(|(_, step)| *step == LeakStep::Rotate), "{steps:?}");
    assert!(answer.plan.secrets.iter().all(|it| it.issuer_known && !it.readers.is_empty()), "{answer}");
    assert_eq!(answer.plan.for_people.len(), 1, "the token of somebody else");
    let moved = |it: &Outcome<_, Rotation, _>| it.result.as_ref().is_ok_and(|it| it.consumers_moved);
    assert!(answer.rotations.len() == 20 && answer.rotations.iter().all(moved), "{answer}");

    for planted in &world.planted {
        assert!(!world.is_alive(planted), "{} is dead", planted.name);
    }
    assert!(!world.stranger_reads().await, "the door is shut");
    assert!(!world.azure.may_sign_in(world::STRANGER));
    assert!(answer.is_resolved, "{answer}");
    let (left, done) = answer.report.split_once("## Secrets").unwrap();
    assert_eq!(left.matches("\n- ").count(), 2, "the token of somebody else, which is still there: {left}");
    assert!(left.contains("Ask ops@contoso.example: npm-access-token"), "{left}");
    assert_eq!(
        done.matches("rotated, and the old credential revoked, after its readers moved").count(),
        20,
        "{done}"
    );
    assert_eq!(done.matches("- gone: azure-key").count(), 20, "{done}");
    let alerts = AlertsClient::new(&world.arm().unwrap());
    let alert = alerts.get(&world::alert().unwrap()).await.unwrap();
    assert_eq!(alert.status, AlertStatus::Resolved);
    assert!(world.azure.unknown_requests().is_empty() && world.azure.foreign_requests().is_empty());
}
