//! Checking which version is current, directly before each irreversible step.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use arm_core::Secret;

use super::{
    RotateFailure,
    error::{GroupStep, Step},
    hooks::{Hooks, pause},
    member::Member,
    run::Group,
};
use crate::{ActiveVersions, SecretBundle, SecretProperties, SecretVersion};

/// How stale the response to a read or list may be, as far as this crate allows for it.
pub(super) const SETTLING: Duration = Duration::from_secs(5);
/// How many times a rotation that stopped tries to read the final state.
const LAST_LOOKS: usize = 3;
/// How long the vault may return an old version after a new one was set.
const PATIENCE: Duration = Duration::from_secs(15);

/// The final state of a rotation that stopped, as far as it could be read.
pub(super) struct LastLook {
    /// Which versions are enabled, if known.
    pub(super) active: Option<ActiveVersions>,
    /// The current version, if it could be read.
    current: Option<SecretBundle>,
    /// The id of the current version, if its issuer could not say whether it works.
    pub(super) untried: Option<SecretVersion>,
}

impl Member {
    /// Reads the current version until it is no longer one from before the set. The inner `Err` holds a version that
    /// someone else has set.
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
                // The disabled version may be the previous one.
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

    /// Reads which versions can be read at the end.
    pub(super) async fn active_versions(&self) -> azure_core::Result<ActiveVersions> {
        let hear = |found: SecretBundle| self.beside.note(&self.secret_id(None), &found.value);
        self.task.client.active_versions(&self.task.name, &hear).await
    }

    /// The same, with the current version, tried several times so that the report is complete.
    async fn last_look(&self) -> LastLook {
        let last = Mutex::new(None);
        let hear = |found: SecretBundle| {
            self.beside.note(&self.secret_id(None), &found.value);
            *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
        };
        for _ in 0..LAST_LOOKS {
            match self.task.client.active_versions(&self.task.name, &hear).await {
                Ok(active) => {
                    let current = last.into_inner().unwrap_or_else(PoisonError::into_inner);
                    let is_current =
                        |found: &SecretBundle| found.properties.version() == active.current.as_ref();
                    return LastLook {
                        current: current.filter(is_current),
                        active: Some(active),
                        untried: None,
                    };
                }
                Err(_) => pause(Duration::from_secs(1)).await,
            }
        }
        let current = last.into_inner().unwrap_or_else(PoisonError::into_inner);
        LastLook { active: None, current, untried: None }
    }

    /// Whether this version existed before the new one was set.
    fn is_old(&self, version: &SecretVersion) -> bool {
        match self.done.resumed {
            true => self.done.previous.as_ref() == Some(version),
            false => self.listed.contains(version),
        }
    }
}

impl Group {
    /// Checks that the new version is still current in every secret of the group.
    pub(super) async fn look_at_all(&self) -> GroupStep {
        self.look_at(|_| true).await
    }

    /// The same, only for the secrets in which it has been set.
    pub(super) async fn look_at_set(&self) -> GroupStep {
        self.look_at(|member| member.done.current.is_some()).await
    }

    async fn look_at(&self, which: impl Fn(&Member) -> bool) -> GroupStep {
        for (at, member) in self.members.iter().enumerate().filter(|(_, member)| which(member)) {
            let looked = member.look().await.map_err(|failure| (at, failure))?;
            if let Err(newer) = looked {
                return Err((at, overtaken(&newer)));
            }
        }
        Ok(())
    }

    /// Reads the final state after the rotation stopped, and checks whether a revocation has invalidated a current
    /// value.
    pub(super) async fn last_look(&self) -> (Vec<LastLook>, Option<(usize, RotateFailure)>) {
        if self.hooks.is_some() && self.may_have_ended_one() {
            // After this pause, a version that was set directly before the last revocation is visible.
            pause(SETTLING).await;
        }
        let (mut looks, mut dead) = (Vec::new(), None);
        for (at, member) in self.members.iter().enumerate() {
            let mut looked = member.last_look().await;
            // Only now: another rotation of the same call may have revoked a credential in the meantime.
            let hooks = self.hooks.as_ref().filter(|_| self.may_have_ended_one());
            if let (Some(hooks), Some(found), None) = (hooks, &looked.current, &dead)
                && let Ok(current) = id_of(&found.properties)
            {
                match self.is_dead(hooks, &found.value).await {
                    Some(true) => {
                        let revoked = self.revoked_so_far();
                        dead = Some((at, RotateFailure::CurrentCredentialDead { current, revoked }));
                    }
                    Some(false) => {}
                    None => looked.untried = Some(current),
                }
            }
            looks.push(looked);
        }
        (looks, dead)
    }

    /// Whether this call, or an earlier run of this rotation, may have revoked a credential.
    pub(super) fn may_have_ended_one(&self) -> bool {
        let may = |member: &Member| {
            let earlier = member.done.resumed || member.begun || !member.record.revoked.is_empty();
            !member.task.retire.dry_run && (earlier || member.beside.has_revoked())
        };
        !self.revoked.is_empty() || self.members.iter().any(may)
    }

    fn revoked_so_far(&self) -> Vec<String> {
        let earlier = self.members.iter().flat_map(|member| &member.record.revoked);
        let mut revoked: Vec<String> = self.revoked.iter().chain(earlier).cloned().collect();
        revoked.sort();
        revoked.dedup();
        revoked
    }

    /// Whether a value no longer works; `None` if the issuer could not say.
    pub(super) async fn is_dead(&self, hooks: &Hooks, value: &Secret) -> Option<bool> {
        let olds = self.members.iter().flat_map(|member| &member.old);
        let mut revoked =
            olds.filter(|old| old.credential.as_ref().is_some_and(|id| self.revoked.contains(id)));
        if revoked.any(|old| old.value.as_ref() == Some(value)) {
            return Some(true);
        }
        if hooks.verify_once(value).await.is_ok() {
            return Some(false);
        }
        for _ in 0..LAST_LOOKS {
            match hooks.identify(value).await {
                Ok(credential) => return Some(credential.is_none()),
                Err(_) => pause(Duration::from_secs(1)).await,
            }
        }
        None
    }
}

/// The failure for a version that someone else has set.
pub(super) fn overtaken(newer: &SecretBundle) -> RotateFailure {
    match id_of(&newer.properties) {
        Ok(current) => RotateFailure::Overtaken { current },
        Err(failure) => failure,
    }
}

/// The id of the version that was read as the current one.
pub(in crate::tasks) fn id_of(properties: &SecretProperties) -> Step<SecretVersion> {
    properties.version().cloned().ok_or_else(gone)
}

fn gone() -> RotateFailure {
    RotateFailure::Undetermined("the service did not say which version is current".to_owned())
}
