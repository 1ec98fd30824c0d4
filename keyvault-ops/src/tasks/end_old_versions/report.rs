use std::fmt;

use crate::{Retirement, RotateFailure, SecretName, SecretVersion};

/// The result of [`EndOldVersions`](crate::EndOldVersions). It contains no secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EndedVersions {
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The current version, which stays enabled; `None` if it was not read.
    pub current: Option<SecretVersion>,
    /// The ids of the credentials that the issuer has revoked; in a dry run, of those it would revoke.
    pub revoked: Vec<String>,
    /// Versions whose credential was not revoked, and why. The credential may still work: check it yourself.
    pub open: Vec<OpenCredential>,
    /// The outcome of disabling the versions; `None` if the task stopped before that.
    pub retirement: Option<Retirement>,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
}

/// A version whose credential was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenCredential {
    /// The version.
    pub version: SecretVersion,
    /// The reason.
    pub why: String,
}

impl EndedVersions {
    /// Whether every version is disabled and its credential revoked; `false` for a dry run.
    pub fn is_complete(&self) -> bool {
        self.retirement.is_some() && self.open.is_empty() && !self.dry_run
    }

    pub(super) fn leave(&mut self, version: &SecretVersion, why: impl Into<String>) {
        self.open.push(OpenCredential { version: version.clone(), why: why.into() });
    }
}

impl fmt::Display for EndedVersions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.dry_run { "to be " } else { "" };
        write!(
            f,
            "old versions of '{}' of {}: {} credentials {would}revoked",
            self.secret,
            self.vault,
            self.revoked.len()
        )?;
        match &self.retirement {
            Some(retirement) => write!(f, "; {} {would}disabled", retirement.disabled)?,
            None => f.write_str("; none disabled")?,
        }
        self.open.iter().try_for_each(|open| {
            write!(f, "; the credential of {} may still be valid: {}", open.version, open.why)
        })
    }
}

/// Why [`EndOldVersions`](crate::EndOldVersions) stopped, and how far it got.
#[derive(Debug)]
#[non_exhaustive]
pub struct EndError {
    /// What was done before the task stopped.
    pub completed: Box<EndedVersions>,
    /// Why it stopped.
    pub source: Box<RotateFailure>,
}

impl fmt::Display for EndError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not all old versions were ended: {} ({})", self.source, self.completed)
    }
}

impl std::error::Error for EndError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
