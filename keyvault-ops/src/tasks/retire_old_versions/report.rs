use std::fmt;

use azure_core::Error;

use crate::{SecretName, SecretVersion};

/// The result of disabling the old versions of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retirement {
    /// The host name of the vault, such as `kv-prod.vault.azure.net`.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The current version, which stays enabled. `None` in the dry run of a rotation whose new version does not exist
    /// yet.
    pub current: Option<SecretVersion>,
    /// How many versions were listed.
    pub seen: u64,
    /// How many versions were disabled, or in a dry run would be.
    pub disabled: u64,
    /// The versions that were disabled, or in a dry run would be, in no particular order.
    pub versions: Vec<SecretVersion>,
    /// How many were already disabled.
    pub disabled_before: u64,
    /// How many stay enabled, including the current one. More than requested if only some versions were to be disabled,
    /// or if several were created within the same second, since these cannot be distinguished.
    pub kept: u64,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
}

impl fmt::Display for Retirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.dry_run { "to disable" } else { "disabled" };
        match &self.current {
            Some(current) => write!(f, "current {current}: ")?,
            None => f.write_str("a new version: ")?,
        }
        write!(
            f,
            "{} {verb}, {} kept enabled, {} disabled before, of {} versions",
            self.disabled, self.kept, self.disabled_before, self.seen
        )
    }
}

/// Why not all old versions were disabled, and how far the task got.
#[derive(Debug)]
#[non_exhaustive]
pub struct RetireError {
    /// What was done before the task stopped; `None` if it stopped before the current version was known.
    pub completed: Option<Retirement>,
    /// Why it stopped.
    pub source: RetireFailure,
}

/// Why old versions were not disabled.
#[derive(Debug)]
#[non_exhaustive]
pub enum RetireFailure {
    /// A request failed.
    Service(Error),
    /// The current version is disabled, so it is unknown which one it is. Nothing more was disabled.
    CurrentDisabled,
    /// Somebody else has set a version in the meantime.
    Overtaken {
        /// The version that is current now.
        current: SecretVersion,
    },
}

impl fmt::Display for RetireFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(error) => error.fmt(f),
            Self::CurrentDisabled => f.write_str(
                "the current version is disabled, so nobody can read the secret: enable it or set a new one first",
            ),
            Self::Overtaken { current } => {
                write!(f, "somebody else has set version {current} in the meantime: it is current and was not changed")
            }
        }
    }
}

impl std::error::Error for RetireFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for RetireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not all old versions were disabled: {}", self.source)?;
        match &self.completed {
            Some(completed) if completed.disabled > 0 => {
                write!(f, " ({} were disabled; run it again for the rest)", completed.disabled)
            }
            _ => f.write_str(" (none was disabled)"),
        }
    }
}

impl std::error::Error for RetireError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<Error> for RetireFailure {
    fn from(error: Error) -> Self {
        Self::Service(error)
    }
}
