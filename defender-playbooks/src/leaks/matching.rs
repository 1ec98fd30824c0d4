//! Matches leaks to secrets.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use aho_corasick::AhoCorasick;
use arm_core::{ArmClient, Mode, refuse};
use azure_core::{Error, Result, error::ErrorKind};
use futures::TryStreamExt as _;
use hmac::{Hmac, Mac as _};
use keyvault_ops::{
    SecretBundle, SecretErrorExt as _, SecretId, SecretName, SecretProperties, SecretRefusal, SecretsClient,
    VaultName,
};
use sha1::Digest as _;
use sha2::Sha256;
use time::OffsetDateTime;
use zeroize::Zeroizing;

use super::{
    HowMatched, LeakMatches, LeakReport, Leaked, LeakedHash, SecretMatch, VersionMatch,
    component::{SHORTEST, Within, credentials, hashed, is_component},
};

/// Matches leaks to the secrets of vaults.
#[derive(Debug, Clone)]
pub struct LeaksClient {
    pub(super) arm: ArmClient,
}

/// Searches vaults for leaked values; returned by [`LeaksClient::find_secrets`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct MatchLeaks {
    arm: ArmClient,
    report: LeakReport,
    vaults: Vec<VaultName>,
    names: Option<BTreeSet<SecretName>>,
    at_most: Option<usize>,
    pause: Duration,
}

impl LeaksClient {
    /// Creates a client that uses this connection.
    pub fn new(arm: &ArmClient) -> Self {
        Self { arm: arm.clone() }
    }

    /// Finds the secrets of these vaults that have leaked, in all enabled versions.
    ///
    /// **Reading values is visible**: the vault logs each read, and many reads may raise a Defender for Key Vault
    /// alert. A dry run lists names without reading values, and returns the number of values to read
    /// ([`LeakMatches::reads`]); the run itself is refused without [`reads_at_most`](MatchLeaks::reads_at_most).
    ///
    /// Values are compared in memory: whole values by an HMAC with a key generated for the run, values inside
    /// connection strings by an automaton over the leaked values, and hashes by hashing the secret. A value that merely
    /// contains another as part of a longer word is not a match, and values shorter than 8 bytes are compared only as a
    /// whole.
    ///
    /// Writes nothing. Every run reads all values again.
    ///
    /// # Permissions
    ///
    /// Key Vault Secrets User on the vaults.
    ///
    /// ```
    /// # async fn f(arm: &arm_core::ArmClient, report: &str, vault: keyvault_ops::VaultName) -> azure_core::Result<()> {
    /// use defender_playbooks::leaks::{self, LeaksClient};
    ///
    /// let leaks = LeaksClient::new(arm);
    /// let found = leaks::read(report);
    /// let would = leaks.find_secrets(found.clone(), [vault.clone()]).dry_run().await?;
    /// println!("reads {} values", would.reads);
    /// let matches = leaks.find_secrets(found, [vault]).reads_at_most(would.reads).await?;
    /// for secret in matches.certain() {
    ///     println!("{} leaked", secret.secret);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn find_secrets(
        &self,
        report: LeakReport,
        vaults: impl IntoIterator<Item = VaultName>,
    ) -> MatchLeaks {
        MatchLeaks {
            arm: self.arm.clone(),
            report,
            vaults: vaults.into_iter().collect(),
            names: None,
            at_most: None,
            pause: Duration::from_millis(50),
        }
    }
}

impl MatchLeaks {
    /// Searches only secrets with these names.
    pub fn named(mut self, names: impl IntoIterator<Item = SecretName>) -> Self {
        self.names = Some(names.into_iter().collect());
        self
    }

    /// Allows the run to read at most this many values. If there are more, the run is refused before the first read.
    pub fn reads_at_most(mut self, values: usize) -> Self {
        self.at_most = Some(values);
        self
    }

    /// Sets the pause between two reads. Default: 50 ms, which stays well below a vault's rate limit.
    pub fn pause(mut self, between: Duration) -> Self {
        self.pause = between;
        self
    }

    async fn run(self, mode: Mode) -> Result<LeakMatches> {
        let mut matches = LeakMatches { dry_run: mode.is_dry_run(), ..LeakMatches::default() };
        let mut to_read = Vec::new();
        for vault in &self.vaults {
            let client = SecretsClient::new(&self.arm, vault)?;
            match enabled(&client, self.names.as_ref()).await {
                Ok(found) => to_read.extend(found.into_iter().map(|secret| (client.clone(), secret))),
                Err(error) => matches.not_looked_at.push((vault.to_string(), error.to_string())),
            }
        }
        matches.reads = to_read.iter().map(|(_, secret)| secret.versions.len()).sum();
        if mode.is_dry_run() {
            matches.report = self.report;
            return Ok(matches);
        }
        if self.at_most.is_none_or(|at_most| matches.reads > at_most) {
            let (values, vaults) = (matches.reads, self.vaults.len());
            return refuse(format!(
                "{values} values in {vaults} vaults would be read, which is more than allowed: check a dry run, then allow \
                 it with reads_at_most({values})"
            ));
        }
        let known = Known::of(&self.report)?;
        let now = OffsetDateTime::now_utc();
        for (client, secret) in to_read {
            let mut found = Vec::new();
            let (bundles, failures) = secret.read(&client, self.pause).await;
            matches.not_looked_at.extend(failures);
            for (bundle, current) in bundles {
                let Some(version) = bundle.properties.version() else { continue };
                let leaks = known.leaks_in(bundle.value.expose());
                matches.clear += usize::from(leaks.is_empty());
                found.extend(leaks.into_iter().map(|(leak, how)| VersionMatch {
                    version: version.clone(),
                    current,
                    expired: bundle.properties.is_expired(now),
                    how,
                    leak,
                }));
            }
            if !found.is_empty() {
                matches.secrets.push(SecretMatch { secret: secret.id, versions: found });
            }
        }
        drop(known);
        matches.report = self.report;
        Ok(matches)
    }
}

arm_core::task!(MatchLeaks => LeakMatches);

/// A secret and its enabled versions, whose values can be read.
struct Enabled {
    id: SecretId,
    versions: Vec<SecretProperties>,
}

async fn enabled(client: &SecretsClient, names: Option<&BTreeSet<SecretName>>) -> Result<Vec<Enabled>> {
    let mut all = Vec::new();
    let mut secrets = client.list();
    while let Some(secret) = secrets.try_next().await? {
        if names.is_some_and(|names| !names.contains(secret.name())) {
            continue;
        }
        let mut versions: Vec<SecretProperties> = client.list_versions(secret.name()).try_collect().await?;
        versions.retain(|version| version.enabled);
        let mut id = secret.id;
        id.version = None;
        all.push(Enabled { id, versions });
    }
    Ok(all)
}

impl Enabled {
    /// Reads each value once, and determines which one is current, which only a read without a version shows.
    async fn read(
        &self,
        client: &SecretsClient,
        pause: Duration,
    ) -> (Vec<(SecretBundle, bool)>, Vec<(String, String)>) {
        let (mut read, mut failed) = (Vec::new(), Vec::new());
        let name = &self.id.name;
        let current = match client.get(name).await {
            Ok(bundle) => Some(bundle),
            Err(error) if error.secret_refusal() == Some(SecretRefusal::Disabled) => None,
            Err(error) => {
                failed.push((self.id.to_string(), error.to_string()));
                None
            }
        };
        let newest = current.as_ref().and_then(|bundle| bundle.properties.version().cloned());
        read.extend(current.map(|bundle| (bundle, true)));
        for properties in &self.versions {
            let Some(version) = properties.version().filter(|version| Some(*version) != newest.as_ref())
            else {
                continue;
            };
            wait(pause).await;
            match client.get_version(name, version).await {
                Ok(bundle) => read.push((bundle, false)),
                Err(error) => failed.push((properties.id.to_string(), error.to_string())),
            }
        }
        wait(pause).await;
        (read, failed)
    }
}

async fn wait(pause: Duration) {
    if !pause.is_zero() {
        azure_core::sleep(pause.try_into().unwrap_or(azure_core::time::Duration::SECOND)).await;
    }
}

type Mark = [u8; 32];

/// The leaked values, prepared for comparison. The key is generated for the run and dropped with it.
struct Known<'a> {
    key: Zeroizing<[u8; 32]>,
    whole: HashMap<Mark, Vec<usize>>,
    inside: Option<AhoCorasick>,
    /// The leak of each pattern in the automaton.
    patterns: Vec<usize>,
    texts: Vec<(usize, &'a str, Within)>,
    hashes: HashMap<&'a str, Vec<usize>>,
    redacted: Vec<(usize, &'a str, &'a str)>,
}

impl<'a> Known<'a> {
    fn of(report: &'a LeakReport) -> Result<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut_slice()).map_err(failed)?;
        let mut known = Self {
            key,
            whole: HashMap::new(),
            inside: None,
            patterns: Vec::new(),
            texts: Vec::new(),
            hashes: HashMap::new(),
            redacted: Vec::new(),
        };
        let mut values = Vec::new();
        for (at, leak) in report.leaks.iter().enumerate() {
            match &leak.leaked {
                Leaked::Value(value) => {
                    let value = value.expose();
                    known.whole.entry(known.mark(value)?).or_default().push(at);
                    if value.len() >= SHORTEST {
                        values.push(value);
                        known.patterns.push(at);
                        known.texts.push((at, value, Within::Secret));
                    }
                }
                Leaked::Text(text) => known.texts.push((at, text.expose(), Within::Line)),
                Leaked::Hash(LeakedHash::Sha1(hash) | LeakedHash::Sha256(hash)) => {
                    known.hashes.entry(hash.expose()).or_default().push(at);
                }
                Leaked::Redacted { start, end } => known.redacted.push((at, start.expose(), end.expose())),
                Leaked::Nothing => {}
            }
        }
        if !values.is_empty() {
            known.inside = Some(AhoCorasick::new(values).map_err(failed)?);
        }
        Ok(known)
    }

    fn mark(&self, value: &str) -> Result<Mark> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).map_err(failed)?;
        mac.update(value.as_bytes());
        Ok(mac.finalize().into_bytes().into())
    }

    /// The leaks that match this secret, each with its best match.
    fn leaks_in(&self, value: &str) -> BTreeMap<usize, HowMatched> {
        let mut found = BTreeMap::new();
        let mut add = |leak: usize, how: HowMatched| {
            let best = found.entry(leak).or_insert(how);
            *best = how.min(*best);
        };
        let whole = self.mark(value).ok().and_then(|mark| self.whole.get(&mark));
        whole.into_iter().flatten().for_each(|leak| add(*leak, HowMatched::Whole));
        for hit in self.inside.iter().flat_map(|inside| inside.find_overlapping_iter(value)) {
            if is_component(value, hit.start(), hit.end(), Within::Secret) && hit.len() < value.len() {
                add(self.patterns[hit.pattern().as_usize()], HowMatched::PartOfSecret);
            }
        }
        let whole = std::iter::once((value, HowMatched::InText)).filter(|_| value.len() >= SHORTEST);
        for (part, how) in whole.chain(credentials(value).map(|part| (part, HowMatched::PartOfSecret))) {
            for (leak, text, within) in self.texts.iter().filter(|(_, text, _)| text.len() > part.len()) {
                let mut hits = text.match_indices(part);
                if hits.any(|(at, _)| is_component(text, at, at + part.len(), *within)) {
                    add(*leak, how);
                }
            }
        }
        if !self.hashes.is_empty() {
            for part in hashed(value) {
                for hash in [hex(&sha1::Sha1::digest(part.as_bytes())), hex(&Sha256::digest(part.as_bytes()))]
                {
                    let leaks = self.hashes.get(hash.as_str());
                    leaks.into_iter().flatten().for_each(|leak| add(*leak, HowMatched::Hash));
                }
            }
        }
        for (leak, start, end) in &self.redacted {
            let fits = |part: &str| {
                part.len() > start.len() + end.len() && part.starts_with(start) && part.ends_with(end)
            };
            if std::iter::once(value).chain(credentials(value)).any(fits) {
                add(*leak, HowMatched::Candidate);
            }
        }
        found
    }
}

fn hex(digest: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::with_message(ErrorKind::Other, format!("the leaked values cannot be compared: {error}"))
}
