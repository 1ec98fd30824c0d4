use std::{fmt, sync::Arc};

use arm_core::ArmClient;
use azure_core::Result;
use keyvault_ops::{Issuer, Rotate, SecretId, SecretsClient, VaultName};
use serde::Serialize;

use super::{Leak, LeakMatches, SecretMatch, Tested, matches::shown};

/// What is to be done about each secret that leaked. It holds no value.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakPlan {
    /// The secrets, the most urgent first.
    pub secrets: Vec<PlannedSecret>,
    /// Leaks that are no secret of the vaults that were looked at: for people.
    pub for_people: Vec<Leak>,
}

/// A secret that leaked, and what is to be done about it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlannedSecret {
    /// The secret.
    #[serde(serialize_with = "shown")]
    pub secret: SecretId,
    /// What is to be done.
    pub step: LeakStep,
    /// Who reads it and must follow, as far as the vault's log was asked.
    pub readers: Vec<String>,
    /// Whether a rotation can revoke the old credential where it was issued.
    pub issuer_known: bool,
    #[serde(skip)]
    issuer: Option<Arc<dyn Issuer>>,
    #[serde(skip)]
    rotation: String,
}

/// What is to be done about a secret. In the order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LeakStep {
    /// Somebody uses it: revoke the old credential before the consumers have moved.
    RevokeFirst,
    /// Rotate it: consumers move, then the old credential is revoked.
    Rotate,
    /// Only older versions leaked, which are still enabled: disable them, and revoke their credential.
    RetireOld,
    /// It only looks like one that leaked: somebody has to look.
    LookAt,
}

/// What the caller knows of a secret.
#[derive(Default)]
#[non_exhaustive]
pub struct SecretFacts {
    /// Who issues its credential.
    pub issuer: Option<Arc<dyn Issuer>>,
    /// Who reads it, from the vault's log.
    pub readers: Vec<String>,
    /// Whether its misuse is proven.
    pub misused: bool,
}

impl SecretFacts {
    /// It has this issuer.
    pub fn issued_by(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// These read it.
    pub fn read_by<S: Into<String>>(mut self, readers: impl IntoIterator<Item = S>) -> Self {
        self.readers.extend(readers.into_iter().map(Into::into));
        self
    }

    /// Its misuse is proven.
    pub fn misused(mut self) -> Self {
        self.misused = true;
        self
    }
}

impl LeakPlan {
    /// Plans by what was matched and what is known of each secret besides.
    pub fn of(matches: &LeakMatches, mut facts: impl FnMut(&SecretId) -> SecretFacts) -> Self {
        let mut secrets: Vec<PlannedSecret> =
            matches.secrets.iter().map(|found| planned(found, facts(&found.secret))).collect();
        secrets.sort_by(|one, other| {
            (one.step, one.secret.to_string()).cmp(&(other.step, other.secret.to_string()))
        });
        let open = |leak: &&Leak| !leak.dismissed && leak.tested != Tested::Dead;
        Self { secrets, for_people: matches.unmatched().filter(open).cloned().collect() }
    }

    /// The rotations of this plan, for [`rotate_many`](keyvault_ops::rotate_many): those of
    /// [`LeakStep::RevokeFirst`] and [`LeakStep::Rotate`]. Candidates and old versions are not among them.
    ///
    /// Each has an id that the plan gives it, by which a second run of the same plan takes up what was stopped.
    ///
    /// # Errors
    ///
    /// A secret lies in no vault of this cloud.
    pub fn rotations(&self, arm: &ArmClient) -> Result<Vec<Rotate>> {
        let due = |planned: &&PlannedSecret| matches!(planned.step, LeakStep::RevokeFirst | LeakStep::Rotate);
        self.secrets.iter().filter(due).map(|planned| planned.rotation(arm)).collect()
    }
}

impl PlannedSecret {
    fn rotation(&self, arm: &ArmClient) -> Result<Rotate> {
        let host = &self.secret.vault_host;
        let vault: VaultName = host
            .strip_suffix(&format!(".{}", arm.endpoints().vault_suffix))
            .and_then(|name| name.parse().ok())
            .ok_or_else(|| {
                let message = format!("{host} is no vault of this cloud");
                azure_core::Error::with_message(azure_core::error::ErrorKind::Other, message)
            })?;
        let mut rotate = SecretsClient::new(arm, &vault)?
            .rotate(&self.secret.name)
            .id(self.rotation.clone())
            .reason("found by a scanner");
        if let Some(issuer) = &self.issuer {
            rotate = rotate.issuer(issuer.clone());
        }
        Ok(if self.step == LeakStep::RevokeFirst { rotate.revoke_first() } else { rotate })
    }
}

fn planned(found: &SecretMatch, facts: SecretFacts) -> PlannedSecret {
    let step = match (found.is_certain(), facts.misused, found.is_current()) {
        (false, ..) => LeakStep::LookAt,
        (true, true, true) => LeakStep::RevokeFirst,
        (true, false, true) => LeakStep::Rotate,
        (true, _, false) => LeakStep::RetireOld,
    };
    let leaked = found.versions.iter().find(|version| version.current).or(found.versions.first());
    PlannedSecret {
        secret: found.secret.clone(),
        step,
        readers: facts.readers,
        issuer_known: facts.issuer.is_some(),
        issuer: facts.issuer,
        rotation: leaked.map_or_else(|| "leak".to_owned(), |version| format!("leak-{}", version.version)),
    }
}

impl fmt::Debug for PlannedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedSecret")
            .field("secret", &self.secret)
            .field("step", &self.step)
            .field("readers", &self.readers)
            .field("issuer_known", &self.issuer_known)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for SecretFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretFacts")
            .field("readers", &self.readers)
            .field("misused", &self.misused)
            .finish_non_exhaustive()
    }
}
