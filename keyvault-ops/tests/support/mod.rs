//! A double with one vault, and our clients on it.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::{
    collections::BTreeSet,
    io::Write,
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::{ArmClient, ArmOptions, RetryBudget, Secret};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{ClientOptions, policies::Policy},
};
use keyvault_ops::{
    Credential, Issuer, LedgerAction, LedgerEntry, OldCredential, SecretId, SecretName, SecretsClient,
    VaultName, VaultsClient,
};
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
        Self::with(seed, Vec::new(), RetryBudget::default()).await
    }

    /// A lab whose clients' requests pass through these policies first.
    pub(crate) async fn with_policies(seed: Seed, policies: Vec<Arc<dyn Policy>>) -> Self {
        Self::with(seed, policies, RetryBudget::default()).await
    }

    /// A lab whose clients wait this long for an answer.
    pub(crate) async fn with_timeout(seed: Seed, attempt: Duration) -> Self {
        Self::with(seed, Vec::new(), RetryBudget { attempt, ..RetryBudget::default() }).await
    }

    async fn with(seed: Seed, policies: Vec<Arc<dyn Policy>>, retry: RetryBudget) -> Self {
        mock_azure::fast_forward();
        let azure = seed.start().await;
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

/// A ledger in memory.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn actions(&self) -> Vec<LedgerAction> {
        self.text().lines().map(|line| serde_json::from_str::<LedgerEntry>(line).unwrap().action).collect()
    }
}

/// An issuer in memory: it knows which credentials are good.
#[derive(Default)]
pub(crate) struct Bank {
    pub(crate) good: Mutex<BTreeSet<String>>,
    pub(crate) made: Mutex<u32>,
    pub(crate) rejects_new: bool,
    pub(crate) fails_to_revoke: Mutex<u32>,
}

impl Bank {
    pub(crate) fn with(ids: &[&str]) -> Arc<Self> {
        Arc::new(Self {
            good: Mutex::new(ids.iter().map(|id| (*id).to_owned()).collect()),
            ..Self::default()
        })
    }

    pub(crate) fn good(&self) -> Vec<String> {
        self.good.lock().unwrap().iter().cloned().collect()
    }
}

pub(crate) fn failure(text: &str) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Other, text.to_owned())
}

#[async_trait]
impl Issuer for Bank {
    async fn create(&self, _: &SecretId) -> azure_core::Result<Credential> {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let id = format!("key-{made}");
        self.good.lock().unwrap().insert(id.clone());
        Ok(Credential { value: Secret::new(format!("{CANARY}-of-{id}")), id })
    }

    async fn verify(&self, credential: &Credential) -> azure_core::Result<()> {
        let good = self.good.lock().unwrap().contains(&credential.id) && !self.rejects_new;
        if good { Ok(()) } else { Err(failure("the database refuses the new password")) }
    }

    async fn revoke(&self, old: &OldCredential) -> azure_core::Result<()> {
        let mut failures = self.fails_to_revoke.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(failure("the database is being maintained"));
        }
        self.good.lock().unwrap().remove(old.id.as_deref().unwrap_or("old"));
        Ok(())
    }
}

pub(crate) fn three_versions() -> Seed {
    seed().secret(VAULT, "db", "old-1").secret(VAULT, "db", "old-2").secret(VAULT, "db", "old-3")
}

pub(crate) fn enabled(lab: &Lab) -> Vec<(String, bool)> {
    let versions = lab.azure.secret_versions(VAULT, "db");
    versions
        .into_iter()
        .filter(|version| version.enabled)
        .map(|version| (version.value, version.current))
        .collect()
}
