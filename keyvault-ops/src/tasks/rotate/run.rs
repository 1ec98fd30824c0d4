//! The steps of a rotation, for one secret or for several that contain the same credential.

use super::{
    Credential, IssuerKind, Rotate, RotateError, RotateFailure, RotateStep, Rotation,
    beside::Beside,
    error::{GroupStep, Step},
    hooks::Hooks,
    member::Member,
};
use crate::{LedgerAction, ledger::Line};

pub(super) async fn rotate(task: Rotate) -> Result<Rotation, RotateError> {
    let alone = Member::new(task.clone(), Beside::default());
    let nothing = || RotateError {
        completed: Box::new(alone.done),
        step: RotateStep::Snapshot,
        source: Box::new(RotateFailure::Undetermined("the rotation has no outcome".to_owned())),
    };
    rotate_group(vec![task], Beside::default()).await.pop().unwrap_or_else(|| Err(nothing()))
}

/// Rotates secrets that contain the same credential: all get the new one, then the old one is revoked once.
///
/// `beside` holds all secrets of the same call.
pub(super) async fn rotate_group(tasks: Vec<Rotate>, beside: Beside) -> Vec<Result<Rotation, RotateError>> {
    let hooks = tasks.first().and_then(Rotate::hooks);
    let members = tasks.into_iter().map(|task| Member::new(task, beside.clone())).collect();
    let mut group =
        Group { members, hooks, step: RotateStep::Snapshot, in_use: Vec::new(), revoked: Vec::new() };
    let outcome = group.steps().await;
    group.outcomes(outcome).await
}

pub(super) struct Group {
    pub(super) members: Vec<Member>,
    pub(super) hooks: Option<Hooks>,
    pub(super) step: RotateStep,
    /// The ids of the credentials in the new versions.
    pub(super) in_use: Vec<String>,
    /// The credentials that the issuer was asked to revoke in this run.
    pub(super) revoked: Vec<String>,
}

impl Group {
    async fn steps(&mut self) -> GroupStep {
        for at in 0..self.members.len() {
            self.members[at].task.check().map_err(|failure| (at, failure))?;
            self.snapshot(at).await.map_err(|failure| (at, failure))?;
        }
        if self.members.iter().any(|member| member.task.retire.dry_run) {
            self.plan();
            return Ok(());
        }
        self.check_same_credential()?;
        for (at, member) in self.members.iter().enumerate() {
            member.begin().map_err(|failure| (at, failure))?;
        }
        let credential = self.obtain().await?;
        self.in_use.push(credential.id.clone());
        self.set(&credential).await?;
        self.step = RotateStep::Confirm;
        self.look_at_all().await?;
        self.confirm_credential(&credential).await?;
        let revoke_first = self.members.iter().any(|member| member.task.revoke_first);
        if revoke_first {
            self.step = RotateStep::RevokeFirst;
            self.revoke().await?;
        }
        self.wait_for_consumers().await?;
        if !revoke_first {
            self.step = RotateStep::Revoke;
            self.revoke().await?;
        }
        self.disable_old().await?;
        self.report().await
    }

    pub(super) async fn snapshot(&mut self, at: usize) -> Step {
        let member = &mut self.members[at];
        member.snapshot().await?;
        match &self.hooks {
            Some(hooks) if !member.task.retire.dry_run => member.identify(hooks).await,
            _ => Ok(()),
        }
    }

    /// Fills in the report of a dry run: the state that the rotation would leave. Versions that do not exist yet have
    /// no id.
    fn plan(&mut self) {
        for member in &mut self.members {
            let (new, kept) = (u64::from(!member.done.resumed), member.kept.len() as u64);
            let versions = member.listed.len() as u64 + new;
            member.done.retirement = Some(crate::Retirement {
                vault: member.task.client.host().to_owned(),
                secret: member.task.name.clone(),
                current: member.done.current.clone(),
                seen: versions,
                disabled: member.old.len() as u64,
                versions: member
                    .old
                    .iter()
                    .filter(|old| !old.disabled)
                    .map(|old| old.version.clone())
                    .collect(),
                disabled_before: member.disabled_before,
                kept: kept + 1,
                dry_run: true,
            });
            member.done.active = Some(crate::ActiveVersions {
                current: member.done.current.clone(),
                others: kept,
                other_ids: member.kept.iter().map(|kept| kept.version.clone()).take(100).collect(),
                versions,
            });
        }
    }

    /// Checks that the secrets of a group still have the same value, as they had when they were grouped.
    fn check_same_credential(&self) -> GroupStep {
        let mut values = self.members.iter().enumerate().filter(|(_, member)| !member.done.resumed);
        let value = |member: &Member| member.current.as_ref().map(|current| current.value.clone());
        let Some((_, first)) = values.next() else { return Ok(()) };
        let first = value(first);
        match values.find(|(_, member)| value(member) != first) {
            Some((at, _)) => Err((
                at,
                RotateFailure::Invalid("the secret has just been changed: rotate it again".to_owned()),
            )),
            None => Ok(()),
        }
    }

    async fn set(&mut self, credential: &Credential) -> GroupStep {
        self.step = RotateStep::Set;
        let hooks = self.hooks.clone();
        let two_slots = hooks.as_ref().is_some_and(|hooks| hooks.kind() == IssuerKind::TwoSlots);
        for at in 0..self.members.len() {
            if self.members[at].done.resumed {
                continue;
            }
            // Someone who has replaced the credential in another secret of the group may revoke it.
            self.look_at_set().await?;
            let outcome = match two_slots {
                true => match self.members[at].confirm_intent().await {
                    Ok(()) => self.members[at].set(credential).await,
                    Err(failure) => Err(failure),
                },
                false => self.members[at].set(credential).await,
            };
            let Err(failure) = outcome else { continue };
            let stored = self.members.iter().any(|member| member.done.current.is_some());
            match &hooks {
                Some(_) if matches!(failure, RotateFailure::Undetermined(_)) => {
                    self.name_orphan(&credential.id)
                }
                Some(hooks) if !stored => self.discard(hooks, credential, &failure).await,
                _ => {}
            }
            return Err((at, failure));
        }
        Ok(())
    }

    /// Tests the credential again, for two reasons. If two rotations regenerated the same slot or the only credential,
    /// only the later value works. And while a credential was set in one secret of a group after another, someone may
    /// have revoked it.
    async fn confirm_credential(&self, credential: &Credential) -> GroupStep {
        let ends = |hooks: &&Hooks| hooks.kind() != IssuerKind::Many || self.members.len() > 1;
        let Some(hooks) = self.hooks.as_ref().filter(ends) else { return Ok(()) };
        let outcome = hooks.verify_once(&credential.value).await;
        if let (Err(RotateFailure::Hook(_)), Some(current)) = (&outcome, &self.members[0].done.current)
            && self.is_dead(hooks, &credential.value).await == Some(true)
        {
            let current = current.clone();
            return Err((0, RotateFailure::CurrentCredentialDead { current, revoked: Vec::new() }));
        }
        outcome.map_err(|failure| (0, failure))
    }

    async fn outcomes(mut self, outcome: GroupStep) -> Vec<Result<Rotation, RotateError>> {
        let Err((failed, failure)) = outcome else {
            return self.members.into_iter().map(|member| Ok(member.done)).collect();
        };
        // From here on, nobody notices what else is set in these secrets.
        self.members.iter().for_each(|member| member.beside.forget(&member.secret_id(None)));
        let (looks, dead) = match self.step >= RotateStep::Set || self.may_have_ended_one() {
            true => self.last_look().await,
            false => (Vec::new(), None),
        };
        let mut looks = looks.into_iter();
        let (failed, failure) = dead.unwrap_or((failed, failure));
        let culprit = self.members[failed].secret_id(None);
        let mut failure = Some(failure);
        let mut outcomes = Vec::new();
        for (at, member) in self.members.iter_mut().enumerate() {
            let source = match failure.take_if(|_| at == failed) {
                Some(failure) => failure,
                None => RotateFailure::Group { failed: culprit.clone() },
            };
            if !member.task.retire.dry_run {
                member.note_stop(self.step, &source);
            }
            if let Some(looked) = looks.next() {
                member.done.active = looked.active.filter(|_| self.step >= RotateStep::Set);
                member.done.issuer.untried = looked.untried;
            }
            outcomes.push(Err(RotateError {
                completed: Box::new(member.done.clone()),
                step: self.step,
                source: Box::new(source),
            }));
        }
        outcomes
    }
}

impl Member {
    fn note_stop(&self, step: RotateStep, source: &RotateFailure) {
        let action = match source {
            RotateFailure::Overtaken { .. } => LedgerAction::Overtaken,
            _ => LedgerAction::Stopped,
        };
        let line = Line {
            version: self.done.current.clone(),
            detail: Some(format!("{step}: {source}")),
            ..Line::default()
        };
        // The failure that stopped it matters more than a ledger that fails as well.
        let _ = self.note(action, line);
    }
}
