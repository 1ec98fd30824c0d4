use std::fmt;

use crate::{ActiveVersions, Retirement, SecretName, SecretVersion};

/// What a rotation has done. It contains no secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rotation {
    /// The vault's host name.
    pub vault: String,
    /// The secret.
    pub secret: SecretName,
    /// The id with which the rotation can be resumed.
    pub id: String,
    /// The version that was current before; `None` if it was disabled, was not read, or an earlier run did not record
    /// it.
    pub previous: Option<SecretVersion>,
    /// The new version; `None` if it was not set, or if that is unknown.
    pub current: Option<SecretVersion>,
    /// Whether an earlier run had set the new version.
    pub resumed: bool,
    /// What the issuer was asked to do, and what is left to do there.
    pub issuer: IssuerReport,
    /// Whether the rotation waited for the consumers, and all of them have moved.
    pub consumers_moved: bool,
    /// The outcome for the versions that were listed before the new one was set; `None` if the rotation stopped before
    /// disabling any.
    pub retirement: Option<Retirement>,
    /// Enabled versions other than the new one and those to be kept: they were set or enabled after this rotation had
    /// listed the versions. The next rotation handles them.
    pub later: Vec<SecretVersion>,
    /// The final state; for a rotation that stopped, as far as it could be read; for a dry run, the state that the
    /// rotation would leave.
    pub active: Option<ActiveVersions>,
    /// Whether this was a dry run, which writes nothing.
    pub dry_run: bool,
}

/// What an issuer was asked to do in a rotation, and what is left to do there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerReport {
    /// Whether an issuer was given. Without one, **the old credential stays valid at its issuer**.
    pub configured: bool,
    /// The issuer's id for the new credential, which this or an earlier run created.
    pub created: Option<String>,
    /// Whether the new credential was used, and worked. Also `false` if the issuer has no way to use credentials.
    pub verified: bool,
    /// The ids of the old credentials that the issuer, in this run, confirmed to have revoked.
    pub revoked: Vec<String>,
    /// Old versions whose credential was not revoked: the issuer did not identify it, the value could not be read, or
    /// another secret in the same [`rotate_many`](crate::rotate_many) contains it. It may still work: follow up on it.
    /// Empty if the rotation stopped before its last step.
    pub unrevoked: Vec<SecretVersion>,
    /// Credentials that may be left over: created but not stored, or not known to be stored. Running the rotation
    /// again, with the same id, looks for them.
    pub orphans: Vec<String>,
    /// The current version, if the rotation stopped after something may have been revoked and the issuer could not say
    /// whether this version works. Running the rotation again checks it.
    pub untried: Option<SecretVersion>,
}

impl IssuerReport {
    pub(super) fn fmt_open(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.unrevoked.is_empty() {
            let versions: Vec<&str> = self.unrevoked.iter().map(SecretVersion::as_str).collect();
            write!(
                f,
                "; credentials not revoked, and possibly still valid: those of {}",
                versions.join(", ")
            )?;
        }
        if !self.orphans.is_empty() {
            write!(f, "; possibly left over at the issuer: {}", self.orphans.join(", "))?;
        }
        if let Some(version) = &self.untried {
            write!(f, "; the issuer could not be asked whether the current version {version} works")?;
        }
        Ok(())
    }
}

impl Rotation {
    /// Whether, at the last read, the new version was current and no other version was enabled except those to be kept.
    /// With an issuer, also whether the new credential was verified, the credentials of all old versions were revoked,
    /// and none was left over.
    ///
    /// Without an issuer, this says nothing about the old credential, which stays valid where it was issued. `false`
    /// for a dry run.
    pub fn is_complete(&self) -> bool {
        let enabled_beside = self.retirement.as_ref().map(|retirement| retirement.kept.saturating_sub(1));
        let settled = match (&self.active, enabled_beside) {
            (Some(active), Some(kept)) => {
                active.current.is_some() && active.current == self.current && active.others <= kept
            }
            _ => false,
        };
        let issuer = &self.issuer;
        settled
            && !self.dry_run
            && self.later.is_empty()
            && issuer.unrevoked.is_empty()
            && issuer.orphans.is_empty()
            && (!issuer.configured || issuer.verified)
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
        if !self.is_complete() && !self.dry_run {
            f.write_str("; NOT COMPLETE")?;
            self.active.iter().try_for_each(|active| write!(f, ": {active}"))?;
        }
        if !self.later.is_empty() {
            let versions: Vec<&str> = self.later.iter().map(SecretVersion::as_str).collect();
            write!(f, "; enabled by somebody else in the meantime: {}", versions.join(", "))?;
        }
        if !issuer.configured {
            return f
                .write_str("; no issuer was used: the old credential stays valid there until it is revoked");
        }
        if !self.dry_run {
            let plural = if issuer.revoked.len() == 1 { "" } else { "s" };
            write!(f, "; {} old credential{plural} revoked at the issuer", issuer.revoked.len())?;
            if issuer.created.is_some() && !issuer.verified {
                f.write_str("; the new credential was listed by the issuer, but not used")?;
            }
        }
        issuer.fmt_open(f)
    }
}
