//! Looking which version is current, directly before each step that cannot be taken back.

use std::time::Duration;

use arm_core::Secret;

use super::{
    RotateFailure,
    hooks::{Hooks, pause},
    member::Member,
    run::{Group, GroupStep, Step},
};
use crate::{SecretBundle, SecretProperties, SecretVersion};

/// How old the answer to a read or list may be, as far as this crate allows for it.
pub(super) const SETTLING: Duration = Duration::from_secs(5);
/// How long an old version may be answered after a new one was set.
const PATIENCE: Duration = Duration::from_secs(15);

impl Member {
    /// Reads the current version until it is not one of before. `Err` holds a version that someone else has set.
    pub(super) async fn look(&self) -> Step<Result<SecretBundle, SecretBundle>> {
        let mut waited = Duration::ZERO;
        loop {
            let found = self.read_current().await?;
            let version = found.as_ref().and_then(|found| found.properties.version());
            let old = match version {
                Some(version) if self.done.current.as_ref() == Some(version) => {
                    return Ok(Ok(found.ok_or_else(gone)?));
                }
                Some(version) => self.is_old(version),
                // The version of before may be the one that is disabled.
                None => self.current.is_none() && !self.done.resumed,
            };
            match found {
                None if !old => return Err(RotateFailure::CurrentDisabled),
                Some(found) if !old => return Ok(Err(found)),
                Some(found) if waited >= PATIENCE => {
                    return Err(RotateFailure::StillOld { current: id_of(&found.properties)? });
                }
                None if waited >= PATIENCE => return Err(RotateFailure::CurrentDisabled),
                _ => {}
            }
            pause(Duration::from_secs(1)).await;
            waited += Duration::from_secs(1);
        }
    }

    /// The current version, asked for more than once: what was done is to be told.
    async fn read_again(&self) -> Option<SecretBundle> {
        for _ in 0..3 {
            match self.read_current().await {
                Ok(found) => return found,
                Err(_) => pause(Duration::from_secs(1)).await,
            }
        }
        None
    }

    /// Whether this version was there before the new one was set.
    fn is_old(&self, version: &SecretVersion) -> bool {
        match self.done.resumed {
            true => self.done.previous.as_ref() == Some(version),
            false => self.listed.contains(version),
        }
    }
}

impl Group {
    /// Makes sure that every secret of the group still has the new version as its current one.
    pub(super) async fn look_at_all(&self) -> GroupStep {
        for (at, member) in self.members.iter().enumerate() {
            let looked = member.look().await.map_err(|failure| (at, failure))?;
            if let Err(newer) = looked {
                return Err((at, overtaken(&newer)));
            }
        }
        Ok(())
    }

    /// After something was revoked and the rotation stopped: whether a current value is dead by that.
    pub(super) async fn find_dead(&self) -> Option<(usize, RotateFailure)> {
        let hooks = self.hooks.as_ref()?;
        let mut revoked = self.revoked.clone();
        revoked.extend(self.members.iter().flat_map(|member| member.record.revoked.iter().cloned()));
        revoked.sort();
        revoked.dedup();
        if revoked.is_empty() && !self.members.iter().any(|member| member.done.resumed || member.begun) {
            return None;
        }
        // What was set directly before the last revocation is seen by now.
        pause(SETTLING).await;
        for (at, member) in self.members.iter().enumerate() {
            let Some(found) = member.read_again().await else { continue };
            let Ok(current) = id_of(&found.properties) else { continue };
            if self.is_dead(hooks, &found.value).await {
                return Some((at, RotateFailure::CurrentCredentialDead { current, revoked }));
            }
        }
        None
    }

    async fn is_dead(&self, hooks: &Hooks, value: &Secret) -> bool {
        let olds = self.members.iter().flat_map(|member| &member.old);
        let mut revoked =
            olds.filter(|old| old.credential.as_ref().is_some_and(|id| self.revoked.contains(id)));
        if revoked.any(|old| old.value.as_ref() == Some(value)) {
            return true;
        }
        match hooks.verify_once(value).await {
            Ok(()) => false,
            Err(RotateFailure::Hook(_)) => !matches!(hooks.identify(value).await, Ok(Some(_))),
            Err(_) => matches!(hooks.identify(value).await, Ok(None)),
        }
    }
}

/// Someone else has set a version.
pub(super) fn overtaken(newer: &SecretBundle) -> RotateFailure {
    match id_of(&newer.properties) {
        Ok(current) => RotateFailure::Overtaken { current },
        Err(failure) => failure,
    }
}

pub(super) fn id_of(properties: &SecretProperties) -> Step<SecretVersion> {
    properties.version().cloned().ok_or_else(gone)
}

fn gone() -> RotateFailure {
    RotateFailure::Undetermined("the service did not say which version is current".to_owned())
}
