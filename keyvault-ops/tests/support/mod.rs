//! A double with one vault, and our clients on it.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::{sync::Arc, time::Duration};

use arm_core::{ArmClient, ArmOptions, RetryBudget, Secret};
use azure_core::http::{ClientOptions, policies::Policy};
use keyvault_ops::{SecretName, SecretsClient, VaultName, VaultsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, MockAzure, Seed};

pub(crate) const VAULT: &str = "kv-lab";

/// A vault whose secrets the signed-in principal may do everything with.
pub(crate) fn seed() -> Seed {
    MockAzure::seed().vault(SUB, "rg", VAULT).vault_role(VAULT, "Key Vault Secrets Officer")
}

pub(crate) struct Lab {
    pub(crate) azure: MockAzure,
    pub(crate) arm: ArmClient,
    pub(crate) secrets: SecretsClient,
    pub(crate) vaults: VaultsClient,
}

impl Lab {
    pub(crate) async fn of(seed: Seed) -> Self {
        Self::with_policies(seed, Vec::new()).await
    }

    /// A lab whose clients' requests pass through these policies first.
    pub(crate) async fn with_policies(seed: Seed, policies: Vec<Arc<dyn Policy>>) -> Self {
        mock_azure::fast_forward();
        let azure = seed.start().await;
        let retry = RetryBudget { first_wait: Duration::from_millis(1), ..RetryBudget::default() };
        let client = ClientOptions { per_call_policies: policies, ..azure.client_options() };
        let options = ArmOptions { retry, ..ArmOptions::from(client) };
        let arm = ArmClient::new(azure.credential(), Some(options)).unwrap();
        let secrets = SecretsClient::new(&arm, &vault()).unwrap();
        let vaults = VaultsClient::new(&arm);
        Self { azure, arm, secrets, vaults }
    }
}

pub(crate) fn vault() -> VaultName {
    VAULT.parse().unwrap()
}

pub(crate) fn name(name: &str) -> SecretName {
    name.parse().unwrap()
}

/// A value that is easy to find where it must not be.
pub(crate) const CANARY: &str = "hunter2-canary";

pub(crate) fn canary() -> Secret {
    Secret::new(CANARY)
}
