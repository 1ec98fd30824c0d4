//! The whole lab, offline, and the rotation of 100 secrets: wall time and the most memory.
//!
//! `cargo bench -p lab-examples --bench lab`
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // prints its figures

use std::time::{Duration, Instant};

use arm_core::{ArmClient, ArmOptions};
use futures::StreamExt as _;
use keyvault_ops::{SecretName, SecretsClient, rotate_many};
use lab_examples::{Lab, cli::Options, screen::Screen, tasks::PARTS};
use mock_azure::MockAzure;

async fn whole_lab() -> Duration {
    let since = Instant::now();
    let lab = Lab::with_screen(Options::default(), Screen::silent()).await.unwrap();
    assert!(lab.run(&PARTS.iter().collect::<Vec<_>>()).await);
    since.elapsed()
}

async fn rotations(count: u32) -> Duration {
    mock_azure::fast_forward();
    let seed = MockAzure::seed().vault(mock_azure::DEFAULT_SUBSCRIPTION, "rg", "kv-bench");
    let azure = seed.vault_role("kv-bench", "Key Vault Secrets Officer").start().await;
    let arm = ArmClient::new(azure.credential(), ArmOptions::from(azure.client_options())).unwrap();
    let secrets = SecretsClient::new(&arm, &"kv-bench".parse().unwrap()).unwrap();
    let seeded = secrets.seed("bench", count).await.unwrap();
    let names: Vec<SecretName> = seeded.names().cloned().collect();
    let since = Instant::now();
    let outcomes: Vec<_> = rotate_many(names.iter().map(|name| secrets.rotate(name)), 8).collect().await;
    let took = since.elapsed();
    assert!(outcomes.len() == count as usize && outcomes.iter().all(|outcome| outcome.result.is_ok()));
    took
}

/// The most memory that the process has had, in MiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut labs: Vec<Duration> = (0..5).map(|_| runtime.block_on(whole_lab())).collect();
    labs.sort_unstable();
    println!("whole lab, offline       {:?}, at most {} MiB", labs[2], most_memory());
    println!("100 secrets rotated      {:?}", runtime.block_on(rotations(100)));
}
