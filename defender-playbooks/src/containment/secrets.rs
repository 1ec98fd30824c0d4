//! Disables individual secrets.

use arm_core::{Mode, refuse};
use azure_core::Result;
use futures::TryStreamExt as _;
use keyvault_ops::{SecretName, SecretProperties, SecretVersion, SecretsClient};
use serde::{Deserialize, Serialize};

use super::report::Step;

/// A secret whose enabled versions a containment disables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DisabledSecret {
    /// The secret.
    pub name: SecretName,
    /// The versions that were enabled, which the containment disables.
    pub enabled: Vec<SecretVersion>,
    /// The versions that were already disabled.
    pub disabled: Vec<SecretVersion>,
}

impl DisabledSecret {
    pub(super) async fn plan(client: &SecretsClient, name: SecretName) -> Result<Self> {
        let (mut enabled, mut disabled) = (Vec::new(), Vec::new());
        for (version, is_enabled) in versions(client, &name).await? {
            if is_enabled { enabled.push(version) } else { disabled.push(version) }
        }
        Ok(Self { name, enabled, disabled })
    }

    pub(super) async fn apply(&self, client: &SecretsClient, mode: Mode) -> Result<Step> {
        let due = self.in_state(client, true).await?;
        if due.is_empty() {
            return Ok(Step::Unchanged);
        }
        if !mode.is_dry_run() {
            for version in due {
                let now = client.update(&self.name, &version).disable().await?;
                if now.enabled {
                    return refuse(format!("the vault answers that version {version} is still enabled"));
                }
            }
        }
        Ok(Step::Done)
    }

    /// Enables what was enabled, unless somebody has set a new version: the secret was then rotated, and enabling the
    /// old versions would bring a leaked value back.
    pub(super) async fn undo(&self, client: &SecretsClient, mode: Mode) -> Result<Step> {
        let due = self.in_state(client, false).await?;
        if due.is_empty() {
            return Ok(Step::Unchanged);
        }
        let known =
            |version: &SecretVersion| self.enabled.contains(version) || self.disabled.contains(version);
        if !versions(client, &self.name).await?.iter().all(|(version, _)| known(version)) {
            return Ok(Step::Left("it has a new version, so the older ones stay disabled"));
        }
        if !mode.is_dry_run() {
            for version in due {
                let now = client.update(&self.name, &version).enable().await?;
                if !now.enabled {
                    return refuse(format!("the vault answers that version {version} is still disabled"));
                }
            }
        }
        Ok(Step::Done)
    }

    async fn in_state(&self, client: &SecretsClient, enabled: bool) -> Result<Vec<SecretVersion>> {
        let now = versions(client, &self.name).await?;
        let due = now.into_iter().filter(|(version, is)| *is == enabled && self.enabled.contains(version));
        Ok(due.map(|(version, _)| version).collect())
    }
}

async fn versions(client: &SecretsClient, name: &SecretName) -> Result<Vec<(SecretVersion, bool)>> {
    let all: Vec<SecretProperties> = client.list_versions(name).try_collect().await?;
    Ok(all.iter().filter_map(|it| Some((it.version()?.clone(), it.enabled))).collect())
}
