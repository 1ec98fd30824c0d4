use keyvault_ops::{SecretId, SecretVersion};
use serde::Serialize;

use super::{Leak, LeakReport};

/// Which secrets of which vaults leaked. It holds no value.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakMatches {
    /// What the reports say.
    pub report: LeakReport,
    /// The secrets that leaked, or may have.
    pub secrets: Vec<SecretMatch>,
    /// How many values the run reads, or has read. Each is a line in the vault's log, and many may raise an alert.
    pub reads: usize,
    /// Vaults and versions that could not be looked at, and why. What they hold is **not known** to be safe.
    pub not_looked_at: Vec<(String, String)>,
    /// Enabled versions that hold no leaked value, by the comparison that was made.
    pub clear: usize,
    /// Whether no value was read.
    pub dry_run: bool,
}

/// A secret of a vault that leaked, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretMatch {
    /// The secret, without version.
    #[serde(serialize_with = "shown")]
    pub secret: SecretId,
    /// What was found, by version.
    pub versions: Vec<VersionMatch>,
}

/// A version of a secret, and a leak that holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VersionMatch {
    /// The version.
    pub version: SecretVersion,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether its date of expiry is over. Key Vault gives such values out all the same.
    pub expired: bool,
    /// How it was found.
    pub how: HowMatched,
    /// Which of the report's [`leaks`](LeakReport::leaks).
    pub leak: usize,
}

/// How a leak and a secret were found to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum HowMatched {
    /// The leaked value is the secret.
    Whole,
    /// The leaked value is a part of the secret, such as the key in a connection string.
    PartOfSecret,
    /// What leaked holds the secret, such as the line of a file.
    InText,
    /// The hash is that of the secret, or of a part of it.
    Hash,
    /// Only the beginning and the end are known, and they fit: **a candidate**, to be looked at by people.
    Candidate,
}

impl SecretMatch {
    /// Whether the secret itself was found, and not only one that looks like it.
    pub fn is_certain(&self) -> bool {
        self.versions.iter().any(|version| version.how != HowMatched::Candidate)
    }

    /// Whether the current version leaked for certain.
    pub fn is_current(&self) -> bool {
        self.versions.iter().any(|version| version.current && version.how != HowMatched::Candidate)
    }
}

impl LeakMatches {
    /// The secrets that leaked for certain.
    pub fn certain(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| secret.is_certain())
    }

    /// The secrets that only look like one that leaked.
    pub fn candidates(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| !secret.is_certain())
    }

    /// The leaks that were found in no secret that was looked at, for people to look after: their place names the
    /// repository, and [`owner`](Leak::owner) perhaps somebody to ask.
    pub fn unmatched(&self) -> impl Iterator<Item = &Leak> {
        let is_matched = |leak: usize| {
            self.secrets.iter().flat_map(|secret| &secret.versions).any(|version| version.leak == leak)
        };
        self.report.leaks.iter().enumerate().filter(move |(at, _)| !is_matched(*at)).map(|(_, leak)| leak)
    }

    /// Whether every report was read and every version looked at. Otherwise, *nothing found* means nothing.
    pub fn is_complete(&self) -> bool {
        self.report.is_complete() && self.not_looked_at.is_empty() && !self.dry_run
    }
}

pub(super) fn shown<S: serde::Serializer>(id: &SecretId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
