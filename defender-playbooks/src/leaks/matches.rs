use keyvault_ops::{SecretId, SecretVersion};
use serde::Serialize;

use super::{Leak, LeakReport};

/// The secrets in the searched vaults that have leaked, without their values.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct LeakMatches {
    /// The content of the scanners' reports.
    pub report: LeakReport,
    /// The secrets that have leaked, or may have.
    pub secrets: Vec<SecretMatch>,
    /// The number of values that a run reads. The vault logs each read, and many reads may raise an alert.
    pub reads: usize,
    /// Vaults and versions that could not be searched, and why. Their secrets are **not known** to be safe.
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
    /// The secret, without a version.
    #[serde(serialize_with = "shown")]
    pub secret: SecretId,
    /// The matches, by version.
    pub versions: Vec<VersionMatch>,
}

/// A version of a secret, and the leak that it matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct VersionMatch {
    /// The version.
    pub version: SecretVersion,
    /// Whether it is the current version.
    pub current: bool,
    /// Whether it has expired. Key Vault still returns the values of expired versions.
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
    /// The leaked text, such as a line of a file, contains the secret.
    InText,
    /// The hash is that of the secret or of a part of it.
    Hash,
    /// Only the beginning and end of the leaked value are known, and they match: **a candidate** for people to check.
    Candidate,
}

impl SecretMatch {
    /// Whether this secret certainly leaked, rather than only resembling a leaked one.
    pub fn is_certain(&self) -> bool {
        self.versions.iter().any(|version| version.how != HowMatched::Candidate)
    }

    /// Whether the current version certainly leaked.
    pub fn is_current(&self) -> bool {
        self.versions.iter().any(|version| version.current && version.how != HowMatched::Candidate)
    }
}

impl LeakMatches {
    /// The secrets that certainly leaked.
    pub fn certain(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| secret.is_certain())
    }

    /// The secrets that only resemble a leaked one.
    pub fn candidates(&self) -> impl Iterator<Item = &SecretMatch> {
        self.secrets.iter().filter(|secret| !secret.is_certain())
    }

    /// The leaks that match none of the searched secrets, for people to follow up: [`place`](Leak::place) says where,
    /// and [`owner`](Leak::owner) may name somebody to ask.
    pub fn unmatched(&self) -> impl Iterator<Item = &Leak> {
        let is_matched = |leak: usize| {
            self.secrets.iter().flat_map(|secret| &secret.versions).any(|version| version.leak == leak)
        };
        self.report.leaks.iter().enumerate().filter(move |(at, _)| !is_matched(*at)).map(|(_, leak)| leak)
    }

    /// Whether every report was read and every version was searched. If not, *nothing found* proves nothing.
    pub fn is_complete(&self) -> bool {
        self.report.is_complete() && self.not_looked_at.is_empty() && !self.dry_run
    }
}

pub(super) fn shown<S: serde::Serializer>(id: &SecretId, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(how: HowMatched, current: bool, leak: usize) -> SecretMatch {
        let secret: SecretId = "https://kv.vault.azure.net/secrets/db".parse().unwrap();
        let version: SecretVersion = "0123456789abcdef0123456789abcdef".parse().unwrap();
        SecretMatch { secret, versions: vec![VersionMatch { version, current, expired: false, how, leak }] }
    }

    #[test]
    fn the_look_for_leaks_is_complete_only_if_all_was_read_and_looked_at() {
        assert!(LeakMatches::default().is_complete());
        let unread = LeakReport { unread: vec![crate::leaks::report::at(1, "cut")], ..LeakReport::default() };
        assert!(!unread.is_complete());
        let report = LeakMatches { report: unread, ..LeakMatches::default() };
        let vault = ("kv".to_owned(), "403".to_owned());
        let vault = LeakMatches { not_looked_at: vec![vault], ..LeakMatches::default() };
        let dry_run = LeakMatches { dry_run: true, ..LeakMatches::default() };
        assert!(!report.is_complete() && !vault.is_complete() && !dry_run.is_complete());
    }

    #[test]
    fn a_candidate_is_neither_certain_nor_current_and_what_matches_nothing_is_named() {
        let (sure, maybe) = (matched(HowMatched::Whole, true, 0), matched(HowMatched::Candidate, true, 1));
        assert!(sure.is_certain() && sure.is_current());
        assert!(!maybe.is_certain() && !maybe.is_current());
        let old = matched(HowMatched::Hash, false, 0);
        assert!(old.is_certain() && !old.is_current());
        let all = LeakMatches { secrets: vec![sure.clone(), maybe.clone()], ..LeakMatches::default() };
        assert_eq!(all.certain().collect::<Vec<_>>(), [&sure]);
        assert_eq!(all.candidates().collect::<Vec<_>>(), [&maybe]);
    }
}
