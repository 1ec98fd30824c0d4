use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::Arc,
};

use arm_core::ArmClient;
use azure_core::Result;
use keyvault_ops::{
    Consumers, EndOldVersions, Issuer, Rotate, SecretId, SecretVersion, SecretsClient, VaultName,
};
use serde::Serialize;

use super::{HowMatched, Leak, LeakMatches, SecretMatch, Tested, matches::shown};
use crate::VaultReaders;

/// What to do about each leaked secret, without secret values.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakPlan {
    /// The secrets, the most urgent first.
    pub secrets: Vec<PlannedSecret>,
    /// Leaks that match no secret in the vaults that were searched, for people to handle. Dismissed ones, and those
    /// that the scanner found to be no longer valid, are not included.
    pub for_people: Vec<Leak>,
}

/// A leaked secret, and what to do about it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PlannedSecret {
    /// The secret.
    #[serde(serialize_with = "shown")]
    pub secret: SecretId,
    /// What to do.
    pub step: LeakStep,
    /// The readers known from the vault's log or from the caller, which must move.
    pub readers: Vec<String>,
    /// Why there may be more readers; empty if the log is complete or was not queried.
    pub readers_unknown: Vec<String>,
    /// The old versions that certainly leaked and are still enabled.
    pub old_versions: Vec<SecretVersion>,
    /// Whether a rotation can revoke the old credential at its issuer.
    pub issuer_known: bool,
    /// Whether its misuse is proven.
    #[serde(skip)]
    misused: bool,
    /// The other secrets of the plan that may contain the same credential.
    #[serde(skip)]
    beside: Vec<SecretId>,
    #[serde(skip)]
    issuer: Option<Arc<dyn Issuer>>,
    #[serde(skip)]
    consumers: Option<Arc<dyn Consumers>>,
    #[serde(skip)]
    rotation: String,
}

/// What to do about a secret, in order of urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum LeakStep {
    /// An attacker is using it: revoke the old credential without waiting for the consumers.
    RevokeFirst,
    /// Rotate it: if its issuer is known, the old credential is revoked once the consumers have moved.
    Rotate,
    /// Only older, still enabled versions leaked: disable them, and revoke their credentials.
    RetireOld,
    /// It only resembles a leaked one: somebody has to check it.
    LookAt,
}

/// What the caller knows about a secret.
#[derive(Default)]
#[non_exhaustive]
pub struct SecretFacts {
    /// The issuer of its credential.
    pub issuer: Option<Arc<dyn Issuer>>,
    /// The readers, according to the vault's log.
    pub readers: Vec<String>,
    /// Why there may be more readers.
    pub readers_unknown: Vec<String>,
    /// The consumers that must have moved before the old credential is revoked.
    pub consumers: Option<Arc<dyn Consumers>>,
    /// Whether its misuse is proven.
    pub misused: bool,
}

impl SecretFacts {
    /// Sets the issuer.
    pub fn issued_by(mut self, issuer: Arc<dyn Issuer>) -> Self {
        self.issuer = Some(issuer);
        self
    }

    /// Adds readers.
    pub fn read_by<S: Into<String>>(mut self, readers: impl IntoIterator<Item = S>) -> Self {
        self.readers.extend(readers.into_iter().map(Into::into));
        self
    }

    /// Sets the consumers that must have moved before the old credential is revoked.
    pub fn followed_by(mut self, consumers: Arc<dyn Consumers>) -> Self {
        self.consumers = Some(consumers);
        self
    }

    /// Marks its misuse as proven.
    pub fn misused(mut self) -> Self {
        self.misused = true;
        self
    }
}

impl SecretFacts {
    /// Queries the vault's log for the readers of a secret.
    async fn ask(&mut self, log: &VaultReaders, secret: &SecretId) {
        match log.readers(&secret.name).await {
            Ok(found) => {
                self.readers.extend(found.readers.into_iter().filter(|it| !log.ignores(it)).map(|it| it.who));
                self.readers_unknown.extend(found.unknown);
            }
            Err(error) => self.readers_unknown.push(format!("the log could not be read: {error}")),
        }
        self.consumers.get_or_insert_with(|| Arc::new(log.clone()));
    }
}

impl LeakPlan {
    /// Makes a plan from the matches and from what is known about each secret.
    pub fn of(matches: &LeakMatches, mut facts: impl FnMut(&SecretId) -> SecretFacts) -> Self {
        let mut secrets: Vec<PlannedSecret> =
            matches.secrets.iter().map(|found| planned(found, facts(&found.secret))).collect();
        let beside: Vec<Vec<SecretId>> =
            (0..secrets.len()).map(|at| beside(at, &matches.secrets, &secrets)).collect();
        secrets.iter_mut().zip(beside).for_each(|(planned, beside)| planned.beside = beside);
        secrets.sort_by(|one, other| {
            (one.step, one.secret.to_string()).cmp(&(other.step, other.secret.to_string()))
        });
        let open = |leak: &&Leak| !leak.dismissed && leak.tested != Tested::Dead;
        Self { secrets, for_people: matches.unmatched().filter(open).cloned().collect() }
    }

    /// Like [`of`](Self::of), but first queries the log of each vault for the readers of the secrets that certainly
    /// leaked. The old credential of a secret is revoked only once the log shows that they have moved, unless the facts
    /// name [other consumers](SecretFacts::followed_by) or its misuse is proven.
    ///
    /// `logs` contains one [`VaultReaders`] per vault; [ignore](VaultReaders::ignore) the attacker there, who would
    /// never move. **For a secret of any other vault, nobody is waited for**, unless the facts name consumers. Gaps in
    /// a log, or why it could not be read, are in [`readers_unknown`](PlannedSecret::readers_unknown). Writes nothing.
    ///
    /// # Permissions
    ///
    /// The same as for [`VaultReaders`].
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient, matches: defender_playbooks::leaks::LeakMatches,
    /// #     vault: keyvault_ops::VaultId, workspace: monitor_ops::WorkspaceId) -> azure_core::Result<()> {
    /// use defender_playbooks::{VaultReaders, leaks::{LeakPlan, SecretFacts}};
    ///
    /// let logs = [VaultReaders::new(arm, &vault, &workspace)?];
    /// let plan = LeakPlan::with_readers(&matches, &logs, |_| SecretFacts::default()).await;
    /// for secret in &plan.secrets {
    ///     println!("{:?} {}: read by {:?}", secret.step, secret.secret, secret.readers);
    /// }
    /// # Ok(()) }
    /// ```
    pub async fn with_readers(
        matches: &LeakMatches,
        logs: &[VaultReaders],
        mut facts: impl FnMut(&SecretId) -> SecretFacts,
    ) -> Self {
        let mut known: HashMap<SecretId, SecretFacts> = HashMap::new();
        for secret in matches.certain().map(|found| &found.secret) {
            let mut facts = facts(secret);
            match logs.iter().find(|log| log.is_of(secret)) {
                Some(log) => facts.ask(log, secret).await,
                None => facts.readers_unknown.push("no log was given for its vault".to_owned()),
            }
            known.insert(secret.clone(), facts);
        }
        Self::of(matches, |secret| known.remove(secret).unwrap_or_else(|| facts(secret)))
    }

    /// Returns the rotations of this plan, for [`rotate_many`](keyvault_ops::rotate_many): those of
    /// [`LeakStep::RevokeFirst`] and [`LeakStep::Rotate`]. Candidates and old versions are not included.
    ///
    /// The plan gives each rotation an id, so that a second run of the same plan resumes a rotation that was stopped.
    ///
    /// # Errors
    ///
    /// A secret is not in a vault of the client's cloud.
    pub fn rotations(&self, arm: &ArmClient) -> Result<Vec<Rotate>> {
        let due = |planned: &&PlannedSecret| matches!(planned.step, LeakStep::RevokeFirst | LeakStep::Rotate);
        self.secrets.iter().filter(due).map(|planned| planned.rotation(arm)).collect()
    }

    /// Returns the tasks of [`LeakStep::RetireOld`]: they disable leaked old versions of secrets whose current version
    /// did not leak, and revoke their credentials. **Await them after the [rotations](Self::rotations)**: a credential
    /// that another secret of the plan still contains is not revoked, and the report names it.
    ///
    /// If a secret has consumers, its task first waits until they use the current version, unless misuse is proven.
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient, plan: defender_playbooks::leaks::LeakPlan) -> azure_core::Result<()> {
    /// for end in plan.retirements(arm)? {
    ///     match end.await {
    ///         Ok(ended) => println!("{ended}"),
    ///         Err(error) => println!("{error}"),
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// A secret is not in a vault of the client's cloud.
    pub fn retirements(&self, arm: &ArmClient) -> Result<Vec<EndOldVersions>> {
        let due = |planned: &&PlannedSecret| planned.step == LeakStep::RetireOld;
        self.secrets.iter().filter(due).map(|planned| planned.retirement(arm)).collect()
    }
}

/// A client for the secret's vault.
fn client(arm: &ArmClient, secret: &SecretId) -> Result<SecretsClient> {
    let host = &secret.vault_host;
    let vault: VaultName = host
        .strip_suffix(&format!(".{}", arm.endpoints().vault_suffix))
        .and_then(|name| name.parse().ok())
        .ok_or_else(|| {
            let message = format!("{host} is not a vault of this cloud");
            azure_core::Error::with_message(azure_core::error::ErrorKind::Other, message)
        })?;
    SecretsClient::new(arm, &vault)
}

impl PlannedSecret {
    fn retirement(&self, arm: &ArmClient) -> Result<EndOldVersions> {
        let versions = self.old_versions.iter().cloned();
        let mut end = client(arm, &self.secret)?.end_old_versions(&self.secret.name, versions);
        if let Some(issuer) = &self.issuer {
            end = end.issuer(issuer.clone());
        }
        if let Some(consumers) = &self.consumers {
            end = end.consumers(consumers.clone());
        }
        for other in &self.beside {
            end = end.beside(client(arm, other)?, other.name.clone());
        }
        Ok(if self.misused { end.at_once() } else { end })
    }

    fn rotation(&self, arm: &ArmClient) -> Result<Rotate> {
        let mut rotate = client(arm, &self.secret)?
            .rotate(&self.secret.name)
            .id(self.rotation.clone())
            .reason("found by a scanner");
        if let Some(issuer) = &self.issuer {
            rotate = rotate.issuer(issuer.clone());
        }
        if let Some(consumers) = &self.consumers {
            rotate = rotate.consumers(consumers.clone());
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
    let old = found.versions.iter().filter(|it| !it.current && it.how != HowMatched::Candidate);
    let old: BTreeSet<&str> = old.map(|it| it.version.as_str()).collect();
    let leaked = found.versions.iter().find(|version| version.current).or(found.versions.first());
    PlannedSecret {
        secret: found.secret.clone(),
        step,
        readers: facts.readers,
        readers_unknown: facts.readers_unknown,
        old_versions: old.into_iter().filter_map(|version| version.parse().ok()).collect(),
        misused: facts.misused,
        beside: Vec::new(),
        consumers: facts.consumers,
        issuer_known: facts.issuer.is_some(),
        issuer: facts.issuer,
        rotation: leaked.map_or_else(|| "leak".to_owned(), |version| format!("leak-{}", version.version)),
    }
}

/// The secrets that may contain the same credential as this one: those with the same leak or the same issuer.
fn beside(at: usize, found: &[SecretMatch], planned: &[PlannedSecret]) -> Vec<SecretId> {
    if planned[at].step != LeakStep::RetireOld {
        return Vec::new();
    }
    let leaks = |of: &SecretMatch| -> BTreeSet<usize> { of.versions.iter().map(|it| it.leak).collect() };
    let own = leaks(&found[at]);
    let is_beside = |other: usize| {
        let same_issuer = match (&planned[at].issuer, &planned[other].issuer) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            _ => false,
        };
        other != at && found[other].is_certain() && (same_issuer || !own.is_disjoint(&leaks(&found[other])))
    };
    (0..found.len()).filter(|other| is_beside(*other)).map(|other| found[other].secret.clone()).collect()
}

impl fmt::Debug for PlannedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlannedSecret")
            .field("secret", &self.secret)
            .field("step", &self.step)
            .field("readers", &self.readers)
            .field("readers_unknown", &self.readers_unknown)
            .field("old_versions", &self.old_versions)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaks::VersionMatch;

    /// A match of each version: its digit, whether it is current, and how it matches which leak.
    fn found(name: &str, versions: &[(u8, bool, HowMatched, usize)]) -> SecretMatch {
        let id = |digit: &u8| digit.to_string().repeat(32);
        let versions = versions.iter().map(|(digit, current, how, leak)| VersionMatch {
            version: id(digit).parse().unwrap(),
            current: *current,
            expired: false,
            how: *how,
            leak: *leak,
        });
        let secret = format!("https://kv.vault.azure.net/secrets/{name}").parse().unwrap();
        SecretMatch { secret, versions: versions.collect() }
    }

    #[test]
    fn only_old_versions_that_certainly_leaked_are_ended_and_the_current_one_never_is() {
        use HowMatched::{Candidate, Hash, Whole};
        let found = found(
            "db",
            &[(1, false, Whole, 0), (2, false, Candidate, 1), (3, true, Candidate, 1), (4, false, Hash, 2)],
        );
        let planned = planned(&found, SecretFacts::default());
        let old: Vec<&str> = planned.old_versions.iter().map(|version| &version.as_str()[..1]).collect();
        assert_eq!(old, ["1", "4"]);
        let of_the_current =
            super::planned(&self::found("db", &[(1, true, Whole, 0)]), SecretFacts::default());
        assert!(of_the_current.old_versions.is_empty(), "{of_the_current:?}");
    }

    #[test]
    fn a_credential_may_also_be_in_the_secrets_that_certainly_share_its_leak() {
        let all = [
            found("old", &[(1, false, HowMatched::Whole, 0)]),
            found("same", &[(2, true, HowMatched::PartOfSecret, 0)]),
            found("like", &[(3, true, HowMatched::Candidate, 0)]),
            found("another", &[(4, true, HowMatched::Whole, 1)]),
        ];
        let planned = all.each_ref().map(|found| planned(found, SecretFacts::default()));
        let names = |at: usize| -> Vec<String> {
            beside(at, &all, &planned).iter().map(|secret| secret.name.to_string()).collect()
        };
        assert_eq!(names(0), ["same"]);
        assert!((1..4).all(|at| names(at).is_empty()), "only what ends is compared");
    }
}
