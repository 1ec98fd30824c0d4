//! A lab that takes the double for real Azure.
#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part of it; a test that cannot go on fails

use std::{path::PathBuf, sync::Arc};

use arm_core::{ArmClient, ArmOptions, SubscriptionId};
use azure_core::http::{ClientOptions, policies::Policy};
use lab_examples::{
    Azure, Lab,
    cli::Options,
    screen::{Part, Screen},
    state::State,
    tasks, tenant,
};
use mock_azure::{DEFAULT_SUBSCRIPTION, MockAzure, Seed};
use resource_ops::{ResourceGroupSpec, ResourceGroupsClient};

pub(crate) fn subscription() -> SubscriptionId {
    DEFAULT_SUBSCRIPTION.parse().unwrap()
}

pub(crate) fn seed() -> Seed {
    mock_azure::fast_forward();
    tenant::seed(&subscription()).unwrap()
}

/// A lab that takes the double for real Azure: with a state file, and with questions.
pub(crate) struct World {
    pub(crate) azure: MockAzure,
    pub(crate) arm: ArmClient,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn of(seed: Seed) -> Self {
        let azure = seed.start().await;
        let arm = ArmClient::new(azure.credential(), Some(azure.client_options().into())).unwrap();
        Self { azure, arm, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn options(&self, group: &str) -> Options {
        Options {
            live: true,
            yes: true,
            confirm_sweep: true,
            resource_group: group.to_owned(),
            state: self.state(),
            ledger: self.folder.path().join("ledger.jsonl"),
            ..Options::default()
        }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.folder.path().join("state.json")
    }

    pub(crate) async fn lab_with(&self, options: Options) -> Lab {
        self.lab_through(options, Vec::new()).await
    }

    /// A lab whose requests pass through these policies first.
    pub(crate) async fn lab_through(&self, options: Options, policies: Vec<Arc<dyn Policy>>) -> Lab {
        let client = ClientOptions { per_call_policies: policies, ..self.azure.client_options() };
        let arm = ArmClient::new(self.azure.credential(), ArmOptions::from(client)).unwrap();
        let azure = Azure {
            arm,
            subscription: subscription(),
            signed_in_with: "a test".to_owned(),
            double: None,
            group: tenant::PRODUCTION.to_owned(),
            vault: tenant::PRODUCTION_VAULT.to_owned(),
        };
        Lab::on(azure, options, Screen::silent()).await.unwrap()
    }

    /// Runs parts in a process of their own, as it were: only the state file connects them.
    pub(crate) async fn run(&self, group: &str, names: &[&str]) -> Vec<Part> {
        self.run_with(self.options(group), names).await
    }

    pub(crate) async fn run_with(&self, options: Options, names: &[&str]) -> Vec<Part> {
        let lab = self.lab_with(options).await;
        let parts: Vec<_> = names.iter().map(|name| tasks::find(name).unwrap()).collect();
        lab.run(&parts).await;
        lab.screen.recorded().parts
    }

    pub(crate) async fn exists(&self, group: &str) -> bool {
        let group = subscription().resource_group(group).unwrap();
        ResourceGroupsClient::new(&self.arm).exists(&group).await.unwrap()
    }

    pub(crate) async fn somebody_makes_the_group(&self, group: &str) {
        let group = subscription().resource_group(group).unwrap();
        let spec = ResourceGroupSpec::new("westeurope").tag("owner", "payments");
        ResourceGroupsClient::new(&self.arm).create_or_update(&group, &spec).await.unwrap();
    }

    /// Everything that was asked of the double and is no question.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.azure.writes().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    pub(crate) fn remembered(&self) -> State {
        State::read(&self.state(), DEFAULT_SUBSCRIPTION).unwrap()
    }
}

pub(crate) fn rows<'a>(part: &'a Part, table: &str) -> Vec<&'a str> {
    let found = part.tables.iter().find(|found| found.name == table);
    found.iter().flat_map(|table| &table.rows).map(|row| row[0].as_str().unwrap()).collect()
}

pub(crate) fn holds(parts: &[Part]) -> bool {
    parts.iter().all(|part| part.ok)
}
