//! Which versions of a secret can be read.

use azure_core::{Error, Result, error::ErrorKind};
use futures::TryStreamExt as _;

use crate::{SecretBundle, SecretErrorExt as _, SecretName, SecretRefusal, SecretVersion, SecretsClient};

/// The maximum number of ids in a report; the rest are only counted.
const NAMED: usize = 100;
/// How many times to read a secret that changes while it is read.
const ATTEMPTS: u32 = 3;

/// Which versions of a secret can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveVersions {
    /// The current version; `None` if it is disabled, so nobody can read the secret.
    pub current: Option<SecretVersion>,
    /// How many others are enabled.
    pub others: u64,
    /// The ids of the other enabled versions; at most 100.
    pub other_ids: Vec<SecretVersion>,
    /// How many versions there are.
    pub versions: u64,
}

impl ActiveVersions {
    /// Whether the current version is the only one that can be read.
    pub fn is_single(&self) -> bool {
        self.current.is_some() && self.others == 0
    }
}

impl std::fmt::Display for ActiveVersions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.current {
            Some(current) => write!(f, "current {current}")?,
            None => f.write_str("the current version is disabled: nobody can read the secret")?,
        }
        match self.others {
            0 => f.write_str(", no other version is enabled"),
            1 => write!(f, ", 1 other version is enabled"),
            others => write!(f, ", {others} other versions are enabled"),
        }
    }
}

impl SecretsClient {
    /// Reports which versions of a secret can be read, and whether only the current one can.
    ///
    /// Reads the current version, lists all versions, and reads the current one again. The value is wiped immediately,
    /// and memory use does not grow with the number of versions. Changes nothing.
    ///
    /// # Errors
    ///
    /// Any refusal by the vault: see [`SecretErrorExt`](crate::SecretErrorExt); or the secret kept changing while it
    /// was read.
    pub async fn verify_single_active(&self, name: &SecretName) -> Result<ActiveVersions> {
        self.active_versions(name, &|_| ()).await
    }

    /// Like `verify_single_active`, and calls `hear` with each current version that it reads.
    pub(crate) async fn active_versions(
        &self,
        name: &SecretName,
        hear: &(dyn Fn(SecretBundle) + Send + Sync),
    ) -> Result<ActiveVersions> {
        let mut current = self.current_version(name, hear).await?;
        for _ in 0..ATTEMPTS {
            let active = self.count_beside(name, current).await?;
            current = self.current_version(name, hear).await?;
            if current == active.current {
                return Ok(active);
            }
        }
        let busy =
            Error::with_message(ErrorKind::Other, "new versions were set while it was read: try again later");
        Err(self.failed("verifying", name, busy))
    }

    async fn count_beside(
        &self,
        name: &SecretName,
        current: Option<SecretVersion>,
    ) -> Result<ActiveVersions> {
        let mut active = ActiveVersions { current, others: 0, other_ids: Vec::new(), versions: 0 };
        let mut versions = self.list_versions(name);
        while let Some(version) = versions.try_next().await? {
            active.versions += 1;
            if let Some(id) = version.id.version.filter(|_| version.enabled)
                && Some(&id) != active.current.as_ref()
            {
                active.others += 1;
                if active.other_ids.len() < NAMED {
                    active.other_ids.push(id);
                }
            }
        }
        Ok(active)
    }

    /// The id of the current version; `None` if it is disabled.
    async fn current_version(
        &self,
        name: &SecretName,
        hear: &(dyn Fn(SecretBundle) + Send + Sync),
    ) -> Result<Option<SecretVersion>> {
        match self.get(name).await {
            Ok(found) => {
                let version = found.properties.id.version.clone();
                hear(found);
                Ok(version)
            }
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
