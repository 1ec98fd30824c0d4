use std::{fmt, time::Duration};

use azure_core::Error;

use crate::{RetireFailure, Rotation, SecretId, SecretVersion};

/// Why a rotation stopped, where, and what had been done by then.
#[derive(Debug)]
#[non_exhaustive]
pub struct RotateError {
    /// What was done. Run the rotation again with its [`id`](Rotation::id) to resume it.
    pub completed: Box<Rotation>,
    /// The step that failed.
    pub step: RotateStep,
    /// The reason.
    pub source: Box<RotateFailure>,
}

/// The steps of a rotation, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RotateStep {
    /// Reading the current version and listing the others.
    Snapshot,
    /// Creating a credential at the issuer.
    CreateCredential,
    /// Testing the new credential, before it is set.
    Verify,
    /// Setting the new version.
    Set,
    /// Checking that the new version is current.
    Confirm,
    /// Revoking the old credentials before the consumers have moved.
    RevokeFirst,
    /// Waiting for the consumers.
    WaitForConsumers,
    /// Revoking the old credentials.
    Revoke,
    /// Disabling the old versions.
    Retire,
    /// Reading the final state.
    Report,
}

impl fmt::Display for RotateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Snapshot => "reading the current version",
            Self::CreateCredential => "creating a credential at the issuer",
            Self::Verify => "verifying the new credential",
            Self::Set => "setting the new version",
            Self::Confirm => "checking that the new version is current",
            Self::RevokeFirst | Self::Revoke => "revoking the old credentials at the issuer",
            Self::WaitForConsumers => "waiting for the consumers",
            Self::Retire => "disabling the old versions",
            Self::Report => "reading the final state",
        })
    }
}

/// Why a step of a rotation failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotateFailure {
    /// The current value does not work at the issuer: somebody made it current between the last check and its
    /// revocation, set a value that never worked, or revoked the new credential. **Set a working value now.**
    CurrentCredentialDead {
        /// The version that is current and does not work.
        current: SecretVersion,
        /// What this rotation may have revoked or regenerated: ids of credentials, or a phrase such as `the idle slot`.
        revoked: Vec<String>,
    },
    /// The request cannot be carried out. The secret's value was not changed.
    Invalid(String),
    /// A request failed.
    Service(Error),
    /// A hook of the issuer or the consumers failed.
    Hook(Error),
    /// A hook did not finish in time. What it started may still take effect.
    HookTimedOut {
        /// The hook.
        hook: &'static str,
        /// Its time limit.
        limit: Duration,
    },
    /// The ledger could not be read or written.
    Ledger(Error),
    /// Somebody else has set a version in the meantime. It is current and was not changed.
    Overtaken {
        /// The version that is current now.
        current: SecretVersion,
    },
    /// The current version is disabled: nobody can read the secret.
    CurrentDisabled,
    /// The vault keeps returning an old version: the new one is not visible.
    StillOld {
        /// The version that it returns.
        current: SecretVersion,
    },
    /// It is unknown whether the new version was set, which version is current, or whether something that an earlier
    /// run left is still needed; the message says which. The rotation did not go on.
    Undetermined(String),
    /// The issuer returned a credential that an existing version contains, instead of a new one.
    SameCredential {
        /// Its id.
        id: String,
    },
    /// Another rotation is about to change the idle slot of the issuer.
    ForeignIntent {
        /// The id of that rotation: run it again to complete it.
        rotation: String,
    },
    /// Another secret with the same credential could not be rotated, so none of them continued.
    Group {
        /// That secret.
        failed: SecretId,
    },
}

impl fmt::Display for RotateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrentCredentialDead { current, revoked } => {
                write!(
                    f,
                    "THE CURRENT VERSION {current} DOES NOT WORK at the issuer: set a working value now"
                )?;
                match revoked.is_empty() {
                    true => Ok(()),
                    false => write!(f, "; this rotation has revoked {}", revoked.join(", ")),
                }
            }
            Self::Invalid(reason) | Self::Undetermined(reason) => f.write_str(reason),
            Self::Service(error) | Self::Ledger(error) | Self::Hook(error) => error.fmt(f),
            Self::HookTimedOut { hook, limit } => {
                write!(f, "'{hook}' did not finish within {limit:?}; what it started may still happen")
            }
            Self::Overtaken { current } => RetireFailure::Overtaken { current: current.clone() }.fmt(f),
            Self::CurrentDisabled => RetireFailure::CurrentDisabled.fmt(f),
            Self::StillOld { current } => {
                write!(f, "the vault still returns version {current}, which is no longer current")
            }
            Self::SameCredential { id } => write!(
                f,
                "the issuer returned the credential that is in use ('{id}'): nothing was set or revoked"
            ),
            Self::ForeignIntent { rotation } => write!(
                f,
                "rotation '{rotation}' is about to change the idle slot: wait for it, or run it again with its id to \
                 finish it"
            ),
            Self::Group { failed } => {
                write!(f, "{failed} contains the same credential and could not be rotated")
            }
        }
    }
}

impl std::error::Error for RotateFailure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Service(error) | Self::Ledger(error) | Self::Hook(error) => Some(error),
            _ => None,
        }
    }
}

impl From<RetireFailure> for RotateFailure {
    fn from(failure: RetireFailure) -> Self {
        match failure {
            RetireFailure::Service(error) => Self::Service(error),
            RetireFailure::CurrentDisabled => Self::CurrentDisabled,
            RetireFailure::Overtaken { current } => Self::Overtaken { current },
        }
    }
}

impl fmt::Display for RotateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { completed, step, source } = self;
        if matches!(**source, RotateFailure::CurrentCredentialDead { .. }) {
            write!(f, "{source}; ")?;
        }
        write!(f, "rotating '{}' of {} stopped while {step}", completed.secret, completed.vault)?;
        if !matches!(**source, RotateFailure::CurrentCredentialDead { .. }) {
            write!(f, ": {source}")?;
        }
        f.write_str("; ")?;
        match (&completed.current, step) {
            (None, RotateStep::Set) if matches!(**source, RotateFailure::Undetermined(_)) => {
                f.write_str("nothing was disabled or revoked")?;
            }
            (None, _) => f.write_str("nothing was changed in the vault")?,
            (Some(current), _) => {
                let disabled = completed.retirement.as_ref().map_or(0, |retirement| retirement.disabled);
                write!(f, "version {current} was set, {disabled} old versions were disabled")?;
            }
        }
        match &completed.active {
            Some(active) => write!(f, "; now: {active}")?,
            None if *step >= RotateStep::Set => f.write_str("; it is unknown which versions are enabled")?,
            None => {}
        }
        completed.issuer.fmt_open(f)?;
        match **source {
            RotateFailure::Overtaken { .. }
            | RotateFailure::CurrentCredentialDead { .. }
            | RotateFailure::Invalid(_)
            | RotateFailure::ForeignIntent { .. } => Ok(()),
            _ => write!(f, "; run it again with the id '{}' to resume it", completed.id),
        }
    }
}

impl std::error::Error for RotateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

pub(super) type Step<T = ()> = Result<T, RotateFailure>;
/// A failure, with the index in the group of the secret that it concerns.
pub(super) type GroupStep<T = ()> = Result<T, (usize, RotateFailure)>;
