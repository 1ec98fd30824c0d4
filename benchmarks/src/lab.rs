//! Measures the complete lab, and rotations, on the double.

use std::time::Instant;

use arm_core::{ArmClient, ArmOptions};
use futures::StreamExt as _;
use keyvault_ops::{SecretName, SecretsClient, rotate_many};
use lab_examples::{Lab, cli::Options, screen::Screen, tasks::PARTS};
use list_alerts::peak;
use mock_azure::MockAzure;

use crate::{
    runs::rounds,
    table::{Bench, Row, Section},
};

pub(crate) const BENCH: Bench = Bench { name: "lab", measure };
const ROUNDS: usize = 7;
const SECRETS: u32 = 100;

fn measure() -> Section {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let [[lab], [rotations]] =
        rounds(ROUNDS, [&|| [runtime.block_on(whole_lab())], &|| [runtime.block_on(rotations())]]);
    Section {
        title: "The lab, offline",
        about: "On the double in the same process, whose own work is part of the figures; waits take no time there.".to_owned(),
        rows: vec![
            Row::alone("all six tasks and three scenarios", lab.median(), "ms").at_most(1000.0, "ms"),
            Row::alone("100 secrets rotated, eight at a time, each verified", rotations.median(), "ms"),
            Row::alone("most memory of the process", peak(), "MiB").at_most(100.0, "MiB"),
        ],
    }
}

async fn whole_lab() -> f64 {
    let since = Instant::now();
    let lab = Lab::with_screen(Options::default(), Screen::silent()).await.unwrap();
    assert!(lab.run(&PARTS.iter().collect::<Vec<_>>()).await);
    since.elapsed().as_secs_f64() * 1e3
}

async fn rotations() -> f64 {
    mock_azure::fast_forward();
    let seed = MockAzure::seed().vault(mock_azure::DEFAULT_SUBSCRIPTION, "rg", "kv-bench");
    let azure = seed.vault_role("kv-bench", "Key Vault Secrets Officer").start().await;
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    let secrets = SecretsClient::new(&arm, &"kv-bench".parse().unwrap()).unwrap();
    let seeded = secrets.seed("bench", SECRETS).await.unwrap();
    let names: Vec<SecretName> = seeded.names().cloned().collect();
    let since = Instant::now();
    let outcomes: Vec<_> = rotate_many(names.iter().map(|name| secrets.rotate(name)), 8).collect().await;
    let took = since.elapsed().as_secs_f64() * 1e3;
    assert!(outcomes.len() == SECRETS as usize && outcomes.iter().all(|outcome| outcome.result.is_ok()));
    took
}
