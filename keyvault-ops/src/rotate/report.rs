use std::fmt;

use crate::{ActiveVersions, Retirement, SecretName, SecretVersion};

/// What a rotation did, or has done so far. It holds no value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// What takes the rotation up again.
    pub id: String,
    /// The version that was current before; nothing if it was disabled, or an earlier run did not tell.
    pub previous: Option<SecretVersion>,
    /// The new version.
    pub current: Option<SecretVersion>,
    /// Whether an earlier run had set it.
    pub resumed: bool,
    /// What the issuer was asked to do.
    pub issuer: IssuerReport,
    /// Whether the consumers were waited for.
    pub consumers_moved: bool,
    /// What became of the old versions.
    pub retirement: Option<Retirement>,
    /// What can be read in the end; of a rotation that stopped, as far as it could be asked.
    pub active: Option<ActiveVersions>,
    /// The version that holds the old value again, because the new one did not work.
    pub rolled_back_to: Option<SecretVersion>,
    /// Whether nothing was written.
    pub dry_run: bool,
}

/// What an issuer was asked to do in a rotation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerReport {
    /// Whether there is one. Without it, **the old credential stays valid at its issuer**.
    pub configured: bool,
    /// The issuer's name for the credential that it made.
    pub created: Option<String>,
    /// Whether it accepted the new credential.
    pub verified: bool,
    /// How many old credentials it revoked.
    pub revoked: u64,
    /// The credential that it made and that could not be stored, if it could not be revoked either.
    pub orphan: Option<String>,
}

impl Rotation {
    /// Whether, in the vault, the new version is current and no more than what was asked for is enabled beside it.
    pub fn is_complete(&self) -> bool {
        let enabled_beside = self.retirement.as_ref().map(|retirement| retirement.kept.saturating_sub(1));
        match (&self.active, enabled_beside) {
            (Some(active), Some(kept)) => active.current == self.current && active.others <= kept,
            _ => false,
        }
    }
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { vault, secret, issuer, .. } = self;
        if self.dry_run {
            write!(f, "would rotate '{secret}' of {vault}")?;
        } else {
            write!(f, "rotated '{secret}' of {vault}")?;
        }
        match (&self.current, self.resumed) {
            (Some(current), true) => write!(f, ": version {current}, set by an earlier run")?,
            (Some(current), false) => write!(f, ": version {current}")?,
            (None, _) => {}
        }
        if let Some(retirement) = &self.retirement {
            let verb = if self.dry_run { "to disable" } else { "disabled" };
            write!(f, "; {} old {verb}, {} enabled", retirement.disabled, retirement.kept)?;
        }
        if let Some(active) = self.active.as_ref().filter(|_| !self.is_complete() && !self.dry_run) {
            write!(f, "; NOT COMPLETE: {active}")?;
        }
        if !issuer.configured {
            return f.write_str(
                "; no issuer was asked: the old credential stays valid there until it is revoked",
            );
        }
        write!(f, "; {} old credentials revoked at the issuer", issuer.revoked)?;
        issuer
            .orphan
            .iter()
            .try_for_each(|orphan| write!(f, "; credential '{orphan}' is left over there: revoke it"))
    }
}
