use std::fmt;

use azure_core::Error;

use crate::{RetireFailure, Rotation, SecretVersion};

/// Why a rotation stopped, where, and what was done by then.
#[derive(Debug)]
#[non_exhaustive]
pub struct RotateError {
    /// What was done; its [`id`](Rotation::id) takes the rotation up again.
    pub completed: Box<Rotation>,
    /// The step that failed.
    pub step: RotateStep,
    /// Why.
    pub source: Box<RotateFailure>,
}

/// A step of a rotation, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RotateStep {
    /// Reading the current version.
    Snapshot,
    /// Creating a credential at the issuer.
    CreateCredential,
    /// Setting the new version.
    Set,
    /// Checking that it is current and works.
    Verify,
    /// Revoking the old credentials before anyone has moved.
    RevokeFirst,
    /// Waiting for the consumers.
    WaitForConsumers,
    /// Disabling the old versions.
    Retire,
    /// Revoking the old credentials.
    Revoke,
    /// Counting what is still enabled.
    Report,
}

impl RotateStep {
    fn doing(self) -> &'static str {
        match self {
            Self::Snapshot => "reading the current version",
            Self::CreateCredential => "creating a credential at the issuer",
            Self::Set => "setting the new version",
            Self::Verify => "verifying the new version",
            Self::RevokeFirst | Self::Revoke => "revoking the old credentials at the issuer",
            Self::WaitForConsumers => "waiting for the consumers",
            Self::Retire => "disabling the old versions",
            Self::Report => "counting what is still enabled",
        }
    }
}

impl fmt::Display for RotateStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.doing())
    }
}

/// Why a step of a rotation failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum RotateFailure {
    /// What was asked for cannot be done.
    Invalid(String),
    /// A request failed.
    Service(Error),
    /// An issuer's or consumers' hook failed.
    Hook(Error),
    /// The ledger could not be written.
    Ledger(Error),
    /// Someone else has set a version meanwhile. It is current and was not touched.
    Overtaken {
        /// The version that is current now.
        current: SecretVersion,
    },
    /// The current version is disabled: no one can read the secret.
    CurrentDisabled,
    /// The version that was just set holds another value than was sent.
    OtherValue,
}

impl fmt::Display for RotateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(reason) => f.write_str(reason),
            Self::Service(error) | Self::Ledger(error) | Self::Hook(error) => error.fmt(f),
            Self::Overtaken { current } => RetireFailure::Overtaken { current: current.clone() }.fmt(f),
            Self::CurrentDisabled => RetireFailure::CurrentDisabled.fmt(f),
            Self::OtherValue => f.write_str("the new version holds another value than was sent"),
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
        write!(f, "rotating '{}' of {} stopped while {step}: {source}", completed.secret, completed.vault)?;
        f.write_str("; ")?;
        f.write_str(match (&completed.rolled_back_to, &completed.current, step) {
            (Some(_), ..) => "the old value was set again and no version was disabled",
            (None, None, RotateStep::Set) => "whether the new version was set is not known",
            (None, None, _) => "nothing was changed in the vault",
            (None, Some(_), RotateStep::Verify) => "the new version was set and no version was disabled",
            (None, Some(_), _) => "the new version was set",
        })?;
        match &completed.active {
            Some(active) => write!(f, "; now: {active}")?,
            None if *step >= RotateStep::Set => f.write_str("; which versions are enabled is not known")?,
            None => {}
        }
        if matches!(**source, RotateFailure::Overtaken { .. }) {
            return Ok(());
        }
        write!(f, "; run it again with the id '{}' to go on", completed.id)
    }
}

impl std::error::Error for RotateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}
