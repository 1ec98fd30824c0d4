//! The pattern of a secret dump: list repeatedly, then read one secret after another.

use std::{
    collections::BTreeSet,
    fmt,
    time::{Duration, Instant},
};

use arm_core::Mode;
use azure_core::Result;
use futures::TryStreamExt as _;

use crate::{SecretErrorExt as _, SecretName, SecretRefusal, SecretsClient};

/// The number of secret reads that a vault allows in ten seconds.
const VAULT_LIMIT: u32 = 4_000;
const WINDOW: Duration = Duration::from_secs(10);

/// A confirmation that alerts are expected and that the owners of the vault know.
#[derive(Debug, Clone, Copy)]
pub struct AlertsExpected(());

impl AlertsExpected {
    /// Confirms that you know this looks like an attack, and that the owners of the vault have agreed.
    pub fn confirmed() -> Self {
        Self(())
    }
}

/// A task that lists a vault's secrets repeatedly, including managed ones, and then reads them, one after another.
///
/// The alert `KV_ListGetAnomaly` (Suspicious secret listing and query in a key vault) detects this pattern. **It raises
/// alerts**, so it requires [`AlertsExpected`]. Values are wiped as soon as they are read. Nothing is changed.
///
/// It counts requests in windows of 10 seconds. By default, it makes at most 2,000 in each, half of what a vault
/// allows; the report says how many it made. Retries are not counted.
///
/// A dry run lists the secrets once, which the vault logs, and reads none: it reports what would be read.
///
/// # Permissions
///
/// Key Vault Secrets User. Secrets that the caller may not read are counted; they are not an error.
#[derive(Debug, Clone)]
#[must_use = "nothing happens until it is awaited"]
pub struct Sweep {
    client: SecretsClient,
    listings: u32,
    reads: usize,
    only: Option<BTreeSet<SecretName>>,
    limit: u32,
}

/// What a sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct SweepReport {
    /// The host name of the vault, such as `kv-prod.vault.azure.net`.
    pub vault: String,
    /// The secrets that it read or tried to read; in a dry run, those that it would read.
    pub names: Vec<SecretName>,
    /// How many times all secrets were listed; in a dry run, would be.
    pub listings: u32,
    /// How many secrets the last list had.
    pub secrets: usize,
    /// How many of them belong to certificates.
    pub managed: usize,
    /// How many were read; in a dry run, would be.
    pub read: usize,
    /// How many the caller may not read.
    pub forbidden: usize,
    /// How many are disabled.
    pub disabled: usize,
    /// How many no longer existed when they were to be read.
    pub gone: usize,
    /// How many were refused because the vault's limits were reached, even after waiting.
    pub throttled: usize,
    /// The number of requests, one for each page and each read, without retries. Each is an entry in the vault's log.
    /// In a dry run, the number that a sweep would make.
    pub requests: u32,
    /// The maximum number of requests in one window of ten seconds.
    pub most_in_window: u32,
    /// How long it took.
    pub elapsed: Duration,
    /// How much of that was spent waiting to stay below the limit.
    pub paced: Duration,
}

impl fmt::Display for SweepReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} listings of {} secrets ({} managed); {} read, {} forbidden, {} disabled, {} gone; {} requests in {:.1?}, \
             at most {} of the {VAULT_LIMIT} requests that the vault allows in 10 s",
            self.listings,
            self.secrets,
            self.managed,
            self.read,
            self.forbidden,
            self.disabled,
            self.gone,
            self.requests,
            self.elapsed,
            self.most_in_window,
        )?;
        if self.paced > Duration::ZERO {
            write!(f, "; waited {:.1?} to stay below {}", self.paced, VAULT_LIMIT / 2)?;
        }
        if self.throttled > 0 {
            write!(f, "; {} refused by the vault's limits", self.throttled)?;
        }
        Ok(())
    }
}

impl SecretsClient {
    /// Lists and reads secrets the way an attacker dumping a vault would. See [`Sweep`].
    pub fn sweep(&self, _alerts: AlertsExpected) -> Sweep {
        Sweep { client: self.clone(), listings: 3, reads: usize::MAX, only: None, limit: VAULT_LIMIT / 2 }
    }
}

impl Sweep {
    /// Sets how many times to list all secrets before the first read. Default: 3.
    pub fn listings(mut self, times: u32) -> Self {
        self.listings = times.max(1);
        self
    }

    /// Reads at most this many secrets. Default: all.
    pub fn reads(mut self, secrets: usize) -> Self {
        self.reads = secrets;
        self
    }

    /// Reads only these of the listed secrets. Default: all.
    pub fn only(mut self, names: impl IntoIterator<Item = SecretName>) -> Self {
        self.only = Some(names.into_iter().collect());
        self
    }

    /// Sets the maximum number of requests in a window of 10 seconds. Default: 2,000; maximum: 4,000, the vault's
    /// limit.
    pub fn at_most_in_10_seconds(mut self, requests: u32) -> Self {
        self.limit = requests.clamp(1, VAULT_LIMIT);
        self
    }

    async fn run(self, mode: Mode) -> Result<SweepReport> {
        let mut report = SweepReport { vault: self.client.host().to_owned(), ..SweepReport::default() };
        let mut pace = Pace::new(self.limit);
        let mut names = Vec::new();
        while report.listings < self.listings {
            names.clear();
            self.list(&mut names, &mut pace, &mut report).await?;
            report.listings += 1;
            if mode.is_dry_run() {
                return Ok(self.planned(report, &names, pace.requests));
            }
        }
        report.names = self.wanted(&names).map(|(name, _)| name.clone()).collect();
        for (name, _) in self.wanted(&names) {
            pace.step().await;
            match self.client.read(name, None).await {
                Ok(_) => report.read += 1,
                Err(error) => match error.secret_refusal() {
                    Some(SecretRefusal::Disabled) => report.disabled += 1,
                    Some(SecretRefusal::NotFound) => report.gone += 1,
                    Some(SecretRefusal::Throttled) => report.throttled += 1,
                    Some(
                        SecretRefusal::ForbiddenByRbac
                        | SecretRefusal::ForbiddenByPolicy
                        | SecretRefusal::Forbidden,
                    ) => report.forbidden += 1,
                    _ => return Err(error),
                },
            }
        }
        report.requests = pace.requests;
        report.most_in_window = pace.most;
        report.paced = pace.waited;
        report.elapsed = pace.begun.elapsed();
        Ok(report)
    }

    /// The listed secrets that are to be read.
    fn wanted<'a>(&'a self, names: &'a [(SecretName, bool)]) -> impl Iterator<Item = &'a (SecretName, bool)> {
        let is_wanted =
            |(name, _): &&(SecretName, bool)| self.only.as_ref().is_none_or(|only| only.contains(name));
        names.iter().filter(is_wanted).take(self.reads)
    }

    /// The report of a dry run, after one listing that took this many requests.
    fn planned(&self, mut report: SweepReport, names: &[(SecretName, bool)], pages: u32) -> SweepReport {
        let wanted = || self.wanted(names);
        report.listings = self.listings;
        report.names = wanted().map(|(name, _)| name.clone()).collect();
        report.disabled = wanted().filter(|(_, enabled)| !enabled).count();
        report.read = wanted().count() - report.disabled;
        let reads = u32::try_from(wanted().count()).unwrap_or(u32::MAX);
        report.requests = pages.saturating_mul(self.listings).saturating_add(reads);
        report
    }

    async fn list(
        &self,
        names: &mut Vec<(SecretName, bool)>,
        pace: &mut Pace,
        report: &mut SweepReport,
    ) -> Result<()> {
        report.managed = 0;
        let mut pages = self.client.list().into_pages();
        loop {
            pace.step().await;
            let Some(page) = pages.try_next().await? else { break };
            report.managed += page.items.iter().filter(|secret| secret.managed).count();
            names.extend(page.items.into_iter().map(|secret| (secret.id.name, secret.enabled)));
            if page.continuation.is_none() {
                break;
            }
        }
        report.secrets = names.len();
        Ok(())
    }
}

arm_core::task!(Sweep => SweepReport);

/// Counts requests in windows of ten seconds, and waits when one is full.
struct Pace {
    limit: u32,
    begun: Instant,
    window: Instant,
    in_window: u32,
    most: u32,
    requests: u32,
    waited: Duration,
}

impl Pace {
    fn new(limit: u32) -> Self {
        let now = Instant::now();
        Self { limit, begun: now, window: now, in_window: 0, most: 0, requests: 0, waited: Duration::ZERO }
    }

    /// Waits if the window is full. Must be called before each request.
    async fn step(&mut self) {
        let spent = self.window.elapsed();
        if self.in_window >= self.limit && spent < WINDOW {
            let wait = WINDOW - spent;
            azure_core::sleep(wait.try_into().unwrap_or(azure_core::time::Duration::MAX)).await;
            self.waited += wait;
        }
        if self.in_window >= self.limit || spent >= WINDOW {
            self.window = Instant::now();
            self.in_window = 0;
        }
        self.in_window += 1;
        self.requests += 1;
        self.most = self.most.max(self.in_window);
    }
}
