//! A double with one vault and resources with keys, and our clients on it.
#![allow(dead_code, reason = "every test file uses its own part")]

#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod service;

use std::sync::Arc;

use arm_core::{ArmClient, ResourceId, Secret};
use azure_core::http::{ClientOptions, policies::Policy};
use keyvault_issuers::ResourceKeyIssuer;
use keyvault_ops::{Rotate, SecretName, SecretsClient};
use mock_azure::{DEFAULT_SUBSCRIPTION as SUB, MockAzure, Seed};

pub(crate) const VAULT: &str = "kv-lab";
pub(crate) const STORAGE: &str = "Microsoft.Storage/storageAccounts";

pub(crate) fn seed() -> Seed {
    MockAzure::seed().vault(SUB, "rg", VAULT).vault_role(VAULT, "Key Vault Secrets Officer")
}

pub(crate) fn account() -> Seed {
    seed().storage_account(SUB, "rg", "stlab")
}

/// The id of a resource in the lab's group; a nested one has a name for each part.
pub(crate) fn id(kind: &str, name: &str) -> ResourceId {
    let (namespace, kinds) = kind.split_once('/').unwrap();
    let path: String =
        kinds.split('/').zip(name.split('/')).map(|(kind, name)| format!("/{kind}/{name}")).collect();
    format!("/subscriptions/{SUB}/resourceGroups/rg/providers/{namespace}{path}").parse().unwrap()
}

pub(crate) fn storage() -> ResourceId {
    id(STORAGE, "stlab")
}

pub(crate) fn name(name: &str) -> SecretName {
    name.parse().unwrap()
}

pub(crate) struct Lab {
    pub(crate) azure: MockAzure,
    pub(crate) arm: ArmClient,
    pub(crate) secrets: SecretsClient,
}

impl Lab {
    pub(crate) async fn of(seed: Seed) -> Self {
        Self::with_policies(seed, Vec::new()).await
    }

    /// A lab whose clients' requests go through these policies first.
    pub(crate) async fn with_policies(seed: Seed, policies: Vec<Arc<dyn Policy>>) -> Self {
        mock_azure::fast_forward();
        let azure = seed.start().await;
        let client = ClientOptions { per_try_policies: policies, ..azure.client_options() };
        let arm = ArmClient::new(azure.credential(), Some(client.into())).unwrap();
        let secrets = SecretsClient::new(&arm, &VAULT.parse().unwrap()).unwrap();
        Self { azure, arm, secrets }
    }

    pub(crate) fn key(&self, resource: &ResourceId, name: &str) -> String {
        self.azure.resource_key(resource.as_str(), name).unwrap()
    }

    pub(crate) fn takes(&self, resource: &ResourceId, key: &str) -> bool {
        self.azure.takes_key(resource.as_str(), key)
    }

    pub(crate) async fn set(&self, secret: &str, value: &str) {
        self.secrets.set(&name(secret), Secret::new(value)).await.unwrap();
    }

    pub(crate) async fn value(&self, secret: &str) -> String {
        self.secrets.get(&name(secret)).await.unwrap().value.expose().to_owned()
    }

    pub(crate) fn rotate(&self, secret: &str, resource: &ResourceId) -> Rotate {
        let issuer = ResourceKeyIssuer::new(&self.arm, resource.clone()).unwrap();
        self.secrets.rotate(&name(secret)).issuer(Arc::new(issuer))
    }

    /// What was sent so far to change something, as `POST /path`: all but GETs, lists of keys and requests for tokens.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.azure.writes().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}
