//! Every issuer against the double: rotators that are stopped at any request and hook, lose answers, meet each other, and begin again
//! with the same id, interleaved request by request from a seed. What must hold is checked after every request.
//!
//! The PostgreSQL roles are among them with `--features postgres`: a stand-in on loopback that checks each login by SCRAM.
//! `KEYVAULT_ISSUERS_SEEDS=20000 cargo test -p keyvault-issuers --release --test simulation` runs more seeds;
//! `KEYVAULT_ISSUERS_ALL=1` stops every issuer before and after every request and hook, and loses every answer;
//! `KEYVAULT_ISSUERS_SEED=17 cargo test -p keyvault-issuers --test simulation -- --nocapture` shows one.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on fails
#![allow(clippy::print_stdout, reason = "what a run was like is asked for with --nocapture")]

mod gate;
mod judge;
mod subjects;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use arm_core::ArmClient;
use gate::Gate;
use judge::{Outcome, end};
use keyvault_ops::{Ledger, RotateFailure, SecretsClient};
use subjects::{Estate, OWN, SUBJECTS, Subject};
use support::{VAULT, name};
use world::{Shared, World};

struct Wish {
    rotator: usize,
    ledger: Option<Ledger>,
    /// Of the first run: at which request it stops, or loses one, and whether that was carried out.
    script: Option<(u64, u64, bool)>,
}

/// Runs a rotation, as often as it is stopped. Answers every outcome, the last one at the end.
async fn rotator(world: Shared, wish: Wish) -> Vec<Outcome> {
    let estate = world.lock().estate.clone();
    let gate = Gate { world: world.clone(), rotator: wish.rotator };
    let arm = estate.arm(&gate);
    let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
    let mut outcomes = Vec::new();
    for attempt in 0..8 {
        let (stopped, consumers) = {
            let mut world = world.lock();
            let accidents = wish.script.is_none() && attempt < 4;
            let (stop, lose) = (world.roll(160), world.roll(160));
            let (stop, lose) = match (accidents, &wish.script) {
                (true, _) => (if stop < 110 { stop } else { 0 }, if lose < 110 { lose } else { 0 }),
                (false, Some((stop, lose, _))) if attempt == 0 => (*stop, *lose),
                _ => (0, 0),
            };
            let acted = wish.script.map_or_else(|| world.roll(2) == 0, |script| script.2);
            let lose_for = if wish.script.is_none() && world.roll(4) == 0 { 2 + world.roll(12) } else { 1 };
            let consumers = wish.script.is_some() || world.roll(2) == 0;
            let fate = &mut world.fates[wish.rotator];
            (fate.sent, fate.stop_at, fate.lose_at, fate.acted) = (0, stop, lose, acted);
            fate.lose = if lose == 0 { 0 } else { lose_for };
            (fate.stopped.clone(), consumers)
        };
        // What a program remembers is gone with it.
        let issuer = estate.issuer(&arm, &gate).await;
        let mut rotate =
            secrets.rotate(&name("db")).id(format!("r{}", wish.rotator)).issuer(Arc::new(issuer));
        if let Some(ledger) = &wish.ledger {
            rotate = rotate.ledger(ledger);
        }
        if consumers {
            rotate = rotate.consumers(Arc::new(gate.clone()));
        }
        let outcome = tokio::select! {
            biased;
            () = stopped.notified() => continue,
            outcome = rotate => outcome,
        };
        let said = match &outcome {
            Ok(rotation) => format!("complete {}: {rotation}", rotation.is_complete()),
            Err(error) => error.to_string(),
        };
        world.lock().log.push(format!("{}: {said}", wish.rotator));
        let ended = match &outcome {
            Ok(_) => true,
            Err(error) => matches!(
                *error.source,
                RotateFailure::Overtaken { .. }
                    | RotateFailure::CurrentCredentialDead { .. }
                    | RotateFailure::ForeignIntent { .. }
                    | RotateFailure::Invalid(_)
            ),
        };
        outcomes.push(outcome);
        if ended {
            break;
        }
    }
    outcomes
}

#[derive(Default)]
struct Ran {
    violations: Vec<String>,
    log: Vec<String>,
    requests: u64,
    ends: Vec<String>,
}

fn run(subject: Subject, seed: u64, rotators: usize, script: Option<(u64, u64, bool)>, ledger: bool) -> Ran {
    mock_azure::fast_forward();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let estate = Estate::start(subject).await;
        let arm =
            ArmClient::new(estate.azure.credential(), Some(estate.azure.client_options().into())).unwrap();
        let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
        secrets.set(&name("db"), estate.first.as_str().into()).await.unwrap();
        let world = Shared(Arc::new(Mutex::new(World::new(estate, seed, rotators))));
        let tasks = (0..rotators).map(|at| {
            let wish = Wish { rotator: at, ledger: ledger.then(Ledger::in_memory), script };
            rotator(world.clone(), wish)
        });
        let outcomes = futures::future::join_all(tasks).await;
        let mut world = world.lock();
        world.judge(&outcomes, ledger);
        Ran {
            violations: std::mem::take(&mut world.violations),
            log: std::mem::take(&mut world.log),
            requests: world.fates[0].sent,
            ends: outcomes.iter().filter_map(|outcomes| outcomes.last()).map(end).collect(),
        }
    })
}

#[test]
fn a_rotation_alone_can_be_stopped_and_lose_an_answer_at_any_request_and_hook_and_harms_no_one() {
    let (mut runs, whole) = (0, number("KEYVAULT_ISSUERS_ALL").is_some());
    for (at, subject) in SUBJECTS.iter().enumerate() {
        let smooth = run(*subject, 0, 1, Some((0, 0, false)), true);
        assert!(smooth.violations.is_empty(), "{subject:?}: {:#?} {:#?}", smooth.violations, smooth.log);
        let step = if whole {
            1
        } else if at < OWN {
            3
        } else {
            11
        };
        // Where it begins moves on, so that the subjects together reach every place.
        for place in (1 + at as u64 % step..=smooth.requests).step_by(step as usize) {
            let scripts = [(place, 0, true), (place, 0, false), (0, place, true), (0, place, false)];
            for (stop, lose, acted) in scripts
                .into_iter()
                .skip(if whole || at < OWN { 0 } else { place as usize % 2 })
                .step_by(if whole { 1 } else { 2 })
            {
                let ran = run(*subject, place, 1, Some((stop, lose, acted)), true);
                let which = format!("{subject:?} stop {stop} lose {lose} acted {acted}");
                assert!(ran.violations.is_empty(), "{which}: {:#?} {:#?}", ran.violations, ran.log);
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 150, "{runs}");
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// What a seed stands for.
fn of_seed(seed: u64) -> Ran {
    let subject = SUBJECTS[seed as usize % SUBJECTS.len()];
    let rest = seed / SUBJECTS.len() as u64;
    run(subject, seed, 1 + rest as usize % 2, None, !rest.is_multiple_of(3))
}

#[test]
fn whatever_happens_no_rotator_leaves_a_dead_value_unsaid_or_a_credential_unnamed() {
    if let Some(seed) = number("KEYVAULT_ISSUERS_SEED") {
        let ran = of_seed(seed);
        println!("{}", ran.log.join("\n"));
        assert!(ran.violations.is_empty(), "seed {seed}: {:#?}", ran.violations);
        return;
    }
    let seeds = number("KEYVAULT_ISSUERS_SEEDS").unwrap_or(6 * SUBJECTS.len() as u64);
    let (mut failed, mut ends) = (BTreeMap::new(), BTreeMap::<String, u64>::new());
    for seed in 0..seeds {
        let ran = of_seed(seed);
        ran.ends.into_iter().for_each(|end| *ends.entry(end).or_default() += 1);
        if !ran.violations.is_empty() {
            failed.insert(seed, ran.violations);
        }
    }
    println!("{seeds} seeds: {ends:?}");
    let shown: Vec<_> = failed.iter().take(8).collect();
    assert!(
        failed.is_empty(),
        "{} of {seeds} failed; show one with KEYVAULT_ISSUERS_SEED: {shown:#?}",
        failed.len()
    );
    if seeds >= 100 {
        assert!(ends.contains_key("complete") && ends.contains_key("Overtaken"), "rotators meet: {ends:?}");
    }
}
