//! A double with one vault, and our clients on it.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use arm_core::{ArmClient, ArmOptions, RetryBudget, Secret};
use async_trait::async_trait;
use azure_core::{
    error::ErrorKind,
    http::{ClientOptions, policies::Policy},
    time::OffsetDateTime,
};
use keyvault_ops::{
    Credential, CredentialRequest, FoundCredential, Issuer, IssuerKind, Ledger, LedgerAction, SecretName,
    SecretsClient, VaultName, VaultsClient,
};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, MockAzure, Seed};

pub(crate) const VAULT: &str = "kv-lab";

/// The seed of a double whose clock moves by what is waited only.
pub(crate) fn stopped_clock(seed: Seed) -> Seed {
    seed.starts_at(OffsetDateTime::from_unix_timestamp(1_800_014_400).unwrap())
}

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

pub(crate) fn actions(ledger: &Ledger) -> Vec<LedgerAction> {
    ledger.entries().unwrap().into_iter().map(|entry| entry.action).collect()
}

pub(crate) fn text(ledger: &Ledger) -> String {
    String::from_utf8(ledger.contents().unwrap()).unwrap()
}

/// A credential at the bank.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) value: String,
    pub(crate) rotation: String,
}

/// An issuer in memory: it knows which credentials are good.
#[derive(Default)]
pub(crate) struct Bank {
    pub(crate) good: Mutex<Vec<Key>>,
    pub(crate) made: Mutex<u32>,
    pub(crate) rejects_new: bool,
    /// Returns this value instead of a new one.
    pub(crate) returns: Option<(String, String)>,
    pub(crate) fails_to_revoke: Mutex<u32>,
    pub(crate) revoked: Mutex<Vec<String>>,
    pub(crate) kind: Option<IssuerKind>,
}

impl Bank {
    /// A bank where these values are good; the first has the id `old-key-1`.
    pub(crate) fn with(values: &[&str]) -> Arc<Self> {
        Arc::new(Self::of(values))
    }

    pub(crate) fn of(values: &[&str]) -> Self {
        let key = |(n, value): (usize, &&str)| Key {
            id: format!("old-key-{}", n + 1),
            value: (*value).to_owned(),
            rotation: String::new(),
        };
        Self { good: Mutex::new(values.iter().enumerate().map(key).collect()), ..Self::default() }
    }

    pub(crate) fn good(&self) -> Vec<String> {
        self.good.lock().unwrap().iter().map(|key| key.id.clone()).collect()
    }
}

pub(crate) fn failure(text: &str) -> azure_core::Error {
    azure_core::Error::with_message(ErrorKind::Other, text.to_owned())
}

#[async_trait]
impl Issuer for Bank {
    fn kind(&self) -> IssuerKind {
        self.kind.unwrap_or(IssuerKind::Many)
    }

    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        let mut made = self.made.lock().unwrap();
        *made += 1;
        let (id, value) = match &self.returns {
            Some((id, value)) => (id.clone(), value.clone()),
            None => (format!("key-{made}"), format!("{CANARY}-of-key-{made}")),
        };
        let rotation = request.rotation.to_owned();
        self.good.lock().unwrap().push(Key { id: id.clone(), value: value.clone(), rotation });
        Ok(Credential { value: Secret::new(value), id })
    }

    async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
        let good = self.good.lock().unwrap();
        let found = good.iter().filter(|key| key.rotation == rotation);
        Ok(found.map(|key| FoundCredential { id: key.id.clone(), value: None }).collect())
    }

    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        let good = self.good.lock().unwrap();
        Ok(good.iter().find(|key| key.value == value.expose()).map(|key| key.id.clone()))
    }

    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        let good = self.identify(value).await?.is_some() && !self.rejects_new;
        if good { Ok(()) } else { Err(failure("the database refuses the new password")) }
    }

    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        let mut failures = self.fails_to_revoke.lock().unwrap();
        if *failures > 0 {
            *failures -= 1;
            return Err(failure("the database is being maintained"));
        }
        self.good.lock().unwrap().retain(|key| key.id != id);
        self.revoked.lock().unwrap().push(id.to_owned());
        Ok(())
    }
}

/// What happens beside a bank before one of its operations, by the operation's name. An error is the operation's.
#[async_trait]
pub(crate) trait Disturbance: Send + Sync {
    async fn before(&self, operation: &'static str) -> azure_core::Result<()>;
}

/// A bank that is disturbed.
pub(crate) struct Disturbed<T> {
    pub(crate) bank: Bank,
    pub(crate) by: T,
}

#[async_trait]
impl<T: Disturbance> Issuer for Disturbed<T> {
    fn kind(&self) -> IssuerKind {
        self.bank.kind()
    }
    async fn create(&self, request: CredentialRequest<'_>) -> azure_core::Result<Credential> {
        self.by.before("create").await?;
        self.bank.create(request).await
    }
    async fn find(&self, rotation: &str) -> azure_core::Result<Vec<FoundCredential>> {
        self.by.before("find").await?;
        self.bank.find(rotation).await
    }
    async fn identify(&self, value: &Secret) -> azure_core::Result<Option<String>> {
        self.by.before("identify").await?;
        self.bank.identify(value).await
    }
    async fn verify(&self, value: &Secret) -> azure_core::Result<()> {
        self.by.before("verify").await?;
        self.bank.verify(value).await
    }
    async fn revoke(&self, id: &str) -> azure_core::Result<()> {
        self.by.before("revoke").await?;
        self.bank.revoke(id).await
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
