use keyvault_ops::{SecretId, SecretVersion};
use serde::Serialize;

use super::{Leak, LeakReport};

/// Which secrets of which vaults have leaked. It contains no secret value.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakMatches {
    /// The content of the scanners' reports.
    pub report: LeakReport,
    /// The secrets that have leaked, or may have.
    pub secrets: Vec<SecretMatch>,
    /// The number of values that the run will read, or has read. Each read is logged by the vault, and many may raise
    /// an alert.
    pub reads: usize,
    /// Vaults and versions that could not be searched, and why. What they contain is **not known** to be safe.
    pub not_looked_at: Vec<(String, String)>,
    /// The number of enabled versions in which no leaked value was found.
    pub clear: usize,
    /// Whether this was a dry run, which reads no value.
    pub dry_run: bool,
}

/// A secret in a vault that has leaked, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SecretMatch {
    /// The secret, without version.
    #[serde(serialize_with = "shown")]
    pub secret: SecretId,
    /// The matches, by version.
    pub versions: Vec<VersionMatch>,
}

/// A version of a secret that matches a leak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VersionMatch {
    /// The version.
    pub version: SecretVersion,
    /// Whether it is the current one.
    pub current: bool,
    /// Whether it has expired. Key Vault still returns expired values.
    pub expired: bool,
    /// How it was matched.
    pub how: HowMatched,
    /// The index of the leak in the report's [`leaks`](LeakReport::leaks).
    pub leak: usize,
}

/// How a leak was matched to a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum HowMatched {
    /// The leaked value is the whole secret.
    Whole,
    /// The leaked value is a part of the secret, such as the key in a connection string.
    PartOfSecret,
    /// The leaked text contains the secret, such as a line of a file.
    InText,
    /// The hash is that of the secret or of a part of it.
    Hash,
    /// Only the beginning and the end are known, and they match: **a candidate** for people to check.
    Candidate,
}

impl SecretMatch {
    /// Whether the secret itself was found, rather than one that resembles it.
    pub fn is_certain(&self) -> bool {
        self.versions.iter().any(|version| version.how != HowMatched::Candidate)
    }

    /// Whether the current version has certainly leaked.
    pub fn is_current(&self) -> bool {
        self.versions.iter().any(|version| version.current && version.how != HowMatched::Candidate)
    }
}

impl LeakMatches {
    /// The secrets that have certainly leaked.
    pub fn certain(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| secret.is_certain())
    }

    /// The secrets that only resemble a leaked one.
    pub fn candidates(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| !secret.is_certain())
    }

    /// The leaks that were not found in any secret that was searched, for people to follow up: the place names the
    /// repository, and [`owner`](Leak::owner) may name somebody to ask.
    pub fn unmatched(&self) -> impl Iterator<Item = &Leak> {
        let is_matched = |leak: usize| {
            self.secrets.iter().flat_map(|secret| &secret.versions).any(|version| version.leak == leak)
        };
        self.report.leaks.iter().enumerate().filter(move |(at, _)| !is_matched(*at)).map(|(_, leak)| leak)
    }

    /// Whether every report was read and every version searched. If not, *nothing found* proves nothing.
    pub fn is_complete(&self) -> bool {
        self.report.is_complete() && self.not_looked_at.is_empty() && !self.dry_run
    }
}

pub(super) fn shown<S: serde::Serializer>(id: &SecretId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}
